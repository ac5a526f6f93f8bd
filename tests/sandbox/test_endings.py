"""What the last line says: why a program ended, and where it stood."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from .boxes import LOOP, QUICK, needs_box

pytestmark = needs_box


def test_a_program_that_works_ends_ok(run):
    trace = run("print('hello')\n")
    assert trace.text == "hello\n"
    assert (trace.end["status"], trace.end["events"]) == ("ok", len(trace.events))


def test_a_program_that_fails_says_where(run):
    trace = run("x = 1\ny = x / 0\n")
    assert trace.end["status"] == "fail"
    assert trace.fail["type"] == "ZeroDivisionError"
    assert trace.fail["at"][0] == 2


def test_a_syntax_error_says_where(run):
    trace = run("x = 1\ny = = 2\n")
    assert trace.end["status"] == "fail"
    assert (trace.fail["type"], trace.fail["at"][0]) == ("SyntaxError", 2)


@pytest.mark.parametrize(
    ("limits", "status", "name"),
    [
        (replace(QUICK, wall=0.5), "timeout", "wall"),
        (replace(QUICK, cpu=1), "limit", "cpu"),
    ],
)
def test_an_endless_loop_ends_and_says_at_which_line(run, limits, status, name):
    trace = run("print('before')\n" + LOOP, limits)
    assert (trace.end["status"], trace.end["limit"]) == (status, name)
    assert trace.end["hint"]
    assert trace.fail["at"][0] in (3, 4)
    assert trace.text == "before\n"


def test_a_loop_that_swallows_the_warning_is_killed_and_its_results_kept(run):
    source = "print('before')\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass\n"
    start = time.monotonic()
    trace = run(source, replace(QUICK, wall=0.5))
    assert trace.end["status"] == "timeout"
    assert trace.text == "before\n"
    assert time.monotonic() - start < 10


def test_a_loop_inside_c_code_is_killed(run):
    assert run("sum(range(10**14))\n", replace(QUICK, wall=0.5)).end["status"] == "timeout"


def test_ten_gigabytes_fail_at_the_line_with_a_hint(run):
    trace = run("import numpy as np\nx = np.ones(10 * 2**30 // 8)\n")
    assert trace.end["status"] == "fail"
    assert trace.fail["at"][0] == 2
    assert "10.0 GiB" in trace.fail["message"]
    assert trace.fail["hint"]


def test_memory_taken_bit_by_bit_fails_at_the_line(run):
    trace = run("blocks = []\nwhile True:\n    blocks.append(bytearray(1 << 20))\n")
    assert trace.end["status"] == "fail"
    assert (trace.fail["type"], trace.fail["at"][0]) == ("MemoryError", 3)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("while True: print('x')\n", "events"),
        ("while True: print('x' * 1000)\n", "text"),
    ],
)
def test_a_counted_limit_ends_it_and_keeps_what_was(run, source, name):
    trace = run(source)
    assert (trace.end["status"], trace.end["limit"]) == ("limit", name)
    assert len(trace.events) > 10


def test_leaving_by_the_back_door_is_no_success(run):
    assert run("import os\nprint(1, flush=True)\nos._exit(0)\n").end["status"] == "killed"


def test_sys_exit_is_a_success(run):
    assert run("import sys\nprint(1)\nsys.exit()\n").end["status"] == "ok"


def test_a_crash_of_the_interpreter_is_said(run):
    trace = run("import sys\nsys.modules['ctypes'].string_at(0)\n")
    assert trace.end["status"] == "killed"
    assert "SIGSEGV" in trace.end["message"]
