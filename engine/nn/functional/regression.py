"""Losses between numbers and of distributions over numbers: squared, absolute, Poisson, Gaussian."""

from __future__ import annotations

import math
import warnings

import numpy as np

from engine import dtypes
from engine.autograd.modes import no_grad
from engine.errors import RuntimeFault, ValueFault
from engine.nn.reduction import Flag, check, chosen, reduced
from engine.ops import kernels
from engine.ops.registry import TENSORS
from engine.ops.regression import squared_error
from engine.tensor import Size, Tensor, make


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


def pair(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both in one dtype, as torch promotes the arguments of elementwise losses."""
    a, b = input._a.dtype, target._a.dtype
    if a == b:
        return input, target
    wider = dtypes.promote_types(dtypes.OF_NUMPY[a], dtypes.OF_NUMPY[b])
    return input.to(wider), target.to(wider)


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


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean squared error.  graph  MseLossBackward0"""
    if size_average is None and reduce is None and weight is None:
        loss = squared_error(input, target, reduction)
        if loss is not None:
            return loss  # type: ignore[no-any-return]
    try:
        different = input._s != target._s
    except AttributeError:
        different = target.size() != input.size()  # raises torch's AttributeError about what is no tensor
    if different:
        input, target = _broadcast(input, target)
    reduction = chosen(size_average, reduce, reduction)
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
    reduction = chosen(size_average, reduce, reduction)
    errors = (input - target).abs()
    return reduced(errors, reduction) if weight is None else _weighted(errors, input, weight, reduction)


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
    reduction = chosen(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeFault("smooth_l1_loss does not support negative values for beta.")
    if beta == 0.0:
        return reduced((input - target).abs(), reduction)
    return TENSORS["smooth_l1_loss"](*pair(input, target), reduction, beta)  # type: ignore[no-any-return]


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Squared error below delta, delta times the absolute error above."""
    if input._s != target._s:
        input, target = _broadcast(input, target)
    if delta <= 0:
        raise RuntimeFault("huber_loss does not support non-positive values for delta.")
    both = pair(input, target)
    if weight is None:
        return TENSORS["huber_loss"](*both, check(reduction), delta)  # type: ignore[no-any-return]
    return _weighted(TENSORS["huber_loss"](*both, "none", delta), input, weight, reduction, by_weight=False)


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
    reduction = chosen(size_average, reduce, reduction)
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * TENSORS["add_scalar"](input, eps).log()
    if full:
        t = np.asarray(target._a).reshape(target._s)
        stirling = t * np.log(t) - t + 0.5 * np.log(2 * math.pi * t)
        loss = loss + make(np.where(t <= 1, t.dtype.type(0), stirling).astype(t.dtype), target._s)
    return reduced(loss, reduction)


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
    return reduced(loss, reduction)
