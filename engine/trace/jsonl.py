"""A trace as text: one JSON object a line. Reading validates every line; nothing here runs or records.

A schema change needs a version here: an upgrade step from the old form to the new (none so far).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from engine.trace.events import AnyEvent, Event

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def dumps(event: Event) -> bytes:
    """One event as its line, newline included."""
    return _encoder.encode(event) + b"\n"


def loads(line: bytes | str) -> AnyEvent:
    """One line as its event.

    raises  msgspec.ValidationError naming the field when the line is JSON but no event;
            msgspec.DecodeError when it is not JSON
    """
    return _decoder.decode(line)


def read(lines: Iterable[bytes | str]) -> Iterator[AnyEvent]:
    """The events of a trace, line by line; blank lines are skipped."""
    for line in lines:
        if line.strip():
            yield _decoder.decode(line)


def load(path: str | Path) -> list[AnyEvent]:
    """All events of a file."""
    with open(path, "rb") as file:
        return list(read(file))


def save(events: Iterable[Event], path: str | Path) -> None:
    """Write events to a file, one line each."""
    with open(path, "wb") as file:
        file.writelines(dumps(event) for event in events)
