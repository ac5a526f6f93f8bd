"""Dimensions that an operation works along or reduces: how they are named, checked and spread back. No operations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine.errors import IndexFault, RuntimeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, Failing, Sample

Array = Any
Dims = Any  # None, an int or a sequence of ints

MATRIX = ([1.0, -2.0, 3.0], [4.0, 0.5, -6.0])
CUBE = (([1.0, 2.0], [3.0, 4.0]), ([5.0, 6.0], [7.0, 8.0]))
BY_DIM = (
    Sample((MATRIX,)), Sample((MATRIX,), {"dim": 0}), Sample((MATRIX,), {"dim": -1, "keepdim": True}),
    Sample((CUBE,), {"dim": 1}), Sample((2.5,)),
)  # fmt: skip
BY_DIMS = (*BY_DIM, Sample((CUBE,), {"dim": (0, 2)}), Sample((CUBE,), {"dim": (1, 2), "keepdim": True}))
ONE_DIM = (Sample((MATRIX,), {"dim": 0}), Sample((MATRIX,), {"dim": -1}), Sample((CUBE,), {"dim": 1}))
BAD_DIM = (Failing((MATRIX,), {"dim": 5}, IndexError,
                   "Dimension out of range (expected to be in range of [-2, 1], but got 5)"),)  # fmt: skip


def axes_of(dim: Dims, ndim: int) -> tuple[int, ...] | None:
    """dim as a sorted tuple of axes >= 0; None (and an empty tuple) means all."""
    if dim is None:
        return None
    if isinstance(dim, int):
        return (axis_of(dim, ndim),)
    axes = tuple(sorted(axis_of(d, ndim) for d in dim))
    for a, b in zip(axes, axes[1:], strict=False):
        if a == b:
            raise RuntimeFault(f"dim {a} appears multiple times in the list of dims")
    return axes or None


def axis_of(dim: int, ndim: int) -> int:
    """dim as an axis >= 0; a 0-dim tensor counts as having one."""
    n = ndim or 1
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
    return TENSORS["expand_to"](TENSORS["reshape"](g, kept_shape(shape, dim)), shape)


def unreduced(r: Array, shape: kernels.Shape, dim: Dims, keepdim: bool) -> Array:
    """A saved result with the axes it lost."""
    return np.asarray(r).reshape(kept_shape(shape, dim)) if shape else r


def count(shape: kernels.Shape, dim: Dims) -> int:
    """How many elements go into one result."""
    axes = axes_of(dim, len(shape))
    return kernels.numel(shape) if axes is None or not shape else kernels.numel(tuple(shape[a] for a in axes))


ARRAYS.update(spread=spread, count=count, unreduced=unreduced)
TENSORS.update(
    spread=spread_tensor,
    count=count,
    unreduced=lambda r, s, dim, keep: TENSORS["reshape"](r, kept_shape(s, dim)) if s else r,
)


def drop_axes(kept: Array, axes: tuple[int, ...] | None) -> Array:
    """A reduction's result without the axes that became 1."""
    return kept.reshape([d for i, d in enumerate(kept.shape) if axes is not None and i not in axes])
