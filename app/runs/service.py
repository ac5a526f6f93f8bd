"""What stands above the Runner and is written once: one run for all who ask for the same program, many readers
at any offset, exactly the same bytes after the machinery died, quotas, cancelling, keeping.

It knows no HTTP and no place where programs run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace

import msgspec

from app.errors import Problem
from app.metrics import Metrics
from app.runs import window
from app.runs.limits import MIB, Limits
from app.runs.program import Program
from app.runs.run import FINAL, Run
from app.runs.runner import Runner, RunnerBusy, RunnerLost, RunnerUnavailable
from app.security import Rates
from app.settings import Settings
from app.store import CHUNK, Head, Store, StoreFailed
from engine.trace import events as ev

log = logging.getLogger("backstep")

ATTEMPTS = 3  # executions of one run at most, when the machinery keeps dying
WRITE_PAUSE = 0.05  # seconds from the end of a run until it is stored
SHORT = 256 * 1024  # bytes of a trace that is written together with others
PIECE = 64 * 1024  # bytes handed to a stream at once

CANCELLED = "The run was cancelled; what it did until then is kept."
STOPPING = "The server was stopped; run the program again."
LOST = "The machinery under the run died, and again when it was repeated."
DIVERGED = "The machinery under the run died, and the program did something else when it was repeated."


def limits_of(settings: Settings) -> Limits:
    return Limits(
        wall=settings.wall_seconds,
        cpu=settings.cpu_seconds,
        memory=settings.memory_mb * MIB,
        events=settings.max_events,
        trace=settings.max_trace_mb * MIB,
        text=int(settings.max_print_mb * MIB),
        detail_steps=settings.detail_steps,
    )


class Diverged(Exception):
    """A repeated run wrote other bytes than the first time."""


class Service:
    """live    runs that go or wait, by key
    recent  ended ones whose bytes are still in memory, the least recently used first
    """

    def __init__(self, runner: Runner, store: Store, settings: Settings, metrics: Metrics | None = None) -> None:
        self.runner, self.store, self.settings = runner, store, settings
        self.metrics = metrics or Metrics()
        self.limits = limits_of(settings)
        self.live: dict[str, Run] = {}
        self.recent: OrderedDict[str, Run] = OrderedDict()
        self.recent_bytes = 0
        self.owners: Counter[str] = Counter()
        self.streams: Counter[str] = Counter()
        self.rates = Rates(settings.client_run_rate)
        self.stopping = False
        self.writer = ThreadPoolExecutor(1, "store-writer")
        self.reader = ThreadPoolExecutor(4, "store-reader")
        self.unwritten: list[tuple[Head, bytes | bytearray, Run | None]] = []
        self.leaving: dict[str, Run] = {}
        """on their way into the store, and to be found meanwhile, also when memory let them go"""
        self.writing: asyncio.Task[None] | None = None

    @property
    def store_kind(self) -> str:
        return str(getattr(self.store, "kind", "other"))

    async def start(self) -> None:
        await self.runner.start()

    async def close(self) -> None:
        await self.drain()
        await self.runner.close()
        self.writer.shutdown(wait=True)
        self.reader.shutdown(wait=False, cancel_futures=True)
        self.store.close()

    async def drain(self) -> None:
        """No new runs; those that go end now, with an `end` that says why, and are stored."""
        self.stopping = True
        for run in list(self.live.values()):
            self._cancel(run, STOPPING)
        if pending := {run.task for run in self.live.values() if run.task}:
            await asyncio.wait(pending, timeout=5)
        if self.writing is not None:
            await asyncio.wait({self.writing}, timeout=5)

    # -- asking for a run

    async def submit(self, program: Program, client: str) -> Run:
        """The run of this program: going, kept, or started now. Raises Problem when it is refused."""
        run = self.live.get(program.key) or self.recent.get(program.key)
        if run is None and self.store.may_have(program.key):
            run = await self.find(program.key)
        if run is not None and (not run.done or run.status in FINAL):
            run.passing = False
            self.metrics.shared.inc()
        else:
            run = self._start(program, client)
        await run.opened.wait()
        if run.refused is not None:
            raise run.refused
        return run

    async def find(self, key: str) -> Run | None:
        """The run with this id, from memory or from the store."""
        run = self.live.get(key) or self.recent.get(key) or self.leaving.get(key)
        if run is not None:
            if key in self.recent:
                self.recent.move_to_end(key)
            return run
        head = await self._stored(key)
        if head is None or head.status == "window":
            return self.live.get(key)  # it may have been started while the store was asked
        return self.live.get(key) or Run.stored_as(head, msgspec.json.decode(head.program, type=Program))

    async def _stored(self, key: str) -> Head | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(self.reader, self.store.head, key)
        except StoreFailed as error:
            log.error("the store cannot be read: %s", error)
            return None

    def _start(self, program: Program, client: str) -> Run:
        if self.stopping:
            raise Problem("stopping", "it will be back soon", retry=2)
        if program.key in self.live:
            return self.live[program.key]
        address = client.partition("/")[0]
        for who, most in ((client, self.settings.client_runs), (address, self.settings.address_runs)):
            if self.owners[who] >= most and (who == client or client != address):
                said = f"{self.owners[who]} runs of yours are going"
                raise Problem("quota", said, hint="wait for one or cancel one", retry=2)
        if wait := self.rates.take(client):
            raise Problem("rate", f"at most {self.settings.client_run_rate:g} new runs a second", retry=wait)
        run = Run(program, owner=client)
        self.live[run.key] = run
        self._owns(run, 1)
        self.metrics.live.set(len(self.live))
        run.task = asyncio.get_running_loop().create_task(self._execute(run))
        return run

    def _owns(self, run: Run, change: int) -> None:
        """Counts runs by client and, where a page's cookie tells clients apart, by address."""
        for who in {run.owner, run.owner.partition("/")[0]}:
            self.owners[who] += change
            if not self.owners[who]:
                del self.owners[who]

    async def _execute(self, run: Run) -> None:
        refusal: Problem | None = None
        try:
            await self._exactly_once(run)
            if not run.ended():
                self._end(run, "killed", LOST)
        except asyncio.CancelledError:
            self._end(run, "cancelled", run.why or CANCELLED)
        except RunnerLost:
            self._end(run, "killed", LOST)
        except Diverged:
            self._end(run, "killed", DIVERGED)
        except RunnerBusy as error:
            refusal = Problem("busy", f"{error.position - 1} programs wait already", retry=error.retry_after)
        except RunnerUnavailable as error:
            refusal = Problem("sandbox", error.reason, hint=error.hint)
        except Exception:
            log.exception("run %s failed in the service", run.key)
            refusal = Problem("internal", "the run could not be carried out")
        finally:
            del self.live[run.key]
            self._owns(run, -1)
            self.metrics.live.set(len(self.live))
        if refusal is not None and run.size:  # it was going when the machinery died, and could not be repeated
            self._end(run, "killed", LOST)
            refusal = None
        if refusal is None:
            run.finish()
        else:
            run.refuse(refusal)
        if run.refused is None:
            self.metrics.ends.labels(run.status).inc()
            self.metrics.bytes.inc(run.size)
            self._remember(run)
            self._keep(run)

    async def _exactly_once(self, run: Run) -> None:
        """Feeds the run. After RunnerLost the program runs again, and what was fed already is skipped."""
        for attempt in range(ATTEMPTS):
            position = 0
            chunks = self.runner.run(run.program, client=run.owner, on_queue=run.queued)
            try:
                async with aclosing(chunks):
                    async for chunk in chunks:
                        if position == run.size:
                            if not run.size:
                                self.metrics.first.observe(time.monotonic() - run.began)
                            run.feed(chunk)
                        else:
                            self._skip(run, position, chunk)
                        position += len(chunk)
                return
            except RunnerLost:
                self.metrics.lost.inc()
                log.warning("run %s was lost, attempt %d", run.key, attempt + 1)
                if run.ended():
                    return
                if attempt == ATTEMPTS - 1:
                    raise

    def _skip(self, run: Run, position: int, chunk: bytes) -> None:
        assert run.buffer is not None
        known = run.buffer[position : position + len(chunk)]
        if known != chunk[: len(known)]:
            raise Diverged
        if rest := chunk[len(known) :]:
            run.feed(rest)

    def _end(self, run: Run, status: ev.Status, message: str) -> None:
        """What the runner could not say any more."""
        if run.ended():
            return
        if run.size == 0:
            run.feed(msgspec.json.encode(run.program.begin()) + b"\n")
        seq = run.events
        end = ev.End(
            seq=seq,
            status=status,
            message=message,
            events=seq + 1,
            steps=run.steps,
            seconds=round(time.monotonic() - run.began, 6),
        )
        run.feed(msgspec.json.encode(end) + b"\n")

    # -- keeping

    def _remember(self, run: Run) -> None:
        """In memory for those who read it now; the oldest that are stored leave."""
        if (old := self.recent.pop(run.key, None)) is not None:
            self.recent_bytes -= old.size
        self.recent[run.key] = run
        self.recent_bytes += run.size
        while self.recent_bytes > self.settings.live_mb * MIB and len(self.recent) > 1:
            _, other = self.recent.popitem(last=False)
            self.recent_bytes -= other.size
            if other.stored:  # who still reads it goes on from the store
                other.buffer = None
        self.metrics.memory.set(self.recent_bytes)

    def _keep(self, run: Run) -> None:
        if run.buffer is not None and not run.passing:
            self._put(run.head(), run.buffer, run)

    def _put(self, head: Head, trace: bytes | bytearray, run: Run | None = None) -> None:
        """Stored a moment later, together with what else ends in that moment: a hop to a thread costs a millisecond
        on a busy machine."""
        self.unwritten.append((head, trace, run))
        if run is not None:
            self.leaving[run.key] = run
        if self.writing is None or self.writing.done():
            self.writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self.unwritten:
            if not self.stopping:
                await asyncio.sleep(WRITE_PAUSE)
            batch, self.unwritten = self.unwritten, []
            await asyncio.get_running_loop().run_in_executor(self.writer, self._write_batch, batch)
            for head, _, _ in batch:
                self.leaving.pop(head.key, None)

    def _write_batch(self, batch: list[tuple[Head, bytes | bytearray, Run | None]]) -> None:
        """In the writer's thread. Short traces, the most by far, share a transaction: it costs more than they do."""
        short = {head.key: (head, trace) for head, trace, _ in batch if len(trace) <= SHORT}
        together = False
        if len(short) > 1:
            with suppress(StoreFailed):
                self.store.put_all(list(short.values()))
                together = True
        for head, trace, run in batch:
            if together and head.key in short:
                if run is not None:
                    run.stored = True
                continue
            try:
                self.store.put(head, trace)
                if run is not None:
                    run.stored = True
            except StoreFailed as error:
                self.metrics.store_errors.inc()
                log.error("%s is kept in memory only: %s", head.key, error)

    # -- reading

    @contextmanager
    def _reading(self, run: Run, client: str) -> Iterator[None]:
        run.readers[client] += 1
        self.streams[client] += 1
        self.metrics.streams.inc()
        try:
            yield
        finally:
            self.metrics.streams.dec()
            for counter in (run.readers, self.streams):
                counter[client] -= 1
                if not counter[client]:
                    del counter[client]
            self.left(run)

    def admit_stream(self, client: str) -> None:
        """Raises Problem when the client, or everybody, reads enough streams already."""
        if self.streams[client] >= self.settings.client_streams:
            raise Problem("streams", f"you read {self.streams[client]} streams", hint="close one", retry=2)
        if self.streams.total() >= self.settings.max_streams:
            raise Problem("streams", "the server feeds as many streams as it can", retry=2)

    async def read(self, run: Run, client: str, *, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """The trace from `offset` to its end, as it grows."""
        with self._reading(run, client):
            while True:
                if offset < run.size:
                    piece = await self.piece(run, offset)
                    if not piece:
                        return
                    offset += len(piece)
                    yield piece
                elif run.done:
                    return
                else:
                    await run.more()

    async def piece(self, run: Run, offset: int, size: int = PIECE) -> bytes:
        if run.buffer is not None:
            return bytes(memoryview(run.buffer)[offset : offset + size])
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.reader, self.store.read, run.key, offset, size)

    async def reach(self, run: Run, seq: int, client: str) -> int | None:
        """Where line `seq` starts, once it does; None when the trace ends before it."""
        if run.buffer is None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.reader, self.store.offset_of, run.key, seq)
        with self._reading(run, client):
            while seq >= len(run.starts) and not run.done:
                await run.more()
        return run.starts[seq] if seq < len(run.starts) else None

    async def whole(self, run: Run, client: str) -> bytes | bytearray:
        """The whole trace, once the run has ended."""
        with self._reading(run, client):
            while not run.done:
                await run.more()
        if run.buffer is not None:
            return run.buffer
        pieces = []
        offset = 0
        while offset < run.size and (piece := await self.piece(run, offset, 16 * CHUNK)):
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)

    # -- leaving

    def left(self, run: Run) -> None:
        """Nobody reads any more: the run goes on for a moment, in case a page was only reloaded."""
        if run.done or run.readers or run.wanted:
            return
        asyncio.get_running_loop().call_later(self.settings.leave_seconds, self._forsaken, run)

    def _forsaken(self, run: Run) -> None:
        if not (run.done or run.readers or run.wanted):
            self._cancel(run, "Nobody was watching the run any more.")

    def cancel(self, run: Run, client: str) -> bool:
        """At the wish of one client. Whether it is cancelled: not while others want it."""
        run.wanted.discard(client)
        if set(run.readers) - {client} or run.wanted:
            return False
        return self._cancel(run, CANCELLED)

    def _cancel(self, run: Run, why: str) -> bool:
        if run.done or run.task is None:
            return False
        run.why = run.why or why
        run.task.cancel()
        return True

    # -- single steps

    async def step(self, run: Run, index: int, client: str) -> bytes:
        """The lines of training step `index` in full: from the trace, from the store, or from running again."""
        key = f"{run.key}.{index}"
        if self.store.may_have(key) and (head := await self._stored(key)) is not None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.reader, self.store.read, key, 0, head.size)
        if run.done:
            found = await self._cut(run, index, client)
            if found is not None and found[1]:
                return found[0]
            if found is None and run.status in FINAL and not run.program.detail:
                raise Problem("not-found", f"the run has {run.steps} steps", hint="steps count from 0")
        lines = await self.again(replace(run.program, detail=(index,)), index, client)
        head = Head(
            key=key, status="window", events=lines.count(b"\n"), steps=1, size=len(lines), seconds=0.0,
            created=time.time(),
        )  # fmt: skip
        self._put(head, lines)
        return lines

    async def again(self, program: Program, index: int, client: str) -> bytes:
        """Runs the program with the recorder awake at step `index` alone, as far as the end of that step."""
        fresh = program.key not in self.live
        run = await self.submit(program, client)
        run.passing = run.passing or (fresh and not run.done)
        with self._reading(run, client):
            while not run.done and not run.steps:
                await run.more()
            trace = await self.piece(run, 0, run.size)
        if run.passing and not (run.readers or run.wanted):
            self._cancel(run, CANCELLED)
        found = await asyncio.get_running_loop().run_in_executor(self.reader, window.only, trace)
        if found is None:
            raise Problem("not-found", f"the program did not come to step {index}", hint=run.message)
        return found

    async def _cut(self, run: Run, index: int, client: str) -> tuple[bytes, bool] | None:
        trace = await self.whole(run, client)
        return await asyncio.get_running_loop().run_in_executor(self.reader, window.find, trace, index)
