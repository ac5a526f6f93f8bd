"""A store that forgets when the process ends: for tests, and where no folder can be written."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from app.store import Head


class MemoryStore:
    """The least recently read trace goes when `max_bytes` are exceeded."""

    kind = "memory"

    def __init__(self, *, max_bytes: int = 256 * 2**20) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self.traces: OrderedDict[str, tuple[Head, bytes]] = OrderedDict()
        self.lock = threading.Lock()

    def put(self, head: Head, trace: bytes | bytearray) -> None:
        with self.lock:
            self._drop(head.key)
            self.traces[head.key] = head, bytes(trace)
            self.bytes += len(trace)
            while self.bytes > self.max_bytes and len(self.traces) > 1:
                self._drop(next(iter(self.traces)))

    def put_all(self, traces: Sequence[tuple[Head, bytes | bytearray]]) -> None:
        for head, trace in traces:
            self.put(head, trace)

    def _drop(self, key: str) -> None:
        if (old := self.traces.pop(key, None)) is not None:
            self.bytes -= len(old[1])

    def may_have(self, key: str) -> bool:
        return key in self.traces

    def head(self, key: str) -> Head | None:
        with self.lock:
            if key not in self.traces:
                return None
            self.traces.move_to_end(key)
            return self.traces[key][0]

    def read(self, key: str, offset: int, size: int) -> bytes:
        with self.lock:
            found = self.traces.get(key)
        return found[1][offset : offset + size] if found else b""

    def offset_of(self, key: str, seq: int) -> int | None:
        with self.lock:
            found = self.traces.get(key)
        if found is None or seq > found[0].events:
            return None
        offset = 0
        for _ in range(seq):
            offset = found[1].index(b"\n", offset) + 1
        return offset

    def delete(self, key: str) -> None:
        with self.lock:
            self._drop(key)

    def usage(self) -> tuple[int, int]:
        return len(self.traces), self.bytes

    def close(self) -> None:
        self.traces.clear()
