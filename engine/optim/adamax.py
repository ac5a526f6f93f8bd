"""Adamax: Adam with the largest recent gradient in place of the mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.optim.optimizer import Group, Optimizer, Payload, check_adam, number, put


class Adamax(Optimizer):
    """w ← w - lr / (1 - beta1^t) · m / u,   m ← beta1 m + (1 - beta1) g,   u ← max(beta2 u, |g| + eps)

    source  https://pytorch.org/docs/stable/generated/torch.optim.Adamax.html
    """

    __module__ = "torch.optim.adamax"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_adam(lr, eps, betas, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        return {
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
            "weight_decay": float(group["weight_decay"]),
            "new1": 1.0 - beta1,
            "beta2": float(beta2),
            "eps": float(group["eps"]),
            "step_size": number(group["lr"]) / (1.0 - beta1**t),
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        m, u = state
        if c.maximize:
            g = -g
        if c.decays:
            g = g + w * c.weight_decay
        m += (g - m) * c.new1
        u *= c.beta2
        u = put(u, np.maximum(u, np.abs(g) + c.eps))
        w -= m * c.step_size / u
        return w, m, u
