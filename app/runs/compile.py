"""Text as it arrived -> Program. Normalises and refuses; it parses and runs nothing.

A syntax error is no matter of this file: parsing untrusted text belongs into the sandbox, which answers with a
`fail` event that carries the line.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.runs.limits import Limits
from app.runs.program import Program

MAX_SOURCE = 1024 * 1024
"""Bytes of program text that the sandbox takes; the service may allow less."""


class Refused(ValueError):
    """No program can be made of this text; the message says why."""


def compile_program(
    text: str, *, engine: str, seed: int = 0, detail: Iterable[int] = (), limits: Limits | None = None
) -> Program:
    """Same text up to line ends, byte order mark and trailing white space at the end: same Program."""
    source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n"
    if "\0" in source:
        raise Refused("the program contains a NUL character")
    try:
        size = len(source.encode())
    except UnicodeEncodeError as error:
        raise Refused(f"character {error.start} of the program is half a character (a lone surrogate)") from None
    if size > MAX_SOURCE:
        raise Refused(f"the program is {size:,} bytes long; at most {MAX_SOURCE:,} are taken")
    return Program(
        source=source,
        seed=seed,
        detail=tuple(sorted(set(detail))),
        limits=limits or Limits(),
        engine=engine,
    )
