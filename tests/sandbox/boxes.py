"""What tests of the box share: runs in a runner of one's own, and hostile programs with what they name."""

from __future__ import annotations

import asyncio
import json
import platform
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.runs.limits import MIB, Limits
from app.runs.program import Program
from app.sandbox import launch, lockdown
from app.sandbox.local import LocalRunner

HOSTILE = Path(__file__).parent / "hostile"

needs_box = pytest.mark.skipif(bool(lockdown.unsupported()), reason=lockdown.unsupported() or "the box is there")

LOOP = "n = 0\nwhile True:\n    n += 1\n"
SHOWN = "print('shown', flush=True)\n" + LOOP

QUICK = Limits(wall=20.0, cpu=10, memory=256 * MIB, events=3000, trace=MIB, text=64 * 1024, line=256 * 1024)


@dataclass(frozen=True)
class Trace:
    """One run: its events, and the raw bytes."""

    raw: bytes
    chunks: tuple[bytes, ...]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw.splitlines()]

    @property
    def end(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def fail(self) -> dict[str, Any]:
        return next((e for e in self.events if e["kind"] == "fail"), {})

    @property
    def text(self) -> str:
        return "".join(e["text"] for e in self.events if e["kind"] == "print")


async def trace_of(runner: LocalRunner, source: str, limits: Limits | None = None, **options: Any) -> Trace:
    seed = options.pop("seed", 0)
    chunks = [c async for c in runner.run(Program(source, seed=seed, limits=limits or runner.limits), **options)]
    return Trace(b"".join(chunks), tuple(chunks))


async def started(runner: LocalRunner, source: str) -> Any:
    """A run that has shown its first print."""
    stream = runner.run(Program(source, limits=runner.limits))
    async for chunk in stream:
        if b'"print"' in chunk:
            return stream
    raise AssertionError("no print")


def with_runner(use: Callable[[LocalRunner], Awaitable[Any]], **options: Any) -> Any:
    """Runs a coroutine function with a started LocalRunner and closes it."""

    async def main() -> Any:
        runner = LocalRunner(**{"slots": 2, "limits": QUICK, **options})
        await runner.start()
        assert (await runner.health()).ready, (await runner.health()).reason
        try:
            return await use(runner)
        finally:
            await runner.close()

    return asyncio.run(main())


def sabotage(patch: pytest.MonkeyPatch, code: str) -> None:
    """Zygotes started from here on run `code` first: it may take a wall of the box out."""
    boot = f"import sys; sys.path.insert(0, {launch.ROOT!r}); from app.sandbox import lockdown, zygote; "
    patch.setattr(launch, "BOOT", f"{boot}{code}; zygote.main()")


class Shared:
    """One runner on a thread of its own, for tests that only want to run something."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.runner = LocalRunner(slots=2, limits=QUICK)
        self._call(self.runner.start())

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def run(self, source: str, limits: Limits | None = None, **options: Any) -> Trace:
        trace: Trace = self._call(trace_of(self.runner, source, limits, **options))
        return trace

    def close(self) -> None:
        self._call(self.runner.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@dataclass(frozen=True)
class Hostile:
    """A program of tests/sandbox/hostile and its header.

    what        a sentence
    contained   endings that count as contained; further words are types of the `fail` event
    control     "shown": run without the box it prints ESCAPED; "none: why" where that cannot be shown
    """

    name: str
    what: str
    statuses: frozenset[str]
    failures: frozenset[str]
    control: str
    machine: str
    source: str

    @property
    def endless(self) -> bool:
        return "timeout" in self.statuses

    def placed(self, scratch: Path, port: int, pid: int) -> str:
        names = {"@SCRATCH@": str(scratch), "@PORT@": str(port), "@PID@": str(pid), "@MACHINE@": platform.machine()}
        source = self.source
        for name, value in names.items():
            source = source.replace(name, value)
        return source


STATUSES = frozenset({"ok", "fail", "timeout", "limit", "killed", "forged"})


def read_hostile(path: Path) -> Hostile:
    source = path.read_text()
    head = [line.removeprefix("# ") for line in source.splitlines()[:6] if line.startswith("# ")]
    fields = dict(line.split(": ", 1) for line in head if ": " in line and " " not in line.split(": ")[0])
    words = frozenset(fields["contained"].split())
    return Hostile(
        name=path.stem,
        what=head[1],
        statuses=words & STATUSES,
        failures=words - STATUSES,
        control=fields["control"],
        machine=fields.get("machine", platform.machine()),
        source=source,
    )


CORPUS = [h for path in sorted(HOSTILE.glob("*.py")) if (h := read_hostile(path)).machine == platform.machine()]
