"""The observer seam: watching changes no bit, and what it hears adds up."""

from __future__ import annotations

from typing import Any

import numpy as np

import engine as torch
from engine.autograd.observer import install


class Listener:
    """Writes down what it hears."""

    target = None

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, kind: str) -> Any:
        if kind.startswith("_") or kind == "is_gradient":
            raise AttributeError(kind)
        return lambda *args, **options: self.heard.append((kind, args))


def gradients(watch: Any) -> list[Any]:
    """Those of a small network with broadcasting, reductions, views and a diamond."""
    torch.manual_seed(0)
    x, w, b = torch.randn(5, 3), torch.randn(3, 4, requires_grad=True), torch.randn(4, requires_grad=True)
    s = torch.tensor(0.5, requires_grad=True)
    before = install(watch)
    try:
        h = torch.tanh(x @ w + b) * s
        loss = (h.sum(1) ** 2).mean() + (h[0] * b).sum() / s + h.t().reshape(-1).exp().mean()
        loss.backward()
    finally:
        install(before)
    return [np.array(t.grad._a) for t in (w, b, s)]


def test_watching_changes_no_bit() -> None:
    for plain, watched in zip(gradients(None), gradients(Listener()), strict=True):
        assert plain.tobytes() == watched.tobytes()


def test_ready_is_the_sum_of_what_was_contributed() -> None:
    listener = Listener()
    gradients(listener)
    sums: dict[int, Any] = {}
    compared = 0
    for kind, args in listener.heard:
        if kind == "contribute":
            _, _, edge, *_, result, _ = args
            sums[id(edge)] = sums[id(edge)] + result if id(edge) in sums else result
        elif kind == "ready" and id(args[0]) in sums:
            np.testing.assert_allclose(args[1], sums[id(args[0])], rtol=1e-6)
            compared += 1
        elif kind == "accumulate":
            np.testing.assert_allclose(args[2], sums[id(args[0])], rtol=1e-6)
            compared += 1
    assert compared > 10


def test_a_contribution_is_upstream_times_local() -> None:
    listener = Listener()
    gradients(listener)
    found = [args for kind, args in listener.heard if kind == "contribute" and args[4] is not None]
    assert found
    for _, _, _, upstream, local, product, result, axes in found:
        np.testing.assert_allclose(product, upstream * local, rtol=1e-5)
        if axes:
            np.testing.assert_allclose(result, product.sum(axes).reshape(result.shape), rtol=1e-4)


def test_a_failing_operation_is_named() -> None:
    listener = Listener()
    before = install(listener)  # type: ignore[arg-type]
    try:
        torch.ones(3) + torch.ones(4)
    except RuntimeError as error:
        assert "must match the size of tensor b (4)" in str(error)
    finally:
        install(before)
    assert [args[0].name for kind, args in listener.heard if kind == "fail_op"] == ["add"]


def test_a_division_by_the_number_zero_is_watched_like_any_other() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    before = install(Listener())
    try:
        (x / 0).backward()
    finally:
        install(before)
    assert x.grad.item() == float("inf")
