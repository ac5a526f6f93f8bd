"""What each optimizer does to one parameter, in NumPy, from the terms its `update` event gives. For verify.py only.

Written down a second time on purpose, from PyTorch's documentation: it must not share a mistake with engine/optim.
float64 throughout. State among the terms (momentum_buffer, exp_avg, ...) is as it is after the step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Terms = dict[str, Any]


def apply(optimizer: str | None, before: Values, terms: Terms) -> Values | None:
    """The parameter after the update, or None when the terms do not say enough."""
    rule = RULES.get(optimizer or "")
    if rule is None or any(v is None for v in terms.values()) or "grad" not in terms or "lr" not in terms:
        return None
    t = {k: _wide(v) for k, v in terms.items()}
    w = before.astype(np.float64)
    if t.get("maximize"):
        t["grad"] = -t["grad"]
    decay = t.get("weight_decay", 0.0)
    with np.errstate(all="ignore"):
        if decay and (optimizer == "AdamW" or t.get("decoupled_weight_decay")):
            w = w * (1.0 - t["lr"] * decay)
        elif decay:
            t["grad"] = t["grad"] + decay * w
        try:
            after: Values = rule(w, t)
            return after
        except KeyError:  # an optimizer of the program's own with a known name
            return None


def _wide(value: Any) -> Any:
    return value.astype(np.float64) if isinstance(value, np.ndarray) else value


def _sgd(w: Values, t: Terms) -> Any:
    d = t["grad"]
    if t.get("momentum"):
        buffer = t["momentum_buffer"]
        d = d + t["momentum"] * buffer if t.get("nesterov") else buffer
    return w - t["lr"] * d


def _adam(w: Values, t: Terms) -> Any:
    m = t["exp_avg"] / (1.0 - t["beta1"] ** t["step"])
    v = (t["max_exp_avg_sq"] if t.get("amsgrad") else t["exp_avg_sq"]) / (1.0 - t["beta2"] ** t["step"])
    return w - t["lr"] * m / (np.sqrt(v) + t["eps"])


def _adamax(w: Values, t: Terms) -> Any:
    return w - t["lr"] / (1.0 - t["beta1"] ** t["step"]) * t["exp_avg"] / t["exp_inf"]


def _nadam(w: Values, t: Terms) -> Any:
    def mu(step: float) -> float:
        return float(t["beta1"] * (1.0 - 0.5 * 0.96 ** (step * t["momentum_decay"])))

    n = int(t["step"])
    product = float(np.prod([mu(k) for k in range(1, n + 1)]))
    m = mu(n + 1) * t["exp_avg"] / (1.0 - product * mu(n + 1)) + (1.0 - mu(n)) * t["grad"] / (1.0 - product)
    return w - t["lr"] * m / (np.sqrt(t["exp_avg_sq"] / (1.0 - t["beta2"] ** n)) + t["eps"])


def _radam(w: Values, t: Terms) -> Any:
    n, beta2 = t["step"], t["beta2"]
    m = t["exp_avg"] / (1.0 - t["beta1"] ** n)
    limit = 2.0 / (1.0 - beta2) - 1.0
    length = limit - 2.0 * n * beta2**n / (1.0 - beta2**n)
    if length <= 5.0:
        return w - t["lr"] * m
    adapted = np.sqrt(1.0 - beta2**n) / (np.sqrt(t["exp_avg_sq"]) + t["eps"])
    ratio = np.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
    return w - t["lr"] * m * ratio * adapted


def _rmsprop(w: Values, t: Terms) -> Any:
    if t.get("momentum"):
        return w - t["lr"] * t["momentum_buffer"]
    v = t["square_avg"]
    if t.get("centered"):
        v = v - t["grad_avg"] ** 2
    return w - t["lr"] * t["grad"] / (np.sqrt(v) + t["eps"])


def _adagrad(w: Values, t: Terms) -> Any:
    rate = t["lr"] / (1.0 + (t["step"] - 1) * t.get("lr_decay", 0.0))
    return w - rate * t["grad"] / (np.sqrt(t["sum"]) + t["eps"])


def _adadelta(w: Values, t: Terms) -> Any:
    # u was renewed with the very step that is asked for: u' = rho u + (1 - rho) (u + eps) k, solved for u
    rho, eps, g = t["rho"], t["eps"], t["grad"]
    k = g**2 / (t["square_avg"] + eps)
    u = (t["acc_delta"] - (1.0 - rho) * eps * k) / (rho + (1.0 - rho) * k)
    return w - t["lr"] * np.sqrt(np.maximum(u, 0.0) + eps) / np.sqrt(t["square_avg"] + eps) * g


def _asgd(w: Values, t: Terms) -> Any:
    return w * (1.0 - t["lambd"] * t["eta"]) - t["eta"] * t["grad"]


def _rprop(w: Values, t: Terms) -> Any:
    return w - np.sign(t["prev"]) * t["step_size"]  # prev: this gradient, or 0 where the sign turned


def _by_hand(w: Values, t: Terms) -> Any:
    return w - t["lr"] * t["grad"]


RULES: dict[str, Callable[[Values, Terms], Any]] = {
    "": _by_hand, "SGD": _sgd, "Adam": _adam, "AdamW": _adam, "Adamax": _adamax, "NAdam": _nadam, "RAdam": _radam,
    "RMSprop": _rmsprop, "Adagrad": _adagrad, "Adadelta": _adadelta, "ASGD": _asgd, "Rprop": _rprop,
}  # fmt: skip
