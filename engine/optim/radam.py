"""RAdam: Adam that waits with dividing until enough squares have been averaged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.optim.optimizer import Group, Optimizer, Payload, check_adam, number


class RAdam(Optimizer):
    """w ← w - lr m̂ r sqrt(1 - beta2^t) / (sqrt(v) + eps)   once rho_t > 5, and w ← w - lr m̂ before

    m̂ = m / (1 - beta1^t);   rho_t and r as in Liu et al., "On the Variance of the Adaptive Learning Rate", 2020
    source  https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html
    """

    __module__ = "torch.optim.radam"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_adam(lr, eps, betas, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        lr, decay, (beta1, beta2) = number(group["lr"]), group["weight_decay"], group["betas"]
        decoupled = group["decoupled_weight_decay"]
        correction2 = 1.0 - beta2**t
        limit = 2.0 / (1.0 - beta2) - 1.0
        length = limit - 2.0 * t * (beta2**t) / correction2
        ratio = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length) if length > 5 else 0.0
        return {
            "maximize": group["maximize"],
            "shrinks": decoupled and decay != 0,
            "decays": not decoupled and decay != 0,
            "shrink": 1.0 - lr * decay,
            "weight_decay": float(decay),
            "new1": 1.0 - beta1,
            "beta2": float(beta2),
            "new2": 1.0 - beta2,
            "correction1": 1.0 - beta1**t,
            "rectified": length > 5.0,
            "rectification": math.sqrt(ratio),
            "root": math.sqrt(correction2),
            "eps": float(group["eps"]),
            "lr": float(lr),
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        m, v = state
        if c.maximize:
            g = -g
        if c.shrinks:
            w *= c.shrink
        if c.decays:
            g = g + w * c.weight_decay
        m += (g - m) * c.new1
        v *= c.beta2
        v += g * c.new2 * g
        d = m / c.correction1
        d *= c.lr
        if c.rectified:
            d *= c.root / (np.sqrt(v) + c.eps)
            d *= c.rectification
        w -= d
        return w, m, v
