"""Adadelta: steps in the ratio of past steps to past gradients, so that their units agree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.optim.optimizer import Group, Optimizer, Payload, check, check_lr, number


class Adadelta(Optimizer):
    """w ← w - lr d,   d = sqrt(u + eps) / sqrt(v + eps) · g

    v ← rho v + (1 - rho) g²;   then u ← rho u + (1 - rho) d²
    source  https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
    """

    __module__ = "torch.optim.adadelta"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check(0.0 <= rho <= 1.0, f"Invalid rho value: {rho}")
        check(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        return {
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
            "weight_decay": float(group["weight_decay"]),
            "rho": float(group["rho"]),
            "new": 1.0 - group["rho"],
            "eps": float(group["eps"]),
            "lr": float(number(group["lr"])),
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        v, u = state
        if c.maximize:
            g = -g
        if c.decays:
            g = g + w * c.weight_decay
        v *= c.rho
        v += g * c.new * g
        d = np.sqrt(u + c.eps)
        d /= np.sqrt(v + c.eps)
        d *= g
        u *= c.rho
        u += d * c.new * d
        w -= d * c.lr
        return w, v, u
