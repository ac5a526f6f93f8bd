"""Where finished traces lie: one small protocol, a dictionary (memory.py) and a database (sql.py).

A store keeps bytes under a key and what a list of traces shows about them. It knows no event, no run that
is still going and no HTTP. Its methods block: the service calls them from threads, `put` from one only.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec

from app.settings import Settings, data_folder

log = logging.getLogger("backstep")

CHUNK = 64 * 1024
"""Bytes of a stored piece before compression."""


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a trace without reading it.

    status   of its `end`; "window" for a single step
    events   lines; steps: training iterations; size: bytes; seconds: how long the program ran
    created  seconds since 1970
    program  JSON of the Program that made it, enough to run it again
    """

    key: str
    status: str
    events: int
    steps: int
    size: int
    seconds: float
    created: float
    message: str = ""
    program: bytes = b""


class StoreFailed(Exception):
    """The disk is full, the file broken, the server away. The trace in memory is still good."""


class Store(Protocol):
    def put(self, head: Head, trace: bytes | bytearray) -> None:
        """Keep it, all or nothing; a trace of the same key is replaced. Raises StoreFailed."""
        ...

    def put_all(self, traces: Sequence[tuple[Head, bytes | bytearray]]) -> None:
        """Several different ones, all or none. Raises StoreFailed; one by one some of them may still be kept."""
        ...

    def may_have(self, key: str) -> bool:
        """False when it surely has not; answered at once."""
        ...

    def head(self, key: str) -> Head | None: ...

    def read(self, key: str, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset`, at least one unless the trace ends there or is gone."""
        ...

    def offset_of(self, key: str, seq: int) -> int | None:
        """Where line `seq` starts; None when the trace has fewer lines."""
        ...

    def delete(self, key: str) -> None: ...

    def usage(self) -> tuple[int, int]:
        """(traces, bytes they take)."""
        ...

    def close(self) -> None: ...


def open_store(settings: Settings) -> Store:
    """The store of the settings. `auto` falls back to memory where the data folder cannot be written."""
    from app.store.memory import MemoryStore
    from app.store.sql import SqlStore

    size, age = settings.store_mb * 2**20, settings.store_days * 86400
    if settings.store == "memory":
        return MemoryStore(max_bytes=settings.live_mb * 2**20)
    if settings.store != "auto":
        return SqlStore(settings.store, max_bytes=size, max_age=age)
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return SqlStore(f"sqlite:///{folder / 'traces.sqlite3'}", max_bytes=size, max_age=age)
    except (OSError, StoreFailed) as error:
        log.warning("traces are kept in memory only: %s", error)
        return MemoryStore(max_bytes=settings.live_mb * 2**20)
