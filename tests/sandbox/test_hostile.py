"""Every hostile program is contained: it ends as its header says, escapes nowhere, and leaves the world as it was.
And, so that this means something: without the box the attacks work.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.runs.limits import Limits
from app.runs.program import Program
from app.sandbox.local import LocalRunner
from engine.trace import events as ev

from .boxes import CORPUS, QUICK, Hostile, Trace, needs_box, sabotage, trace_of, with_runner

SECRET = "hunter2"
ENDLESS = replace(QUICK, wall=1.0, cpu=1)


class World:
    """What the attacks are after: a folder, a service on loopback, a process, a secret in the environment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.visits = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        self.sentinel = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])

    def _serve(self) -> None:
        while True:
            try:
                self.server.accept()[0].close()
            except OSError:
                return
            self.visits += 1

    def scratch(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "secret.txt").write_text("a secret")
        (folder / "evil.py").write_text("evil = True\n")
        for file in folder.iterdir():
            file.chmod(0o666)
        return folder

    def place(self, hostile: Hostile) -> str:
        return hostile.placed(self.scratch(hostile.name), self.port, self.sentinel.pid)

    def untouched(self, name: str) -> bool:
        folder = self.root / name
        files = sorted(f.name for f in folder.iterdir())
        return files == ["evil.py", "secret.txt"] and (folder / "secret.txt").read_text() == "a secret"

    def close(self) -> None:
        self.server.close()
        self.sentinel.kill()
        self.sentinel.wait()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    root = Path(tempfile.mkdtemp(prefix="backstep-hostile-"))
    root.chmod(0o777)
    made = World(root)
    os.environ["BACKSTEP_TEST_SECRET"] = SECRET
    yield made
    del os.environ["BACKSTEP_TEST_SECRET"]
    made.close()
    shutil.rmtree(root, ignore_errors=True)


def run_corpus(world: World, corpus: list[Hostile]) -> dict[str, tuple[Program, Trace]]:
    """All through one runner: whatever one program leaves behind, the next would meet."""

    async def run(runner: LocalRunner) -> dict[str, tuple[Program, Trace]]:
        found = {}
        for endless, limits in ((False, QUICK), (True, ENDLESS)):

            async def one(hostile: Hostile, limits: Limits = limits) -> None:
                source = world.place(hostile)
                trace = await trace_of(runner, source, limits)
                found[hostile.name] = (Program(source, limits=limits), trace)

            await asyncio.gather(*(one(h) for h in corpus if h.endless is endless))
        assert runner.restarts == 0, "a hostile program brought the zygote down"
        return found

    found: dict[str, tuple[Program, Trace]] = with_runner(run, slots=6)
    return found


def check(hostile: Hostile, program: Program, trace: Trace, world: World) -> None:
    begin, *middle, end = [msgspec.json.decode(line, type=ev.AnyEvent) for line in trace.raw.splitlines()]
    assert isinstance(begin, ev.Begin)
    assert (begin.source, begin.run) == (program.source, program.key)
    assert isinstance(end, ev.End)
    assert not any(isinstance(event, (ev.Begin, ev.End)) for event in middle)
    assert [event.seq for event in (begin, *middle, end)] == list(range(len(middle) + 2))
    rest = trace.raw.split(b"\n", 1)[1]
    assert b"ESCAPED" not in re.sub(rb'"traceback":.*', b"", rest), rest[:2000]
    assert end.status in hostile.statuses, (end, trace.fail)
    if hostile.failures and end.status == "fail":
        assert trace.fail["type"] in hostile.failures, trace.fail
    assert end.message
    assert world.untouched(hostile.name)


@pytest.fixture(scope="module")
def traces(world: World) -> dict[str, tuple[Program, Trace]]:
    return run_corpus(world, CORPUS)


@needs_box
@pytest.mark.parametrize("hostile", CORPUS, ids=lambda h: h.name)
def test_it_is_contained(hostile: Hostile, traces: dict[str, tuple[Program, Trace]], world: World) -> None:
    check(hostile, *traces[hostile.name], world)


@needs_box
def test_seccomp_alone_contains_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on kernels without Landlock."""
    sabotage(monkeypatch, "lockdown.forbid_files = lambda: 0")
    root = Path(tempfile.mkdtemp(prefix="backstep-hostile-"))
    root.chmod(0o777)
    alone = World(root)
    try:
        quick = [h for h in CORPUS if not h.endless]
        for name, (program, trace) in run_corpus(alone, quick).items():
            check(next(h for h in quick if h.name == name), program, trace, alone)
        assert alone.visits == 0
        assert alone.sentinel.poll() is None
    finally:
        alone.close()
        shutil.rmtree(root, ignore_errors=True)


@needs_box
def test_nothing_outside_was_reached(traces: dict[str, tuple[Program, Trace]], world: World) -> None:
    assert traces
    assert world.visits == 0
    assert world.sentinel.poll() is None


def test_the_corpus_is_large_and_covers_every_kind() -> None:
    kinds = {h.name.partition("_")[0] for h in CORPUS}
    assert kinds == {"file", "net", "process", "memory", "cpu", "signal", "pipe", "forge", "look", "kernel"}
    assert len(CORPUS) >= 60


# ------------------------------------------------------------------------------------------ controls


def confined_already() -> bool:
    """Inside a container whose own seccomp filter may stop an attack first."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return True
    return "Seccomp:\t2" in status


@pytest.fixture(scope="module")
def escapes() -> dict[str, str]:
    """What the attacks print as plain programs, in a world of their own: a scratch folder, loopback, a process."""
    root = Path(tempfile.mkdtemp(prefix="backstep-controls-"))

    def run(hostile: Hostile) -> str:
        world = World(root)
        try:
            file = root / f"{hostile.name}.py"
            file.write_text(world.place(hostile))
            command = [sys.executable, str(file)]
            environment = {**os.environ, "BACKSTEP_TEST_SECRET": SECRET, "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=60, env=environment, stdin=subprocess.DEVNULL
            )
            return done.stdout + done.stderr
        finally:
            world.close()

    shown = [h for h in CORPUS if h.control == "shown"]
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        outputs = dict(zip((h.name for h in shown), pool.map(run, shown), strict=True))
    shutil.rmtree(root, ignore_errors=True)
    return outputs


@needs_box
@pytest.mark.skipif(confined_already(), reason="this machine confines the tests themselves")
@pytest.mark.parametrize("hostile", [h for h in CORPUS if h.control == "shown"], ids=lambda h: h.name)
def test_without_the_box_it_works(hostile: Hostile, escapes: dict[str, str]) -> None:
    assert "ESCAPED" in escapes[hostile.name]
