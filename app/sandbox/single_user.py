"""The other Runner, without a box: a plain process per run, with the privileges of whoever started the server.

For one person on their own machine where the sandbox cannot be (not Linux), asked for explicitly, on a loopback
address only. It keeps the clock and the counted limits, and lets through only events; it protects nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import ipaddress
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator

import msgspec

from app.runs.limits import Limits
from app.runs.program import Program
from app.runs.runner import CHUNK, Health, OnQueue, RunnerLost, RunnerUnavailable
from app.sandbox import endings
from app.sandbox.endings import Ending
from app.sandbox.execution import encode_job, pack
from app.sandbox.fairqueue import FairQueue
from app.sandbox.launch import ROOT, clean_environment
from app.sandbox.sieve import MAX_BAD, Sieve
from app.sandbox.supervisor import START_SECONDS

BOOT = f"import sys; sys.path.insert(0, {ROOT!r}); from app.sandbox.guest import run_unboxed; run_unboxed()"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def banner() -> str:
    """What the terminal and the page say as long as this mode is on."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = "you"
    return f"No sandbox: programs run with all privileges of {who} on this machine. Run only programs you trust."


class SingleUserRunner:
    """Needs nothing of Linux. A second process waits for the next program, so that it need not wait for imports."""

    def __init__(self, *, host: str, slots: int = 1, queue: int = 20, limits: Limits | None = None) -> None:
        if not is_loopback(host):
            raise RunnerUnavailable(
                f"programs run without a sandbox only for one person: {host} can be reached by others",
                "listen on 127.0.0.1, or run Backstep in Docker",
            )
        self.limits = limits or Limits()
        self.slots = slots
        self.queue = FairQueue(slots, queue)
        self._spare: asyncio.Task[Process] | None = None
        self._running: set[Process] = set()
        self._closed = False

    async def start(self) -> None:
        self._prepare()

    def _prepare(self) -> None:
        if self._spare is None and not self._closed:
            self._spare = asyncio.create_task(self._open())

    async def _open(self) -> Process:
        environment = clean_environment()
        if sys.platform == "win32":
            import os

            environment |= {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-s", "-P", "-B", "-c", BOOT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
        )

    async def run(
        self, program: Program, *, client: str = "", on_queue: OnQueue | None = None
    ) -> AsyncGenerator[bytes, None]:
        if self._closed:
            raise RunnerUnavailable("the server is stopping")
        place = await self.queue.enter(client, on_queue)
        started = time.monotonic()
        process: Process | None = None
        timer: asyncio.TimerHandle | None = None
        try:
            spare, self._spare = self._spare, None
            process = await (spare or asyncio.create_task(self._open()))
            self._running.add(process)
            self._prepare()
            sieve = Sieve(program)
            verdict: list[Ending] = []

            def time_is_up(process: Process = process) -> None:
                verdict.append(endings.timeout(program.limits))
                kill(process)

            loop = asyncio.get_running_loop()
            timer = loop.call_later(START_SECONDS, time_is_up)
            assert process.stdin is not None and process.stdout is not None
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(encode_job(program))
                await process.stdin.drain()
            process.stdin.close()
            while not sieve.stopped and (data := await process.stdout.read(CHUNK)):
                begun, chunks = sieve.begun, pack(sieve.feed(data))
                if sieve.begun and not begun:  # imports are done: the program's own clock starts
                    timer.cancel()
                    started = time.monotonic()
                    timer = loop.call_later(program.limits.wall, time_is_up)
                for chunk in chunks:
                    yield chunk
            ending = verdict[0] if verdict and sieve.begun else self._conclude(sieve)
            if ending is None:
                raise RunnerLost("the process died before the program began")
            if not sieve.begun:
                yield sieve.begin()
            end = endings.end_event(
                ending, seq=sieve.events, steps=sieve.steps, seconds=time.monotonic() - started
            )
            yield msgspec.json.encode(end) + b"\n"
        finally:
            if timer is not None:
                timer.cancel()
            if process is not None:
                kill(process)
                self._running.discard(process)
                await process.wait()
            self.queue.leave(place, time.monotonic() - started)

    def _conclude(self, sieve: Sieve) -> Ending | None:
        if sieve.limit:
            return endings.limit(sieve.limit, sieve.limits)
        if sieve.bad >= MAX_BAD or (sieve.finished and sieve.bad):
            return endings.FORGED
        if sieve.finished:
            return endings.OK if sieve.failed is None else endings.FAIL
        return endings.LEFT if sieve.begun else None

    async def health(self) -> Health:
        return Health(
            ready=not self._closed,
            slots=self.slots,
            busy=self.queue.busy,
            queued=self.queue.queued,
            box={"box": "none", "warning": banner()},
        )

    async def close(self) -> None:
        self._closed = True
        self.queue.close()
        spare, self._spare = self._spare, None
        for process in [*self._running, *([await spare] if spare is not None else [])]:
            kill(process)
            await process.wait()


def kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
