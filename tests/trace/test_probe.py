"""The landscape around a step, against algebra."""

import json

import numpy as np
import pytest

from engine.trace.grid import parse_question
from engine.trace.run import run

SOURCE = """
import torch
x = torch.tensor([[1., 2.], [3., 4.], [-1., 0.5]])
w = torch.tensor([0.5, -1.0], requires_grad=True)
b = torch.tensor(0.25, requires_grad=True)
for i in range(3):
    p = (x * w).sum(1) + b
    l = (p ** 2).mean()
    l.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = None
    b.grad = None
"""
X = np.array([[1, 2], [3, 4], [-1, 0.5]])


def play(source: str, probe: str = "", step: int = 0) -> list[dict]:
    lines: list[bytes] = []
    run(source, detail=(step,), probe=probe, emit=lines.append)
    return [json.loads(line) for line in b"".join(lines).splitlines()]


def ask(events: list[dict], step: int, *, kind: str = "surface", root: str = "", points: int = 5) -> str:
    """A question about the two elements of w, or the two columns of x."""
    numbers = {e["name"]: e["tensor"] for e in events if e["kind"] in ("leaf", "bind") and e.get("name")}
    wanted = numbers[root] if root else next(e["root"] for e in events if e["kind"] == "seed")
    tensor = numbers["w" if kind == "surface" else "x"]
    side = {"tensor": tensor, "low": -1.0, "high": 1.0}
    sides = {"x": {**side, "index": 0}, "y": {**side, "index": 1}}
    return json.dumps({"step": step, "root": wanted, "kind": kind, "points": points, **sides})


def test_surface_of_the_first_step_is_the_loss_by_algebra() -> None:
    events = play(SOURCE)
    rows = [e for e in play(SOURCE, ask(events, 0)) if e["kind"] == "probe"]
    assert [row["y"] for row in rows] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    for row in rows:
        expected = [((X @ [x, row["y"]] + 0.25) ** 2).mean() for x in row["x"]]
        assert row["values"] == pytest.approx(expected, rel=1e-6)


def test_without_y_it_is_the_loss_along_one_element() -> None:
    question = json.loads(ask(play(SOURCE), 0))
    del question["y"]
    (row,) = [e for e in play(SOURCE, json.dumps(question)) if e["kind"] == "probe"]
    assert row["values"] == pytest.approx([((X @ [x, -1.0] + 0.25) ** 2).mean() for x in row["x"]], rel=1e-6)


def test_field_is_the_prediction_at_every_point() -> None:
    events = play(SOURCE)
    rows = [e for e in play(SOURCE, ask(events, 0, kind="field", root="p")) if e["kind"] == "probe"]
    for row in rows:
        assert row["values"] == pytest.approx([0.5 * x - row["y"] + 0.25 for x in row["x"]], rel=1e-6)


def test_the_answer_holds_nothing_else_and_the_program_stops() -> None:
    events = play(SOURCE, step=1)
    answer = play(SOURCE + "print('over')\n", ask(events, 1), step=1)
    assert [e["kind"] for e in answer] == ["begin", *["probe"] * 5]


def test_a_step_that_changes_tensors_in_place_refuses_with_a_way_out() -> None:
    source = SOURCE.replace("    l = ", "    p.add_(1)\n    l = ")
    failed = play(source, ask(play(source), 0))[-1]
    assert failed["kind"] == "fail"
    assert "in place" in failed["message"] and "x = x + 1" in failed["hint"]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"points": 1}, "points must be"), ({"points": 999}, "points must be"), ({"step": -1}, "from 0"),
     ({"extra": 1}, "unknown field"), ({"kind": "other"}, "Invalid enum"), ({"kind": "field"}, "different columns")],
)  # fmt: skip
def test_bad_questions_are_refused_in_words(change: dict, said: str) -> None:
    side = {"tensor": 4, "index": 0, "low": 0.0, "high": 1.0}
    with pytest.raises(ValueError, match=said):
        parse_question(json.dumps({"step": 0, "root": 1, "x": side, "y": side, **change}))
