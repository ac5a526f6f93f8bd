"""engine/catalog.py: complete, JSON-able, and its examples run."""

import json

import pytest

from engine.catalog import catalog, read, signature
from engine.ops.formulas import compile_all, pending
from engine.ops.registry import COMPOSITES, REGISTRY
from engine.trace import events as ev
from engine.trace import jsonl
from engine.trace.run import run

ENTRIES = catalog()
EXAMPLES = [name for name, entry in ENTRIES.items() if entry["example"]]


def test_every_op_and_composite_is_there():
    assert set(ENTRIES) == set(REGISTRY) | set(COMPOSITES)


def test_it_is_json():
    assert json.loads(json.dumps(ENTRIES, allow_nan=False)) == ENTRIES


def test_an_op_says_what_it_is():
    mul = ENTRIES["mul"]
    assert mul["signature"] == "mul(input, other)" and mul["nodes"] == ["MulBackward0"] and mul["elementwise"]
    assert [d["input"] for d in mul["derivatives"]] == ["input", "other"]
    assert [d["local"] for d in mul["derivatives"]] == ["other", "input"]
    assert mul["family"] == "arithmetic" and mul["source"].endswith("torch.mul.html")


def test_every_differentiable_op_has_a_formula_for_each_gradient():
    for entry in ENTRIES.values():
        assert all(d["sent"] for d in entry["derivatives"]), entry["name"]


def test_formulas_alone_have_letters_for_names():
    assert read(r"\frac{{input}}{{other}}", ("input", "other")) == r"\frac{{x}}{{y}}"
    assert read(r"\begin{cases}{dim}\end{cases}", ("dim",)) == r"\begin{cases}{\mathrm{dim}}\end{cases}"


def test_signature_shows_defaults():
    assert signature(REGISTRY["leaky_relu"]) == "leaky_relu(input, negative_slope=0.01)"


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name):
    lines: list[bytes] = []
    run(ENTRIES[name]["example"], emit=lines.append)
    fails = [e for e in jsonl.read(b"".join(lines).splitlines()) if isinstance(e, ev.Fail)]
    assert not fails, (ENTRIES[name]["example"], fails)


def test_every_block_compiles():
    """They are compiled when first called; here all of them, so that a bad block does not wait for its caller."""
    compile_all()
    assert pending() == 0
