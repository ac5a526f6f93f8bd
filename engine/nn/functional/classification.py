"""Losses of probabilities and classes: cross entropies, negative log-likelihood, Kullback-Leibler divergence."""

from __future__ import annotations

import warnings

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, ValueFault
from engine.nn.functional.regression import pair
from engine.nn.reduction import Flag, check, chosen, constant, legacy_get_string, reduced
from engine.ops import kernels
from engine.ops.registry import TENSORS
from engine.tensor import Size, Tensor, make


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Cross entropy of probabilities with targets in [0, 1]."""
    reduction = chosen(size_average, reduce, reduction)
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
    constant("binary_cross_entropy", "weight", weight)
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
    reduction = chosen(size_average, reduce, reduction)
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
    constant("binary_cross_entropy_with_logits", "weight", weight)
    constant("binary_cross_entropy_with_logits", "pos_weight", pos_weight)
    return TENSORS["binary_cross_entropy_with_logits"](  # type: ignore[no-any-return]
        *pair(input, target), weight, pos_weight, reduction
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
    reduction = chosen(size_average, reduce, reduction)
    return _nll(input, target, weight, ignore_index, reduction)


def _nll(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    n = len(input._s)
    if weight is not None:
        constant("nll_loss2d_forward" if n > 2 else "nll_loss_forward", "weight", weight)
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
        reduction = chosen(size_average, reduce, reduction)
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
    loss = reduced(loss, kind)
    return loss / input._s[0] if reduction == "batchmean" and input._s else loss
