"""Where events become lines. Numbers them, counts them, hands them over in batches; knows no window and no program."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from engine.trace import events as ev

FLUSH_SECONDS = 0.016  # one frame of a screen
FLUSH_BYTES = 32_768


class Wire:
    """emit takes whole lines as bytes; called at most every 16 ms while events come, and by `flush`."""

    def __init__(self, emit: Callable[[bytes], object]) -> None:
        self._emit = emit
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []
        self._held = 0
        self._flushed = time.perf_counter()
        self.seq = 0  # events told so far
        self.bytes = 0

    def _put(self, event: ev.Event) -> None:
        line = self._encode(event)
        self.seq += 1
        self._lines.append(line)
        size = len(line) + 1
        self.bytes += size
        self._held += size
        if self._held >= FLUSH_BYTES or time.perf_counter() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand over all lines so far."""
        if self._lines:
            text = b"\n".join(self._lines) + b"\n"
            self._lines.clear()
            self._held = 0
            self._emit(text)
        self._flushed = time.perf_counter()
