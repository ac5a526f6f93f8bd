"""Variance and standard deviation over dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.axes import BY_DIMS, MATRIX, axes_of, count
from engine.ops.op import ARRAYS, TENSORS, Sample, composite, op
from engine.ops.sums import mean

Array = Any
Tensor = Any
Dims = Any  # None, an int or a sequence of ints


def _centred(a: Array, dim: Dims) -> Array:
    axes = axes_of(dim, a.ndim)
    return a - np.mean(a, axes, keepdims=True, dtype=a.dtype) if a.ndim else a - a


ARRAYS["centred"] = _centred
TENSORS["centred"] = lambda a, dim: a - TENSORS["mean"](a, dim, True) if a._s else a - a


def _freedom(shape: kernels.Shape, dim: Dims, correction: Any) -> float:
    n = float(count(shape, dim)) - correction
    return n if n > 0 else 0.0


def _over(x: Any, n: float) -> Any:
    """x / n, where n may be 0 as in the variance of one element."""
    return x * (1.0 / n) if n else x * math.inf


def _deviation(g: Array, a: Array, dim: Dims, n: float) -> Array:
    return (g * _over(_centred(a, dim), n)).astype(a.dtype, copy=False)


ARRAYS.update(freedom=_freedom, deviation=_deviation)
TENSORS.update(freedom=_freedom, deviation=lambda g, a, dim, n: _over(g * TENSORS["centred"](a, dim), n))


def _only_floats(a: Array) -> None:
    if a.dtype.kind in "bui":
        raise RuntimeFault("std and var only support floating point and complex dtypes", hint="x.float()")


def _variance(a: Array, dim: Dims, correction: Any, keepdim: bool) -> Array:
    _only_floats(a)
    wide = a.astype(np.float64)
    c = _centred(wide, dim)
    total = np.add.reduce(c * c, axes_of(dim, a.ndim), None, None, keepdim) if a.ndim else np.asarray(c * c)
    n = _freedom(a.shape, dim, correction)
    with_nan = total / n if n else np.where(total == 0, np.nan, np.inf)
    return np.asarray(with_nan).astype(a.dtype)


@op("var_(input, dim=None, correction=1, keepdim=False)", public="var", method=False, node="VarBackward0",
    vjps={"input": "deviation(2.0 * spread(g, input_shape, dim, keepdim), input, dim, freedom(input_shape, dim, correction))"},
    latex=r"\frac{1}{n-{correction}}\sum_i ({input}_i - \bar x)^2",
    latex_partials={"input": r"\frac{2}{n-{correction}}({input}_i - \bar x)"}, samples=BY_DIMS)  # fmt: skip
def _var(input: Array, dim: Dims, correction: Any, keepdim: bool) -> Array:
    """Variance, with n - correction in the denominator."""
    return _variance(input, dim, correction, keepdim)


@op("std_(input, dim=None, correction=1, keepdim=False)", public="std", method=False, node="StdBackward0",
    vjps={"input": "deviation(spread(std_gradient(g, out), input_shape, dim, keepdim), input, dim, freedom(input_shape, dim, correction))"},
    latex=r"\sqrt{\frac{1}{n-{correction}}\sum_i ({input}_i - \bar x)^2}",
    latex_partials={"input": r"\frac{{input}_i - \bar x}{(n-{correction})\,y}"}, samples=BY_DIMS)  # fmt: skip
def _std(input: Array, dim: Dims, correction: Any, keepdim: bool) -> Array:
    """Standard deviation, with n - correction in the denominator."""
    return np.sqrt(_variance(input, dim, correction, keepdim))


ARRAYS["std_gradient"] = lambda g, out: np.where(out == 0, g * 0, g / out)
TENSORS["std_gradient"] = lambda g, out: TENSORS["where"](out == 0, 0.0, g / out)


def _correction(unbiased: Any, correction: Any) -> Any:
    if correction is not None:
        return correction
    return 1 if unbiased is None or unbiased else 0


def _spread_options(dim: Any, unbiased: Any) -> tuple[Any, Any]:
    return (None, dim) if isinstance(dim, bool) else (dim, unbiased)


@composite("var", samples=[*BY_DIMS, Sample((MATRIX,), {"unbiased": False})])
def var(input: Tensor, dim: Dims = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Tensor:
    """Variance."""
    dim, unbiased = _spread_options(dim, unbiased)
    return TENSORS["var_"](input, dim, _correction(unbiased, correction), keepdim)


@composite("std", samples=[*BY_DIMS, Sample((MATRIX,), {"unbiased": False})])
def std(input: Tensor, dim: Dims = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Tensor:
    """Standard deviation."""
    dim, unbiased = _spread_options(dim, unbiased)
    return TENSORS["std_"](input, dim, _correction(unbiased, correction), keepdim)


@composite("var_mean", method=False)
def var_mean(input: Tensor, dim: Dims = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> tuple[Tensor, Tensor]:
    """Variance and mean."""
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, None if isinstance(dim, bool) else dim, keepdim)


@composite("std_mean", method=False)
def std_mean(input: Tensor, dim: Dims = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean."""
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, None if isinstance(dim, bool) else dim, keepdim)
