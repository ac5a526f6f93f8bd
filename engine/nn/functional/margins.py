"""Losses that ask for a margin: between classes, between pairs, between distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.autograd.modes import no_grad
from engine.errors import RuntimeFault, ValueFault
from engine.nn.functional.activation import logsigmoid
from engine.nn.functional.linear import pairwise_distance
from engine.nn.functional.regression import pair
from engine.nn.reduction import Flag, chosen, constant, reduced
from engine.ops.registry import TENSORS
from engine.tensor import Size, Tensor, make


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
    reduction = chosen(size_average, reduce, reduction)
    if len(input1._s) != len(input2._s) or len(input1._s) != len(target._s):
        raise RuntimeFault(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {Size(input1._s)}, input2: {Size(input2._s)}, target: {Size(target._s)} "
        )
    with no_grad():
        sign = -target
    return reduced(TENSORS["add_scalar"](sign * (input1 - input2), margin).clamp_min(0), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """x where target is 1, max(0, margin - x) where it is -1."""
    reduction = chosen(size_average, reduce, reduction)
    zeros = make(np.zeros((), input._a.dtype)[()], ())
    apart = TENSORS["where"](target.ne(1), (margin_tensor(input, margin) - input).clamp_min(0), zeros)
    near = TENSORS["where"](target.ne(-1), input, zeros)
    return reduced(apart + near, reduction)


def margin_tensor(like: Tensor, margin: float) -> Tensor:
    """A number as a tensor without history: torch subtracts from one here, so the node is SubBackward0."""
    return make(like._a.dtype.type(margin), ())


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """log(1 + exp(-target * x))."""
    reduction = chosen(size_average, reduce, reduction)
    constant("soft_margin_loss", "target", target)
    return TENSORS["soft_margin_loss"](*pair(input, target), reduction)  # type: ignore[no-any-return]


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """Hinge loss for several classes per sample."""
    reduction = chosen(size_average, reduce, reduction)
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
    reduction = chosen(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    dim = len(input._s) - 1
    return reduced(loss.sum(dim) / input._s[dim], reduction)


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
    reduction = chosen(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueFault("only p == 1 and p == 2 supported")
    if weight is not None and len(weight._s) != 1:
        raise ValueFault("weight must be one-dimensional")
    constant("multi_margin_loss", "weight", weight)
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
    reduction = chosen(size_average, reduce, reduction)
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
    return reduced(alike + apart, reduction)


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
    reduction = chosen(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueFault(f"margin must be greater than 0, got {margin}")
    _same_dims(anchor, positive, negative)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = TENSORS["minimum"](far, pairwise_distance(positive, negative, p, eps))
    return reduced((TENSORS["add_scalar"](near, margin) - far).clamp_min(0), reduction)


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
    return reduced((near + margin - far).clamp_min(0), reduction)
