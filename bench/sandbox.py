"""Times the box: request to first event, trivial runs per second, restart of the zygote.

python -m bench.sandbox [--seconds 5] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import time
from typing import Any

from app.runs.program import Program
from app.runs.runner import RunnerLost
from app.sandbox.local import LocalRunner

TRIVIAL = "print(1)\n"


async def time_run(runner: LocalRunner, source: str, client: str = "") -> tuple[float, float]:
    """Seconds to the first event and to the end."""
    start = time.perf_counter()
    first = 0.0
    async for _ in runner.run(Program(source), client=client):
        first = first or time.perf_counter() - start
    return first, time.perf_counter() - start


async def measure_latency(runner: LocalRunner, rounds: int) -> dict[str, float]:
    firsts, ends = [], []
    for _ in range(rounds):
        await asyncio.sleep(0.02)  # a warm, idle server: the spares are back
        first, end = await time_run(runner, TRIVIAL)
        firsts.append(first * 1e3)
        ends.append(end * 1e3)
    return {
        "first event ms, median": statistics.median(firsts),
        "first event ms, p95": statistics.quantiles(firsts, n=20)[-1],
        "last event ms, median": statistics.median(ends),
    }


async def measure_throughput(runner: LocalRunner, seconds: float, clients: int = 8) -> dict[str, float]:
    stop = time.perf_counter() + seconds
    done = 0

    async def loop(client: str) -> None:
        nonlocal done
        while time.perf_counter() < stop:
            await time_run(runner, TRIVIAL, client)
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(loop(str(n)) for n in range(clients)))
    return {"trivial runs/s": done / (time.perf_counter() - start)}


async def measure_restart(runner: LocalRunner) -> dict[str, float]:
    """From kill -9 of the zygote to the end of the next run, repeated as the service above the seam does."""
    assert runner.zygote is not None
    start = time.perf_counter()
    os.kill(runner.zygote.pid, signal.SIGKILL)
    await asyncio.sleep(0)
    while True:
        try:
            await time_run(runner, TRIVIAL)
        except RunnerLost:
            continue
        return {"zygote killed, next run ended, s": time.perf_counter() - start}


async def measure_all(seconds: float = 3.0) -> dict[str, float]:
    """What `make bench-server` prints as its rows about the sandbox."""
    runner = LocalRunner(slots=len(os.sched_getaffinity(0)), stand_in=True)
    start = time.perf_counter()
    await runner.start()
    rows: dict[str, float] = {"start of the sandbox, canary included, s": time.perf_counter() - start}
    health = await runner.health()
    if not health.ready:
        raise SystemExit(health.reason)
    try:
        await time_run(runner, TRIVIAL)
        rows |= await measure_latency(runner, 60)
        rows |= await measure_throughput(runner, seconds)
        rows |= await measure_restart(runner)
    finally:
        await runner.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", action="store_true")
    options: Any = parser.parse_args()
    rows = asyncio.run(measure_all(options.seconds))
    if options.json:
        print(json.dumps(rows))
    else:
        for name, value in rows.items():
            print(f"{name:45} {value:10.2f}")


if __name__ == "__main__":
    main()
