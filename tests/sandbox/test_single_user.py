"""The mode without a box: for one person, on loopback, and still with a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.runs.limits import Limits
from app.runs.program import Program
from app.runs.runner import RunnerUnavailable
from app.sandbox.single_user import SingleUserRunner, banner, is_loopback

from .boxes import QUICK, Trace


@pytest.fixture(scope="module")
def traces() -> Iterator[Callable[[str], Trace]]:
    """One runner for all: three programs one after the other."""
    sources = {
        "ok": "print('hello')\n",
        "loop": "print('before')\nwhile True: pass\n",
        "fail": "import matplotlib\n",
        "left": "import os\nos._exit(0)\n",
        "flood": "while True: print('x' * 1000)\n",
    }
    found: dict[str, Trace] = {}

    async def main() -> None:
        runner = SingleUserRunner(host="127.0.0.1", slots=2)
        await runner.start()

        async def one(name: str, source: str) -> None:
            limits: Limits = replace(QUICK, wall=1.0 if name == "loop" else 20.0)
            chunks = [c async for c in runner.run(Program(source, limits=limits), client=name)]
            found[name] = Trace(b"".join(chunks), tuple(chunks))

        try:
            await asyncio.gather(*(one(*item) for item in sources.items()))
        finally:
            await runner.close()

    asyncio.run(main())
    yield found.__getitem__


@pytest.mark.parametrize(
    ("name", "status"),
    [("ok", "ok"), ("loop", "timeout"), ("fail", "fail"), ("left", "killed"), ("flood", "limit")],
)
def test_every_run_begins_and_ends(traces, name, status):
    trace = traces(name)
    assert trace.events[0]["kind"] == "begin"
    assert trace.end["kind"] == "end"
    assert trace.end["status"] == status


def test_what_it_printed_is_kept(traces):
    assert traces("ok").text == "hello\n"
    assert traces("loop").text == "before\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "backstep.example.org", ""])
def test_it_refuses_to_be_reached_by_others(host):
    with pytest.raises(RunnerUnavailable):
        SingleUserRunner(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8", "[::1]"])
def test_loopback_is_recognised(host):
    assert is_loopback(host)


def test_the_banner_says_what_is_missing():
    assert "No sandbox" in banner()
