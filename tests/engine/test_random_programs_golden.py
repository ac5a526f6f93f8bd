"""Random programs of 5 to 20 ops, replayed: the engine beside PyTorch's frozen answers (tests/parity made them)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import engine
from tests.parity.random_programs import answer, difference

GOLDEN = json.loads((Path(__file__).resolve().parent.parent / "golden/torch/random_programs.json").read_text())
TENS = range(0, len(GOLDEN["programs"]), 10)


@pytest.mark.parametrize("first", TENS)
def test_programs_answer_as_torch_did(first: int) -> None:
    wrong = {}
    for program in GOLDEN["programs"][first : first + 10]:
        found = difference(program["lines"], program, answer(program["lines"], engine))
        if found is not None:
            wrong["\n".join(program["lines"])] = found
    assert not wrong


def test_there_are_programs_enough_and_few_were_left_out() -> None:
    assert len(GOLDEN["programs"]) >= 140
    assert GOLDEN["left_out"] <= 20
