"""The stream of one run: whole lines, at once, and nothing left when nobody reads on."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from app.runs.limits import MIB
from app.runs.program import Program
from app.runs.runner import CHUNK
from app.sandbox.local import LocalRunner

from .boxes import LOOP, QUICK, Trace, needs_box, trace_of, with_runner

pytestmark = needs_box


def test_chunks_are_whole_lines_of_at_most_64_kib(run):
    trace = run("for n in range(2500):\n    print('x' * 100)\n", replace(QUICK, text=MIB))
    assert len(trace.chunks) > 1
    for chunk in trace.chunks:
        assert chunk.endswith(b"\n")
        assert len(chunk) <= CHUNK


def test_the_first_line_comes_before_the_program_is_done():
    async def use(runner: LocalRunner) -> float:
        stream = runner.run(Program("print('x', flush=True)\n" + LOOP, limits=QUICK))
        async with aclosing(stream):
            start = time.monotonic()
            async for _ in stream:
                return time.monotonic() - start
        return 99.0

    assert with_runner(use) < 10


def test_the_clock_ends_a_run_that_nobody_reads():
    async def use(runner: LocalRunner) -> tuple[dict[str, Any], bool]:
        stream = runner.run(
            Program("while True: print('x' * 100)\n", limits=replace(QUICK, wall=0.5, events=10**6, text=1 << 30))
        )
        await anext(stream)
        child = next(iter(runner.zygote.children.values())) if runner.zygote else None
        assert child is not None
        running = [c for c in runner.zygote.children.values() if c.text == -1]
        await asyncio.sleep(1.5)
        gone = all(not c.alive for c in running)
        raw = b"".join([c async for c in stream])
        return Trace(raw, ()).end, gone

    end, gone = with_runner(use)
    assert end["status"] == "timeout"
    assert gone


def test_closing_the_stream_kills_the_child_at_once():
    async def use(runner: LocalRunner) -> float:
        stream = runner.run(Program(LOOP, limits=replace(QUICK)))
        await anext(stream)
        child = next(c for c in runner.zygote.children.values() if c.text == -1)
        start = time.monotonic()
        await stream.aclose()
        await asyncio.wait_for(asyncio.shield(child.exit), 2)
        assert runner.queue.busy == 0
        return time.monotonic() - start

    assert with_runner(use) < 3


def test_a_cancelled_reader_leaves_nothing_behind():
    async def use(runner: LocalRunner) -> None:
        task = asyncio.create_task(trace_of(runner, LOOP))
        waiting = [asyncio.create_task(trace_of(runner, LOOP)) for _ in range(3)]
        await asyncio.sleep(0.3)
        for one in (task, *waiting):
            one.cancel()
        await asyncio.gather(task, *waiting, return_exceptions=True)
        assert (runner.queue.busy, runner.queue.queued) == (0, 0)
        assert (await trace_of(runner, "print(1)\n")).end["status"] == "ok"

    with_runner(use)
