"""engine/optim against what PyTorch 2.13 did (tests/golden/torch/optim.json), and its own laws."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import engine as torch
from engine import optim
from engine.autograd import observer
from engine.optim import lr_scheduler
from engine.optim.optimizer import BLOCK

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "optim.json").read_text())
TOLERANCE = {"float64": 1e-13, "float32": 8e-6}


def numbers(hexes):
    return np.array([float.fromhex(v) for v in hexes])


def leaf(values, shape, dtype):
    return torch.tensor(numbers(values).reshape(shape), dtype=getattr(torch, dtype))


def close(a, b, dtype):
    a, b = np.ravel(np.asarray(a, np.float64)), np.asarray(b, np.float64)
    return np.abs(a - b).max() <= TOLERANCE[dtype] * max(np.abs(b).max(), 1e-12)


@pytest.mark.parametrize("case", GOLDEN["rules"], ids=lambda c: f"{c['name']}-{c['options']}-{c['shape']}-{c['dtype']}")
def test_a_rule_moves_the_parameter_as_in_torch(case):
    dtype, shape = case["dtype"], tuple(case["shape"])
    w = leaf(case["start"], shape, dtype).requires_grad_()
    optimizer = eval(f"optim.{case['name']}([w], {case['options']})")
    for gradient, after in zip(case["gradients"], case["after"], strict=True):
        w.grad = leaf(gradient, shape, dtype)
        optimizer.step()
        assert close(w.detach().numpy(), numbers(after), dtype)
    assert repr(optimizer) == case["repr"]
    packed = optimizer.state_dict()
    assert repr(packed["param_groups"]) == case["options_after"]
    state = packed["state"].get(0, {})
    assert {k: [repr(v.dtype)[6:], list(v.shape)] for k, v in state.items()} == {
        k: v[:2] for k, v in case["state"].items()
    }
    for name, (_, _, values) in case["state"].items():
        assert close(state[name].numpy(), numbers(values), dtype), name


@pytest.mark.parametrize(
    "case", [c for c in GOLDEN["rules"] if c["name"] == "SGD" and c["dtype"] == "float32" and len(c["start"]) == 1]
)
def test_sgd_of_one_number_has_the_bits_of_torch(case):
    w = leaf(case["start"], tuple(case["shape"]), "float32").requires_grad_()
    optimizer = eval(f"optim.SGD([w], {case['options']})")
    for gradient, after in zip(case["gradients"], case["after"], strict=True):
        w.grad = leaf(gradient, tuple(case["shape"]), "float32")
        optimizer.step()
        assert float(w.item()).hex() == after[0]


@pytest.mark.parametrize("case", GOLDEN["errors"], ids=lambda c: c["expression"])
def test_a_constructor_answers_as_in_torch(case):
    w = torch.ones((), requires_grad=True)
    o = optim.SGD([w], lr=1.0, momentum=0.9)
    names = {"torch": torch, "optim": optim, "lr_scheduler": lr_scheduler, "w": w, "o": o}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = repr(eval(case["expression"], names))
            said = "fine" if " object at " in said else said
        except Exception as e:
            said = f"{type(e).__name__}: {e}"
    assert said == case["answer"]
    assert [str(c.message) for c in caught] == case["warnings"]


@pytest.mark.parametrize("case", GOLDEN["lbfgs"], ids=lambda c: c["options"])
def test_lbfgs_goes_down_the_valley_as_in_torch(case):
    x = torch.tensor([-1.5, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer = eval(f"optim.LBFGS([x], {case['options']})")

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(6)]
    np.testing.assert_allclose(losses, case["losses"], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(x.tolist(), case["x"], rtol=1e-6)
    state = optimizer.state[x]
    assert (state["func_evals"], state["n_iter"]) == (case["func_evals"], case["n_iter"])
    assert sorted(state) == case["state"]
    assert repr(optimizer) == case["repr"]


OPTIMIZERS = [
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    (optim.Adam, {"amsgrad": True, "weight_decay": 0.1}),
    (optim.AdamW, {}),
    (optim.RMSprop, {"centered": True, "momentum": 0.9}),
    (optim.Adagrad, {}),
    (optim.Adadelta, {}),
    (optim.Adamax, {}),
    (optim.NAdam, {}),
    (optim.RAdam, {}),
    (optim.ASGD, {"t0": 1}),
    (optim.Rprop, {}),
]


def _trained(cls, options, w, steps, generator):
    optimizer = cls([w], **options)
    for _ in range(steps):
        w.grad = torch.randn(w.shape, generator=generator)
        optimizer.step()
    return optimizer


@pytest.mark.parametrize(("cls", "options"), OPTIMIZERS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_large_parameter_moves_as_its_parts_do(cls, options):
    start = torch.randn(BLOCK + 77, generator=torch.Generator())
    gradient = torch.randn(BLOCK + 77, generator=torch.Generator())
    whole = start.clone().requires_grad_()
    parts = [start[:100].clone().requires_grad_(), start[100:].clone().requires_grad_()]
    one, two = cls([whole], **options), cls(parts, **options)
    for _ in range(3):
        whole.grad, parts[0].grad, parts[1].grad = gradient.clone(), gradient[:100].clone(), gradient[100:].clone()
        one.step()
        two.step()
    assert whole.tolist() == parts[0].tolist() + parts[1].tolist()


@pytest.mark.parametrize(("cls", "options"), OPTIMIZERS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_loaded_state_goes_on_as_the_saved_one(cls, options):
    w = torch.randn(5, generator=torch.Generator()).requires_grad_()
    optimizer = _trained(cls, options, w, 3, torch.Generator())
    other = w.detach().clone().requires_grad_()
    restored = cls([other], **options)
    restored.load_state_dict(optimizer.state_dict())
    for parameter, o in ((w, optimizer), (other, restored)):
        parameter.grad = torch.ones(5)
        o.step()
    assert other.tolist() == w.tolist()


class Ear:
    """Hears updates and zeroings; to the rest it does not listen."""

    def __init__(self):
        self.updates, self.zeros = [], []

    def update(self, tensor, before, after, optimizer, terms):
        self.updates.append((tensor, before, after, optimizer, terms))

    def zero(self, tensors, to):
        self.zeros.append((list(tensors), to))

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


@pytest.fixture
def ear():
    heard = Ear()
    observer.install(heard)
    yield heard
    observer.install(None)


def test_an_observer_hears_before_after_and_the_terms(ear):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5, momentum=0.5)
    lr_scheduler.StepLR(optimizer, 9)
    w.grad = torch.tensor([2.0, 4.0])
    optimizer.step()
    optimizer.step()
    tensor, before, after, by, terms = ear.updates[1]
    assert tensor is w
    assert by is optimizer
    assert (before.tolist(), after.tolist()) == ([0.0, 0.0], [-1.5, -3.0])
    plain = {name: value for name, value in terms.items() if isinstance(value, float)}
    assert plain == {"lr": 0.5, "momentum": 0.5, "dampening": 0.0, "weight_decay": 0.0}
    assert terms["grad"].tolist() == [2.0, 4.0]
    assert terms["momentum_buffer"].tolist() == [3.0, 6.0]


@pytest.mark.parametrize(("cls", "options"), OPTIMIZERS, ids=lambda v: getattr(v, "__name__", ""))
def test_terms_are_numbers_and_copies(cls, options, ear):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    optimizer = cls([w], **options)
    w.grad = torch.tensor([2.0, 4.0])
    optimizer.step()
    first = {k: np.array(v) for k, v in ear.updates[0][4].items()}
    optimizer.step()
    assert {k: v.tolist() for k, v in first.items()} == {k: np.array(v).tolist() for k, v in ear.updates[0][4].items()}
    assert all(isinstance(v, (int, float, np.ndarray)) for v in ear.updates[0][4].values())
    assert {"lr", "grad"} <= first.keys()


@pytest.mark.parametrize(("cls", "options"), OPTIMIZERS, ids=lambda v: getattr(v, "__name__", ""))
def test_the_update_follows_from_its_terms(cls, options, ear):
    from engine.trace.rules import apply

    w = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer = cls([w], **options)
    for gradient in ([2.0, 4.0], [1.0, -3.0], [0.5, 0.25], [-1.0, 2.0], [1.0, 1.0], [2.0, -1.0], [1.5, 1.0]):
        w.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    for _, before, after, _, terms in ear.updates:
        np.testing.assert_allclose(apply(cls.__name__, before, terms), after, rtol=1e-6)


def test_an_observer_in_brief_hears_once_that_a_step_is_taken():
    w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = optim.Adam([w, v])
    w.grad, v.grad = torch.ones(2), torch.ones(2)
    heard = Ear()
    observer.install(heard, brief=True)
    optimizer.step()
    observer.install(None)
    assert [(t is w, before, after, o is optimizer, terms) for t, before, after, o, terms in heard.updates] == [
        (True, None, None, True, {})
    ]


def test_each_move_of_lbfgs_is_an_update(ear):
    x = torch.tensor([3.0], requires_grad=True)
    optimizer = optim.LBFGS([x], lr=0.5, max_iter=4)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    for _, before, after, _, terms in ear.updates:
        assert after.tolist() == pytest.approx((before + terms["t"] * terms["d"]).tolist())
    assert len(ear.updates) > 1
    assert ear.updates[1][1].tolist() == ear.updates[0][2].tolist()


def test_watching_changes_no_bit():
    results = []
    for watched in (False, True):
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        optimizer = optim.SGD([w], lr=0.1)
        w.grad = torch.tensor([0.3, 0.7])
        observer.install(Ear() if watched else None)
        optimizer.step()
        observer.install(None)
        results.append(w.tolist())
    assert results[0] == results[1]


def test_zero_grad_says_what_it_cleared_and_to_what(ear):
    w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = optim.SGD([w, v], lr=1)
    w.grad = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0, 0]
    optimizer.zero_grad()
    assert w.grad is None
    assert [(len(tensors), tensors[0] is w, to) for tensors, to in ear.zeros] == [(1, True, "zero"), (1, True, "none")]


def test_a_step_between_forward_and_backward_is_found_out():
    x = torch.ones(2, requires_grad=True)
    w = torch.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    loss = (x * w).sum()
    w.grad = torch.ones(2)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_closure_runs_with_gradients_on_and_its_loss_is_returned():
    w = torch.tensor(3.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = w * w
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9.0
    assert w.item() == pytest.approx(2.4)


def test_groups_have_their_own_options():
    w, v = torch.tensor(1.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([{"params": [w]}, {"params": v, "lr": 1.0}], lr=0.5)
    w.grad, v.grad = torch.tensor(1.0), torch.tensor(1.0)
    optimizer.step()
    assert (w.item(), v.item()) == (0.5, 0.0)


def test_hooks_run_around_a_step_until_they_are_removed():
    w = torch.tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)
    order = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: order.append(("pre", w.item())))
    optimizer.register_step_post_hook(lambda o, args, kwargs: order.append(("post", w.item())))
    w.grad = torch.tensor(1.0)
    optimizer.step()
    before.remove()
    optimizer.step()
    assert order == [("pre", 1.0), ("post", 0.5), ("post", 0.0)]


def test_hooks_and_schedulers_live_on_one_optimizer():
    w = torch.tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    calls = []
    optimizer.register_step_post_hook(lambda *_: calls.append(optimizer.param_groups[0]["lr"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            w.grad = torch.tensor(1.0)
            optimizer.step()
            scheduler.step()
    assert calls == [0.5, 0.25]


def test_a_differentiable_step_is_refused():
    with pytest.raises(NotImplementedError, match=r"^differentiable=True is not supported by Backstep$"):
        optim.SGD([torch.tensor(1.0, requires_grad=True)], differentiable=True)


def test_a_programs_own_optimizer_only_writes_step():
    class Sign(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data = p.data - group["lr"] * p.grad.sign()

    w = torch.tensor(1.0, requires_grad=True)
    optimizer = Sign([w], lr=0.25)
    w.grad = torch.tensor(-3.0)
    optimizer.step()
    assert w.item() == 1.25
    assert repr(optimizer) == "Sign (\nParameter Group 0\n    lr: 0.25\n)"


def test_a_missing_optimizer_is_refused_by_name_with_a_way_out():
    with pytest.raises(NotImplementedError, match=r"^torch\.optim\.Muon is not supported by Backstep$") as caught:
        _ = optim.Muon
    assert caught.value.hint == "optim.SGD with momentum"
    with pytest.raises(AttributeError, match=r"^module 'torch\.optim' has no attribute 'Adm'$") as caught:
        _ = optim.Adm
    assert "'Adam'" in caught.value.hint


def test_groups_stand_apart_when_an_optimizer_prints_itself():
    first, second = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    printed = repr(optim.SGD([{"params": [first], "lr": 0.5}, {"params": [second]}], lr=0.25))
    assert "    weight_decay: 0\n\nParameter Group 1\n" in printed
    assert printed.startswith("SGD (\nParameter Group 0\n") and printed.endswith("    weight_decay: 0\n)")
