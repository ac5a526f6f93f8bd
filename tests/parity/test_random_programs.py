"""Random programs, found and shrunk by hypothesis: the engine beside an installed PyTorch."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")
hypothesis = pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import engine  # noqa: E402
from tests.parity.random_programs import compare, grow, known, shorten  # noqa: E402


@settings(max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(draw=st.randoms(use_true_random=False))
def test_plain_programs_answer_as_torch(draw: random.Random) -> None:
    lines = grow(draw, torch)
    found = compare(lines, torch, engine)
    if found is not None and not known(found):
        shorter = shorten(lines, torch, engine)
        pytest.fail("\n".join(shorter) + f"\n=> {compare(shorter, torch, engine)}")


@pytest.mark.parametrize("kind", ["wide", "layers", "changes", "training"])
def test_nineteen_of_twenty_programs_answer_as_torch(kind: str) -> None:
    programs = [grow(random.Random(7_000_000 + n), torch, kind) for n in range(100)]
    wrong = [(lines, found) for lines in programs if (found := compare(lines, torch, engine)) and not known(found)]
    assert len(wrong) <= 5, "\n\n".join("\n".join(shorten(lines, torch, engine)) + f"\n=> {found}" for lines, found in wrong)
