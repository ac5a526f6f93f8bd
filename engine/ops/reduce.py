"""Reductions: sums, means, products, extremes and the like."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine.errors import IndexFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, op

Array = Any
Dims = Any  # None, an int or a sequence of ints


def axes_of(dim: Dims, ndim: int) -> tuple[int, ...] | None:
    """dim as a sorted tuple of axes >= 0; None means all."""
    if dim is None:
        return None
    if isinstance(dim, int):
        return (axis_of(dim, ndim),)
    axes = tuple(sorted(axis_of(d, ndim) for d in dim))
    return axes or None


def axis_of(dim: int, ndim: int) -> int:
    """dim as an axis >= 0; a 0-dim tensor counts as having one."""
    n = max(ndim, 1)
    if not -n <= dim < n:
        raise IndexFault(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})",
            hint=f"the tensor has {ndim} dimension{'s' if ndim != 1 else ''}; count from 0 or, from the end, from -1",
        )
    return dim + n if dim < 0 else dim


def kept_shape(shape: kernels.Shape, dim: Dims) -> kernels.Shape:
    """The shape after a reduction with keepdim."""
    axes = axes_of(dim, len(shape))
    return tuple(1 if axes is None or i in axes else d for i, d in enumerate(shape))


def spread(g: Array, shape: kernels.Shape, dim: Dims, keepdim: bool) -> Array:
    """Give g back the axes a reduction removed, still to be broadcast to `shape`."""
    if type(g) is not ndarray or keepdim or not shape or not g.ndim:
        return g
    axes = axes_of(dim, len(shape))
    if axes is None:
        return g.reshape((1,) * len(shape))
    rest = iter(g.shape)
    return g.reshape([1 if i in axes else next(rest) for i in range(len(shape))])


def spread_tensor(g: Any, shape: kernels.Shape, dim: Dims, keepdim: bool) -> Any:
    """`spread` over Tensors: a real expansion, which has a derivative of its own."""
    if not shape:
        return g
    return TENSORS["expand"](TENSORS["reshape"](g, kept_shape(shape, dim)), shape)


def count(shape: kernels.Shape, dim: Dims) -> int:
    """How many elements go into one result."""
    axes = axes_of(dim, len(shape))
    return kernels.numel(shape) if axes is None else kernels.numel([shape[a] for a in axes if shape])  # type: ignore[arg-type]


ARRAYS.update(spread=spread, count=count)
TENSORS.update(spread=spread_tensor, count=count)


def sum_array(a: Array, dim: Dims, keepdim: bool) -> Array:
    """Sum over dim, through BLAS where that helps."""
    if dim is None and not keepdim:
        return kernels.total(a)
    axes = axes_of(dim, a.ndim)
    if a.ndim == 0:
        return a
    kept = kernels.sum_axes(a, axes if axes is not None else tuple(range(a.ndim)))
    if keepdim:
        return kept
    return kept.reshape([d for i, d in enumerate(kept.shape) if axes is not None and i not in axes])


@op("sum(input, dim=None, keepdim=False)", vjps={"input": "spread(g, input_shape, dim, keepdim)"}, lazy=True,
    node=lambda p: "SumBackward0" if p["dim"] is None else "SumBackward1",
    latex=r"\sum_i x_i", latex_partials={"input": "1"}, inplace=False)  # fmt: skip
def _sum(input: Array, dim: Dims, keepdim: bool) -> Array:
    """Sum of all elements, or over `dim`."""
    if input.dtype.kind in "bui" and input.dtype != np.int64:
        input = input.astype(np.int64)
    return sum_array(input, dim, keepdim)


@op("mean(input, dim=None, keepdim=False)", lazy=True,
    vjps={"input": "spread(g, input_shape, dim, keepdim) / count(input_shape, dim)"},
    node=lambda p: "MeanBackward0" if p["dim"] is None else "MeanBackward1",
    latex=r"\frac{1}{n}\sum_i x_i", latex_partials={"input": r"\frac{1}{n}"}, inplace=False)  # fmt: skip
def _mean(input: Array, dim: Dims, keepdim: bool) -> Array:
    """Mean of all elements, or over `dim`."""
    n = count(input.shape, dim)
    total = sum_array(input, dim, keepdim)
    return total / input.dtype.type(n)
