"""Cuts the events of one training step out of a trace's bytes. It decodes only the `step` lines.

A window is everything after the previous `step` event (or `begin`) up to the step's own, included.
"""

from __future__ import annotations

import re

import msgspec

from engine.trace import events as ev

STEP = re.compile(rb'^\{"kind":"step",[^\n]*\n', re.MULTILINE)

_STEP = msgspec.json.Decoder(ev.Step)


def find(trace: bytes | bytearray, index: int) -> tuple[bytes, bool] | None:
    """(lines of step `index`, whether they hold its events); None when the trace does not have that step.

    A program that never trains is step 0, and so is what a program did before it failed in its first step.
    """
    start, expected = trace.find(b"\n") + 1, 0
    for match in STEP.finditer(trace):
        step = _STEP.decode(match.group())
        if step.index == index:
            return bytes(trace[start : match.end()]), step.window
        start, expected = match.end(), step.index + 1
    if index != expected:
        return None
    rest = bytes(trace[start:])
    return (rest, True) if rest.count(b"\n") > 1 else None  # more than the `end`


def only(trace: bytes | bytearray) -> bytes | None:
    """The one window of a run that was asked for one step. None when the program never came there."""
    start = trace.find(b"\n") + 1
    match = STEP.search(trace, start)
    if match is not None:
        return bytes(trace[start : match.end()])
    rest = bytes(trace[start:])
    return rest if rest.count(b"\n") > 1 else None  # it failed in that step: more than the `end`
