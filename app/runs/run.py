"""One run while it is going, and its trace while it is in memory. Many may read it, each at its own offset.

It starts nothing and stores nothing: app/runs/service.py does.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter

import msgspec

from app.errors import Problem
from app.runs.program import Program
from app.store import Head
from engine.trace import events as ev

FLUSH = 0.016  # seconds; readers are woken at most once a frame, so that small events travel together

FINAL = frozenset(("ok", "fail", "limit", "forged"))
"""Ends that the program alone decides: the same program need not run again."""

_END = msgspec.json.Decoder(ev.End)


class Run:
    """key       the Program's hash
    buffer    the trace so far; None once it lies in the store alone
    size      bytes so far; starts[seq] is where line seq starts
    status    "queued", "running", then the `end`'s
    position  place in the queue, 0 when it runs
    passing   made for one step's detail only: neither kept nor finished for its own sake
    readers   how many streams each client reads; wanted: clients who asked for it without reading
    """

    def __init__(self, program: Program, *, owner: str = "") -> None:
        self.program, self.key, self.owner = program, program.key, owner
        self.buffer: bytearray | None = bytearray()
        self.starts = array("Q", [0])
        self.size = 0
        self.steps = 0
        self.status = "running"
        self.position = 0
        self.message = ""
        self.seconds = 0.0
        self.created = time.time()
        self.began = time.monotonic()
        self.done = False
        self.stored = False
        self.passing = False
        self.refused: Problem | None = None
        self.task: asyncio.Task[None] | None = None
        self.readers: Counter[str] = Counter()
        self.wanted: set[str] = set()
        self.why = ""
        self.opened = asyncio.Event()
        """Set once it is known whether the run was taken, queued or refused."""
        self._more = asyncio.Event()
        self._ticked = -1.0
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def stored_as(cls, head: Head, program: Program) -> Run:
        """A run that ended some time ago; its bytes are in the store."""
        run = cls(program)
        run.key, run.buffer, run.size, run.steps = head.key, None, head.size, head.steps
        run.status, run.message, run.seconds, run.created = head.status, head.message, head.seconds, head.created
        run.done = run.stored = True
        run.stored_events = head.events
        run.opened.set()
        return run

    stored_events = 0

    @property
    def events(self) -> int:
        return self.stored_events or len(self.starts) - 1

    def feed(self, chunk: bytes) -> None:
        """Whole lines, right after what is there."""
        assert self.buffer is not None
        base, at = self.size + 1, chunk.find(b"\n")
        append = self.starts.append
        while at >= 0:
            append(base + at)
            at = chunk.find(b"\n", at + 1)
        self.steps += chunk.count(b'{"kind":"step"')
        self.buffer += chunk
        self.size += len(chunk)
        self.status, self.position = "running", 0
        self.opened.set()
        loop = asyncio.get_running_loop()
        if self._timer is None:
            if loop.time() - self._ticked >= FLUSH:
                self._tick()
            else:
                self._timer = loop.call_at(self._ticked + FLUSH, self._tick)

    def queued(self, position: int) -> None:
        """The runner's `on_queue`."""
        self.status, self.position = ("queued" if position else "running"), position
        self.opened.set()

    def finish(self) -> None:
        """The last line is there: believe it."""
        assert self.buffer is not None
        end = _END.decode(memoryview(self.buffer)[self.starts[-2] :])
        self.status, self.message, self.seconds = end.status, end.message, end.seconds
        self._close()

    def refuse(self, problem: Problem) -> None:
        self.refused, self.status = problem, "refused"
        self._close()

    def _close(self) -> None:
        self.done, self.position = True, 0
        self.opened.set()
        if self._timer is not None:
            self._timer.cancel()
        self._tick()

    def ended(self) -> bool:
        """Whether the last line is an `end` already."""
        if len(self.starts) < 2 or self.buffer is None:
            return False
        return self.buffer.startswith(b'{"kind":"end"', self.starts[-2])

    def _tick(self) -> None:
        self._timer = None
        self._ticked = asyncio.get_running_loop().time()
        more, self._more = self._more, asyncio.Event()
        more.set()

    async def more(self) -> None:
        """Until there is something new, or the end. Look at `size` and `done` first."""
        await self._more.wait()

    def head(self) -> Head:
        return Head(
            key=self.key,
            status=self.status,
            events=self.events,
            steps=self.steps,
            size=self.size,
            seconds=self.seconds,
            created=self.created,
            message=self.message,
            program=msgspec.json.encode(self.program),
        )
