"""Sums, means and products over dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.axes import BAD_DIM, BY_DIM, BY_DIMS, MATRIX, axes_of, axis_of, count, drop_axes, unreduced
from engine.ops.op import ARRAYS, TENSORS, Sample, composite, op

Array = Any
Tensor = Any
Dims = Any  # None, an int or a sequence of ints


def sum_array(a: Array, dim: Dims, keepdim: bool) -> Array:
    """Sum over dim, through BLAS where that helps; half precision adds up in float32, as torch's does."""
    if a.dtype is kernels.F32:
        n = a.size
        if dim is None and not keepdim:
            return a.ravel().dot(kernels.ones(n)) if n <= kernels.BLAS_LIMIT else np.add.reduce(a, None)
        if type(dim) is int and a.ndim == 2 and a.flags.c_contiguous and -3 < dim < 2 and 0 < n <= kernels.BLAS_LIMIT:
            rows, columns = a.shape
            if dim % 2:
                r = a.dot(kernels.ones(columns))
                return r.reshape(rows, 1) if keepdim else r
            r = kernels.ones(rows).dot(a)
            return r.reshape(1, columns) if keepdim else r
    if a.dtype.itemsize == 2 and a.dtype.kind not in "iu":
        return sum_array(a.astype(np.float32), dim, keepdim).astype(a.dtype)
    if dim is None and not keepdim:
        return kernels.total(a)
    axes = axes_of(dim, a.ndim)
    if a.ndim == 0:
        return a
    kept = kernels.sum_axes(a, axes if axes is not None else tuple(range(a.ndim)))
    return kept if keepdim else drop_axes(kept, axes)


def as_integers(a: Array) -> Array:
    """Integers and bools add up in int64."""
    return a.astype(np.int64) if a.dtype.kind in "bui" and a.dtype != np.int64 else a


def _flags(keepdim: Any, name: str, position: int = 2) -> None:
    if type(keepdim) is not bool:
        raise TypeFault(f"{name}(): argument 'keepdim' (position {position}) must be bool, not {type(keepdim).__name__}")


@op("sum_(input, dim=None, keepdim=False)", vjps={"input": "spread(g, input_shape, dim, keepdim)"}, lazy=True, public="sum",
    node=lambda p: "SumBackward0" if p["dim"] is None else "SumBackward1", method=False,
    latex=r"\sum_i {input}_i", latex_partials={"input": "1"}, samples=BY_DIMS, fails=BAD_DIM)  # fmt: skip
def _sum(input: Array, dim: Dims, keepdim: bool) -> Array:
    """Sum of all elements, or over dim."""
    if dim is None and input.dtype is kernels.F32 and not keepdim and input.size <= kernels.BLAS_LIMIT:
        return input.ravel().dot(kernels.ones(input.size))
    return sum_array(as_integers(input), dim, keepdim)


_sum_call = TENSORS["sum_"]


@composite("sum")
def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False, dtype: Any = None,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """Sum of all elements, or over dim."""
    if dim is None and axis is None and dtype is None:
        return _sum_call(input, out=out)
    if dtype is not None:
        input = TENSORS["to_dtype"](input, dtype) if dtypes.of(input._a) is not dtype else input
    _flags(keepdim, "sum")
    return _sum_call(input, dim if axis is None else axis, keepdim or keepdims, out=out)


@op("mean_(input, dim=None, keepdim=False)", lazy=True, public="mean", method=False,
    vjps={"input": "divided(spread(g, input_shape, dim, keepdim), count(input_shape, dim))"},
    node=lambda p: "MeanBackward0" if p["dim"] is None else "MeanBackward1", samples=BY_DIMS, fails=BAD_DIM,
    latex=r"\frac{1}{n}\sum_i {input}_i", latex_partials={"input": r"\frac{1}{n}"})  # fmt: skip
def _mean(input: Array, dim: Dims, keepdim: bool) -> Array:
    """Mean of all elements, or over dim."""
    if dim is None and not keepdim and input.dtype is kernels.F32:
        return sum_array(input, None, False) / np.float32(input.size)
    if input.dtype.kind in "bui":
        raise RuntimeFault(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{dtypes.SCALAR_NAMES[dtypes.of(input)]}",
            hint="x.float().mean()",
        )
    n = count(input.shape, dim)
    if input.dtype.itemsize == 2:
        return (sum_array(input.astype(np.float32), dim, keepdim) / np.float32(n)).astype(input.dtype)
    return sum_array(input, dim, keepdim) / input.dtype.type(n)


def _divided(g: Array, n: int) -> Array:
    return g / g.dtype.type(n)


ARRAYS["divided"] = _divided
TENSORS["divided"] = lambda g, n: g / n
_mean_call = TENSORS["mean_"]


@composite("mean")
def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False, dtype: Any = None,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """Mean of all elements, or over dim."""
    if dtype is not None and dtypes.of(input._a) is not dtype:
        input = TENSORS["to_dtype"](input, dtype)
    return _mean_call(input, dim if axis is None else axis, keepdim or keepdims, out=out)


@op("nansum_(input, dim=None, keepdim=False)", node="NansumBackward0", public="nansum", method=False,
    vjps={"input": "select_if(~isnan(input), spread(g, input_shape, dim, keepdim))"}, latex=r"\sum_i {input}_i",
    latex_partials={"input": r"\mathbb{1}[{input}_i = {input}_i]"}, samples=[Sample(([1.0, float("nan"), 2.0],)), Sample((MATRIX,), {"dim": 1})])  # fmt: skip
def _nansum(input: Array, dim: Dims, keepdim: bool) -> Array:
    """Sum that takes nan as 0."""
    if input.dtype.kind not in "bui":
        input = np.where(np.isnan(input), input.dtype.type(0), input)
    return sum_array(as_integers(input), dim, keepdim)


@composite("nansum", samples=[Sample(([1.0, float("nan"), 2.0],))])
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Sum that takes nan as 0."""
    return TENSORS["nansum_"](input if dtype is None else TENSORS["to_dtype"](input, dtype), dim, keepdim)


@composite("nanmean", samples=[Sample(([1.0, float("nan"), 2.0],))])
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Mean of the elements that are not nan."""
    n = sum(TENSORS["logical_not"](TENSORS["isnan"](input)), dim, keepdim)
    return nansum(input, dim, keepdim) / n


# ---- products ---------------------------------------------------------------------------------------------------


def product_others(k: Any, a: Any, dim: int | None) -> Any:
    """For each element, the product of all others along dim: exact also where elements are 0."""
    if dim is None:
        flat = k["reshape"](a, (-1,))
        return k["reshape"](product_others(k, flat, 0), tuple(a.shape))
    n = a.shape[dim]
    if n == 0:
        return a
    parts = [k["narrow_copy"](a, dim, i, 1) for i in range(n)]
    left = [None] * n
    right = [None] * n
    for i in range(1, n):
        left[i] = parts[i - 1] if left[i - 1] is None else left[i - 1] * parts[i - 1]
        j = n - 1 - i
        right[j] = parts[j + 1] if right[j + 1] is None else right[j + 1] * parts[j + 1]
    out = []
    for x, y, p in zip(left, right, parts, strict=True):
        out.append(y if x is None else x if y is None else x * y)
        if out[-1] is None:
            out[-1] = p * 0 + 1
    return k["join"](out, dim)


def _prod_slope(a: Array, out: Array, dim: Any, keepdim: bool) -> Array:
    d = None if dim is None else axis_of(dim, a.ndim)
    if not (a == 0).any():
        return unreduced(out, a.shape, dim, keepdim) / a
    return product_others(ARRAY_WORDS, a, d if a.ndim else None)


def _prod_slope_tensor(a: Tensor, out: Tensor, dim: Any, keepdim: bool) -> Tensor:
    return product_others(TENSORS, a, None if dim is None or not a._s else axis_of(dim, len(a._s)))


ARRAY_WORDS = {
    "reshape": lambda a, s: a.reshape(s),
    "narrow_copy": lambda a, d, i, n: a[(slice(None),) * d + (slice(i, i + n),)],
    "join": lambda parts, d: np.concatenate(parts, d),
}
TENSORS["narrow_copy"] = lambda a, d, i, n: TENSORS["narrow"](a, d, i, n)
TENSORS["join"] = lambda parts, d: TENSORS["cat"](parts, d)
ARRAYS["prod_slope"] = _prod_slope
TENSORS["prod_slope"] = _prod_slope_tensor


@op("prod_(input, dim=None, keepdim=False)", public="prod", method=False,
    vjps={"input": "spread(g, input_shape, dim, keepdim) * prod_slope(input, out, dim, keepdim)"},
    node=lambda p: "ProdBackward0" if p["dim"] is None else "ProdBackward1", latex=r"\prod_i {input}_i",
    latex_partials={"input": r"\prod_{j \ne i} {input}_j"}, samples=(*BY_DIM, Sample(([0.0, 2.0, 0.0],)), Sample(([0.0, 2.0, 3.0],))))  # fmt: skip
def _prod(input: Array, dim: Any, keepdim: bool) -> Array:
    """Product of all elements, or over dim."""
    a = as_integers(input)
    if a.ndim == 0:
        return a[()] * a.dtype.type(1)
    if a.dtype.itemsize == 2 and a.dtype.kind not in "iu":
        return np.multiply.reduce(a.astype(np.float32), axes_of(dim, a.ndim), None, None, keepdim).astype(a.dtype)
    return np.multiply.reduce(a, axes_of(dim, a.ndim), None, None, keepdim)


@composite("prod")
def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Product of all elements, or over dim."""
    if dtype is not None and dtypes.of(input._a) is not dtype:
        input = TENSORS["to_dtype"](input, dtype)
    return TENSORS["prod_"](input, dim, keepdim)
