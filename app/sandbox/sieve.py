"""Reads what a child wrote and lets through only events: decoded, checked, numbered and written anew.

Nothing a child writes is believed. `begin` is the parent's own (the child's only says that it got that far),
`end` never comes from here, every other line is re-encoded from the decoded struct, so that unknown fields,
odd spellings and numbers that JSON lacks cannot pass. What is not an event is dropped and counted.
"""

from __future__ import annotations

from typing import Any

import msgspec

from app.runs.program import Program
from app.sandbox.endings import add_hint
from engine.trace import events as ev

MAX_BAD = 20
"""Lines that are no events until the run is stopped; any at all and it ends as forged."""
MAX_DEPTH = 16
"""Of what an event holds in fields of free form."""

_decode = msgspec.json.Decoder(ev.AnyEvent).decode
_encode = msgspec.json.Encoder().encode


def deeper_than(value: Any, depth: int) -> bool:
    if depth < 0:
        return True
    if isinstance(value, dict):
        return any(deeper_than(v, depth - 1) for v in value.values())
    if isinstance(value, list):
        return any(deeper_than(v, depth - 1) for v in value)
    return False


class Sieve:
    """One run's lines.

    events, steps, bytes, text   what was let through so far
    bad       lines dropped
    begun     the child said it was inside the box and ready
    finished  the child said it was done; whatever follows is dropped
    failed    the child reported an exception
    limit     the counted limit that was reached, "" for none
    """

    def __init__(self, program: Program) -> None:
        self.program, self.limits = program, program.limits
        self.events = self.steps = self.bytes = self.text = self.bad = 0
        self.begun = self.finished = False
        self.failed: ev.Fail | None = None
        self.limit = ""
        self._rest: list[bytes] = []  # of a line that has no end yet: joined once, however long it gets
        self._held = 0

    @property
    def stopped(self) -> bool:
        """Nothing more will be let through."""
        return bool(self.limit) or self.finished or self.bad >= MAX_BAD

    def begin(self) -> bytes:
        """The first line, made by the parent from what it knows itself."""
        self.begun = True
        return self._number(self.program.begin())

    def feed(self, data: bytes) -> list[bytes]:
        """Whole lines let through, newline included."""
        passed: list[bytes] = []
        first, newline, after = data.partition(b"\n")
        self._rest.append(first)
        self._held += len(first)
        if self._held > self.limits.line and not self.stopped:
            self.limit = "line"
        if not newline:
            return passed
        *lines, rest = after.split(b"\n")
        lines.insert(0, b"".join(self._rest))
        self._rest, self._held = [rest], len(rest)
        for line in lines:
            if self.stopped:
                break
            out = self._pass(line)
            if out:
                passed.append(out)
        return passed

    def close(self) -> None:
        """The child is gone; a line without its newline was cut off by whatever ended it."""
        self._rest, self._held = [], 0

    def _pass(self, line: bytes) -> bytes:
        if len(line) > self.limits.line:
            self.limit = "line"
            return b""
        try:
            event: ev.Event = _decode(line)
        except Exception:  # hostile input: not only DecodeError, RecursionError too
            self.bad += 1
            return b""
        kind = type(event)
        if kind is ev.Begin:
            if self.begun:
                self.bad += 1
                return b""
            return self.begin()
        if not self.begun:
            self.bad += 1
            return b""
        if kind is ev.End:
            self.finished = True
            return b""
        if isinstance(event, ev.Forward) and deeper_than(event.params, MAX_DEPTH):
            self.bad += 1
            return b""
        if isinstance(event, ev.Print):
            self.text += len(event.text.encode())
            if self.text > self.limits.text:
                self.limit = "text"
                return b""
        elif isinstance(event, ev.Step):
            self.steps += 1
        elif isinstance(event, ev.Fail):
            event = self.failed = add_hint(event)
        if self.events >= self.limits.events:
            self.limit = "events"
            return b""
        return self._number(event)

    def _number(self, event: ev.Event) -> bytes:
        msgspec.structs.force_setattr(event, "seq", self.events)
        line = _encode(event) + b"\n"
        if self.bytes + len(line) > self.limits.trace:
            self.limit = "trace"
            return b""
        self.events += 1
        self.bytes += len(line)
        return line
