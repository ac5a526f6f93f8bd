"""What PyTorch answered to every case of every block, kept in tests/golden/torch/ops.json, against the engine."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.ops.registry import REGISTRY
from tests.parity.cases import Case, answer, cases, unexplained
from tests.parity.known import KNOWN, excused

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "ops.json").read_text())
BY_BLOCK: dict[str, list[Case]] = defaultdict(list)
for _case in cases():
    BY_BLOCK[_case.block].append(_case)


@pytest.mark.parametrize("block", BY_BLOCK)
def test_engine_answers_as_torch_did(block: str) -> None:
    missing = [case.key for case in BY_BLOCK[block] if case.key not in GOLDEN]
    assert not missing, "run: make golden"
    found = {case.key: unexplained(case, GOLDEN[case.key], answer(engine, case)) for case in BY_BLOCK[block]}
    assert not {key: words for key, words in found.items() if words}


def test_every_known_difference_is_of_a_case() -> None:
    keys = [case.key for case in cases()]
    reasons = {reason for key in keys for reason in excused(key).values()}
    assert {reason.partition(": ")[2] for reason in KNOWN.values()} == reasons


def test_every_public_block_with_a_derivative_has_cases() -> None:
    assert [name for name, o in REGISTRY.items() if not o.samples and o.method and o.rules] == []
