"""Adagrad: steps divided by the root of the sum of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.optim.optimizer import Group, Optimizer, Payload, check, check_lr, number


class Adagrad(Optimizer):
    """w ← w - lr / (1 + (t - 1) lr_decay) · g / (sqrt(s) + eps),   s ← s + g²

    source  https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
    """

    __module__ = "torch.optim.adagrad"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check(lr_decay >= 0.0, f"Invalid lr_decay value: {lr_decay}")
        check(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        start = initial_accumulator_value
        check(start >= 0.0, f"Invalid initial_accumulator_value value: {start}")
        check(eps >= 0.0, f"Invalid epsilon value: {eps}")
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:  # torch makes Adagrad's state at once, not at the first step
            for p in group["params"]:
                self._prepare(p, group, self.state[p])

    def begin(self, p: Any, group: Group) -> dict[str, float]:
        return {"sum": float(group["initial_accumulator_value"])}

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("sum",)

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        return {
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
            "weight_decay": float(group["weight_decay"]),
            "eps": float(group["eps"]),
            "step_size": number(group["lr"]) / (1.0 + (t - 1) * group["lr_decay"]),
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        (total,) = state
        if c.maximize:
            g = -g
        if c.decays:
            g = g + w * c.weight_decay
        total += g * g
        d = np.sqrt(total)
        d += c.eps
        w -= g * c.step_size / d
        return w, total
