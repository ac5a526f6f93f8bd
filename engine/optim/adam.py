"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.optim.optimizer import Group, Optimizer, Payload, check, check_adam, number, put


class Adam(Optimizer):
    """w ← w - lr / (1 - beta1^t) · m / (sqrt(v) / sqrt(1 - beta2^t) + eps)

    m ← beta1 m + (1 - beta1) g;   v ← beta2 v + (1 - beta2) g²;   amsgrad: the largest v so far
    weight_decay is added to g as weight_decay w, or (decoupled, AdamW) shrinks w by 1 - lr weight_decay first
    source  https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    __module__ = "torch.optim.adam"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_adam(lr, eps, betas, weight_decay)
        check(
            isinstance(betas[0], float) == isinstance(betas[1], float),
            "betas must be either both floats or both Tensors",
        )
        defaults = {
            "lr": lr,
            "betas": tuple(map(number, betas)),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        names = ("exp_avg", "exp_avg_sq")
        return (*names, "max_exp_avg_sq") if group["amsgrad"] else names

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        lr, decay, (beta1, beta2) = number(group["lr"]), group["weight_decay"], group["betas"]
        decoupled = group["decoupled_weight_decay"]
        return {
            "maximize": group["maximize"],
            "shrinks": decoupled and decay != 0,
            "decays": not decoupled and decay != 0,
            "shrink": 1.0 - lr * decay,
            "weight_decay": float(decay),
            "new1": 1.0 - beta1,
            "beta2": float(beta2),
            "new2": 1.0 - beta2,
            "root": math.sqrt(1.0 - beta2**t),
            "eps": float(group["eps"]),
            "step_size": lr / (1.0 - beta1**t),
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        m, v, *largest = state
        if c.maximize:
            g = -g
        if c.shrinks:
            w *= c.shrink
        if c.decays:
            g = g + w * c.weight_decay
        t = g - m
        t *= c.new1
        m += t
        v *= c.beta2
        t = g * c.new2
        t *= g
        v += t
        if largest:
            largest = [put(largest[0], np.maximum(largest[0], v))]
        t = np.sqrt(largest[0] if largest else v)
        t /= c.root
        t += c.eps
        u = m * c.step_size
        u /= t
        w -= u
        return w, m, v, *largest


class AdamW(Adam):
    """Adam with weight decay kept out of the averages.

    source  https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """

    __module__ = "torch.optim.adamw"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
