"""torch.autograd: Function, jacobian, hessian, gradcheck, modes, Variable."""

from __future__ import annotations

from typing import Any

import pytest

import engine as torch
from engine.autograd import Function, Variable, gradcheck, gradgradcheck
from engine.autograd.functional import hessian, hvp, jacobian, jvp, vjp
from engine.ops.registry import REGISTRY, Sample
from tests.parity.cases import build, kind_of


class Cube(Function):
    """x ** 3 by hand."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class Both(Function):
    """A sum and a product."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return x + y, x * y

    @staticmethod
    def backward(ctx: Any, gs: Any, gp: Any) -> Any:
        x, y = ctx.saved_tensors
        return gs + gp * y, gs + gp * x


def test_a_function_is_one_node_of_its_own_name() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Cube.apply(x)
    assert y.grad_fn.name() == "CubeBackward"
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0]


def test_a_function_written_over_tensors_has_second_derivatives() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    assert gradcheck(Cube.apply, (x,))
    assert gradgradcheck(Cube.apply, (x,))


def test_a_function_with_two_outputs_gets_zeros_for_the_unused() -> None:
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    _, p = Both.apply(x, y)
    p.backward()
    assert (x.grad.item(), y.grad.item()) == (5.0, 2.0)


def test_a_function_must_return_a_gradient_an_input() -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x = torch.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"returned an incorrect number of gradients \(expected 2, got 1\)"):
        Wrong.apply(x, x).backward()


def test_jacobian_and_hessian_of_polynomials() -> None:
    x = torch.tensor([1.0, 2.0])
    assert jacobian(lambda x: x**2 * x.sum(), x).tolist() == [[7.0, 1.0], [4.0, 16.0]]
    assert hessian(lambda x: (x**3).sum(), x).tolist() == [[6.0, 0.0], [0.0, 12.0]]


def test_products_with_jacobians_and_hessians() -> None:
    x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0])
    assert vjp(lambda x: x**2, x, v)[1].tolist() == [2.0, -4.0]
    assert jvp(lambda x: x**2, x, v)[1].tolist() == [2.0, -4.0]
    assert hvp(lambda x: (x**3).sum(), x, v)[1].tolist() == [6.0, -12.0]


def test_gradcheck_finds_a_wrong_derivative() -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3

    x = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    assert not gradcheck(Wrong.apply, (x,), raise_exception=False)


def test_modes_nest_and_decorate() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    with torch.no_grad():
        assert not (x * 2).requires_grad
        with torch.enable_grad():
            assert (x * 2).requires_grad
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()

    @torch.no_grad()
    def f() -> Any:
        return x * 2

    assert not f().requires_grad
    with torch.set_grad_enabled(False):
        assert not (x * 2).requires_grad


def test_variable_is_the_tensor_itself() -> None:
    v = Variable(torch.ones(2), requires_grad=True)
    assert isinstance(v, torch.Tensor) and isinstance(v, Variable)
    (v * v).sum().backward()
    assert v.grad.tolist() == [2.0, 2.0]


SMOOTH = [
    (name, s)
    for name, o in REGISTRY.items()
    if o.pointwise and o.rules and o.node != "NotImplemented"
    for s in o.samples[:1]
    if any(kind_of(x) == "float" for x in s.inputs)
]
# where a difference quotient crosses a step or a tie
STEPS = {"floor", "ceil", "trunc", "round", "sign", "sgn", "frac", "remainder", "fmod", "heaviside", "copysign", "div_rounded",
         "clamp_min_tensor", "clamp_max_tensor", "rrelu_with_noise"}  # fmt: skip


@pytest.mark.parametrize(("name", "sample"), SMOOTH, ids=[n for n, _ in SMOOTH])
def test_derivatives_agree_with_differences(name: str, sample: Sample) -> None:
    if name in STEPS or "loss" in name:
        pytest.skip("not smooth at its samples")
    o = REGISTRY[name]
    inputs = [build(torch, s, "float64", True) for s in sample.inputs]
    for t in inputs:
        if isinstance(t, torch.Tensor) and t.requires_grad:
            with torch.no_grad():
                t.add_(0.0625)  # away from kinks, which lie at round numbers
    watched = [t for t in inputs if isinstance(t, torch.Tensor) and t.requires_grad]

    def f(*xs: Any) -> Any:
        assert o.call is not None
        return o.call(*inputs, **sample.params)

    if all(bool(torch.isfinite(f()).all()) for _ in watched):
        assert gradcheck(f, tuple(watched), atol=1e-4)
