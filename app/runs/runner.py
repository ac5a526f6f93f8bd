"""The seam below which programs run somewhere, and above which nobody knows where.

    Runner                what the service sees; `LocalRunner` in app/sandbox is the embedded one
    RunnerLost            the machinery died: the same program may be run again
    RunnerBusy            the queue is full: try again after `retry_after` seconds
    RunnerUnavailable     programs cannot run here at all, and why
    InProcessRunner       no box, no processes, a story of your own: for tests of what stands above the seam

What a learner's program does wrong is never an exception: it is the last line of its trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from app.runs.program import Program
from engine.trace import events as ev

CHUNK = 64 * 1024
"""Bytes of one chunk at most; a single line longer than that is a chunk of its own."""

OnQueue = Callable[[int], None]
"""Called with the place in the queue, 1 = next, whenever it changed, and with 0 once when the program starts.
Not called at all for a program that starts at once. From the event loop's thread."""


class RunnerLost(Exception):
    """The machinery died under the run, not the program: safe to run again."""


class RunnerBusy(Exception):
    """Too many programs wait already. Raised before the first chunk."""

    def __init__(self, retry_after: float, position: int, message: str = "the queue is full") -> None:
        super().__init__(message)
        self.retry_after, self.position = retry_after, position


class RunnerUnavailable(Exception):
    """Programs cannot run on this machine; `hint` says what would help. Raised before the first chunk."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


@dataclass(frozen=True, slots=True)
class Health:
    """ready    programs can run now
    reason   when not: why, in a sentence
    slots    programs that can run at once; busy: that do; queued: that wait
    aside    long programs that go on without a slot
    box      how they are confined, one line per fact, for `/readyz` and `backstep doctor`
    """

    ready: bool
    slots: int
    busy: int
    queued: int
    aside: int = 0
    reason: str = ""
    box: dict[str, str] = field(default_factory=dict)


class Runner(Protocol):
    """Where programs run."""

    async def start(self) -> None:
        """Gets ready. Does not raise when programs cannot run here: `health` says so and `run` refuses."""

    def run(
        self, program: Program, *, client: str = "", on_queue: OnQueue | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The trace: whole JSON lines (newline included) in chunks of at most 64 KiB, a longer line alone.

        The first line is `begin`, the last `end`, whatever the program does; the bytes of everything before
        `end` are the same at every execution unless a clock cut it short; where chunks end is not.
        `client` shares fairly: waiting programs of different clients take turns.
        `aclose()`, or cancelling the task that iterates, cancels and kills; then there is no `end` line.
        Raises RunnerBusy and RunnerUnavailable before the first chunk, RunnerLost at any time.
        """
        ...

    async def health(self) -> Health: ...

    async def close(self) -> None:
        """Kills what runs, waits until it is gone. Runs still open raise RunnerLost."""


Story = Callable[[Program], Iterable[ev.Event | BaseException | float]]
"""What a fake run does, in order: events to emit, seconds to wait, exceptions to raise."""


def tell_hello(program: Program) -> Iterable[ev.Event | BaseException | float]:
    """The shortest trace."""
    yield program.begin()
    yield ev.Print(text="hello\n")
    yield ev.End(status="ok", message="The program ran to its end.", events=3)


class InProcessRunner:
    """Plays a story instead of running the program. Counts what the real one counts; queues nothing."""

    def __init__(self, story: Story = tell_hello, *, slots: int = 1000) -> None:
        self.story, self.slots = story, slots
        self.runs = 0
        """Programs started so far: how a test sees that two readers shared one run."""
        self.busy = 0
        self.cancelled = 0

    async def start(self) -> None:
        pass

    async def run(
        self, program: Program, *, client: str = "", on_queue: OnQueue | None = None
    ) -> AsyncGenerator[bytes, None]:
        if self.busy >= self.slots:
            raise RunnerBusy(1.0, 1)
        self.runs += 1
        self.busy += 1
        try:
            seq = 0
            for thing in self.story(program):
                if isinstance(thing, BaseException):
                    raise thing
                if isinstance(thing, float):
                    await asyncio.sleep(thing)
                    continue
                line = msgspec.json.encode(msgspec.structs.replace(thing, seq=seq)) + b"\n"
                seq += 1
                yield line
                await asyncio.sleep(0)
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise
        finally:
            self.busy -= 1

    async def health(self) -> Health:
        return Health(ready=True, slots=self.slots, busy=self.busy, queued=0, box={"box": "none: a fake"})

    async def close(self) -> None:
        pass
