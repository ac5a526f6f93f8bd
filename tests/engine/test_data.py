"""engine/utils/data and gradient clipping against what PyTorch 2.13 did (tests/golden/torch/data.json)."""

import json
import warnings
from pathlib import Path

import pytest

import engine as torch
from engine.autograd import observer
from engine.nn.utils import clip_grad
from engine.utils import data
from engine.utils.data import DataLoader, TensorDataset

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "data.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: c["expression"])
def test_loading_and_clipping_answer_as_in_torch(case):
    scope = {name: getattr(data, name) for name in data.__all__}
    scope |= {name: getattr(clip_grad, name) for name in ("clip_grad_norm_", "clip_grad_value_")}
    scope["torch"] = torch
    exec(GOLDEN["setting"], scope)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = repr(eval(case["expression"], scope))
            said = "fine" if " object at " in said else said
        except Exception as e:
            said = f"{type(e).__name__}: {e}"
    assert said == case["answer"]
    assert [str(c.message) for c in caught] == case["warnings"]


def test_workers_change_no_batch():
    dataset = TensorDataset(torch.arange(10))
    batches = []
    for workers in (0, 2):
        torch.manual_seed(1)
        loader = DataLoader(dataset, batch_size=3, shuffle=True, num_workers=workers)
        batches.append([b[0].tolist() for b in loader])
    assert batches[0] == batches[1]


def test_a_batch_is_a_copy_of_its_samples():
    x = torch.arange(4.0)
    (batch,) = next(iter(DataLoader(TensorDataset(x), batch_size=4)))
    x += 1
    assert batch.tolist() == [0, 1, 2, 3]


def test_samples_with_gradients_are_stacked_in_the_graph():
    w = torch.arange(3.0).requires_grad_()
    (batch,) = next(iter(DataLoader(TensorDataset(w), batch_size=3)))
    batch.sum().backward()
    assert w.grad.tolist() == [1, 1, 1]


def test_an_observer_hears_of_a_batch_as_data_not_as_operations():
    heard = []

    class Ear:
        def leaf(self, tensor, role):
            heard.append((tensor.tolist(), role))

    dataset = TensorDataset(torch.arange(4), torch.ones(4, 1))
    observer.install(Ear())
    try:
        next(iter(DataLoader(dataset, batch_size=2)))
    finally:
        observer.install(None)
    assert heard == [([0, 1], "input"), ([[1.0], [1.0]], "input")]
