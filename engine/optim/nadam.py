"""NAdam: Adam that looks ahead along the average, as Nesterov's momentum does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.creation import ones
from engine.dtypes import float32
from engine.optim.optimizer import Group, Optimizer, Payload, check, check_adam, number


class NAdam(Optimizer):
    """w ← w - lr ((1 - mu_t) / (1 - Πmu) g + mu_{t+1} / (1 - Πmu mu_{t+1}) m) / (sqrt(v / (1 - beta2^t)) + eps)

    mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2);   m, v as in Adam
    source  https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html
    """

    __module__ = "torch.optim.nadam"
    shared = False  # the product of mu belongs to the parameter

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_adam(lr, eps, betas, weight_decay)
        check(momentum_decay >= 0.0, f"Invalid momentum_decay value: {momentum_decay}")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        lr, decay, (beta1, beta2) = number(group["lr"]), group["weight_decay"], group["betas"]
        decoupled = group["decoupled_weight_decay"]
        mu, mu_next = (beta1 * (1.0 - 0.5 * (0.96 ** (k * group["momentum_decay"]))) for k in (float(t), float(t + 1)))
        if "mu_product" not in state:
            state["mu_product"] = ones((), dtype=float32)
        product = state["mu_product"]
        product._a = np.float32(product._a * np.float32(mu))
        so_far = float(product._a)
        return {
            "maximize": group["maximize"],
            "shrinks": decoupled and decay != 0,
            "decays": not decoupled and decay != 0,
            "shrink": 1.0 - lr * decay,
            "weight_decay": float(decay),
            "new1": 1.0 - beta1,
            "beta2": float(beta2),
            "new2": 1.0 - beta2,
            "correction2": 1.0 - beta2**t,
            "eps": float(group["eps"]),
            "grad_size": lr * (1.0 - mu) / (1.0 - so_far),
            "avg_size": lr * mu_next / (1.0 - so_far * mu_next),
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
        d = np.sqrt(v / c.correction2)
        d += c.eps
        w -= g * c.grad_size / d
        w -= m * c.avg_size / d
        return w, m, v
