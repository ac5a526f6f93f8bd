"""The embedded Runner: a zygote on this machine, a child per run, one place per slot, spare children waiting.

A run that takes long goes on aside, with what processor time others leave, and its slot goes to the next one.

    start      starts the zygote and lets the canary try the box; if it gets out, or there is no box, no program runs
    run        waits for a place, takes a spare child, streams what it does
    restart    a zygote that dies is replaced at once; its runs raise RunnerLost, those that wait never notice
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.runs.limits import Limits, fitting_lanes
from app.runs.program import Program
from app.runs.runner import Health, OnQueue, RunnerLost, RunnerUnavailable
from app.sandbox import canary, lockdown
from app.sandbox.execution import Execution
from app.sandbox.fairqueue import FairQueue
from app.sandbox.launch import Launched
from app.sandbox.supervisor import START_SECONDS, Child, Zygote

log = logging.getLogger("backstep.sandbox")

ELSEWHERE = (
    "run Backstep in Docker (docker run -p 127.0.0.1:8000:8000 backstep) or in WSL2; "
    "for yourself alone, `backstep serve --unsafe-single-user` runs programs with your own privileges"
)
SPARES = 4
ASIDE = 4
"""Long programs that may go on aside, per slot."""


class Leaky(Exception):
    """The canary got out; says what it could do."""


class LocalRunner:
    """One per server process, on one event loop."""

    def __init__(
        self,
        *,
        slots: int = 2,
        aside: int | None = None,
        queue: int = 400,
        limits: Limits | None = None,
        stand_in: bool = False,
        launched: Launched | None = None,
    ) -> None:
        """aside     long programs that go on beside those in the slots; None: four a slot
        stand_in  keeps a second zygote ready (60 MB), so that a lost one is replaced in milliseconds
        launched  a zygote that is on its way already
        """
        self.limits = limits or Limits()
        wanted = ASIDE * slots if aside is None else aside
        self.slots, room = fitting_lanes(slots, wanted, self.limits.memory)
        self.queue = FairQueue(self.slots, queue, room)
        self.stand_in = stand_in
        self.zygote: Zygote | None = None
        self.restarts = 0
        self.reason = "not started"
        """Why programs cannot run; empty when they can."""
        self._launched = launched
        self._news = asyncio.Event()
        """Set, and replaced, whenever it changed whether programs can run."""
        self._spares: deque[Child] = deque()
        self._guard: asyncio.Task[None] | None = None
        self._next: asyncio.Task[Zygote] | None = None
        """The stand-in, being made or ready."""
        self._up = False
        self._hopeless = True
        """Not up and not about to be: runs are refused instead of waiting."""

    # ------------------------------------------------------------------------------------------ life

    async def start(self) -> None:
        """Runs asked for meanwhile wait."""
        reason = lockdown.unsupported()
        if reason:
            self._refuse(reason)
            log.warning("programs are refused: %s", reason)
            return
        self._change(up=False, hopeless=False, reason="the sandbox is starting")
        try:
            self._use(await self._make_zygote())
        except Leaky as error:
            self._refuse(str(error))
            log.error("programs are refused: %s", self.reason)
            return
        except RunnerLost as error:
            self._refuse(f"the sandbox did not start: {error}")
            log.error("programs are refused: %s", self.reason)
        self._guard = asyncio.create_task(self._keep_alive())

    def _change(self, *, up: bool, hopeless: bool, reason: str) -> None:
        self._up, self._hopeless, self.reason = up, hopeless, reason
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _refuse(self, reason: str) -> None:
        self._change(up=False, hopeless=True, reason=reason)

    async def _make_zygote(self) -> Zygote:
        """A new one, tried by the canary before anybody else may use it. Raises RunnerLost and Leaky."""
        zygote, (launched, self._launched) = Zygote(), (self._launched, None)
        await zygote.start(launched)
        try:
            if leaks := await canary.try_box(zygote):
                raise Leaky(f"the sandbox does not hold here: {leaks}")
        except BaseException:
            await zygote.close()
            raise
        return zygote

    def _use(self, zygote: Zygote) -> None:
        self.zygote = zygote
        self._change(up=True, hopeless=False, reason="")
        self._refill()
        if self.stand_in:
            self._next = asyncio.create_task(self._make_zygote())

    async def _keep_alive(self) -> None:
        """Replaces the zygote whenever it is lost, until `close` cancels it or the box no longer holds."""
        pause = 0.05
        while True:
            if self.zygote is not None:
                await asyncio.wait([self.zygote.lost])
                self._drop_spares()
                self.restarts += 1
                self._change(up=False, hopeless=False, reason="the sandbox process died and is being replaced")
                log.warning("the sandbox process died; starting another")
                lost, self.zygote = self.zygote, None
                await lost.close()
            try:
                self._use(await self._successor())
                pause = 0.05
            except Leaky as error:
                self._refuse(str(error))
                log.error("programs are refused: %s", self.reason)
                return
            except RunnerLost as error:
                self.reason = f"the sandbox does not start: {error}"
                log.error("%s; trying again in %.2f s", self.reason, pause)
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
                if pause > 1.0:
                    self._refuse(self.reason)

    async def _successor(self) -> Zygote:
        made, self._next = self._next, None
        if made is not None:
            with contextlib.suppress(RunnerLost):
                zygote = await made
                if not zygote.lost.done():
                    return zygote
                await zygote.close()
        return await self._make_zygote()

    async def close(self) -> None:
        self._refuse("the server is stopping")
        self.queue.close()
        self._drop_spares()
        for task in (self._guard, self._next):
            if task is not None:
                task.cancel()
        if self._guard is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._guard
        if self._next is not None:
            with contextlib.suppress(asyncio.CancelledError, RunnerLost, Leaky):
                await (await self._next).close()
        if self.zygote is not None:
            await self.zygote.close()
        if self._launched is not None:  # never started
            self._launched.end()

    # ----------------------------------------------------------------------------------------- spares

    def _refill(self) -> None:
        """As many children as can be wanted at once wait in the closed box for a program."""
        zygote = self.zygote
        if zygote is None or zygote.lost.done() or not self._up:
            return
        with contextlib.suppress(RunnerLost):
            while len(self._spares) < min(self.slots, SPARES):
                self._spares.append(zygote.spawn(self.limits))

    def _drop_spares(self) -> None:
        while self._spares:
            self._spares.popleft().close()

    async def _take(self, limits: Limits) -> Child:
        if not (zygote := self._working()):
            try:
                async with asyncio.timeout(START_SECONDS):
                    while not (zygote := self._working()):
                        self._check()
                        await self._news.wait()
            except TimeoutError:
                raise RunnerLost("the sandbox process did not come back") from None
        if (limits.memory, limits.cpu) == (self.limits.memory, self.limits.cpu):
            while self._spares:
                child = self._spares.popleft()
                if child.alive:
                    return child
                child.close()
        return zygote.spawn(limits)

    def _working(self) -> Zygote | None:
        """The zygote; not one that has been lost a moment ago, which the guard has yet to notice."""
        return self.zygote if self._up and self.zygote is not None and not self.zygote.lost.done() else None

    # ------------------------------------------------------------------------------------------- runs

    def _check(self) -> None:
        if self._hopeless:
            raise RunnerUnavailable(self.reason, ELSEWHERE if lockdown.unsupported() else "see `backstep doctor`")

    async def run(
        self, program: Program, *, client: str = "", on_queue: OnQueue | None = None
    ) -> AsyncGenerator[bytes, None]:
        self._check()
        place = await self.queue.enter(client, on_queue)
        execution: Execution | None = None
        left = 0.0
        """Seconds it had held its slot when it stepped aside."""

        def make_room() -> bool:
            nonlocal left
            assert execution is not None
            if not place.aside and self.queue.step_aside(place, execution.seconds):
                left = execution.seconds
            return place.aside

        try:
            child = await self._take(program.limits)
            execution = Execution(
                child, program, make_room=make_room, crowded=lambda: self.queue.crowded, known=place.heavy
            )
            asyncio.get_running_loop().call_soon(self._refill)
            async with aclosing(execution.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self.queue.leave(place, execution.seconds - left if execution else 0.0)

    async def health(self) -> Health:
        return Health(
            ready=self._up,
            slots=self.slots,
            busy=self.queue.busy,
            queued=self.queue.queued,
            aside=self.queue.aside,
            reason=self.reason,
            box=self.box(),
        )

    def box(self) -> dict[str, str]:
        """How programs are confined, for people."""
        if self.zygote is None or not self.zygote.report:
            return {"box": "none"}
        report = self.zygote.report
        return {
            "seccomp": "allowlist, tried by the canary" if self._up else "not trusted",
            "landlock": f"version {report['landlock']}" if report["landlock"] else "not in this kernel (optional)",
            "user": str(report["user"]),
            "oom_score_adj": str(report["oom_score_adj"]),
            "threads": str(report["threads"]),
            "slots": str(self.slots),
            "room aside": str(self.queue.room),
            "restarts": str(self.restarts),
        }
