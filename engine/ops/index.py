"""Indexing: select, slice, advanced indices, gather and scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import IndexFault
from engine.ops.op import ARRAYS, op
from engine.ops.reduce import axis_of

Array = Any


def at(dim: int, what: Any) -> tuple[Any, ...]:
    """An index that applies `what` to dimension dim."""
    return (slice(None),) * dim + (what,)


def put_select(g: Array, shape: tuple[int, ...], dim: int, index: int) -> Array:
    """Zeros of `shape` with g at one index of dim."""
    r = np.zeros(shape, g.dtype)
    r[at(axis_of(dim, len(shape)), index)] = g
    return r


@op("select(input, dim, index)", vjps={"input": "select_backward(g, input_shape, dim, index)"}, node="SelectBackward0",
    view=True, latex=r"x_{i}")  # fmt: skip
def _select(input: Array, dim: int, index: int) -> Array:
    """One index of a dimension, which disappears."""
    if not input.ndim:
        raise IndexFault("select() cannot be applied to a 0-dim tensor.")
    d = axis_of(dim, input.ndim)
    n = input.shape[d]
    if not -n <= index < n:
        raise IndexFault(
            f"index {index} is out of bounds for dimension {d} with size {n}",
            hint=f"valid indices are {-n} to {n - 1}" if n else "the dimension is empty",
        )
    r = input[at(d, index)]
    return r if type(r) is np.ndarray else input[(*at(d, index), ...)]


@op("select_backward(g_, input_sizes, dim, index)", vjps={"g_": "select(g, dim, index)"}, node="SelectBackward0",
    latex="", method=False)  # fmt: skip
def _select_backward(g_: Array, input_sizes: Any, dim: int, index: int) -> Array:
    """Gradient of select: zeros but for one index."""
    return put_select(g_, tuple(input_sizes), dim, index)


def put_slice(g: Array, shape: tuple[int, ...], dim: int, start: Any, end: Any, step: int) -> Array:
    """Zeros of `shape` with g in a slice of dim."""
    r = np.zeros(shape, g.dtype)
    r[at(axis_of(dim, len(shape)), slice(start, end, step))] = g
    return r


@op("slice(input, dim=0, start=None, end=None, step=1)", node="SliceBackward0", view=True, latex=r"x_{a:b}",
    vjps={"input": "slice_backward(g, input_shape, dim, start, end, step)"}, method=False)  # fmt: skip
def _slice(input: Array, dim: int, start: Any, end: Any, step: int) -> Array:
    """A range of a dimension."""
    return input[at(axis_of(dim, input.ndim), slice(start, end, step))]


@op("slice_backward(g_, input_sizes, dim, start, end, step)", vjps={"g_": "slice(g, dim, start, end, step)"},
    node="SliceBackward0", latex="", method=False)  # fmt: skip
def _slice_backward(g_: Array, input_sizes: Any, dim: int, start: Any, end: Any, step: int) -> Array:
    """Gradient of slice: zeros but for the range."""
    return put_slice(g_, tuple(input_sizes), dim, start, end, step)


assert ARRAYS is not None
