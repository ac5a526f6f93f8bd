"""Stochastic gradient descent. The exemplary optimizer: a new one is written by copying this file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import float32 as single_type
from numpy import multiply, ndarray, subtract

from engine.autograd import observer, versions
from engine.ops.kernels import ORIGIN
from engine.ops.registry import E0, META
from engine.optim.optimizer import BLOCK, Group, Optimizer, Payload, check, check_lr, number, put

F32 = np.dtype(np.float32)
Plan = tuple[Any, Any, Any, Any]


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
        self._plans: dict[int, list[Plan]] = {}  # by identity of a group's list of parameters

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._plans = {}

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
        """As in the base class; without options and unobserved, straight through a plan made at the first step."""
        if group["momentum"] or group["weight_decay"] or group["maximize"] or observer.active is not None:
            super().step_group(group)
            return
        lr = group["lr"]
        if type(lr) is not float or lr != self._rate[0]:
            lr = number(lr)
            self._rate = lr, float(np.float32(lr)), np.array(lr, np.float32)
        _, single, array = self._rate
        params = group["params"]
        plan = self._plans.get(id(params))
        if plan is None or len(plan) != len(params):
            plan = [_planned(p) for p in params]
            self._plans[id(params)] = plan
        seq = versions.moment()
        for p, (node, w, origin, entry) in zip(params, plan, strict=True):
            if p._a is not w or p._n is not node or node is None:
                if p.grad is not None:
                    self._alone(p, group)
                if node is not None:  # the program gave it other values, or froze it
                    self._plans.pop(id(params), None)
                continue
            grad = node[META]
            if grad is None:
                continue
            if origin is None:
                subtract(w, multiply(grad._a, array), w)
            else:  # one number, boxed: with one rounding, see subtract_multiple
                g = grad._a
                w[origin] = w.item() - single * (float(g) if type(g) is single_type else g.item())
            entry[1] += 1
            entry[2].append(seq)

    def _alone(self, p: Any, group: Group) -> None:
        """A parameter that is one number, or large, or of another dtype."""
        w, grad = p._a, p.grad
        if type(w) is single_type:
            g = grad._a
            fresh = single_type(float(w) - self._rate[1] * (float(g) if type(g) is single_type else g.item()))
            versions.renew(p, fresh)
            return
        self._update(p, grad, group, (), {})
        if type(w) is ndarray:
            versions.changed((w,))


def _planned(p: Any) -> Plan:
    """How to step p while it stays what it is: its leaf record, array, version entry; its only index if it has one."""
    w, node = p._a, p._n
    if type(w) is not ndarray or w.dtype is not F32 or w.size > BLOCK or node is None or node[E0] is not None:
        return None, w, None, None
    return node, w, ORIGIN[w.ndim] if w.size == 1 else None, versions.entry_of(w)


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
