"""Rprop: steps by the sign of the gradient, longer while it stays, shorter when it turns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.optim.optimizer import Group, Optimizer, Payload, check, check_lr, number, put


class Rprop(Optimizer):
    """w ← w - sign(g) s;   s grows by etas[1] where g kept its sign, shrinks by etas[0] where it changed (then no step)

    source  https://pytorch.org/docs/stable/generated/torch.optim.Rprop.html
    """

    __module__ = "torch.optim.rprop"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check(0.0 < etas[0] < 1.0 < etas[1], f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def begin(self, p: Any, group: Group) -> dict[str, float]:
        return {"prev": 0.0, "step_size": float(number(group["lr"]))}

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("prev", "step_size")

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        shorter, longer = map(float, group["etas"])
        least, most = map(float, group["step_sizes"])
        return {
            "maximize": group["maximize"],
            "shorter": shorter,
            "longer": longer,
            "same": 1.0,
            "least": least,
            "most": most,
            "none": 0.0,
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        prev, size = state
        if c.maximize:
            g = -g
        agreement = g * prev
        turned = agreement < 0
        size *= np.where(turned, c.shorter, np.where(agreement > 0, c.longer, c.same))
        size = put(size, np.clip(size, c.least, c.most))
        g = np.where(turned, c.none, g)
        w -= np.sign(g) * size
        return w, put(prev, g), size
