"""What dies with what, and who takes over."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace

import pytest

from app.runs.program import Program
from app.runs.runner import RunnerLost
from app.sandbox.local import LocalRunner

from .boxes import LOOP, QUICK, SHOWN, Trace, needs_box, started, trace_of, with_runner

pytestmark = needs_box


def pids_of(runner: LocalRunner) -> list[int]:
    assert runner.zygote is not None
    return [child.pid for child in runner.zygote.children.values() if child.pid]


def test_the_zygote_killed_loses_its_runs_and_is_back_within_a_second():
    async def use(runner: LocalRunner) -> float:
        stream = await started(runner, SHOWN)
        start = time.monotonic()
        os.kill(runner.zygote.pid, signal.SIGKILL)
        with pytest.raises(RunnerLost):
            async for _ in stream:
                pass
        assert (await trace_of(runner, "print(1)\n")).end["status"] == "ok"
        assert runner.restarts == 1
        return time.monotonic() - start

    assert with_runner(use) < 10  # under a second on an idle machine (bench/sandbox.py); tests share theirs


def test_who_waits_while_the_zygote_dies_never_notices():
    async def use(runner: LocalRunner) -> None:
        stream = await started(runner, SHOWN)
        waiting = asyncio.create_task(trace_of(runner, "print(1)\n"))
        await asyncio.sleep(0.05)
        assert runner.queue.queued == 1
        os.kill(runner.zygote.pid, signal.SIGKILL)
        with pytest.raises(RunnerLost):
            async for _ in stream:
                pass
        assert (await waiting).end["status"] == "ok"

    with_runner(use, slots=1)


def test_a_stopped_zygote_is_replaced():
    async def use(runner: LocalRunner) -> None:
        stream = await started(runner, SHOWN)
        os.kill(runner.zygote.pid, signal.SIGSTOP)
        await stream.aclose()
        for _ in range(3):
            try:
                assert (await trace_of(runner, "print(1)\n", replace(QUICK, wall=1.0, cpu=3))).end["status"] == "ok"
                break
            except RunnerLost:
                continue
        else:
            raise AssertionError("it did not recover")
        assert runner.restarts == 1

    with_runner(use)


def test_a_killed_child_costs_its_own_run_only():
    async def use(runner: LocalRunner) -> None:
        one, other = (
            await started(runner, SHOWN),
            await started(runner, "print('x', flush=True)\nfor n in range(10**7): pass\n"),
        )
        child = next(c for c in runner.zygote.children.values() if c.text == -1)
        os.kill(child.pid, signal.SIGKILL)
        rest = Trace(b"".join([c async for c in one]), ())
        assert rest.end["status"] == "killed"
        assert Trace(b"".join([c async for c in other]), ()).end["status"] == "ok"
        assert runner.restarts == 0

    with_runner(use)


def test_a_child_killed_before_it_showed_anything_may_be_tried_again():
    async def use(runner: LocalRunner) -> None:
        stream = runner.run(Program(LOOP, limits=runner.limits))
        await anext(stream)
        child = next(c for c in runner.zygote.children.values() if c.text == -1)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(RunnerLost):
            async for _ in stream:
                pass

    with_runner(use)


def test_spares_that_die_are_not_handed_out():
    async def use(runner: LocalRunner) -> None:
        await trace_of(runner, "print(1)\n")
        await asyncio.sleep(0.2)
        for pid in pids_of(runner):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert (await trace_of(runner, "print(1)\n")).end["status"] == "ok"

    with_runner(use)


def test_what_one_program_changes_the_next_does_not_see():
    async def use(runner: LocalRunner) -> None:
        poison = "import builtins, math, torch, numpy as np\nbuiltins.print = None\n"
        poison += "math.pi = 3\ntorch.ones = None\nnp.float32 = None\n"
        assert (await trace_of(runner, poison)).end["status"] in ("ok", "fail")
        check = "import math, torch, numpy as np\nprint(math.pi, torch.ones(1), np.float32(1))\n"
        assert (await trace_of(runner, check)).text.startswith("3.14159")

    with_runner(use, slots=1)


def test_a_stand_in_takes_over():
    async def use(runner: LocalRunner) -> None:
        first, ready = runner.zygote, await asyncio.shield(runner._next)
        os.kill(first.pid, signal.SIGKILL)
        await asyncio.wait([first.lost])
        assert (await trace_of(runner, "print(1)\n")).end["status"] == "ok"
        assert runner.zygote is ready

    with_runner(use, stand_in=True)
