"""What PyTorch answered to every case of every block, kept in tests/golden/torch/ops.json, against the engine."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.ops.op import REGISTRY
from tests.parity.cases import Case, answer, cases, differences
from tests.parity.known import why

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "ops.json").read_text())
BY_BLOCK: dict[str, list[Case]] = defaultdict(list)
for _case in cases():
    BY_BLOCK[_case.key.split("/")[0]].append(_case)


@pytest.mark.parametrize("block", BY_BLOCK)
def test_engine_answers_as_torch_did(block: str) -> None:
    wrong = {}
    for case in BY_BLOCK[block]:
        if why(case.key) is None:
            assert case.key in GOLDEN, "run: make golden"
            found = differences(case, GOLDEN[case.key], answer(engine, case))
            if found and not found[0].startswith("no "):
                wrong[case.key] = found
    assert not wrong


def test_every_public_block_with_a_derivative_has_cases() -> None:
    assert [name for name, o in REGISTRY.items() if not o.samples and o.method and o.rules] == []
