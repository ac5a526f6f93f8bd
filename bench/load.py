"""A classroom against one server: many clients in a loop, some of them hostile. `make load`

python -m bench.load [--clients 200] [--seconds 60] [--hostile 0.2] [--wall 10] [--json] [--write]

Loopback only, bounded in time and count. Good clients run the example programs, each time as a program of its own
(so that it really runs) or as it is (so that it is shared), and compare what was printed with what the idle server
had answered before. Hostile clients run endless loops, allocate, flood, leave in the middle, stop reading, send
garbage. Whoever is told to come back later (429, 503 with Retry-After) does, and goes on waiting. Exit code 1 when
a good run was lost or wrong, on any other 5xx, on zombies, on growth of files or memory.

The clients share the machine with the server, so they do as little as they can: a trace is joined once and searched,
never parsed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.lessons.catalogue import examples
from bench.wire import Client, descendants, server, until_ready, write_table

RUNS = "/api/v1/runs"
HOSTILE_CODE = [
    "while True: pass",
    "x = [0]\nwhile True: x = x + x",
    "import numpy as np\na = np.ones((100_000, 100_000))",
    "while True: print('x' * 1000)",
    "import os\nwhile True:\n    try: os.fork()\n    except BaseException: pass",
    "open('/etc/passwd').read()",
    "import torch\nx = torch.ones(1, requires_grad=True)\nwhile True: x = x * 1.0001",
    "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    "import time\ntime.sleep(3600)",
]
GARBAGE = [b"{", b"[" * 10_000, b'{"code": 7}', b"\xff" * 100, b'{"expression": "__import__(1)"}']


class Tally:
    """What happened, all clients together."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.ends: Counter[str] = Counter()
        self.good = self.lost = self.wrong = self.hostile = self.waiting = self.later = self.refused = 0
        self.first: list[float] = []
        self.whole: list[float] = []
        self.examples_of_wrong: list[str] = []


PRINTED = re.compile(rb'^\{"kind":"print".*$', re.M)


def printed(body: bytes) -> tuple[str, str]:
    """(all that the program printed, how it ended) of a trace."""
    text = "".join(json.loads(line)["text"] for line in PRINTED.findall(body))
    last = body[body.rfind(b"\n", 0, -1) + 1 :]
    return text, json.loads(last)["status"] if last.startswith(b'{"kind":"end"') else "cut off"


async def good(client: Client, number: int, tally: Tally, expected: dict[str, tuple[str, str]], until: float) -> None:
    dice = random.Random(number)
    slugs = list(expected)
    turn = 0
    await asyncio.sleep(dice.uniform(0, 1.5))
    while time.monotonic() < until:
        slug = dice.choice(slugs)
        code = examples()[slug].code
        if dice.random() < 0.7:
            turn += 1
            code += f"\n# client {number}, turn {turn}\n"
        start, first = time.monotonic(), 0.0
        pieces: list[bytes] = []
        try:
            while True:
                await client.send("POST", RUNS, {"code": code})
                status, headers = await client.head()
                tally.statuses[status] += 1
                async for piece in client.pieces(headers):
                    first = first or time.monotonic() - start
                    pieces.append(piece)
                if status not in (429, 503) or "retry-after" not in headers:
                    break
                tally.later += 1
                await asyncio.sleep(float(headers["retry-after"]))
                first = 0.0
                pieces.clear()
        except (OSError, asyncio.IncompleteReadError):
            tally.lost += 1
            client.close()
            continue
        got = printed(b"".join(pieces)) if status == 200 else ("", str(status))
        tally.ends[got[1]] += 1
        tally.good += 1
        if got != expected[slug]:
            tally.wrong += 1
            tally.examples_of_wrong.append(f"{slug}: {got[1]} {b''.join(pieces)[-200:]!r}")
        tally.first.append(first)
        tally.whole.append(time.monotonic() - start)
        await asyncio.sleep(dice.uniform(0.2, 1.5))  # somebody looks at it


async def hostile(client: Client, number: int, tally: Tally, until: float) -> None:
    dice = random.Random(number)
    while time.monotonic() < until:
        tally.hostile += 1
        kind = dice.choice(("run", "run", "run", "leave", "stop", "garbage", "bytes"))
        code = {"code": dice.choice(HOSTILE_CODE) + f"\n# {number} {tally.hostile}"}
        try:
            if kind == "run":
                status, headers, _ = await client.ask("POST", RUNS, code)
                tally.statuses[status] += 1
                if status in (429, 503) and "retry-after" in headers:
                    tally.refused += 1
            elif kind == "garbage":
                status, _, _ = await client.ask("POST", dice.choice((RUNS, "/api/v1/graphs")), dice.choice(GARBAGE))
                tally.statuses[status] += 1
            elif kind == "bytes":
                await client.send("GET", "/" + "x" * dice.choice((10, 100_000)))
                await asyncio.sleep(0.1)
                client.close()
            else:
                await client.send("POST", RUNS, code)
                await client.head()
                await asyncio.sleep(0.05 if kind == "leave" else 5)  # `stop` holds the stream and reads nothing
                client.close()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            client.close()
        await asyncio.sleep(dice.uniform(0.05, 0.5))


# -- the server's insides, as /proc shows them


def vitals(pid: int) -> dict[str, float]:
    status = Path(f"/proc/{pid}/status").read_text()
    states = descendants(pid)
    return {
        "files": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "MiB": int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024,
        "children": len(states),
        "zombies": sum(state == "Z" for state in states.values()),
    }


async def settled(pid: int, before: dict[str, float], seconds: float) -> dict[str, float]:
    """The vitals once everything has ended, or after `seconds`."""
    deadline = time.monotonic() + seconds
    now = vitals(pid)
    while time.monotonic() < deadline:
        now = vitals(pid)
        if now["files"] <= before["files"] + 4 and now["children"] <= before["children"] + 1 and not now["zombies"]:
            break
        await asyncio.sleep(0.25)
    return now


async def storm(port: int, pid: int, args: argparse.Namespace) -> dict[str, Any]:
    await until_ready(port)
    expected: dict[str, tuple[str, str]] = {}
    one = Client(port, cookie=f"{10**6:032x}")
    for slug, example in examples().items():
        status, _, body = await one.ask("POST", RUNS, {"code": example.code})
        assert status == 200, body
        expected[slug] = printed(body)
        if expected[slug][1] not in ("ok", "fail"):
            raise RuntimeError(f"{slug} ends as {expected[slug][1]} on the idle server")
    one.close()
    bad = round(args.clients * args.hostile)

    async def crowd(seconds: float, tally: Tally) -> None:
        until = time.monotonic() + seconds
        clients = [Client(port, cookie=f"{k + 1:032x}") for k in range(args.clients)]
        jobs: list[Callable[[], Awaitable[None]]] = [
            (lambda c=c, k=k: hostile(c, k, tally, until)) if k < bad  # type: ignore[misc]
            else (lambda c=c, k=k: good(c, k, tally, expected, until))  # type: ignore[misc]
            for k, c in enumerate(clients)
        ]  # fmt: skip
        tasks = [asyncio.ensure_future(job()) for job in jobs]
        _, late = await asyncio.wait(tasks, timeout=seconds + args.patience)
        tally.waiting = sum(tasks.index(task) >= bad for task in late)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error
        for client in clients:
            client.close()

    await crowd(min(5.0, args.seconds / 4), Tally())  # caches fill, pools grow
    before = await settled(pid, {"files": 0, "children": 0}, args.wall + 8)
    tally = Tally()
    start = time.monotonic()
    await crowd(args.seconds, tally)
    took = time.monotonic() - start
    after = await settled(pid, before, args.wall + 12)
    return report(args, tally, before, after, took)


def report(args: argparse.Namespace, tally: Tally, before: Any, after: Any, took: float) -> dict[str, Any]:
    def at(values: list[float], share: float) -> float:
        return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")

    errors = sum(count for status, count in tally.statuses.items() if status >= 500)
    errors -= min(tally.statuses[503], tally.later + tally.refused)
    told = {
        "clients": f"{args.clients}, {round(args.hostile * 100)} % hostile, {took:.0f} s, wall limit {args.wall:g} s",
        "good runs": tally.good,
        "good runs lost": tally.lost,
        "good runs wrong": tally.wrong,
        "still in the queue when time was over": tally.waiting,
        "good requests told to come back later": tally.later,
        "hostile requests": tally.hostile,
        "answers": ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items())),
        "5xx without Retry-After": errors,
        "first event, median / p90 / p99": " / ".join(f"{at(tally.first, p):.2f} s" for p in (0.5, 0.9, 0.99)),
        "whole run, median / p90": " / ".join(f"{at(tally.whole, p):.2f} s" for p in (0.5, 0.9)),
        "mean first event": f"{statistics.mean(tally.first or [0]):.2f} s",
        "zombies": after["zombies"],
        "open files, before / after": f"{before['files']:.0f} / {after['files']:.0f}",
        "server memory, before / after": f"{before['MiB']:.0f} / {after['MiB']:.0f} MiB",
        "machine": f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}",
    }
    faults = []
    if tally.lost or tally.wrong:
        faults.append("good runs were lost or wrong: " + "; ".join(tally.examples_of_wrong[:3]))
    if errors > 0:
        faults.append("there were 5xx")
    if after["zombies"]:
        faults.append("zombies were left")
    if after["files"] > before["files"] + 8:
        faults.append("open files grew")
    if after["MiB"] > before["MiB"] * 1.25 + 64:
        faults.append("memory grew")
    if not tally.good:
        faults.append("no good run ended")
    return {"told": told, "faults": faults}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--hostile", type=float, default=0.2)
    parser.add_argument("--wall", type=float, default=10.0)
    parser.add_argument("--patience", type=float, default=60.0, help="seconds for what waits when time is over")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the server below has to be stopped too
    args.clients, args.seconds = min(args.clients, 1000), min(args.seconds, 600)
    # every client is on one address here; memory for finished traces is kept small so that growth would be seen
    limits = {"wall_seconds": args.wall, "address_runs": 2 * args.clients, "live_mb": 64, "stall_seconds": 4}
    with server(**limits) as (port, pid):
        result = asyncio.run(storm(port, pid, args))
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print("\n".join(f"{name:32}  {value}" for name, value in result["told"].items()))
        print("\n".join(f"FAULT: {fault}" for fault in result["faults"]) or "no faults")
    if args.write:
        write_table("make load", [("", ""), *((name, str(value)) for name, value in result["told"].items())])
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
