"""engine.nn against what PyTorch 2.13 answered (tests/golden/torch/nn.json): values, graphs, gradients, errors, texts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine as torch
from engine import nn
from engine.nn import functional
from tests.engine.nn.asking import answer

GOLDEN = Path(__file__).parents[2] / "golden" / "torch" / "nn.json"
CASES = json.loads(GOLDEN.read_text())["cases"]
KNOWN = {  # line -> what differs there, and why
    line.partition(" || ")[0]: line.partition(" || ")[2]
    for line in (Path(__file__).parent / "known_differences.txt").read_text().splitlines()
    if line and not line.startswith("#")
}


def numbers(values: list[Any]) -> Any:
    return np.array([float(v) for v in values])


def agree(ours: Any, theirs: Any, tolerance: float) -> bool:
    """Same shape, dtype and numbers; no gradient counts as one of zeros."""
    if ours is None or theirs is None:
        there = theirs if ours is None else ours
        return there is None or not numbers(there["values"]).any()
    if ours["shape"] != theirs["shape"] or ours["dtype"] != theirs["dtype"]:
        return False
    a, b = numbers(ours["values"]), numbers(theirs["values"])
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True))


def difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """The first thing in which two answers differ."""
    for part in ("error", "text", "warnings", "graph"):
        if ours.get(part) != theirs.get(part):
            return f"{part}\n  torch {theirs.get(part)}\n  ours  {ours.get(part)}"
    for a, b in zip(ours.get("values", ()), theirs.get("values", ()), strict=True):
        if not agree(a, b, 2e-5):
            return f"values\n  torch {b}\n  ours  {a}"
    mine, other = ours.get("gradients", {}), theirs.get("gradients", {})
    if ("error" in mine) != ("error" in other):
        return f"gradients\n  torch {other.get('error')}\n  ours  {mine.get('error')}"
    for order, tolerance in (("first", 3e-5), ("second", 1e-3)):
        if "error" in other.get(order, {}):
            continue  # torch cannot differentiate it again; ours may
        for name, b in other.get(order, {}).items():
            if not agree(mine.get(order, {}).get(name), b, tolerance):
                return f"{order} derivative by {name}\n  torch {b}\n  ours  {mine.get(order, {}).get(name)}"
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["line"].replace("⏎", "; ")[:70])
def test_nn_answers_as_torch(case: dict[str, Any]) -> None:
    line = case["line"]
    found = difference(answer(line, torch, nn, functional), case)
    reason = KNOWN.get(line)
    if reason is not None:
        assert found is not None, f"no longer different: remove it from known_differences.txt ({reason})"
        assert found.startswith(reason.split(":")[0]), found
    else:
        assert found is None, found


def test_every_known_difference_is_a_case() -> None:
    assert not set(KNOWN) - {case["line"] for case in CASES}


def test_the_golden_file_is_large_enough_to_mean_something() -> None:
    assert len(CASES) > 700
    assert sum(math.prod(v["shape"]) for c in CASES for v in c.get("values", ())) > 10_000
