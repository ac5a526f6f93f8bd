"""New storage for the same values: clone, contiguous, another dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Sample, composite, op
from engine.ops.shape import MATRIX, TURNED

Array = Any
Tensor = Any


@op("clone_(input)", vjps={"input": "g"}, node="CloneBackward0", latex="{input}", lazy=True, method=False, public="clone",
    samples=[Sample((MATRIX,)), Sample((1.0,)), Sample((TURNED,))])  # fmt: skip
def _clone(input: Array) -> Array:
    """A copy with its own storage, part of the graph."""
    return input.copy(order="K")


@composite()
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with its own storage, part of the graph."""
    return TENSORS["clone_"](input)


@op("contiguous_(input)", vjps={"input": "g"}, node="CloneBackward0", latex="{input}", lazy=True, method=False,
    public="contiguous", samples=[Sample((TURNED,))])  # fmt: skip
def _contiguous(input: Array) -> Array:
    """A copy in row-major order."""
    return np.ascontiguousarray(input) if not input.flags.c_contiguous else input.copy()


TENSORS["clone_rows"] = lambda x: TENSORS["contiguous_"](x)


@composite()
def contiguous(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """The tensor itself if its memory is in row-major order, else such a copy."""
    a = input._a
    return input if type(a) is not ndarray or a.flags.c_contiguous else TENSORS["contiguous_"](input)


@op("to_dtype(input, dtype, source=None)", vjps={"input": "cast_back(g, source)"}, node="ToCopyBackward0", latex="{input}", lazy=True,
    method=False, public="to", samples=())  # fmt: skip
def _to_dtype(input: Array, dtype: Any, source: Any) -> Array:
    """A copy with another element type."""
    if input.dtype.kind not in "bui" and dtype.np.kind in "ui":
        return np.trunc(input).astype(np.int64).astype(dtype.np)
    return input.astype(dtype.np)


def _cast_back(g: Array, source: Any) -> Array:
    return g.astype(source.np)


_convert = TENSORS["to_dtype"]


def to_dtype(input: Tensor, dtype: Any) -> Tensor:
    """A copy with another element type: part of the graph as long as that is a floating point type."""
    if dtype.is_floating_point or input._n is None:
        return _convert(input, dtype, dtypes.of(input._a))
    before = NAMESPACE["grad_on"]
    NAMESPACE["grad_on"] = False
    try:
        return _convert(input, dtype, dtypes.of(input._a))
    finally:
        NAMESPACE["grad_on"] = before


TENSORS["to_dtype"] = to_dtype


ARRAYS["cast_back"] = _cast_back
TENSORS["cast_back"] = to_dtype
