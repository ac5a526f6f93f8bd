"""Looks at this machine and says, line by line, whether programs can be run here and how they are confined."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from dataclasses import dataclass
from typing import Literal

from app.runs.limits import MIB, Limits, available_memory, fitting_slots
from app.runs.program import Program
from app.sandbox import lockdown
from app.sandbox.local import ELSEWHERE, LocalRunner

Verdict = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """good: as it should be; note: works with less; bad: programs are refused"""

    verdict: Verdict
    what: str
    says: str


async def examine(*, slots: int, limits: Limits | None = None) -> list[Finding]:
    """Starts a sandbox of its own, runs a program in it, stops it."""
    limits = limits or Limits()
    machine = f"{platform.system()} {platform.release()} on {platform.machine()}, Python {platform.python_version()}"
    if reason := lockdown.unsupported():
        return [Finding("bad", "system", f"{machine}: {reason}"), Finding("note", "instead", ELSEWHERE)]
    found = [Finding("good", "system", machine)]
    runner = LocalRunner(slots=slots, limits=limits)
    start = time.perf_counter()
    await runner.start()
    try:
        health = await runner.health()
        if not health.ready:
            return [*found, Finding("bad", "sandbox", health.reason), Finding("note", "instead", ELSEWHERE)]
        found.append(Finding("good", "sandbox", f"holds; ready after {time.perf_counter() - start:.2f} s"))
        found += judge_box(health.box)
        found += judge_memory(slots, limits)
        found.append(await time_first_event(runner))
    finally:
        await runner.close()
    return found


def judge_box(box: dict[str, str]) -> list[Finding]:
    landlock, user = box["landlock"], box["user"]
    return [
        Finding("good", "seccomp", box["seccomp"]),
        Finding("good" if landlock.startswith("version") else "note", "Landlock", landlock),
        Finding("note" if user.startswith("root") else "good", "programs run as", user),
        Finding("good" if box["oom_score_adj"] == "1000" else "note", "oom_score_adj", box["oom_score_adj"]),
    ]


def judge_memory(slots: int, limits: Limits) -> list[Finding]:
    fitting, available = fitting_slots(slots, limits.memory), available_memory()
    each = f"{limits.memory // MIB} MiB each"
    if available is None:
        return [Finding("note", "memory", f"{slots} programs at once, {each}; how much there is could not be learnt")]
    there = f"of {available // MIB} MiB"
    if fitting < slots:
        text = f"{fitting} programs at once instead of {slots}: {each} {there}; lower BACKSTEP_MEMORY_MB for more"
        return [Finding("note", "memory", text)]
    return [Finding("good", "memory", f"{slots} programs at once, {each} {there}")]


async def time_first_event(runner: LocalRunner) -> Finding:
    """Median of a few trivial runs."""
    times = []
    for _ in range(9):
        await asyncio.sleep(0.02)
        start = time.perf_counter()
        first = 0.0
        async for _chunk in runner.run(Program("print(1)\n", limits=runner.limits)):
            first = first or time.perf_counter() - start
        times.append(first * 1e3)
    median = sorted(times)[len(times) // 2]
    load = f", load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    return Finding("good" if median < 50 else "note", "first event", f"after {median:.1f} ms{load}")


def format_report(findings: list[Finding]) -> str:
    signs = {"good": "ok  ", "note": "note", "bad": "BAD "}
    width = max(len(f.what) for f in findings)
    return "\n".join(f"{signs[f.verdict]}  {f.what:{width}}  {f.says}" for f in findings)


def report(*, slots: int, limits: Limits | None = None) -> tuple[bool, str]:
    """For `backstep doctor`: whether programs can run here, and the text."""
    findings = asyncio.run(examine(slots=slots, limits=limits))
    return all(f.verdict != "bad" for f in findings), format_report(findings)
