"""Cross entropies that are one node in torch: of probabilities and of logits with targets, and of class indices.

F.cross_entropy is made of log_softmax and nll_loss, in nn/functional.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import IndexFault, RuntimeFault
from engine.ops import elementary as el
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, Failing, op
from engine.ops.regression import PROBS, ROWS, TARGETS
from engine.ops.samples import reductions
from engine.ops.vocabulary import constant, in_dtype, mean_scale, reduce_loss, word

Array = Any
Tensor = Any
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn."


# ---- binary cross entropy -----------------------------------------------------------------------------------

EPSILON = 1e-12  # torch: binary_cross_entropy_backward


def _weighted(x: Any, weight: Any) -> Any:
    return x if weight is None else x * weight


def _bce_vjp(g: Any, x: Any, target: Any, weight: Any, reduction: str, floor: Any) -> Any:
    slope = (x - target) / floor((1 - x) * x, EPSILON)
    return _weighted(slope, weight) * (g * mean_scale(x, reduction))


word(
    "bce_vjp",
    in_dtype(lambda *args: _bce_vjp(*args, np.maximum)),
    lambda *args: _bce_vjp(*args, lambda a, low: a.clamp(min=low)),
)
word(
    "bce_target_vjp",
    in_dtype(lambda g, x, weight, reduction: _weighted(el.log1p(-x) - el.log(x), weight) * (g * mean_scale(x, reduction))),
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
    samples=[*reductions(PROBS, TARGETS), *reductions(PROBS, TARGETS, PROBS)],
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
    losses = (target - 1) * np.maximum(el.log1p(-input), low) - target * np.maximum(el.log(input), low)
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
    return np.minimum(x, 0) - el.log1p(el.exp(-np.abs(x)))


word(
    "bce_logits_vjp",
    in_dtype(lambda *args: _logits_vjp(*args, ARRAYS["logistic"])),
    lambda *args: _logits_vjp(*args, lambda x: x.sigmoid()),
)
word(
    "bce_logits_target_vjp",
    in_dtype(lambda *args: _logits_target_vjp(*args, _log_sigmoid)),
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
        *reductions(ROWS, PROBS),
        *reductions([100.0, -100.0], [0.0, 1.0]),
        *reductions(ROWS, PROBS, None, [1.0, 2.0, 0.5]),
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


def check_classes(target: Array, classes: int, ignore_index: int) -> None:
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
    check_classes(target, classes, ignore_index)
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
        *reductions(ROWS, [0, 2]),
        *reductions(ROWS, [0, 2], [1.0, 2.0, 0.5]),
        *reductions(ROWS, [0, -100]),
        *reductions([1.0, -2.0, 0.5], 1),
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
    samples=[*reductions([[[[1.0, 2.0]], [[0.5, -1.0]]]], [[[0, 1]]])],
    public="nll_loss",
    **_NLL,
)
def nll_loss2d(
    input: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str
) -> tuple[Array, Array]:
    return _nll(input, target, weight, ignore_index, reduction)
