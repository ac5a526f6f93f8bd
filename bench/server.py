"""Times the server: first event of a warm trivial run, runs and expressions per second. `make bench-server`

python -m bench.server [--rounds 200] [--json] [--write]

Ratios say more than numbers here: expressions are compared with a route of the same application that returns bytes
made beforehand, on the same connection, in turns. Beside runs per second stands the processor time of a run, server,
sandbox and children together: that is the same on a busy machine, nearly. The client takes its part of the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from typing import Any

from bench.wire import Client, processor_seconds, server, until_ready, write_table

GENEROUS = {
    "client_rate": 1e9,
    "address_rate": 1e9,
    "global_rate": 1e9,
    "client_run_rate": 1e9,
    "client_runs": 10_000,
    "address_runs": 10_000,
    "client_streams": 10_000,
}
RUNS = "/api/v1/runs"
EXPRESSION = "((x*w + b) - y)**2"


def trivial(k: int) -> dict[str, Any]:
    return {"code": f"print({k})"}


async def first_events(port: int, rounds: int) -> dict[str, float]:
    """Milliseconds from the request to the first event, one run at a time."""
    client = Client(port)
    times = []
    for k in range(rounds):
        await asyncio.sleep(0.02)  # a warm, idle server: its spare children are back
        start = time.perf_counter()
        await client.send("POST", RUNS, trivial(k))
        _, headers = await client.head()
        async for _piece in client.pieces(headers):
            if len(times) == k:
                times.append((time.perf_counter() - start) * 1e3)
    client.close()
    times.sort()
    return {"median": statistics.median(times), "p90": times[int(rounds * 0.9)], "min": times[0]}


async def runs_per_second(port: int, pid: int, rounds: int, connections: int) -> tuple[float, float]:
    """(runs per second, milliseconds of processor that the server, all its processes together, had for one)."""
    todo = iter(range(connections * 10**6, connections * 10**6 + rounds))  # all new: none is answered from the store

    async def worker() -> None:
        client = Client(port)
        for k in todo:
            status, _, body = await client.ask("POST", RUNS, trivial(k))
            assert status == 200 and b'"status":"ok"' in body, body[-300:]
        client.close()

    start, used = time.perf_counter(), processor_seconds(pid)
    await asyncio.gather(*(worker() for _ in range(connections)))
    took = time.perf_counter() - start
    await asyncio.sleep(0.2)  # the last children end, the last traces are stored
    return rounds / took, (processor_seconds(pid) - used) / rounds * 1e3


async def expressions(port: int, rounds: int) -> dict[str, float]:
    """Requests per second on one connection: new expressions, the same again, and bytes made beforehand."""
    client = Client(port)
    seconds = {"new": 0.0, "same": 0.0, "bytes": 0.0}
    for k in range(rounds):
        inputs = {"x": k + 0.5, "w": -1.0, "b": 0.5, "y": 3.0}
        for kind in seconds:
            body = {"expression": EXPRESSION, "inputs": inputs if kind == "new" else {}}
            start = time.perf_counter()
            if kind == "bytes":
                status, _, _ = await client.ask("GET", "/api/v1/schema")
            else:
                status, _, _ = await client.ask("POST", "/api/v1/graphs", body)
            seconds[kind] += time.perf_counter() - start
            assert status == 200
    client.close()
    rates = {kind: rounds / spent for kind, spent in seconds.items()}
    return {**rates, "new/bytes": rates["new"] / rates["bytes"], "same/bytes": rates["same"] / rates["bytes"]}


async def measure(rounds: int) -> dict[str, Any]:
    with server(**GENEROUS) as (port, pid):
        await until_ready(port)
        await first_events(port, 20)
        await asyncio.sleep(2)  # the second sandbox process gets ready
        first = await first_events(port, rounds)
        many = {f"{n} connections": await runs_per_second(port, pid, rounds * 2 + n, n) for n in (1, 4, 16)}
        return {
            "first event, ms": first,
            "trivial runs/s": {name: rate for name, (rate, _) in many.items()},
            "processor, ms/run": {name: spent for name, (_, spent) in many.items()},
            "expressions/s": await expressions(port, rounds * 2),
            "load average": os.getloadavg()[0],
        }


def show(told: dict[str, Any]) -> str:
    lines = []
    for name, value in told.items():
        shown = ", ".join(f"{k} {v:.2f}" for k, v in value.items()) if isinstance(value, dict) else f"{value:.2f}"
        lines.append(f"{name:16}  {shown}")
    return "\n".join(lines)


def rows(told: dict[str, Any]) -> list[tuple[str, ...]]:
    """For docs/performance.md."""
    first, rates, spent = told["first event, ms"], told["trivial runs/s"], told["processor, ms/run"]
    share = told["expressions/s"]
    return [
        ("", ""),
        ("warm trivial run, request to first event: median / 90 % / best",
         " / ".join(f"{first[name]:.1f} ms" for name in ("median", "p90", "min"))),
        ("trivial runs per second on 1 / 4 / 16 connections", " / ".join(f"{rate:.0f}" for rate in rates.values())),
        ("processor time of one, all processes of the server", " / ".join(f"{ms:.1f} ms" for ms in spent.values())),
        ("new expression, share of the rate of a route with bytes made beforehand", f"{share['new/bytes']:.2f}"),
        ("the same expression again, share of the same", f"{share['same/bytes']:.2f}"),
        ("machine", f"{os.cpu_count()} cores, the client on them too, load average {told['load average']:.1f}"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    args = parser.parse_args()
    told = asyncio.run(measure(args.rounds))
    print(json.dumps(told, indent=1) if args.json else show(told))
    if args.write:
        write_table("make bench-server", rows(told))


if __name__ == "__main__":
    main()
