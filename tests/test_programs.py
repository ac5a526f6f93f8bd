"""Whole programs: posted to a running server, unchanged, they print what PyTorch printed.

Those of the menu, and those of tests/programs, written as in courses and with what courses use.

tests/golden/torch/programs.json holds PyTorch's answers (tests/parity/freeze_programs.py made it).
"""

import json
import urllib.request
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
FOLDERS = {"programs": TESTS.parent / "app/lessons/programs", "courses": TESTS / "programs"}
GOLDEN = json.loads((TESTS / "golden/torch/programs.json").read_text())
ANSWERS = {f"{kind}/{name}": GOLDEN[kind][name] for kind in FOLDERS for name in GOLDEN[kind]}


def run(server, code):
    """The events of a program's run."""
    body = json.dumps({"code": code}).encode()
    asked = urllib.request.Request(f"{server}/api/v1/runs", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return [json.loads(line) for line in answer]


def test_every_program_has_its_answer():
    found = {f"{kind}/{path.stem}" for kind, folder in FOLDERS.items() for path in folder.glob("*.py")}
    assert set(ANSWERS) == found


@pytest.mark.parametrize("name", ANSWERS)
def test_program_prints_what_torch_prints(name, server):
    kind, _, stem = name.partition("/")
    events = run(server, (FOLDERS[kind] / f"{stem}.py").read_text())
    printed = "".join(event["text"] for event in events if event["kind"] == "print" and event.get("stream") != "stderr")
    fails = [[event["type"], event["message"]] for event in events if event["kind"] == "fail"]
    assert printed == ANSWERS[name]["printed"]
    assert fails == ([ANSWERS[name]["error"]] if ANSWERS[name]["error"] else [])
    assert events[-1]["kind"] == "end"
    assert events[-1]["status"] == ("fail" if fails else "ok")
