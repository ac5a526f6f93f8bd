"""Views by index, range and length of one dimension, and the zeros around them that backward fills."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import IndexFault, RuntimeFault
from engine.ops import kernels
from engine.ops.axes import axis_of
from engine.ops.op import TENSORS, Failing, Sample, composite, op

Array = Any
Tensor = Any

MATRIX = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
VECTOR = [10.0, 20.0, 30.0, 40.0]


def at(dim: int, what: Any) -> tuple[Any, ...]:
    """An index that applies `what` to dimension dim."""
    return (slice(None),) * dim + (what,)


def along(index: Array, dim: int, shape: kernels.Shape) -> tuple[Any, ...]:
    """The index that takes, along dim, the elements an index tensor names and everything else at its own place."""
    grid = [np.arange(n).reshape([-1 if k == d else 1 for k in range(index.ndim)]) for d, n in enumerate(index.shape)]
    if grid:  # of a 0-dim tensor there is one element, at ()
        grid[dim] = index
    return tuple(grid)


# ---- basic indices: views ---------------------------------------------------------------------------------------


@op("select(input, dim, index)", vjps={"input": "select_backward(g, input_shape, dim, index)"}, node="SelectBackward0",
    view=True, latex=r"{input}_{{index}}",
    samples=[Sample((MATRIX,), {"dim": 0, "index": 1}), Sample((MATRIX,), {"dim": -1, "index": -1})],
    fails=[Failing(([1.0, 2.0],), {"dim": 0, "index": 2}, IndexError,
                   "select(): index 2 out of range for tensor of size [2] at dimension 0")])  # fmt: skip
def select(input: Array, dim: int, index: int) -> Array:
    """One index of a dimension, which disappears."""
    if not input.ndim:
        raise IndexFault("select() cannot be applied to a 0-dim tensor.")
    d = axis_of(dim, input.ndim)
    n = input.shape[d]
    if not -n <= index < n:
        raise IndexFault(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {d}",
            hint=f"valid indices are {-n} to {n - 1}" if n else "the dimension is empty",
        )
    return input[(*at(d, index), ...)]


@op("select_backward(g_, input_sizes, dim, index)", vjps={"g_": "select(g, dim, index)"}, node="SelectBackwardBackward0",
    latex="", method=False)  # fmt: skip
def _select_backward(g_: Array, input_sizes: Any, dim: int, index: int) -> Array:
    """Zeros but for one index."""
    r = np.zeros(input_sizes, g_.dtype)
    r[at(axis_of(dim, r.ndim), index)] = g_
    return r


@op("slice(input, dim=0, start=None, end=None, step=1)", node="SliceBackward0", view=True, latex=r"{input}_{a:b}",
    vjps={"input": "slice_backward(g, input_shape, dim, start, end, step)"}, method=False, public="narrow",
    samples=[Sample((VECTOR,), {"dim": 0, "start": 1, "end": 3}), Sample((VECTOR,), {"dim": 0, "step": 2})])  # fmt: skip
def _slice(input: Array, dim: int, start: Any, end: Any, step: int) -> Array:
    """A range of a dimension."""
    return input[at(axis_of(dim, input.ndim), slice(start, end, step))]


@op("slice_backward(g_, input_sizes, dim, start, end, step)", vjps={"g_": "slice(g, dim, start, end, step)"},
    node="SliceBackwardBackward0", latex="", method=False)  # fmt: skip
def _slice_backward(g_: Array, input_sizes: Any, dim: int, start: Any, end: Any, step: int) -> Array:
    """Zeros but for a range."""
    r = np.zeros(input_sizes, g_.dtype)
    r[at(axis_of(dim, r.ndim), slice(start, end, step))] = g_
    return r


@op("put_at(g_, input_sizes, where)", vjps={"g_": "take_at(g, where)"}, node="SliceBackwardBackward0", latex="", method=False)
def _put_at(g_: Array, input_sizes: Any, where: Any) -> Array:
    """Zeros but for one basic index."""
    r = np.zeros(input_sizes, g_.dtype)
    r[where] = g_
    return r


@op("take_at(input, where)", vjps={"input": "put_at(g, input_shape, where)"}, node="SliceBackward0", latex="", method=False)
def _take_at(input: Array, where: Any) -> Array:
    """A copy of one basic index."""
    return input[(*where, ...)].copy()


@composite(samples=[Sample((MATRIX,), {"dim": 1, "start": 0, "length": 2})])
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` entries of a dimension from `start`."""
    if not input._s:
        raise RuntimeFault("narrow() cannot be applied to a 0-dim tensor.")
    d = axis_of(dim, len(input._s))
    n = input._s[d]
    start = int(start)
    if length < 0:
        raise RuntimeFault("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexFault(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeFault(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return TENSORS["slice"](input, d, start, start + length)
