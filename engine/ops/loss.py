"""Losses that are one node in torch: squared and smooth errors, cross entropies, margins.

Not those made of several nodes (l1_loss, cross_entropy, kl_div, ...): they are in nn/functional.py. Reduction is part of
each operation, as in torch: "mean" and "sum" give a 0-dim result, "none" one loss per element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import IndexFault, NotImplementedFault, RuntimeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, Failing, Sample, op
from engine.ops.vocabulary import constant, mean_scale, reduce_loss, word

Array = Any
Tensor = Any

ROWS = [[1.0, -2.0, 0.5], [0.3, 3.0, -1.5]]
OTHER = [[0.5, -2.0, 2.0], [1.3, -1.0, -1.0]]
PROBS = [[0.2, 0.9, 0.5], [0.01, 0.99, 0.6]]
SIGNS = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn."


def _reductions(*inputs: Any, **params: Any) -> list[Sample]:
    return [Sample(inputs, {**params, "reduction": r}) for r in ("mean", "sum", "none")]


# ---- errors between numbers -------------------------------------------------------------------------------


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
    samples=_reductions(ROWS, OTHER),
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


word(
    "smooth_l1_vjp",
    lambda g, a, b, reduction, beta: ARRAYS["limited"]((a - b) / beta, -1.0, 1.0) * (g * mean_scale(a, reduction)),
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
    samples=[*_reductions(ROWS, OTHER), *_reductions(ROWS, OTHER, beta=0.5)],
    lazy=True,
    method=False,
)
def smooth_l1_loss(input: Array, target: Array, reduction: str, beta: float) -> Array:
    z = np.abs(input - target)
    return reduce_loss(np.where(z < beta, 0.5 * z * z / beta, z - 0.5 * beta), reduction)


word(
    "huber_vjp",
    lambda g, a, b, reduction, delta: ARRAYS["limited"](a - b, -delta, delta) * (g * mean_scale(a, reduction)),
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
    samples=[*_reductions(ROWS, OTHER), *_reductions(ROWS, OTHER, delta=2.0)],
    lazy=True,
    method=False,
)
def huber_loss(input: Array, target: Array, reduction: str, delta: float) -> Array:
    z = np.abs(input - target)
    return reduce_loss(np.where(z < delta, 0.5 * z * z, delta * (z - 0.5 * delta)), reduction)


word(
    "soft_margin_vjp",
    lambda g, x, y, reduction: ARRAYS["logistic"](-y * x) * -y * (g * mean_scale(x, reduction)),
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
    samples=_reductions(ROWS, SIGNS),
    lazy=True,
    method=False,
)
def soft_margin_loss(input: Array, target: Array, reduction: str) -> Array:
    return reduce_loss(np.log1p(np.exp(-target * input)), reduction)


# ---- binary cross entropy -----------------------------------------------------------------------------------

EPSILON = 1e-12  # torch: binary_cross_entropy_backward


def _weighted(x: Any, weight: Any) -> Any:
    return x if weight is None else x * weight


def _bce_vjp(g: Any, x: Any, target: Any, weight: Any, reduction: str, floor: Any) -> Any:
    slope = (x - target) / floor((1 - x) * x, EPSILON)
    return _weighted(slope, weight) * (g * mean_scale(x, reduction))


word(
    "bce_vjp",
    lambda *args: _bce_vjp(*args, np.maximum),
    lambda *args: _bce_vjp(*args, lambda a, low: a.clamp(min=low)),
)
word(
    "bce_target_vjp",
    lambda g, x, weight, reduction: _weighted(np.log1p(-x) - np.log(x), weight) * (g * mean_scale(x, reduction)),
    lambda g, x, weight, reduction: _weighted((-x).log1p() - x.log(), weight) * (g * mean_scale(x, reduction)),
)


@op(
    "binary_cross_entropy(input, target, weight=None, reduction='mean')",
    inputs=("input", "target", "weight"),
    optional=("weight",),
    vjps={
        "input": "bce_vjp(g, input, target, weight, reduction)",
        "target": "bce_target_vjp(g, input, weight, reduction)",
    },
    node="BinaryCrossEntropyBackward0",
    latex=r"-({target}\ln {input} + (1 - {target})\ln(1 - {input}))",
    latex_partials={
        "input": r"\frac{x - y}{x(1 - {input})}",
        "target": r"\ln(1 - {input}) - \ln {input}",
    },
    doc="Cross entropy of probabilities with targets in [0, 1]; the logarithms stop at -100.",
    source=_SITE + "BCELoss.html",
    samples=[*_reductions(PROBS, PROBS), *_reductions(PROBS, PROBS, PROBS)],
    fails=[
        Failing((ROWS, PROBS), {}, RuntimeError, "all elements of input should be between 0 and 1"),
    ],
    lazy=True,
    method=False,
)
def binary_cross_entropy(input: Array, target: Array, weight: Array | None, reduction: str) -> Array:
    if not ((input >= 0) & (input <= 1)).all():
        raise RuntimeFault(
            "all elements of input should be between 0 and 1",
            hint="pass it through sigmoid first, or use binary_cross_entropy_with_logits (BCEWithLogitsLoss)",
        )
    low = input.dtype.type(-100)
    losses = (target - 1) * np.maximum(np.log1p(-input), low) - target * np.maximum(np.log(input), low)
    return reduce_loss(_weighted(losses, weight), reduction)


def _logits_vjp(g: Any, x: Any, target: Any, weight: Any, pos_weight: Any, reduction: str, sigmoid: Any) -> Any:
    if pos_weight is None:
        slope = sigmoid(x) - target
    else:
        positive = pos_weight * target
        slope = (positive + 1 - target) * sigmoid(x) - positive
    return _weighted(slope, weight) * (g * mean_scale(x, reduction))


def _logits_target_vjp(g: Any, x: Any, weight: Any, pos_weight: Any, reduction: str, log_sigmoid: Any) -> Any:
    slope = -x if pos_weight is None else log_sigmoid(-x) - pos_weight * log_sigmoid(x)
    return _weighted(slope, weight) * (g * mean_scale(x, reduction))


def _log_sigmoid(x: Array) -> Array:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


word(
    "bce_logits_vjp",
    lambda *args: _logits_vjp(*args, ARRAYS["logistic"]),
    lambda *args: _logits_vjp(*args, lambda x: x.sigmoid()),
)
word(
    "bce_logits_target_vjp",
    lambda *args: _logits_target_vjp(*args, _log_sigmoid),
    lambda *args: _logits_target_vjp(*args, lambda x: TENSORS["log_sigmoid"](x)),
)


@op(
    "binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction='mean')",
    inputs=("input", "target", "weight", "pos_weight"),
    optional=("weight", "pos_weight"),
    vjps={
        "input": "bce_logits_vjp(g, input, target, weight, pos_weight, reduction)",
        "target": "bce_logits_target_vjp(g, input, weight, pos_weight, reduction)",
    },
    node="BinaryCrossEntropyWithLogitsBackward0",
    latex=r"-({target}\ln\sigma({input}) + (1 - {target})\ln(1 - \sigma({input})))",
    latex_partials={"input": r"\sigma({input}) - {target}", "target": r"-{input}"},
    doc="Binary cross entropy of sigmoid(input), without overflow.",
    source=_SITE + "BCEWithLogitsLoss.html",
    samples=[
        *_reductions(ROWS, PROBS),
        *_reductions([100.0, -100.0], [0.0, 1.0]),
        *_reductions(ROWS, PROBS, None, [1.0, 2.0, 0.5]),
    ],
    lazy=True,
    method=False,
)
def binary_cross_entropy_with_logits(
    input: Array, target: Array, weight: Array | None, pos_weight: Array | None, reduction: str
) -> Array:
    log_sigmoid = _log_sigmoid(input)
    if pos_weight is not None:
        log_sigmoid = log_sigmoid * ((pos_weight - 1) * target + 1)
    return reduce_loss(_weighted((1 - target) * input - log_sigmoid, weight), reduction)


# ---- class indices ------------------------------------------------------------------------------------------


def _check_classes(target: Array, classes: int, ignore_index: int) -> None:
    bad = (target < 0) | (target >= classes)
    bad &= target != ignore_index
    if bad.any():
        worst = target[bad].ravel()[0] if target.ndim else target[()]
        raise IndexFault(
            f"Target {worst} is out of bounds.",
            hint=f"there are {classes} classes (columns of the input), so targets must lie in 0..{classes - 1}",
        )


def _class_weights(target: Array, weight: Array | None, ignore_index: int, dtype: Any) -> Array:
    """The weight of each target: 0 where it is ignored."""
    kept = target != ignore_index
    if weight is None:
        return kept.astype(dtype)
    return np.where(kept, weight[np.where(kept, target, 0)], dtype.type(0))


def _check_nll(input: Array, target: Array, weight: Array | None) -> None:
    if target.dtype not in (np.int64, np.uint8):
        raise RuntimeFault(
            f"expected target dtype to be Long or Byte, but got {dtypes.SCALAR_NAMES[dtypes.of(target)]}",
            hint="class indices are whole numbers: target.long()",
        )
    if weight is not None and weight.shape != (input.shape[0 if input.ndim == 1 else 1],):
        classes = input.shape[0 if input.ndim == 1 else 1]
        raise RuntimeFault(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
            f"of shape: {list(weight.shape)}"
        )


def _nll_places(target: Array, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Indices into an array of `shape` (class dimension 1, or 0 for a single sample) of each target's class."""
    if len(shape) == 1:
        return (target,)
    if len(shape) == 2:
        return (np.arange(shape[0]), target)
    grids = np.ogrid[tuple(slice(n) for n in target.shape)]
    return (grids[0], target, *grids[1:])


def _nll_vjp(
    g: Array, target: Array, weights: Array, shape: tuple[int, ...], reduction: str, ignore_index: int
) -> Array:
    out = np.zeros(shape, weights.dtype)
    value = weights * -g
    if reduction == "mean":
        value = value / kernels.total(weights)
    value = np.where(weights == 0, value.dtype.type(0), value)
    out[_nll_places(np.where(target == ignore_index, 0, target), shape)] = value
    return out


def _nll_vjp_tensors(
    g: Tensor, target: Tensor, weights: Tensor, shape: tuple[int, ...], reduction: str, ignore_index: int
) -> Tensor:
    one = np.ones((), np.asarray(weights._a).dtype)
    real = [np.asarray(t._a).reshape(t._s) for t in (target, weights)]
    mask = constant(_nll_vjp(one, *real, shape, reduction, ignore_index))
    return mask * (g.unsqueeze(1) if reduction == "none" and len(shape) > 1 else g)


word("nll_vjp", _nll_vjp, _nll_vjp_tensors)


def _nll(input: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str) -> tuple[Array, Array]:
    _check_nll(input, target, weight)
    classes = input.shape[0 if input.ndim == 1 else 1]
    _check_classes(target, classes, ignore_index)
    weights = _class_weights(target, weight, ignore_index, input.dtype)
    picked = input[_nll_places(np.where(target == ignore_index, 0, target), input.shape)]
    losses = np.where(weights == 0, input.dtype.type(0), picked * -weights)
    if reduction == "none":
        return losses, weights
    total = kernels.total(losses)
    return (total if reduction == "sum" else total / kernels.total(weights)), weights


_NLL: dict[str, Any] = {
    "inputs": ("input", "target", "weight"),
    "optional": ("weight",),
    "vjps": {"input": "through(nll_vjp(g, target, weights, input_shape, reduction, ignore_index), input)"},
    "aux": ("weights",),
    "latex": r"-{input}_{i, {target}_i}",
    "latex_partials": {"input": r"-\mathbb{1}[j = {target}_i]"},
    "source": _SITE + "NLLLoss.html",
    "method": False,
}


@op(
    "nll_loss(input, target, weight=None, ignore_index=-100, reduction='mean')",
    node="NllLossBackward0",
    doc="Minus the log-probability of each sample's class: input (N, C), target (N,).",
    samples=[
        *_reductions(ROWS, [0, 2]),
        *_reductions(ROWS, [0, 2], [1.0, 2.0, 0.5]),
        *_reductions(ROWS, [0, -100]),
        *_reductions([1.0, -2.0, 0.5], 1),
    ],
    fails=[Failing((ROWS, [0, 3]), {}, IndexError, "Target 3 is out of bounds.")],
    **_NLL,
)
def nll_loss(
    input: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str
) -> tuple[Array, Array]:
    return _nll(input, target, weight, ignore_index, reduction)


@op(
    "nll_loss2d(input, target, weight=None, ignore_index=-100, reduction='mean')",
    node="NllLoss2DBackward0",
    doc="nll_loss over images: input (N, C, H, W), target (N, H, W).",
    samples=[*_reductions([[[[1.0, 2.0]], [[0.5, -1.0]]]], [[[0, 1]]])],
    public="nll_loss",
    **_NLL,
)
def nll_loss2d(
    input: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str
) -> tuple[Array, Array]:
    return _nll(input, target, weight, ignore_index, reduction)


# ---- margins ------------------------------------------------------------------------------------------------


def _margins(input: Array, target: Array, margin: float) -> tuple[Array, Array]:
    """margin - x[y] + x[j] where positive and j != y, else 0; rows of samples."""
    rows = input.reshape(-1, input.shape[-1])
    y = target.reshape(-1)
    _check_classes(y, rows.shape[1], -(1 << 62))
    place = np.arange(len(rows))
    z = margin - rows[place, y][:, None] + rows
    z[place, y] = 0
    return np.maximum(z, 0), y


def _multi_margin_vjp(
    g: Array, input: Array, target: Array, weight: Array | None, p: int, margin: float, reduction: str
) -> Array:
    z, y = _margins(input, target, margin)
    slope = (z > 0).astype(input.dtype) if p == 1 else 2 * z
    if weight is not None:
        slope *= weight[y][:, None]
    slope /= z.shape[1]
    slope[np.arange(len(y)), y] = -slope.sum(1)
    if reduction == "mean":
        slope /= len(y)
    scale = np.asarray(g).reshape(-1, 1)
    return (slope * scale).reshape(input.shape).astype(input.dtype, copy=False)


def _refuse(g: Any, name: str) -> Any:
    raise RuntimeFault(f"derivative for aten::{name} is not implemented")


word("refuse", _refuse, _refuse)


@op(
    "gradient_once(value, source, name)",
    inputs=2,
    vjps={"source": "refuse(g, name)"},
    node="NotImplemented",
    latex="{value}",
    latex_partials={"source": r"\text{none}"},
    doc="A gradient that torch cannot differentiate again: asking for it raises torch's error.",
    source="",
    method=False,
    public="not_implemented",
)
def gradient_once(value: Array, source: Array, name: str) -> Array:
    return value.copy()


def _once(name: str, vjp: Any) -> Any:
    """A gradient over Tensors, computed from their arrays and not differentiable again."""

    def over_tensors(g: Tensor, input: Tensor, *rest: Any) -> Tensor:
        arrays = [np.asarray(t._a).reshape(t._s) if hasattr(t, "_a") else t for t in (g, input, *rest)]
        return TENSORS["gradient_once"](constant(vjp(*arrays)), input, name)

    return over_tensors


word("multi_margin_vjp", _multi_margin_vjp, _once("multi_margin_loss_backward", _multi_margin_vjp))


@op(
    "multi_margin_loss(input, target, weight=None, p=1, margin=1.0, reduction='mean')",
    inputs=("input", "target", "weight"),
    optional=("weight",),
    vjps={"input": "multi_margin_vjp(g, input, target, weight, p, margin, reduction)"},
    node="MultiMarginLossBackward0",
    latex=r"\tfrac{1}{C}\textstyle\sum_{j \ne y}\max(0, m - {input}_y + {input}_j)^p",
    latex_partials={"input": r"\tfrac{1}{C}\mathbb{1}[m - {input}_y + {input}_j > 0]"},
    doc="Multi-class hinge loss.",
    source=_SITE + "MultiMarginLoss.html",
    samples=[*_reductions(ROWS, [0, 2]), *_reductions(ROWS, [0, 2], [1.0, 2.0, 0.5], p=2)],
    method=False,
)
def multi_margin_loss(
    input: Array, target: Array, weight: Array | None, p: int, margin: float, reduction: str
) -> Array:
    z, y = _margins(input, target, margin)
    losses = (z if p == 1 else z * z).sum(1) / input.dtype.type(z.shape[1])
    if weight is not None:
        losses = losses * weight[y]
    return reduce_loss(losses if input.ndim > 1 else losses[0], reduction)


def _label_sets(target: Array) -> tuple[Array, Array]:
    """Rows of targets, and which classes are targets: those before the first -1."""
    rows = target.reshape(-1, target.shape[-1])
    valid = np.cumprod(rows >= 0, 1).astype(bool)
    member = np.zeros(rows.shape, bool)
    member[np.nonzero(valid)[0], rows[valid]] = True
    return np.where(valid, rows, -1), member


def _multilabel_terms(input: Array, target: Array) -> tuple[Array, Array, Array]:
    """(n, t, j): 1 - x[target t] + x[j] where positive, for targets t and classes j that are no target."""
    rows = input.reshape(-1, input.shape[-1])
    labels, member = _label_sets(target)
    chosen = np.take_along_axis(rows, np.maximum(labels, 0), 1)
    z = 1 - chosen[:, :, None] + rows[:, None, :]
    z[labels < 0] = 0
    z = np.where(member[:, None, :], 0, z)
    return np.maximum(z, 0), labels, member


def _multilabel_margin_vjp(g: Array, input: Array, target: Array, reduction: str) -> Array:
    z, labels, _ = _multilabel_terms(input, target)
    active = (z > 0).astype(input.dtype)
    slope = active.sum(1)
    n, t = np.nonzero(labels >= 0)
    np.subtract.at(slope, (n, labels[n, t]), active.sum(2)[n, t])
    slope /= z.shape[2] * (len(slope) if reduction == "mean" else 1)
    return (slope * np.asarray(g).reshape(-1, 1)).reshape(input.shape).astype(input.dtype, copy=False)


word(
    "multilabel_margin_vjp", _multilabel_margin_vjp, _once("multilabel_margin_loss_backward", _multilabel_margin_vjp)
)


@op(
    "multilabel_margin_loss(input, target, reduction='mean')",
    inputs=2,
    vjps={"input": "multilabel_margin_vjp(g, input, target, reduction)"},
    node="MultilabelMarginLossBackward0",
    latex=r"\tfrac{1}{C}\textstyle\sum_{t, j \notin T}\max(0, 1 - {input}_t + {input}_j)",
    latex_partials={"input": r"\pm\tfrac{1}{C}\#\{1 - {input}_t + {input}_j > 0\}"},
    doc="Hinge loss for several classes per sample; each row of targets ends at the first -1.",
    source=_SITE + "MultiLabelMarginLoss.html",
    samples=_reductions(ROWS, [[2, 0, -1], [1, -1, 0]]),
    method=False,
)
def multilabel_margin_loss(input: Array, target: Array, reduction: str) -> Array:
    z, _, _ = _multilabel_terms(input, target)
    losses = z.sum((1, 2)) / input.dtype.type(z.shape[2])
    return reduce_loss(losses if input.ndim > 1 else losses[0], reduction)


__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "huber_loss", "mse_loss", "multi_margin_loss",
    "multilabel_margin_loss", "nll_loss", "nll_loss2d", "smooth_l1_loss", "soft_margin_loss",
]  # fmt: skip
