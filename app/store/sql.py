"""Traces in a database: SQLite (one file, WAL) or PostgreSQL, the same SQLAlchemy Core statements for both.

A trace is cut into pieces of 64 KiB, each compressed by zstd, all written in one transaction: after a kill -9
at any moment a trace is there whole or not at all. A file that is no database is put aside, not repaired.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import zstandard
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError as SqlDatabaseError
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from app.store import CHUNK, Head, StoreFailed

log = logging.getLogger("backstep")

LAYOUT = 1  # a database of another layout is emptied: traces can be made again
TOUCH = 3600.0  # seconds; the time of the last reading is noted no more often
EVICT_EVERY = 32  # puts between two looks at size and age

META = MetaData()
TRACES = Table(
    f"backstep_traces_{LAYOUT}",
    META,
    Column("key", String(100), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("events", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("message", Text, nullable=False),
    Column("program", LargeBinary, nullable=False),
    Index("backstep_seen", "seen"),
)
CHUNKS = Table(
    f"backstep_chunks_{LAYOUT}",
    META,
    Column("key", String(100), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("lines", Integer, nullable=False),  # line ends before this piece
    Column("data", LargeBinary, nullable=False),
)


class Clock:
    """Wall time that does not jump: where the clock stood at the start, and what has gone by since."""

    def __init__(self) -> None:
        self.base = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self.base + time.monotonic()


class SqlStore:
    """max_bytes: compressed bytes kept; max_age: seconds after its last reading that a trace is kept."""

    def __init__(self, url: str, *, max_bytes: int = 2**31, max_age: float = 30 * 86400) -> None:
        self.url = make_url(url)
        self.max_bytes, self.max_age = max_bytes, max_age
        self.clock = Clock()
        self.puts = 0
        self.compress = zstandard.ZstdCompressor(level=3).compress  # for the one thread that writes
        self.kind = self.url.get_backend_name()
        self.sqlite = self.kind == "sqlite"
        try:
            self._open()
        except SqlDatabaseError as error:
            if not self.sqlite or ("not a database" not in str(error) and "malformed" not in str(error)):
                raise StoreFailed(str(error.orig)) from error
            self._put_aside()
            self._open()
        except SQLAlchemyError as error:
            raise StoreFailed(str(error)) from error
        with suppress(StoreFailed):
            self.evict()

    def _open(self) -> None:
        options: dict[str, Any] = {"connect_args": {"timeout": 10}} if self.sqlite else {"pool_pre_ping": True}
        self.engine = create_engine(self.url, **options)
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare)
        with self.engine.begin() as connection:
            META.create_all(connection)
            self.keys = set(connection.execute(select(TRACES.c.key)).scalars()) if self.sqlite else set()

    def _put_aside(self) -> None:
        self.engine.dispose()
        path = self.url.database or ""
        aside = f"{path}.broken-{int(time.time())}"
        log.error("%s is not a usable database; it is put aside as %s", path, aside)
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.replace(path + suffix, aside + suffix)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreFailed(str(getattr(error, "orig", error))) from error

    def put(self, head: Head, trace: bytes | bytearray) -> None:
        try:
            self._write([(head, trace)])
        except StoreFailed as error:
            if isinstance(error.__cause__, IntegrityError):
                return  # another process kept the same trace in the same moment
            raise

    def put_all(self, traces: Sequence[tuple[Head, bytes | bytearray]]) -> None:
        self._write(traces)

    def _write(self, traces: Sequence[tuple[Head, bytes | bytearray]]) -> None:
        """In one transaction."""
        now = self.clock()
        heads, chunks = [], []
        for head, trace in traces:
            view, lines, stored = memoryview(trace), 0, 0
            for n, start in enumerate(range(0, len(trace), CHUNK)):
                piece = bytes(view[start : start + CHUNK])
                data = self.compress(piece)
                chunks.append({"key": head.key, "n": n, "lines": lines, "data": data})
                lines += piece.count(b"\n")
                stored += len(data)
            heads.append({
                "key": head.key, "status": head.status, "events": head.events, "steps": head.steps, "size": head.size,
                "stored": stored, "seconds": head.seconds, "created": head.created, "seen": now,
                "message": head.message, "program": head.program,
            })  # fmt: skip
        keys = [head.key for head, _ in traces]
        old = [key for key in keys if self.may_have(key)]
        with self._writing() as connection:
            if old:
                _remove(connection, old)
            connection.execute(insert(TRACES), heads)
            for at in range(0, len(chunks), 64):
                connection.execute(insert(CHUNKS), chunks[at : at + 64])
        self.keys.update(keys)
        before, self.puts = self.puts, self.puts + len(keys)
        if before // EVICT_EVERY != self.puts // EVICT_EVERY:
            self.evict()

    def may_have(self, key: str) -> bool:
        """A file has one process that writes it: this one knows what is in it. A server has many."""
        return not self.sqlite or key in self.keys

    def head(self, key: str) -> Head | None:
        with self._reading() as connection:
            row = connection.execute(select(TRACES).where(TRACES.c.key == key)).mappings().first()
        if row is None:
            return None
        if (now := self.clock()) - row["seen"] > TOUCH:
            with suppress(StoreFailed), self._writing() as connection:
                connection.execute(update(TRACES).where(TRACES.c.key == key).values(seen=now))
        return Head(**{name: row[name] for name in Head.__struct_fields__})

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreFailed(str(error.orig)) from error

    def read(self, key: str, offset: int, size: int) -> bytes:
        first, last = offset // CHUNK, (offset + max(size, 1) - 1) // CHUNK
        query = select(CHUNKS.c.data).where(CHUNKS.c.key == key, CHUNKS.c.n >= first, CHUNKS.c.n <= last)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(CHUNKS.c.n)).scalars().all()
        expand = zstandard.ZstdDecompressor().decompress
        start = offset - first * CHUNK
        return b"".join(expand(data, max_output_size=CHUNK) for data in rows)[start : start + size]

    def offset_of(self, key: str, seq: int) -> int | None:
        if seq == 0:
            return 0 if self.head(key) else None
        query = select(CHUNKS).where(CHUNKS.c.key == key, CHUNKS.c.lines < seq)
        with self._reading() as connection:
            row = connection.execute(query.order_by(CHUNKS.c.n.desc()).limit(1)).mappings().first()
        if row is None:
            return None
        piece = zstandard.ZstdDecompressor().decompress(row["data"], max_output_size=CHUNK)
        at = 0
        for _ in range(seq - row["lines"]):
            at = piece.find(b"\n", at) + 1
            if at == 0:
                return None
        return int(row["n"]) * CHUNK + at

    def delete(self, key: str) -> None:
        with self._writing() as connection:
            _remove(connection, [key])
        self.keys.discard(key)

    def evict(self) -> int:
        """Removes what is too old, then the least recently read until the rest fits. Returns how many went."""
        gone: list[str] = []
        with self._writing() as connection:
            old = select(TRACES.c.key).where(TRACES.c.seen < self.clock() - self.max_age)
            gone += connection.execute(old).scalars()
            total = connection.execute(select(func.coalesce(func.sum(TRACES.c.stored), 0))).scalar_one()
            if total > self.max_bytes:
                rows = connection.execute(select(TRACES.c.key, TRACES.c.stored).order_by(TRACES.c.seen))
                for key, stored in rows:
                    if total <= self.max_bytes * 0.9:  # a little more, so that the next put need not again
                        break
                    gone.append(key)
                    total -= stored
            for at in range(0, len(gone), 500):
                _remove(connection, gone[at : at + 500])
        self.keys.difference_update(gone)
        return len(gone)

    def usage(self) -> tuple[int, int]:
        query = select(func.count(), func.coalesce(func.sum(TRACES.c.stored), 0)).select_from(TRACES)
        with self._reading() as connection:
            count, size = connection.execute(query).one()
        return int(count), int(size)

    def close(self) -> None:
        self.engine.dispose()


def _remove(connection: Connection, keys: list[str]) -> None:
    connection.execute(delete(CHUNKS).where(CHUNKS.c.key.in_(keys)))
    connection.execute(delete(TRACES).where(TRACES.c.key.in_(keys)))


def _prepare(connection: Any, record: Any) -> None:
    """WAL: readers never wait for the writer, and a torn write is rolled back when the file is next opened."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA journal_size_limit=16777216")
    cursor.close()
