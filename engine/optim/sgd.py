"""Stochastic gradient descent. The exemplary optimizer: a new one is written by copying this file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import float32 as single_type
from numpy import multiply, ndarray, subtract

from engine.autograd import observer, versions
from engine.ops.op import META
from engine.optim.optimizer import BLOCK, Group, Optimizer, Payload, check, check_lr, number, put

F32 = np.dtype(np.float32)


class SGD(Optimizer):
    """w ← w - lr d, where d is the gradient, or its running sum when there is momentum.

    d ← grad + weight_decay w;   buf ← momentum buf + (1 - dampening) d  (first step: d)
    step along buf, or with nesterov along d + momentum buf
    source  https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """

    __module__ = "torch.optim.sgd"
    counts = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check(momentum >= 0.0, f"Invalid momentum value: {momentum}")
        check(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        check(
            not nesterov or (momentum > 0 and dampening == 0),
            "Nesterov momentum requires a momentum and zero dampening",
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    _rate: tuple[Any, Any, Any] = (None, None, None)  # the last rate, and as operands

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        return {
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
            "weight_decay": float(number(group["weight_decay"])),
            "momentum": float(group["momentum"]),
            "fresh": fresh,
            "whole": group["dampening"] == 0,
            "share": 1.0 - group["dampening"],
            "nesterov": group["nesterov"],
            "lr": float(number(group["lr"])),
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        if c.maximize:
            g = -g
        if c.decays:
            g = multiply_add(w, c.weight_decay, g)
        if not state:
            return (subtract_multiple(w, g, c.lr),)
        (buf,) = state
        if c.fresh:
            buf = put(buf, g)
        else:
            buf *= c.momentum
            buf += g if c.whole else g * c.share
        return subtract_multiple(w, multiply_add(buf, c.momentum, g) if c.nesterov else buf, c.lr), buf

    def step_group(self, group: Group) -> None:
        """As in the base class; without options and unobserved, straight through."""
        if group["momentum"] or group["weight_decay"] or group["maximize"] or observer.active is not None:
            super().step_group(group)
            return
        lr = number(group["lr"])
        if lr != self._rate[0]:
            self._rate = lr, float(np.float32(lr)), np.array(lr, np.float32)
        _, single, array = self._rate
        arrays = []
        for p in group["params"]:
            n = p._n
            grad = p.grad if n is None else n[META]
            if grad is None:
                continue
            w, g = p._a, grad._a
            if type(w) is ndarray:
                if w.dtype is F32 and w.size <= BLOCK:
                    if w.size == 1:  # one number, boxed: with one rounding, see subtract_multiple
                        w.fill(w.item() - single * g.item())
                    else:
                        subtract(w, multiply(g, array), w)
                    arrays.append(w)
                    continue
            elif type(w) is single_type:
                p._a = fresh = single_type(w.item() - single * g.item())
                versions.replaced(w, fresh)
                continue
            self._update(p, grad, group, (), {})
            if type(w) is ndarray:
                arrays.append(w)
        if arrays:
            versions.changed(arrays)


def subtract_multiple(w: Payload, x: Payload, factor: Payload) -> Payload:
    """w - factor x: in place in an array; for one float32 number with one rounding, as torch's kernel has it."""
    if w.dtype is F32 and w.size == 1:
        return put(w, _fused(x, -factor, w))
    w -= x * factor
    return w


def multiply_add(x: Payload, factor: Payload, y: Payload) -> Payload:
    """y + factor x as a new value; for one float32 number with one rounding."""
    return _fused(x, factor, y) if y.dtype is F32 and y.size == 1 else y + x * factor


def _fused(x: Payload, factor: Payload, y: Payload) -> Payload:
    return single_type(y.item() + factor.item() * x.item())
