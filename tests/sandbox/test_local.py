"""The runner: nothing is left behind, and a crowd takes turns."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.runs.program import Program
from app.runs.runner import RunnerLost, RunnerUnavailable
from app.sandbox import launch
from app.sandbox.local import LocalRunner

from .boxes import LOOP, QUICK, SHOWN, needs_box, started, trace_of, with_runner

pytestmark = needs_box


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def relatives(pid: int) -> list[str]:
    """States of all processes below this one: R, S, Z …"""
    parents: dict[int, list[tuple[int, str]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                _, _, rest = (entry / "stat").read_text().rpartition(") ")
            except OSError:
                continue
            state, parent = rest.split()[:2]
            parents.setdefault(int(parent), []).append((int(entry.name), state))
    found, todo = [], [pid]
    while todo:
        for child, state in parents.get(todo.pop(), []):
            found.append(state)
            todo.append(child)
    return found


def test_many_runs_leave_no_descriptor_and_no_process():
    async def use(runner: LocalRunner) -> None:
        sources = ["print(1)\n", "x = 1 / 0\n", "import os\nos._exit(3)\n", "while True: print('x' * 1000)\n"]
        for source in sources:
            await trace_of(runner, source)
        await asyncio.sleep(0.3)
        before = descriptors(), len(relatives(runner.zygote.pid))
        for _ in range(10):
            await asyncio.gather(*(trace_of(runner, source) for source in sources))
            stream = runner.run(Program(LOOP, limits=runner.limits))
            await anext(stream)
            await stream.aclose()
        await asyncio.sleep(0.3)
        assert (descriptors(), len(relatives(runner.zygote.pid))) == before
        assert "Z" not in relatives(runner.zygote.pid)

    with_runner(use)


def test_a_closed_runner_leaves_nothing():
    before = descriptors(), len(relatives(os.getpid()))

    async def use(runner: LocalRunner) -> None:
        stream = await started(runner, SHOWN)
        os.kill(runner.zygote.pid, signal.SIGKILL)
        with pytest.raises(RunnerLost):
            async for _ in stream:
                pass
        await trace_of(runner, "print(1)\n")

    with_runner(use)
    assert (descriptors(), len(relatives(os.getpid()))) == before


def test_closing_ends_open_runs():
    async def use(runner: LocalRunner) -> None:
        stream = await started(runner, SHOWN)
        await runner.close()
        with pytest.raises(RunnerLost):
            async for _ in stream:
                pass
        with pytest.raises(RunnerUnavailable):
            await trace_of(runner, "print(1)\n")

    with_runner(use)


# -------------------------------------------------------------------------------------------- the crowd


def test_two_hundred_at_once_are_all_served_and_take_turns():
    async def use(runner: LocalRunner) -> list[str]:
        ended: list[str] = []

        async def one(client: str, number: int) -> None:
            trace = await trace_of(runner, f"print({number})\n", client=client)
            assert trace.text == f"{number}\n"
            ended.append(client)

        greedy = [one("greedy", n) for n in range(150)]
        others = [one(f"learner {n}", n) for n in range(50)]
        await asyncio.gather(*greedy, *others)
        return ended

    ended = with_runner(use)
    assert len(ended) == 200
    last_other = max(n for n, client in enumerate(ended) if client != "greedy")
    assert last_other < 140  # 150 came first, yet everybody else was served among them


def test_a_good_program_starts_while_endless_ones_fill_the_slots():
    async def use(runner: LocalRunner) -> float:
        bad = [
            asyncio.create_task(trace_of(runner, LOOP, replace(QUICK, wall=1.0), client=f"bad {n % 2}"))
            for n in range(6)
        ]
        await asyncio.sleep(0.3)
        start = time.monotonic()
        trace = await trace_of(runner, "print(1)\n", replace(QUICK, wall=1.0), client="good")
        assert trace.end["status"] == "ok"
        waited = time.monotonic() - start
        for task in bad:
            task.cancel()
        await asyncio.gather(*bad, return_exceptions=True)
        return waited

    assert with_runner(use) < 6


def test_endless_loops_on_every_slot_step_aside_for_a_good_program():
    async def use(runner: LocalRunner) -> tuple[float, list[bool]]:
        bad = [asyncio.create_task(trace_of(runner, LOOP, client=f"bad {n}")) for n in range(4)]
        await asyncio.sleep(0.1)
        assert runner.queue.busy == 2
        start = time.monotonic()
        trace = await trace_of(runner, "print(1)\n", client="good")
        waited = time.monotonic() - start
        assert trace.text == "1\n"
        assert runner.queue.aside >= 3
        while not any(nice := [os.getpriority(os.PRIO_PROCESS, c.pid) == 19 for c in runner.zygote.children.values()]):
            await asyncio.sleep(0.1)  # the first to have used a second of processor
        for task in bad:
            task.cancel()
        await asyncio.gather(*bad, return_exceptions=True)
        assert (runner.queue.busy, runner.queue.aside) == (0, 0)
        return waited, nice

    waited, nice = with_runner(use)  # the loops' own limit is 20 s
    assert waited < 10  # two pairs of loops, two seconds each
    assert any(nice)


def test_a_program_that_stepped_aside_goes_on_to_its_end():
    source = "import time\nstart = time.process_time()\nprint('a')\nwhile time.process_time() - start < 1.5: pass\nprint('b')\n"

    async def use(runner: LocalRunner) -> tuple[str, str, int]:
        task = asyncio.create_task(trace_of(runner, source))
        most = 0
        while not task.done():
            most = max(most, runner.queue.aside)
            await asyncio.sleep(0.05)
        trace = task.result()
        return trace.text, trace.end["status"], most

    assert with_runner(use, slots=1) == ("a\nb\n", "ok", 1)


def test_where_there_is_no_room_aside_long_programs_keep_their_slots():
    async def use(runner: LocalRunner) -> None:
        bad = asyncio.create_task(trace_of(runner, LOOP, replace(QUICK, wall=4.0)))
        good = asyncio.create_task(trace_of(runner, "print(1)\n"))
        await asyncio.sleep(3.0)
        assert (runner.queue.busy, runner.queue.queued, runner.queue.aside) == (1, 1, 0)
        assert (await bad).end["status"] == "timeout"
        assert (await good).text == "1\n"

    with_runner(use, slots=1, aside=0)


def test_a_program_asked_for_before_the_sandbox_is_there_waits_for_it():
    async def main() -> str:
        runner = LocalRunner(slots=1, limits=QUICK, launched=launch.launch())
        starting = asyncio.create_task(runner.start())
        await asyncio.sleep(0)
        assert not (await runner.health()).ready
        try:
            return (await trace_of(runner, "print(1)\n")).text
        finally:
            await starting
            await runner.close()

    assert asyncio.run(main()) == "1\n"


def test_a_sandbox_that_was_launched_and_not_wanted_ends():
    async def main() -> int | None:
        launched = launch.launch()
        runner = LocalRunner(slots=1, limits=QUICK, launched=launched)
        await runner.close()
        return launched.process.returncode

    assert asyncio.run(main()) == -signal.SIGKILL
