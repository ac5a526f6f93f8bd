"""Losses as functions: what is one node is an operation of engine/ops, the rest is composed as torch composes it.

`size_average=` and `reduce=` are the two arguments `reduction=` replaced; they still work, with torch's warning.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from engine import dtypes
from engine.autograd.modes import no_grad
from engine.errors import RuntimeFault, ValueFault
from engine.nn.functional.activation import logsigmoid
from engine.nn.functional.linear import pairwise_distance
from engine.nn.reduction import check, legacy_get_string
from engine.ops import kernels
from engine.ops.op import TENSORS
from engine.tensor import Size, Tensor, make

Flag = bool | None


def _reduction(size_average: Flag, reduce: Flag, reduction: str) -> str:
    if size_average is not None or reduce is not None:
        return legacy_get_string(size_average, reduce, stacklevel=4)
    return reduction if reduction in ("mean", "sum", "none") else check(reduction)


def _reduced(loss: Tensor, reduction: str) -> Tensor:
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _broadcast(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both in one shape; different sizes are what the warning is about."""
    warnings.warn(
        f"Using a target size ({Size(target._s)}) that is different to the input size ({Size(input._s)}). "
        "This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
        stacklevel=3,
    )
    whole = kernels.broadcast_shapes(input._s, target._s)
    if whole is None:
        input - target  # raises torch's sentence about the sizes
        raise AssertionError
    expanded = [t if t._s == whole else t.expand(whole) for t in (input, target)]
    return expanded[0], expanded[1]


def _pair(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both in one dtype, as torch promotes the arguments of elementwise losses."""
    a, b = input._a.dtype, target._a.dtype
    if a == b:
        return input, target
    wider = dtypes.promote_types(dtypes.OF_NUMPY[a], dtypes.OF_NUMPY[b])
    return input.to(wider), target.to(wider)


def _check_floating(input: Tensor, name: str) -> None:
    if not input.dtype.is_floating_point:
        raise RuntimeFault(f"\"{name}\" not implemented for '{dtypes.SCALAR_NAMES[input.dtype]}'")


def _weighted(errors: Tensor, input: Tensor, weight: Tensor, reduction: str, by_weight: bool = True) -> Tensor:
    if weight._s != input._s:
        raise ValueFault("Weights and input must have the same size.")
    errors = errors * weight
    if reduction == "none":
        return errors
    if reduction == "sum":
        return errors.sum()
    if reduction == "mean":
        return errors.sum() / weight.sum() if by_weight else errors.mean()
    raise ValueFault(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")


# ---- errors between numbers -----------------------------------------------------------------------------------


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean squared error.  graph  MseLossBackward0"""
    try:
        different = input._s != target._s
    except AttributeError:
        different = target.size() != input.size()  # raises torch's AttributeError about what is no tensor
    if different:
        input, target = _broadcast(input, target)
    if size_average is not None or reduce is not None or reduction not in ("mean", "sum", "none"):
        reduction = _reduction(size_average, reduce, reduction)
    if weight is not None:
        return _weighted((input - target) ** 2, input, weight, reduction)
    return TENSORS["mse_loss"](input, target, reduction)  # type: ignore[no-any-return]


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean absolute error.  graph  SubBackward0, AbsBackward0, MeanBackward0"""
    if input._s != target._s:
        input, target = _broadcast(input, target)
    reduction = _reduction(size_average, reduce, reduction)
    errors = (input - target).abs()
    return _reduced(errors, reduction) if weight is None else _weighted(errors, input, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared error below beta, absolute error above."""
    if input._s != target._s:
        input, target = _broadcast(input, target)
    reduction = _reduction(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeFault("smooth_l1_loss does not support negative values for beta.")
    if beta == 0.0:
        return _reduced((input - target).abs(), reduction)
    return TENSORS["smooth_l1_loss"](*_pair(input, target), reduction, beta)  # type: ignore[no-any-return]


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Squared error below delta, delta times the absolute error above."""
    if input._s != target._s:
        input, target = _broadcast(input, target)
    if delta <= 0:
        raise RuntimeFault("huber_loss does not support non-positive values for delta.")
    pair = _pair(input, target)
    if weight is None:
        return TENSORS["huber_loss"](*pair, check(reduction), delta)  # type: ignore[no-any-return]
    return _weighted(TENSORS["huber_loss"](*pair, "none", delta), input, weight, reduction, by_weight=False)


# ---- probabilities and classes -----------------------------------------------------------------------------------


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Cross entropy of probabilities with targets in [0, 1]."""
    reduction = _reduction(size_average, reduce, reduction)
    if target._s != input._s:
        raise ValueFault(
            f"Using a target size ({Size(target._s)}) that is different to the input size ({Size(input._s)}) is "
            "deprecated. Please ensure they have the same size.",
            hint=_size_hint(input, target),
        )
    if weight is not None:
        weight = weight.expand(kernels.broadcast_shapes(target._s, weight._s))
    if target._a.dtype != input._a.dtype:
        raise RuntimeFault(
            f"Found dtype {dtypes.SCALAR_NAMES[target.dtype]} but expected {dtypes.SCALAR_NAMES[input.dtype]}",
            hint="the target must have the input's dtype: target.float()",
        )
    return TENSORS["binary_cross_entropy"](input, target, weight, reduction)  # type: ignore[no-any-return]


def _size_hint(input: Tensor, target: Tensor) -> str | None:
    if kernels.numel(input._s) == kernels.numel(target._s):
        return f"they hold equally many elements: target.view_as(input), or target.reshape({tuple(input._s)})"
    return None


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross entropy of sigmoid(input), without overflow."""
    reduction = _reduction(size_average, reduce, reduction)
    if target._s != input._s:
        raise ValueFault(
            f"Target size ({Size(target._s)}) must be the same as input size ({Size(input._s)})",
            hint=_size_hint(input, target),
        )
    if not target.dtype.is_floating_point:
        raise RuntimeFault(
            f"result type {dtypes.SCALAR_NAMES[input.dtype]} can't be cast to the desired output type "
            f"{dtypes.SCALAR_NAMES[target.dtype]}",
            hint="the target must be floating point: target.float()",
        )
    return TENSORS["binary_cross_entropy_with_logits"](  # type: ignore[no-any-return]
        *_pair(input, target), weight, pos_weight, reduction
    )


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    ignore_index: int = -100,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability of each class index; input (N, C, *), target (N, *)."""
    reduction = _reduction(size_average, reduce, reduction)
    return _nll(input, target, weight, ignore_index, reduction)


def _nll(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    n = len(input._s)
    if n == 0:
        raise ValueFault(f"Expected 1 or more dimensions (got {n})")
    if n != 1 and input._s[0] != (target._s[0] if target._s else 1):
        raise ValueFault(
            f"Expected input batch_size ({input._s[0]}) to match target batch_size "
            f"({target._s[0] if target._s else 1}).",
            hint="one class index per row of the input: target of shape "
            f"({input._s[0]},)" + (f", here it is {tuple(target._s)}" if target._s else ""),
        )
    if n <= 2:
        if len(target._s) > 1:
            raise RuntimeFault(
                "0D or 1D target tensor expected, multi-target not supported",
                hint="drop the extra dimension: target.squeeze(1), or target.view(-1)",
            )
        if n == 1 and len(target._s) == 1 and target._s[0] != 1:
            raise RuntimeFault(
                f"For 1D input, 1D target must have size 1, but got target size: {target._s[0]}",
            )
        if n == 1 and target._s == (1,):
            target = target.reshape(())
            loss = TENSORS["nll_loss"](input, target, weight, ignore_index, reduction)
            return loss.reshape((1,)) if reduction == "none" else loss  # type: ignore[no-any-return]
        return TENSORS["nll_loss"](input, target, weight, ignore_index, reduction)  # type: ignore[no-any-return]
    if target._s[1:] != input._s[2:]:
        if n == 4:
            raise RuntimeFault(
                f"size mismatch (got input: {list(input._s)} , target: {list(target._s)}",
                hint="the target has the input's dimensions without the second, which is that of the classes",
            )
        raise RuntimeFault(
            f"Expected target size {[input._s[0], *input._s[2:]]}, got {list(target._s)}",
            hint="the class dimension is the second of the input; the target has all the others",
        )
    if n == 4:
        return TENSORS["nll_loss2d"](input, target, weight, ignore_index, reduction)  # type: ignore[no-any-return]
    shape = (input._s[0], input._s[1], 1, -1)
    if not kernels.numel(input._s):
        shape = (input._s[0], input._s[1], 0, 0)
    flat = TENSORS["nll_loss2d"](
        input.reshape(shape), target.reshape((target._s[0], *shape[2:])), weight, ignore_index, reduction
    )
    return flat.view(target._s) if reduction == "none" else flat  # type: ignore[no-any-return]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    ignore_index: int = -100,
    reduce: Flag = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of softmax(input) with class indices or with class probabilities, in nats.

    input   (N, C), (C,) or (N, C, *)  logits
    target  the same without C: class indices; or the same shape: probabilities
    returns ()      or the target's shape (without C) with reduction="none"
    raises  IndexError for a class outside [0, C)
    graph   LogSoftmaxBackward0, then NllLossBackward0
    source  https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
    """
    if size_average is not None or reduce is not None or reduction not in ("mean", "sum", "none"):
        reduction = _reduction(size_average, reduce, reduction)
    n = len(input._s)
    dim = 0 if n == 1 else 1
    if input._s == target._s and (n or target.dtype.is_floating_point):
        if not target.dtype.is_floating_point:
            raise RuntimeFault(
                "Expected floating point type for target with class probabilities, "
                f"got {dtypes.SCALAR_NAMES[target.dtype]}",
                hint="a target of the input's shape means probabilities: target.float(); "
                "class indices have one dimension less",
            )
        if ignore_index >= 0:
            raise RuntimeFault("ignore_index is not supported for floating point target")
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing, dim)
    logs = TENSORS["log_softmax_"](input, dim)
    if label_smoothing > 0.0:
        return _smoothed(logs, target, weight, ignore_index, reduction, label_smoothing, dim)
    if label_smoothing < 0.0:
        raise RuntimeFault(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    return _nll(logs, target, weight, ignore_index, reduction)


def _check_smoothing(label_smoothing: float) -> None:
    if not 0 <= label_smoothing <= 1:
        raise RuntimeFault(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")


def _class_weight(weight: Tensor, n: int, dim: int) -> Tensor:
    return weight.view(tuple(-1 if i == dim else 1 for i in range(n))) if n > 1 else weight


def _cross_entropy_of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float, dim: int
) -> Tensor:
    _check_smoothing(label_smoothing)
    logs = TENSORS["log_softmax_"](input, dim)
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / input._s[dim]
    terms = logs * target
    if weight is not None:
        terms = terms * _class_weight(weight, len(input._s), dim)
    if reduction == "none":
        return -terms.sum(dim)  # type: ignore[no-any-return]
    total = -terms.sum()
    if reduction == "sum":
        return total  # type: ignore[no-any-return]
    samples = kernels.numel(input._s) // input._s[dim]
    return TENSORS["div_scalar"](total, samples)  # type: ignore[no-any-return]


def _smoothed(
    logs: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, smoothing: float, dim: int
) -> Tensor:
    """(1 - s) * nll + s / C * (minus the sum of all log-probabilities)."""
    _check_smoothing(smoothing)
    nll = _nll(logs, target, weight, ignore_index, reduction)
    classes = logs._s[dim]
    spread = logs if weight is None else logs * _class_weight(weight, len(logs._s), dim)
    spread = -spread.sum(dim)
    t = np.asarray(target._a).reshape(target._s)
    ignored = t == ignore_index
    spread = spread.masked_fill(make(np.asarray(ignored), target._s), 0.0)
    if reduction == "mean":
        if weight is None:
            spread = spread.sum() / float(ignored.size - ignored.sum())
        else:
            w = np.asarray(weight._a).reshape(weight._s)
            total = np.where(ignored, 0, w[np.where(ignored, 0, t)]).sum(dtype=w.dtype)
            spread = spread.sum() / make(w.dtype.type(total), ())
    elif reduction == "sum":
        spread = spread.sum()
    scaled = TENSORS["mul_scalar"]
    return scaled(nll, 1 - smoothing) + scaled(spread, smoothing / classes)  # type: ignore[no-any-return]


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target * (log target - input), for log-probabilities `input`."""
    kind = reduction
    if size_average is not None or reduce is not None:
        kind = legacy_get_string(size_average, reduce)
    else:
        if reduction == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support size."
                "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
                stacklevel=2,
            )
        kind = "sum" if reduction == "batchmean" else check(reduction)
    loss = target.exp() * (target - input) if log_target else TENSORS["xlogy"](target, target) - target * input
    loss = _reduced(loss, kind)
    return loss / input._s[0] if reduction == "batchmean" and input._s else loss


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: Flag = None,
    eps: float = 1e-8,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of counts; `full` adds Stirling's approximation of log(target!)."""
    reduction = _reduction(size_average, reduce, reduction)
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * TENSORS["add_scalar"](input, eps).log()
    if full:
        t = np.asarray(target._a).reshape(target._s)
        stirling = t * np.log(t) - t + 0.5 * np.log(2 * math.pi * t)
        loss = loss + make(np.where(t <= 1, t.dtype.type(0), stirling).astype(t.dtype), target._s)
    return _reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log var + (input - target)^2 / var) / 2, with var at least eps."""
    if isinstance(var, float):
        if var < 0:
            raise ValueFault("var has negative entry/entries")
        spread: Tensor = TENSORS["ones_like"](input) * var
    else:
        spread = var
        if bool((spread < 0).any()):
            raise ValueFault("var has negative entry/entries")
    if spread._s != input._s:
        if input._s[:-1] == spread._s:
            spread = spread.unsqueeze(-1)
        elif not (
            len(input._s) == len(spread._s)
            and sum(y for x, y in zip(input._s, spread._s, strict=True) if x != y) == 1
        ):
            raise ValueFault("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueFault(reduction + " is not valid")
    spread = spread.clone()
    with no_grad():
        spread.clamp_(min=eps)
    loss = (spread.log() + (input - target) ** 2 / spread) * 0.5
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduced(loss, reduction)


# ---- margins ---------------------------------------------------------------------------------------------------


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target * (input1 - input2) + margin)."""
    reduction = _reduction(size_average, reduce, reduction)
    if len(input1._s) != len(input2._s) or len(input1._s) != len(target._s):
        raise RuntimeFault(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {Size(input1._s)}, input2: {Size(input2._s)}, target: {Size(target._s)} "
        )
    with no_grad():
        sign = -target
    return _reduced(TENSORS["add_scalar"](sign * (input1 - input2), margin).clamp_min(0), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """x where target is 1, max(0, margin - x) where it is -1."""
    reduction = _reduction(size_average, reduce, reduction)
    zeros = make(np.zeros((), input._a.dtype)[()], ())
    apart = TENSORS["where"](target.ne(1), (margin_tensor(input, margin) - input).clamp_min(0), zeros)
    near = TENSORS["where"](target.ne(-1), input, zeros)
    return _reduced(apart + near, reduction)


def margin_tensor(like: Tensor, margin: float) -> Tensor:
    """A number as a tensor without history: torch subtracts from one here, so the node is SubBackward0."""
    return make(like._a.dtype.type(margin), ())


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """log(1 + exp(-target * x))."""
    reduction = _reduction(size_average, reduce, reduction)
    if target._n is not None:
        raise RuntimeFault(
            "The function 'soft_margin_loss' is not differentiable with respect to argument 'target'. "
            "This input cannot have requires_grad True."
        )
    return TENSORS["soft_margin_loss"](*_pair(input, target), reduction)  # type: ignore[no-any-return]


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """Hinge loss for several classes per sample."""
    reduction = _reduction(size_average, reduce, reduction)
    return TENSORS["multilabel_margin_loss"](input, target, reduction)  # type: ignore[no-any-return]


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Mean over classes of the binary cross entropy of sigmoid(input)."""
    reduction = _reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    dim = len(input._s) - 1
    return _reduced(loss.sum(dim) / input._s[dim], reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Multi-class hinge loss."""
    reduction = _reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueFault("only p == 1 and p == 2 supported")
    if weight is not None and len(weight._s) != 1:
        raise ValueFault("weight must be one-dimensional")
    return TENSORS["multi_margin_loss"](  # type: ignore[no-any-return]
        input, target, weight, p=p, margin=margin, reduction=reduction
    )


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos for target 1, max(0, cos - margin) for target -1."""
    reduction = _reduction(size_average, reduce, reduction)
    n = len(target._s)
    if n not in (0, 1):
        raise RuntimeFault("0D or 1D target tensor expected, multi-target not supported")
    if len(input1._s) != n + 1 or len(input2._s) != n + 1:
        want = f"{n}D target tensor expects {n + 1}D input tensors"
        raise RuntimeFault(f"{want}, but found inputs with sizes {list(input1._s)} and {list(input2._s)}.")
    add = TENSORS["add_scalar"]
    dots = (input1 * input2).sum(n)
    lengths = [add((x * x).sum(n), 1e-12) for x in (input1, input2)]
    cos = dots / (lengths[0] * lengths[1]).sqrt()
    zeros = make(np.zeros((), input1._a.dtype)[()], ())
    alike = TENSORS["where"](target.eq(1), TENSORS["ones_like"](cos) - cos, zeros)
    apart = TENSORS["where"](target.eq(-1), TENSORS["sub_scalar"](cos, margin).clamp_min(0), zeros)
    return _reduced(alike + apart, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin)."""
    reduction = _reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueFault(f"margin must be greater than 0, got {margin}")
    _same_dims(anchor, positive, negative)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = TENSORS["minimum"](far, pairwise_distance(positive, negative, p, eps))
    return _reduced((TENSORS["add_scalar"](near, margin) - far).clamp_min(0), reduction)


def _same_dims(anchor: Tensor, positive: Tensor, negative: Tensor) -> None:
    dims = [len(t._s) for t in (anchor, positive, negative)]
    if len(set(dims)) > 1:
        raise RuntimeFault(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """triplet_margin_loss with any distance."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueFault(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueFault(f"margin must be greater than 0, got {margin}")
    _same_dims(anchor, positive, negative)
    distance: Any = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = TENSORS["minimum"](far, distance(positive, negative))
    return _reduced((near + margin - far).clamp_min(0), reduction)


