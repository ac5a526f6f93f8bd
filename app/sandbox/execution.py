"""One program in one child, from its text to its `end`: reads, enforces, concludes. It knows no queue.

The clock is a timer of its own: it fires whether or not anybody reads the stream. What a program waits for a
processor is not counted against it, within bounds. One that takes long steps back (it gets what processor time
younger ones leave) and asks for room aside, so that its slot goes to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable

import msgspec

from app.runs.program import Program
from app.runs.runner import CHUNK, RunnerLost
from app.sandbox import endings
from app.sandbox.endings import Ending
from app.sandbox.sieve import MAX_BAD, Sieve
from app.sandbox.supervisor import OBEY_SECONDS, Child, Exit

GRACE = 0.4
"""Seconds between the last warning and the kill: the time in which the program may say where it was."""
BACK_GRACE = 1.5
"""The same for a program that had stepped back: it may have to wait for a processor in order to say it."""
LONG = 1.0
"""Seconds of processor after which a run steps back and makes room for younger ones."""
LONG_WALL = 2.0
"""Seconds of clock after which it makes room in any case: it sleeps, or the machine has little to give."""
KNOWN = 0.25
"""The share of both that a client known for long programs gets."""
LOOK = 0.25
"""Seconds between two looks at whether a run is long, and whether there is room for it."""
STRETCH = 3.0
"""What a run may take at most, in its limit of clock, when it had to wait for a processor."""
CALM = 0.05
"""Seconds a run is young: its lines are passed on as they come. Later they are gathered for PAUSE."""
PAUSE = 0.004


class Execution:
    """`chunks()` once. `seconds` is how long the child was held."""

    def __init__(
        self,
        child: Child,
        program: Program,
        *,
        make_room: Callable[[], bool] = lambda: True,
        crowded: Callable[[], bool] = lambda: False,
        known: bool = False,
    ) -> None:
        """make_room  asked again and again, once the run is long, until it says that the slot is another's
        crowded    whether others need the room of those that stepped back
        known      whose programs were long before
        """
        self.share = KNOWN if known else 1.0
        self.child, self.program, self.make_room, self.crowded = child, program, make_room, crowded
        self.sieve = Sieve(program)
        self.started = time.monotonic()
        self.verdict: Ending | None = None
        """Set as soon as the parent has decided; it overrules whatever the child still says."""
        self._back = self._room = False
        """Whether it stepped back; whether the slot is another's."""
        self._long: asyncio.TimerHandle | None = None
        self._clock: asyncio.TimerHandle | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        child, sieve = self.child, self.sieve
        loop = asyncio.get_running_loop()
        self._long = loop.call_later(LONG * self.share, self._look)
        self._clock = loop.call_later(self.program.limits.wall, self._time_is_up)
        try:
            await child.hand_over(encode_job(self.program))
            while not sieve.stopped:
                data = await self._read()
                if not data:
                    break
                for chunk in pack(sieve.feed(data)):
                    yield chunk
                if not sieve.stopped and self.seconds > CALM:
                    await asyncio.sleep(PAUSE)
            sieve.close()
            ending = await self._conclude()
            if not sieve.begun:  # the program never ran, but a trace begins with `begin`
                yield sieve.begin()
            end = endings.end_event(ending, seq=sieve.events, steps=sieve.steps, seconds=self.seconds)
            yield msgspec.json.encode(end) + b"\n"
        finally:
            self._long.cancel()
            self._clock.cancel()
            child.close(leaving=sieve.finished)
        await self._wait_gone()

    def _look(self) -> None:
        """Whether it is a long one by now; then, whether there is room for it."""
        if not self._back and self.child.schedule()[0] >= LONG * self.share:
            self._back = True
            self.child.step_back()
        if not self._room and (self._back or self.seconds >= LONG_WALL * self.share):
            self._room = self.make_room()
        if not (self._back and self._room):
            self._long = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _time_is_up(self) -> None:
        loop = asyncio.get_running_loop()
        wall = self.program.limits.wall
        if not (self._back and self._room and self.crowded()):
            left = min(wall + self.child.schedule()[1], wall * STRETCH) - self.seconds
            if left > 0.01:
                self._clock = loop.call_later(min(left, LOOK), self._time_is_up)
                return
        self.verdict = endings.timeout(self.program.limits, self.seconds)
        self.child.warn()
        self._clock = loop.call_later(BACK_GRACE if self._back else GRACE, self._kill)

    def _kill(self) -> None:
        self.child.kill()
        self._clock = asyncio.get_running_loop().call_later(OBEY_SECONDS, self.child.check_gone)

    async def _read(self) -> bytes:
        fd = self.child.events
        while True:
            try:
                return os.read(fd, CHUNK)
            except BlockingIOError:
                await readable(fd)

    async def _wait_gone(self) -> None:
        """The slot is free only when the child's memory is."""
        with contextlib.suppress(RunnerLost):
            await asyncio.shield(self.child.exit)

    async def _exit(self) -> Exit:
        """It has closed its pipe: soon. RunnerLost when the zygote does not tell."""
        timer = asyncio.get_running_loop().call_later(OBEY_SECONDS, self.child.check_gone)
        try:
            return await asyncio.shield(self.child.exit)
        finally:
            timer.cancel()

    async def _conclude(self) -> Ending:
        """How it ended: the parent's own decisions, then the counted limits, then what the child said, then how
        the kernel says it died. Raises RunnerLost when it was not the program that ended it."""
        sieve, limits = self.sieve, self.program.limits
        if self.verdict is not None:
            if not sieve.begun:
                raise RunnerLost("the child did not begin in time")
            return self.verdict
        if sieve.limit:
            self.child.kill()
            return endings.limit(sieve.limit, limits)
        if sieve.bad >= MAX_BAD:
            self.child.kill()
            return endings.FORGED
        if sieve.finished:
            if sieve.bad:
                return endings.FORGED
            if sieve.failed is None:
                return endings.OK
            if sieve.failed.type == "TimeLimit":  # the kernel's warning: the clock's sets `verdict`
                return endings.limit("cpu", limits)
            return endings.FAIL
        exit = await self._exit()
        if not sieve.begun and (exit.status == -signal.SIGKILL or exit.status >= 0):
            raise RunnerLost(f"the child never began (status {exit.status})")
        if exit.status in (-signal.SIGKILL, -signal.SIGXCPU) and exit.cpu >= limits.cpu - 0.2:
            return endings.limit("cpu", limits)
        if sieve.bad:
            return endings.FORGED
        if exit.status == -signal.SIGKILL:
            if sieve.events <= 1:  # nothing shown but `begin`: whoever reads may have another try
                raise RunnerLost("the child was killed before it had shown anything")
            return endings.KILLED
        if exit.status == -signal.SIGSYS:
            return endings.FORBIDDEN
        if exit.status < 0:
            return endings.crashed(signal.Signals(-exit.status).name)
        if sieve.failed is not None:
            return endings.FAIL
        return endings.LEFT


def encode_job(program: Program) -> bytes:
    """What guest.Job decodes."""
    return msgspec.json.encode(
        {
            "source": program.source,
            "seed": program.seed,
            "detail": program.detail,
            "limits": program.limits.table(),
            "probe": program.probe,
        }
    )


def pack(lines: list[bytes]) -> list[bytes]:
    """Lines gathered into chunks of at most CHUNK bytes; a longer line is a chunk of its own."""
    chunks: list[bytes] = []
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        if gathered and size + len(line) > CHUNK:
            chunks.append(b"".join(gathered))
            gathered, size = [], 0
        gathered.append(line)
        size += len(line)
    if gathered:
        chunks.append(b"".join(gathered))
    return chunks


async def readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        loop.remove_reader(fd)
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(fd, wake)
    try:
        await ready
    finally:
        loop.remove_reader(fd)


