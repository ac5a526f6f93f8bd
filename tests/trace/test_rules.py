"""engine/trace/rules.py against PyTorch's optimizers, by golden numbers that tests/parity/freeze_rules.py froze."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.trace import rules

CASES = json.loads((Path(__file__).parent.parent / "golden/torch/rules.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']} {case['options']}")
def test_the_rule_gives_torchs_parameter(case):
    for step in case["steps"]:
        terms = {k: np.array(v) if isinstance(v, list) else v for k, v in step["terms"].items()}
        after = rules.apply(case["name"], np.array(step["before"]), terms)
        assert after == pytest.approx(np.array(step["after"]), rel=1e-7)  # ASGD's eta is a float32 in torch


def test_an_unknown_optimizer_is_passed_over():
    assert rules.apply("Mine", np.ones(2), {"lr": 0.1, "grad": np.ones(2)}) is None


def test_too_few_terms_are_passed_over():
    assert rules.apply("Adam", np.ones(2), {"lr": 0.1, "grad": np.ones(2)}) is None
    assert rules.apply(None, np.ones(2), {"grad": np.ones(2)}) is None


def test_by_hand_is_plain_descent():
    assert rules.apply(None, np.array([1.0]), {"lr": 0.5, "grad": np.array([4.0])}).tolist() == [-1.0]
