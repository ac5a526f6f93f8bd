"""Programs: what makes two of them the same, and what no program can be made of. The fake runner beside them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from app.runs.compile import MAX_SOURCE, Refused, compile_program
from app.runs.limits import Limits
from app.runs.program import Program
from app.runs.runner import InProcessRunner, RunnerBusy, RunnerLost
from app.sandbox.launch import ROOT
from engine.trace import events as ev


def test_same_text_same_key():
    assert compile_program("x = 1\n", engine="1").key == compile_program("x = 1\n", engine="1").key


def test_the_key_is_the_same_in_another_process():
    code = "from app.runs.program import Program; print(Program('x = 1', seed=2, detail=(1,), engine='e').key)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == Program("x = 1", seed=2, detail=(1,), engine="e").key


@pytest.mark.parametrize(
    "change",
    [
        {"source": "x = 2\n"},
        {"seed": 1},
        {"detail": (3,)},
        {"engine": "2"},
        {"schema": 999},
        {"probe": "{}"},
        {"limits": Limits(events=7)},
    ],
)
def test_everything_that_shapes_the_trace_shapes_the_key(change):
    program = compile_program("x = 1\n", engine="1")
    assert replace(program, **change).key != program.key


@pytest.mark.parametrize("text", ["x = 1", "x = 1\r\n", "x = 1\r", "\ufeffx = 1\n", "x = 1\n\n  \n"])
def test_line_ends_and_trailing_space_make_no_difference(text):
    assert compile_program(text, engine="1").source == "x = 1\n"


def test_steps_asked_for_are_a_set():
    assert compile_program("x", engine="1", detail=[5, 2, 5]).detail == (2, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [("x = '\0'", "NUL"), ("x = '\ud800'", "surrogate"), ("#" * (MAX_SOURCE + 1), "at most")],
)
def test_what_is_no_program_is_refused_with_the_reason(text, said):
    with pytest.raises(Refused, match=said):
        compile_program(text, engine="1")


def test_a_syntax_error_is_no_reason_to_refuse():
    assert compile_program("x = = 1", engine="1").source == "x = = 1\n"


# ------------------------------------------------------------------------------------------- the fake


def lines_of(runner: InProcessRunner) -> list[dict[str, object]]:
    async def main() -> bytes:
        return b"".join([chunk async for chunk in runner.run(Program("x"))])

    return [json.loads(line) for line in asyncio.run(main()).splitlines()]


def test_the_fake_tells_its_story_numbered():
    told = lines_of(InProcessRunner())
    assert [line["kind"] for line in told] == ["begin", "print", "end"]
    assert [line["seq"] for line in told] == [0, 1, 2]
    assert told[0]["run"] == Program("x").key


def test_the_fake_waits_and_raises_as_told():
    runner = InProcessRunner(lambda program: [ev.Print(text="a"), 0.01, RunnerLost("as told")])
    with pytest.raises(RunnerLost, match="as told"):
        lines_of(runner)
    assert runner.busy == 0


def test_the_fake_has_so_many_slots():
    with pytest.raises(RunnerBusy):
        lines_of(InProcessRunner(slots=0))
