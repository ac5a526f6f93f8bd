"""Losses between numbers that are one node in torch: squared, absolute and between the two.

Those made of several nodes (l1_loss, kl_div, ...) are in nn/functional. Reduction is part of each operation, as in
torch: "mean" and "sum" give a 0-dim result, "none" one loss per element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import NotImplementedFault
from engine.ops import elementary as el
from engine.ops import kernels
from engine.ops.op import ARRAYS, NAMESPACE, RULES, TENSORS, op, rules_of
from engine.ops.samples import reductions
from engine.ops.vocabulary import in_dtype, mean_scale, reduce_loss, word

Array = Any
Tensor = Any
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn."

ROWS = [[1.0, -2.0, 0.5], [0.3, 3.0, -1.5]]
OTHER = [[0.5, -2.0, 2.0], [1.3, -1.0, -1.0]]
TARGETS = [[1.0, 0.0, 0.25], [0.5, 0.9, 1.0]]
PROBS = [[0.2, 0.9, 0.5], [0.01, 0.99, 0.6]]
SIGNS = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]


def _mse_vjp(g: Array, a: Array, b: Array, reduction: str) -> Array:
    d = a - b
    scale = g * (2.0 / d.size) if reduction == "mean" else g * 2.0
    back = np.multiply(d, scale, d) if d.ndim else d * scale
    return back if back.dtype is a.dtype else back.astype(a.dtype, copy=False)


def _mse_vjp_tensors(g: Tensor, a: Tensor, b: Tensor, reduction: str) -> Tensor:
    return TENSORS["cast"]((a - b) * (2.0 * mean_scale(a, reduction)) * g, a._a.dtype)


word("mse_vjp", _mse_vjp, _mse_vjp_tensors)


@op(
    "mse_loss(input, target, reduction='mean')",
    inputs=2,
    vjps={"input": "mse_vjp(g, input, target, reduction)", "target": "mse_vjp(g, target, input, reduction)"},
    node="MseLossBackward0",
    latex=r"\tfrac{1}{n}\textstyle\sum({input} - {target})^2",
    latex_partials={"input": r"\tfrac{2}{n}({input} - {target})", "target": r"\tfrac{2}{n}({target} - {input})"},
    doc="Squared error, averaged over all elements.",
    source=_SITE + "MSELoss.html",
    samples=reductions(ROWS, OTHER),
    lazy=True,
    method=False,
)
def mse_loss(input: Array, target: Array, reduction: str) -> Array:
    d = input - target
    if d.dtype.kind != "f" and d.dtype.kind != "V":
        raise NotImplementedFault(
            f"\"mse_cpu\" not implemented for '{dtypes.SCALAR_NAMES[dtypes.of(d)]}'", hint="convert it first: x.float()"
        )
    if reduction == "none":
        return d * d
    flat = d.ravel()
    if flat.dtype is kernels.F32 and flat.size <= kernels.BLAS_LIMIT:
        total = flat.dot(flat)
    else:
        total = np.add.reduce(flat * flat)
    return total if reduction == "sum" else total / d.dtype.type(d.size)


# The case of every regression, written out: float32 arrays of one shape, a target without gradient; None for any other.
# Its record holds the difference and its factor in two more cells, so that backward need not subtract again.
_SQUARED = """
def squared_error(input, target, reduction="mean"):
    try: a = input._a; b = target._a; s = input._s; n_i = input._n
    except AttributeError: return None
    if (
        type(a) is not ndarray or type(b) is not ndarray or a.dtype is not F32 or b.dtype is not F32 or not s
        or target._s != s or target._n is not None or _obs is not None
    ):
        return None
    d = a - b
    flat = d.ravel()
    count = flat.size
    if 0 < count <= BLAS_LIMIT and reduction == "mean":
        v = flat.dot(flat) / count
        factor = 2.0 / count
    elif 0 < count <= BLAS_LIMIT and reduction == "sum":
        v = flat.dot(flat)
        factor = 2.0
    else: return None
    r = new(Tensor)
    r._a = v
    r._s = ()
    if n_i is None or not grad_on: r._n = None
    else: r._n = [seq(), squared_error_back, n_i, None, None, 0, None, (), (reduction, s, s), a, b, d, factor]
    return r

def squared_error_back(n, g):
    d = n[11]
    factor = n[12]
    n[1] = squared_error_freed; n[9] = n[10] = n[11] = None
    if g == 1.0: factor = const(factor) or make_const(factor)
    else: factor = g * factor
    return multiply(d, factor, d)
"""
_rule = rules_of("mse_loss")[("input",)]
NAMESPACE.update(squared_error_freed=_rule.freed, BLAS_LIMIT=kernels.BLAS_LIMIT, multiply=np.multiply)
exec(compile(_SQUARED, "<compiled op mse_loss>", "exec"), NAMESPACE)
RULES[NAMESPACE["squared_error_back"]] = _rule
squared_error: Callable[[Tensor, Tensor, str], Tensor | None] = NAMESPACE["squared_error"]


word(
    "smooth_l1_vjp",
    in_dtype(lambda g, a, b, reduction, beta: ARRAYS["limited"]((a - b) / beta, -1.0, 1.0) * (g * mean_scale(a, reduction))),
    lambda g, a, b, reduction, beta: TENSORS["limited"]((a - b) / beta, -1.0, 1.0) * (g * mean_scale(a, reduction)),
)


@op(
    "smooth_l1_loss(input, target, reduction='mean', beta=1.0)",
    inputs=2,
    vjps={
        "input": "smooth_l1_vjp(g, input, target, reduction, beta)",
        "target": "smooth_l1_vjp(g, target, input, reduction, beta)",
    },
    node="SmoothL1LossBackward0",
    latex=r"\begin{cases}d^2 / 2\beta & |d| < \beta\\ |d| - \beta/2 & \text{else}\end{cases},\; d = {input} - {target}",
    latex_partials={
        "input": r"\operatorname{clamp}(d/\beta, -1, 1)",
        "target": r"-\operatorname{clamp}(d/\beta, -1, 1)",
    },
    doc="Squared error below beta, absolute error above.",
    source=_SITE + "SmoothL1Loss.html",
    samples=[*reductions(ROWS, OTHER), *reductions(ROWS, OTHER, beta=0.5)],
    lazy=True,
    method=False,
)
def smooth_l1_loss(input: Array, target: Array, reduction: str, beta: float) -> Array:
    z = np.abs(input - target)
    losses = np.where(z < beta, 0.5 * z * z / beta, z - 0.5 * beta)
    return reduce_loss(losses.astype(input.dtype, copy=False), reduction)


word(
    "huber_vjp",
    in_dtype(lambda g, a, b, reduction, delta: ARRAYS["limited"](a - b, -delta, delta) * (g * mean_scale(a, reduction))),
    lambda g, a, b, reduction, delta: TENSORS["limited"](a - b, -delta, delta) * (g * mean_scale(a, reduction)),
)


@op(
    "huber_loss(input, target, reduction='mean', delta=1.0)",
    inputs=2,
    vjps={
        "input": "huber_vjp(g, input, target, reduction, delta)",
        "target": "huber_vjp(g, target, input, reduction, delta)",
    },
    node="HuberLossBackward0",
    latex=r"\begin{cases}d^2/2 & |d| < \delta\\ \delta(|d| - \delta/2) & \text{else}\end{cases},\; d = {input} - {target}",
    latex_partials={
        "input": r"\operatorname{clamp}(d, -\delta, \delta)",
        "target": r"-\operatorname{clamp}(d, -\delta, \delta)",
    },
    doc="Squared error below delta, delta times the absolute error above.",
    source=_SITE + "HuberLoss.html",
    samples=[*reductions(ROWS, OTHER), *reductions(ROWS, OTHER, delta=2.0)],
    lazy=True,
    method=False,
)
def huber_loss(input: Array, target: Array, reduction: str, delta: float) -> Array:
    z = np.abs(input - target)
    losses = np.where(z < delta, 0.5 * z * z, delta * (z - 0.5 * delta))
    return reduce_loss(losses.astype(input.dtype, copy=False), reduction)


word(
    "soft_margin_vjp",
    in_dtype(lambda g, x, y, reduction: ARRAYS["logistic"](-y * x) * -y * (g * mean_scale(x, reduction))),
    lambda g, x, y, reduction: (-y * x).sigmoid() * -y * (g * mean_scale(x, reduction)),
)


@op(
    "soft_margin_loss(input, target, reduction='mean')",
    inputs=2,
    vjps={"input": "soft_margin_vjp(g, input, target, reduction)"},
    node="SoftMarginLossBackward0",
    latex=r"\ln(1 + e^{-{target}{input}})",
    latex_partials={"input": r"-{target}\,\sigma(-{target}{input})"},
    doc="Logistic loss for targets of 1 and -1.",
    source=_SITE + "SoftMarginLoss.html",
    samples=reductions(ROWS, SIGNS),
    lazy=True,
    method=False,
)
def soft_margin_loss(input: Array, target: Array, reduction: str) -> Array:
    return reduce_loss(el.log1p(el.exp(-target * input)), reduction)
