"""RMSprop: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.optim.optimizer import Group, Optimizer, Payload, check, check_lr, number


class RMSprop(Optimizer):
    """w ← w - lr g / (sqrt(v) + eps),   v ← alpha v + (1 - alpha) g²

    centered: v minus the square of the running mean of g;   momentum: a running sum of the steps
    source  https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
    """

    __module__ = "torch.optim.rmsprop"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check(momentum >= 0.0, f"Invalid momentum value: {momentum}")
        check(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        check(alpha >= 0.0, f"Invalid alpha value: {alpha}")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        names = ["square_avg"]
        if group["momentum"] > 0:
            names.append("momentum_buffer")
        if group["centered"]:
            names.append("grad_avg")
        return tuple(names)

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        return {
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
            "weight_decay": float(group["weight_decay"]),
            "has_momentum": group["momentum"] > 0,
            "momentum": float(group["momentum"]),
            "centered": group["centered"],
            "alpha": float(group["alpha"]),
            "new": 1.0 - group["alpha"],
            "eps": float(group["eps"]),
            "lr": float(number(group["lr"])),
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        v, *others = state
        if c.maximize:
            g = -g
        if c.decays:
            g = g + w * c.weight_decay
        v *= c.alpha
        v += g * c.new * g
        spread = v
        if c.centered:
            mean = others.pop()
            mean += (g - mean) * c.new
            spread = v - mean * mean
        d = np.sqrt(spread)
        d += c.eps
        if c.has_momentum:
            (buf,) = others
            buf *= c.momentum
            buf += g / d
            w -= buf * c.lr
            return (w, v, buf, mean) if c.centered else (w, v, buf)
        w -= g * c.lr / d
        return (w, v, mean) if c.centered else (w, v)
