"""engine/creation.py, engine/sampling.py and engine/distributions against what PyTorch 2.13 answered (tests/golden/torch/creation.json)."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import engine as torch

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "creation.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: c["expression"])
def test_a_factory_answers_as_in_torch(case):
    torch.manual_seed(0)
    names = {"torch": torch, "np": np, "w": torch.ones((), requires_grad=True)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = repr(eval(case["expression"], names))
        except Exception as e:
            said = f"{type(e).__name__}: {str(e).split(', but expected one of')[0]}"
    assert said == case["answer"]
    assert [str(w.message).split(" (Triggered")[0] for w in caught] == case["warnings"]


def test_from_numpy_shares_memory_both_ways():
    array = np.zeros(3, np.float32)
    t = torch.from_numpy(array)
    array[0] = 5
    assert t.tolist() == [5, 0, 0]
    t[1] = 7
    assert array.tolist() == [5, 7, 0]


def test_tensor_copies_its_data():
    array = np.zeros(3)
    t = torch.tensor(array)
    array[0] = 5
    assert t.tolist() == [0, 0, 0]


def test_the_same_seed_gives_the_same_network_start_as_in_torch():
    torch.manual_seed(0)
    assert torch.randn(()).item() == 1.5409960746765137
    assert torch.randn(()).item() == -0.293428897857666


def test_a_state_restored_draws_the_same_numbers_again():
    state = torch.get_rng_state()
    first = torch.randn(20).tolist()
    torch.set_rng_state(state)
    assert torch.randn(20).tolist() == first


def test_an_observer_hears_of_each_new_leaf():
    from engine.autograd import observer

    heard = []

    class Ear:
        def leaf(self, tensor, role):
            heard.append((tensor, role))

    observer.install(Ear())
    try:
        x = torch.ones(2)
        y = torch.randn(3)
    finally:
        observer.install(None)
    assert [(t is x or t is y, role) for t, role in heard] == [(True, "input"), (True, "input")]
