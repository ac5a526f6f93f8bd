"""What programs find in the box: modules, clocks, chance, and words for what is not there."""

from __future__ import annotations

import time

import pytest

from app.sandbox.local import LocalRunner

from .boxes import needs_box, trace_of, with_runner

pytestmark = needs_box


@pytest.mark.parametrize(
    "name", ["matplotlib", "pandas", "socket", "subprocess", "matplotlib.pyplot", "requests", "xyz"]
)
def test_what_is_not_there_is_refused_by_name_with_a_hint(run, name):
    trace = run(f"x = 1\nimport {name}\n")
    assert trace.fail["type"] == "ModuleNotFoundError"
    assert trace.fail["message"] == f"No module named {name.partition('.')[0]!r}"
    assert trace.fail["at"][0] == 2
    assert len(trace.fail["hint"]) > 20


def test_the_usual_library_is_there(run):
    names = "math random itertools collections functools dataclasses typing time datetime json re statistics copy"
    trace = run(
        "".join(f"import {name}\n" for name in names.split()) + "import numpy as np, numpy.linalg\nimport torch\n"
    )
    assert trace.end["status"] == "ok", trace.fail


def test_sleep_is_skipped_and_the_clocks_go_on(run):
    start = time.monotonic()
    source = "import time\na = time.time(), time.perf_counter(), time.monotonic()\ntime.sleep(50)\n"
    source += "print([round(y - x) for x, y in zip(a, (time.time(), time.perf_counter(), time.monotonic()))])\n"
    trace = run(source)
    assert trace.text == "[50, 50, 50]\n"
    assert time.monotonic() - start < 10
    assert [e["topic"] for e in trace.events if e["kind"] == "note"] == ["machine"]


def test_input_is_explained(run):
    trace = run("x = 1\nname = input('name? ')\n")
    assert (trace.fail["type"], trace.fail["at"][0]) == ("EOFError", 2)
    assert "input()" in trace.fail["hint"]


def test_files_are_explained(run):
    trace = run("open('data.csv')\n")
    assert trace.fail["type"] == "PermissionError"
    assert "files" in trace.fail["hint"]


CHANCE = """
import os, random, secrets, uuid
import numpy as np
import torch
print(random.random(), random.Random().random(), np.random.rand(), np.random.default_rng().normal())
print(os.urandom(8), secrets.token_hex(4), uuid.uuid4(), torch.rand(2), {"a", "b", "c", "d", "e", "f"})
"""


def test_the_same_program_prints_the_same_chance_in_any_process():
    async def use(runner: LocalRunner) -> list[bytes]:
        return [(await trace_of(runner, CHANCE)).raw.rsplit(b"\n", 2)[0] for _ in range(3)]

    first = with_runner(use)
    assert len({*first, *with_runner(use)}) == 1


def test_another_seed_is_another_chance(run):
    assert run(CHANCE, seed=1).text != run(CHANCE, seed=2).text
