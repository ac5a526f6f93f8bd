"""ASGD: gradient descent that also keeps the average of the parameters it passed through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.creation import ones, tensor
from engine.dtypes import float32
from engine.optim.optimizer import Group, Optimizer, Payload, check, check_lr, number


class ASGD(Optimizer):
    """w ← (1 - lambd eta) w - eta g;   ax ← ax + (w - ax) mu

    eta falls as lr / (1 + lambd lr t)^alpha;   mu is 1 until step t0, then 1 / (t - t0)
    source  https://pytorch.org/docs/stable/generated/torch.optim.ASGD.html
    """

    __module__ = "torch.optim.asgd"
    tells = ("eta", "mu")
    shared = False  # eta and mu belong to the parameter

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("ax",)

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        lr, lambd = number(group["lr"]), group["lambd"]
        if "eta" not in state:
            state["eta"], state["mu"] = tensor(float(lr), dtype=float32), ones((), dtype=float32)
        eta, mu = float(state["eta"]._a), float(state["mu"]._a)
        state["eta"]._a = np.float32(lr / ((1 + lambd * lr * t) ** group["alpha"]))
        state["mu"]._a = np.float32(1 / max(1, t - group["t0"]))
        return {
            "maximize": group["maximize"],
            "decays": group["weight_decay"] != 0,
            "weight_decay": float(group["weight_decay"]),
            "shrink": 1.0 - lambd * eta,
            "eta": eta,
            "mu": mu,
        }

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        (ax,) = state
        if c.maximize:
            g = -g
        if c.decays:
            g = g + w * c.weight_decay
        w *= c.shrink
        w -= g * c.eta
        ax += (w - ax) * c.mu
        return w, ax
