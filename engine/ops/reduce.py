"""Reductions and scans: sums, means, products, extremes, norms, orderings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import IndexFault, NotImplementedFault, RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.op import (
    ARRAYS,
    NAMESPACE,
    TENSORS,
    Failing,
    Sample,
    composite,
    op,
    return_type,
)  # fmt: skip

Array = Any
Tensor = Any
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


def _integers(a: Array) -> Array:
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
    return sum_array(_integers(input), dim, keepdim)


_sum_call = TENSORS["sum_"]


@composite("sum")
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, dtype: Any = None, out: Any = None) -> Tensor:
    """Sum of all elements, or over dim."""
    if dim is None and axis is None and dtype is None:
        return _sum_call(input, out=out)
    if dtype is not None:
        input = TENSORS["to_dtype"](input, dtype) if dtypes.of(input._a) is not dtype else input
    _flags(keepdim, "sum")
    return _sum_call(input, dim if axis is None else axis, keepdim, out=out)


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
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, dtype: Any = None, out: Any = None) -> Tensor:
    """Mean of all elements, or over dim."""
    if dtype is not None and dtypes.of(input._a) is not dtype:
        input = TENSORS["to_dtype"](input, dtype)
    return _mean_call(input, dim if axis is None else axis, keepdim, out=out)


@op("nansum_(input, dim=None, keepdim=False)", node="NansumBackward0", public="nansum", method=False,
    vjps={"input": "select_if(~isnan(input), spread(g, input_shape, dim, keepdim))"}, latex=r"\sum_i {input}_i",
    latex_partials={"input": r"\mathbb{1}[{input}_i = {input}_i]"}, samples=[Sample(([1.0, float("nan"), 2.0],)), Sample((MATRIX,), {"dim": 1})])  # fmt: skip
def _nansum(input: Array, dim: Dims, keepdim: bool) -> Array:
    """Sum that takes nan as 0."""
    if input.dtype.kind not in "bui":
        input = np.where(np.isnan(input), input.dtype.type(0), input)
    return sum_array(_integers(input), dim, keepdim)


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
    return product_others(_ARRAY_WORDS, a, d if a.ndim else None)


def _prod_slope_tensor(a: Tensor, out: Tensor, dim: Any, keepdim: bool) -> Tensor:
    return product_others(TENSORS, a, None if dim is None or not a._s else axis_of(dim, len(a._s)))


_ARRAY_WORDS = {
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
    a = _integers(input)
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


# ---- variance ------------------------------------------------------------------------------------------------------


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


ARRAYS.update(freedom=_freedom, over=_over)
TENSORS.update(freedom=_freedom, over=_over)


def _only_floats(a: Array) -> None:
    if a.dtype.kind in "bui":
        raise RuntimeFault("std and var only support floating point and complex dtypes", hint="x.float()")


def _variance(a: Array, dim: Dims, correction: Any, keepdim: bool) -> Array:
    _only_floats(a)
    wide = a.astype(np.float64)
    c = _centred(wide, dim)
    total = np.add.reduce(c * c, axes_of(dim, a.ndim), None, None, keepdim) if a.ndim else np.asarray(c * c)
    n = _freedom(a.shape, dim, correction)
    with_nan = total / n if n else np.where(total == 0, np.nan, np.inf) if True else total
    return np.asarray(with_nan).astype(a.dtype)


@op("var_(input, dim=None, correction=1, keepdim=False)", public="var", method=False, node="VarBackward0",
    vjps={"input": "over(2.0 * spread(g, input_shape, dim, keepdim) * centred(input, dim), freedom(input_shape, dim, correction))"},
    latex=r"\frac{1}{n-{correction}}\sum_i ({input}_i - \bar x)^2",
    latex_partials={"input": r"\frac{2}{n-{correction}}({input}_i - \bar x)"}, samples=BY_DIMS)  # fmt: skip
def _var(input: Array, dim: Dims, correction: Any, keepdim: bool) -> Array:
    """Variance, with n - correction in the denominator."""
    return _variance(input, dim, correction, keepdim)


@op("std_(input, dim=None, correction=1, keepdim=False)", public="std", method=False, node="StdBackward0",
    vjps={"input": "over(spread(std_gradient(g, out), input_shape, dim, keepdim) * centred(input, dim), freedom(input_shape, dim, correction))"},
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


# ---- extremes -----------------------------------------------------------------------------------------------------


def _share_ties(g: Any, a: Any, out: Any, dim: Dims, keepdim: bool) -> Any:
    """amax and full max: equal extremes share the gradient evenly."""
    mask = a == unreduced(out, np.shape(a), dim, keepdim)
    n = np.add.reduce(mask, axes_of(dim, np.ndim(a)), None, None, True) if np.ndim(a) else 1
    return spread(g, np.shape(a), dim, keepdim) * mask / np.asarray(n, a.dtype)


def _share_ties_tensor(g: Tensor, a: Tensor, out: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    mask = a == TENSORS["unreduced"](out, a._s, dim, keepdim)
    n = TENSORS["sum"](mask, dim, True) if a._s else 1
    return TENSORS["spread"](g, a._s, dim, keepdim) * mask / n


def _share_all(g: Any, a: Any, out: Any) -> Any:
    """max() of everything: as share_ties, where nan is equal to nan."""
    mask = (a == out) | (np.isnan(a) & np.isnan(out)) if a.dtype.kind == "f" else a == out
    return g * mask / np.asarray(np.count_nonzero(mask), a.dtype)


def _share_all_tensor(g: Tensor, a: Tensor, out: Tensor) -> Tensor:
    mask = TENSORS["logical_or"](a == out, TENSORS["logical_and"](TENSORS["isnan"](a), TENSORS["isnan"](out)))
    return g * mask / TENSORS["sum"](mask)


ARRAYS["share_all"] = _share_all
TENSORS["share_all"] = _share_all_tensor
ARRAYS["share_ties"] = _share_ties
TENSORS["share_ties"] = _share_ties_tensor


def _extreme(a: Array, dim: Dims, keepdim: bool, f: Any, name: str) -> Array:
    axes = axes_of(dim, a.ndim)
    if a.ndim == 0:
        return a[()]
    if a.size == 0:
        if axes is None:
            what = "IndexFault" if name in ("amax", "amin") else ""
            raise (IndexFault if what else RuntimeFault)(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
                "'dim' argument."
            )
        for d in axes:
            if a.shape[d] == 0:
                raise IndexFault(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    return f(a, axes, None, None, keepdim)


for _name, _f, _tex in (("amax", np.maximum.reduce, r"\max"), ("amin", np.minimum.reduce, r"\min")):
    op(f"{_name}_(input, dim=None, keepdim=False)", vjps={"input": "share_ties(g, input, out, dim, keepdim)"}, public=_name,
       node=f"{_name.capitalize()}Backward0", latex=rf"{_tex}_i {{input}}_i", method=False,
       latex_partials={"input": r"\mathbb{1}[{input}_i = y] / n_y"},
       doc=f"The {'largest' if _name == 'amax' else 'smallest'} element over dims; ties share the gradient.",
       samples=(*BY_DIMS, Sample(([1.0, 3.0, 3.0],))),
       )(lambda input, dim, keepdim, f=_f, name=_name: _extreme(input, dim, keepdim, f, name))  # fmt: skip


@composite("amax")
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The largest element over dims."""
    return TENSORS["amax_"](input, None if dim == () else dim, keepdim, out=out)


@composite("amin")
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The smallest element over dims."""
    return TENSORS["amin_"](input, None if dim == () else dim, keepdim, out=out)


for _name, _f in (("max", np.maximum.reduce), ("min", np.minimum.reduce)):
    op(f"{_name}_all(input)", vjps={"input": "share_all(g, input, out)"}, public=_name,
       node=f"{_name.capitalize()}Backward1", latex=rf"\{_name}_i {{input}}_i", method=False,
       latex_partials={"input": r"\mathbb{1}[{input}_i = y] / n_y"},
       doc=f"The {'largest' if _name == 'max' else 'smallest'} of all elements.",
       samples=(Sample((MATRIX,)), Sample((1.0,)), Sample(([2.0, 2.0],)), Sample(([1.0, float('nan')],))),
       )(lambda input, f=_f, name=_name: _extreme(input, None, False, f, name))  # fmt: skip


def _arg(a: Array, dim: int, largest: bool) -> Array:
    """The index of the extreme along dim; nan counts as extreme, the first of equals wins."""
    if a.dtype == bool:
        a = a.astype(np.int8)
    f = np.argmax if largest else np.argmin
    return np.asarray(f(a, dim)).astype(np.int64)


def _take(a: Array, indices: Array, d: int) -> Array:
    return np.take_along_axis(a, np.expand_dims(indices, d), d)


def put_along(g: Any, shape: kernels.Shape, dim: int, indices: Array, keepdim: bool) -> Any:
    """Zeros of `shape` with g at the indices that a reduction over dim chose."""
    if not shape:
        return g
    d = axis_of(dim, len(shape))
    r = np.zeros(shape, g.dtype)
    if not keepdim:
        g, indices = np.expand_dims(np.asarray(g), d), np.expand_dims(indices, d)
    np.put_along_axis(r, indices, g, d)
    return r


def _put_along_tensor(g: Tensor, shape: kernels.Shape, dim: int, indices: Tensor, keepdim: bool) -> Tensor:
    if not shape:
        return g
    d = axis_of(dim, len(shape))
    if not keepdim:
        g, indices = TENSORS["unsqueeze"](g, d), TENSORS["unsqueeze"](indices, d)
    return TENSORS["scatter_add_zeros"](g, shape, d, indices)


ARRAYS["put_along"] = put_along
TENSORS["put_along"] = _put_along_tensor


def _along_dim(a: Array, dim: int, keepdim: bool, choose: Any, name: str) -> tuple[Array, Array]:
    """Values and indices of a choice along dim."""
    d = axis_of(dim, a.ndim)
    if a.ndim == 0:
        return a[()], np.asarray(0, np.int64)
    if a.shape[d] == 0:
        raise IndexFault(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    indices = choose(a, d)
    values = _take(a, indices, d)
    return (values, np.expand_dims(indices, d)) if keepdim else (np.squeeze(values, d), indices)


def _median_index(a: Array, d: int) -> Array:
    """The index of the lower median; nan counts as the median."""
    order = np.argsort(a, d, kind="stable")
    k = (a.shape[d] - 1) // 2
    indices = np.take(order, k, d)
    if a.dtype.kind == "f" and np.isnan(a).any():
        bad = np.isnan(a)
        indices = np.where(bad.any(d), np.argmax(bad, d), indices)
    return indices.astype(np.int64)


def _mode_index(a: Array, d: int) -> Array:
    """The last index of the most frequent element, the smallest such element."""
    moved = np.moveaxis(a, d, -1)
    out = np.empty(moved.shape[:-1], np.int64)
    for place in np.ndindex(out.shape):
        row = moved[place]
        values, counts = np.unique(row, return_counts=True)
        out[place] = np.flatnonzero(row == values[np.argmax(counts)])[-1]
    return out


_CHOICES = {
    "max": (lambda a, d: _arg(a, d, True), "MaxBackward0"),
    "min": (lambda a, d: _arg(a, d, False), "MinBackward0"),
    "median": (_median_index, "MedianBackward1"),
    "mode": (_mode_index, "ModeBackward0"),
}
for _name, (_choose, _node) in _CHOICES.items():
    op(f"{_name}_dim(input, dim, keepdim=False)", vjps={"input": "put_along(g, input_shape, dim, indices, keepdim)"},
       public=_name, node=_node, latex=rf"\operatorname{{{_name}}}_{{dim}} {{input}}", method=False, aux=("indices",), result=_name,
       doc=f"The {_name} along dim, and where it is.", samples=ONE_DIM, fails=BAD_DIM,
       )(lambda input, dim, keepdim, choose=_choose, name=_name: _along_dim(input, dim, keepdim, choose, name))  # fmt: skip


def _extreme_composite(name: str) -> Any:
    pair = "maximum" if name == "max" else "minimum"

    def f(input: Tensor, *args: Any, dim: Any = None, keepdim: bool = False, other: Any = None, axis: Any = None, out: Any = None) -> Any:
        if args:
            if isinstance(args[0], NAMESPACE["Tensor"]):
                other = args[0]
            else:
                dim = args[0]
                keepdim = args[1] if len(args) > 1 else keepdim
        if other is not None:
            return TENSORS[pair](input, other, out=out)
        dim = axis if dim is None else dim
        if dim is None:
            return TENSORS[name + "_all"](input, out=out)
        return TENSORS[name + "_dim"](input, dim, keepdim, out=out)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"The {name} of all elements, along dim (with indices), or of two tensors."
    return composite(name)(f)


max = _extreme_composite("max")
min = _extreme_composite("min")


@op("median_all(input)", vjps={"input": "share_all(g, input, out)"}, public="median", node="MedianBackward0",
    latex=r"\operatorname{median} {input}", method=False, aux=("indices",), samples=(Sample((MATRIX,)), Sample(([3.0, 1.0, 2.0],))))  # fmt: skip
def _median_all(input: Array) -> tuple[Array, Array]:
    """The lower median of all elements."""
    flat = input.reshape(-1)
    if not flat.size:
        return input.dtype.type(np.nan), np.asarray(0)
    i = _median_index(flat, 0)
    return flat[i], np.asarray(i)


def _put_flat(g: Array, shape: kernels.Shape, index: Array) -> Array:
    r = np.zeros(kernels.numel(shape), g.dtype)
    r[index] = g.reshape(()) if type(g) is ndarray else g
    return r.reshape(shape)


ARRAYS["put_flat"] = _put_flat
TENSORS["put_flat"] = lambda g, s, i: TENSORS["reshape"](
    TENSORS["put_at"](g, (kernels.numel(s),), (int(i._a),)), s
)


@composite("median")
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements, or along dim with indices."""
    return TENSORS["median_all"](input) if dim is None else TENSORS["median_dim"](input, dim, keepdim)


@composite("mode")
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along dim."""
    return TENSORS["mode_dim"](input, dim, keepdim)


@composite("aminmax")
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Smallest and largest element."""
    return return_type("aminmax", ("min", "max"))(
        TENSORS["amin_"](input, dim, keepdim), TENSORS["amax_"](input, dim, keepdim)
    )


def _arg_composite(name: str) -> Any:
    largest = name == "argmax"

    def f(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
        a = np.asarray(input._a).reshape(input._s)
        if a.size == 0 and dim is None:
            raise IndexFault(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        if a.dtype == bool:
            raise NotImplementedFault(f"\"{name}_cpu\" not implemented for 'Bool'")
        if dim is None:
            r = np.asarray(_arg(a.reshape(-1), 0, largest))
            r = r.reshape((1,) * a.ndim) if keepdim else r
        else:
            d = axis_of(dim, a.ndim)
            if a.ndim and a.shape[d] == 0:
                raise IndexFault(f"{name}(): Expected reduction dim {d} to have non-zero size.")
            r = _arg(a, d, largest) if a.ndim else np.asarray(0)
            r = np.expand_dims(r, d) if keepdim and a.ndim else r
        return TENSORS["wrap_array"](np.asarray(r, np.int64))

    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"Where the {'largest' if largest else 'smallest'} element is."
    return composite(name, samples=[*BY_DIM, Sample(([1.0, 3.0, 3.0],)), Sample(([1, 3, 2],))])(f)


argmax = _arg_composite("argmax")
argmin = _arg_composite("argmin")


# ---- norms and exponentials ------------------------------------------------------------------------------------------


def _norm(a: Array, p: float, dim: Dims, keepdim: bool) -> Array:
    axes = axes_of(dim, a.ndim)
    m = np.abs(a)
    if p == math.inf:
        return np.maximum.reduce(m, axes, None, None, keepdim) if a.ndim else m
    if p == -math.inf:
        return np.minimum.reduce(m, axes, None, None, keepdim) if a.ndim else m
    if a.ndim == 0:
        return m if p else (m != 0).astype(a.dtype)
    if p == 0:
        return np.add.reduce((m != 0).astype(a.dtype), axes, None, None, keepdim)
    if p == 1:
        return sum_array(m, dim, keepdim)
    if p == 2:
        return np.sqrt(sum_array(a * a, dim, keepdim))
    return np.power(np.add.reduce(np.power(m, a.dtype.type(p)), axes, None, None, keepdim), a.dtype.type(1 / p))


def _norm_gradient(k: Any, g: Any, a: Any, out: Any, p: float, dim: Dims, keepdim: bool) -> Any:
    shape = tuple(a.shape)
    g = k["spread"](g, shape, dim, keepdim)
    y = k["unreduced"](out, shape, dim, keepdim)
    if p == 0:
        return k["zero"](a)
    if p == 1:
        return g * k["sgn"](a)
    if p == 2:
        return k["where"](y == 0, 0.0, a * (g / y))
    if abs(p) == math.inf:
        mask = k["abs"](a) == y
        n = k["sum_kept"](mask, dim)
        return k["sgn"](a) * mask * g / n
    if p < 2:
        scale = k["where"](a == 0, 0.0, k["power"](k["abs"](a), p - 1) * k["sgn"](a))
    else:
        scale = a * k["power"](k["abs"](a), p - 2)
    return k["where"](y == 0, 0.0, scale * (g / k["power"](y, p - 1)))


ARRAYS["sum_kept"] = lambda m, dim: np.add.reduce(m, axes_of(dim, m.ndim), None, None, True) if np.ndim(m) else 1
TENSORS["sum_kept"] = lambda m, dim: TENSORS["sum"](m, dim, True) if m._s else 1
ARRAYS["norm_gradient"] = lambda *a: _norm_gradient(ARRAYS, *a)
TENSORS["norm_gradient"] = lambda *a: _norm_gradient(TENSORS, *a)


@op("vector_norm_(input, ord, dim=None, keepdim=False)", vjps={"input": "norm_gradient(g, input, out, ord, dim, keepdim)"},
    node="LinalgVectorNormBackward0", latex=r"\lVert {input} \rVert_{ord}", method=False, public="linalg.vector_norm",
    samples=[Sample((MATRIX,), {"ord": o}) for o in (0, 1, 2, 3, 2.5, 0.5, math.inf, -math.inf)]
    + [Sample((MATRIX,), {"ord": 2, "dim": 1, "keepdim": True}), Sample(([0.0, 0.0],), {"ord": 2})])  # fmt: skip
def _vector_norm(input: Array, ord: float, dim: Dims, keepdim: bool) -> Array:
    """The p-norm of all elements, or over dim."""
    if input.dtype.kind in "bui":
        raise RuntimeFault(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{dtypes.SCALAR_NAMES[dtypes.of(input)]}",
            hint="x.float().norm()",
        )
    return _norm(input, float(ord), dim, keepdim)


@composite("norm", samples=[Sample((MATRIX,)), Sample((MATRIX,), {"p": 1}), Sample((MATRIX,), {"p": 2, "dim": 1}),
                            Sample((MATRIX,), {"p": "fro"}), Sample(([3.0, 4.0],), {"p": float("inf")})])  # fmt: skip
def norm(input: Tensor, p: Any = "fro", dim: Dims = None, keepdim: bool = False, out: Any = None, dtype: Any = None) -> Tensor:
    """The p-norm; "fro" is the 2-norm of all elements."""
    if dtype is not None:
        input = TENSORS["to_dtype"](input, dtype)
    if p == "nuc":
        from engine.errors import unsupported

        raise unsupported("the nuclear norm", "torch.linalg.svdvals")
    return TENSORS["vector_norm_"](input, 2.0 if p in ("fro", None) else float(p), dim, keepdim, out=out)


@op("logsumexp_(input, dim, keepdim=False)", public="logsumexp", method=False, node="LogsumexpBackward0",
    vjps={"input": "spread(g, input_shape, dim, keepdim) * exp(input - unreduced(out, input_shape, dim, keepdim))"},
    latex=r"\ln \sum_i e^{{input}_i}", latex_partials={"input": r"\operatorname{softmax}({input})_i"},
    samples=[*ONE_DIM, Sample(([1000.0, 1000.0],), {"dim": 0}), Sample((MATRIX,), {"dim": 1, "keepdim": True})])  # fmt: skip
def _logsumexp(input: Array, dim: Dims, keepdim: bool) -> Array:
    """Logarithm of the sum of exponentials over dim, safe from overflow."""
    axes = axes_of(dim, input.ndim)
    if input.ndim == 0:
        return input[()]
    m = np.maximum.reduce(input, axes, None, None, True, initial=-np.inf)
    m = np.where(np.isfinite(m), m, input.dtype.type(0))
    r = np.log(np.add.reduce(np.exp(input - m), axes, None, None, True)) + m
    return r if keepdim else drop_axes(r, axes)


@composite("logsumexp")
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Logarithm of the sum of exponentials over dim."""
    if not input.dtype.is_floating_point:
        input = TENSORS["to_dtype"](input, dtypes.get_default_dtype())
    return TENSORS["logsumexp_"](input, dim, keepdim, out=out)


# ---- scans --------------------------------------------------------------------------------------------------------------


@op("cumsum_(input, dim)", vjps={"input": "reverse_cumsum(g, dim)"}, node="CumsumBackward0", public="cumsum", method=False,
    latex=r"\sum_{j \le i} {input}_j", latex_partials={"input": r"\mathbb{1}[i \le k]"}, samples=(*ONE_DIM, Sample((1.0,), {"dim": 0})))  # fmt: skip
def _cumsum(input: Array, dim: int) -> Array:
    """Running sums along dim."""
    a = _integers(input)
    return np.cumsum(a, axis_of(dim, a.ndim)) if a.ndim else a[()]


ARRAYS["reverse_cumsum"] = lambda g, dim: (
    np.flip(np.cumsum(np.flip(g, axis_of(dim, g.ndim)), axis_of(dim, g.ndim)), axis_of(dim, g.ndim)) if np.ndim(g) else g
)
TENSORS["reverse_cumsum"] = lambda g, dim: (
    TENSORS["flip"](TENSORS["cumsum_"](TENSORS["flip"](g, (dim,)), dim), (dim,)) if g._s else g
)


@composite("cumsum")
def cumsum(input: Tensor, dim: int, *, dtype: Any = None, out: Any = None) -> Tensor:
    """Running sums along dim."""
    if dtype is not None and dtypes.of(input._a) is not dtype:
        input = TENSORS["to_dtype"](input, dtype)
    return TENSORS["cumsum_"](input, dim, out=out)


def _cumprod_gradient(g: Array, a: Array, out: Array, dim: int) -> Array:
    if not a.ndim:
        return g
    d = axis_of(dim, a.ndim)
    if not (a == 0).any():
        return ARRAYS["reverse_cumsum"](g * out, d) / a
    return _cumprod_by_parts(_ARRAY_WORDS, g, a, d, lambda x: x * 0)


def _cumprod_by_parts(k: Any, g: Any, a: Any, d: int, zero: Any) -> Any:
    """Exact also where elements are 0: for each i, the sum over j >= i of g_j times the product of the others up to j."""
    n = a.shape[d]
    x = [k["narrow_copy"](a, d, i, 1) for i in range(n)]
    gs = [k["narrow_copy"](g, d, i, 1) for i in range(n)]
    out = []
    for i in range(n):
        others = None
        for j in range(i):
            others = x[j] if others is None else others * x[j]
        total = zero(gs[i])
        for j in range(i, n):
            if j > i:
                others = x[j] if others is None else others * x[j]
            total = total + (gs[j] if others is None else gs[j] * others)
        out.append(total)
    return k["join"](out, d)


ARRAYS["cumprod_gradient"] = _cumprod_gradient
TENSORS["cumprod_gradient"] = lambda g, a, out, dim: (
    _cumprod_by_parts(TENSORS, g, a, axis_of(dim, len(a._s)), lambda x: x * 0) if a._s else g
)


@op("cumprod_(input, dim)", vjps={"input": "cumprod_gradient(g, input, out, dim)"}, node="CumprodBackward0", public="cumprod",
    latex=r"\prod_{j \le i} {input}_j", method=False, samples=(*ONE_DIM, Sample(([0.0, 2.0, 0.0, 3.0],), {"dim": 0})))  # fmt: skip
def _cumprod(input: Array, dim: int) -> Array:
    """Running products along dim."""
    a = _integers(input)
    return np.cumprod(a, axis_of(dim, a.ndim)) if a.ndim else a[()]


@composite("cumprod")
def cumprod(input: Tensor, dim: int, *, dtype: Any = None, out: Any = None) -> Tensor:
    """Running products along dim."""
    if dtype is not None and dtypes.of(input._a) is not dtype:
        input = TENSORS["to_dtype"](input, dtype)
    return TENSORS["cumprod_"](input, dim, out=out)


@op("logcumsumexp(input, dim)", node="LogcumsumexpBackward0", latex=r"\ln \sum_{j \le i} e^{{input}_j}", samples=ONE_DIM,
    vjps={"input": "exp(input) * reverse_cumsum(g * exp(-out), dim)"})  # fmt: skip
def _logcumsumexp(input: Array, dim: int) -> Array:
    """Logarithm of running sums of exponentials."""
    return np.logaddexp.accumulate(input, axis_of(dim, input.ndim)) if input.ndim else input[()]


def _running(a: Array, d: int, largest: bool) -> tuple[Array, Array]:
    if not a.ndim:
        return a[()], np.asarray(0, np.int64)
    f = np.maximum if largest else np.minimum
    values = f.accumulate(a, d)
    # the latest index at which the running extreme was reached
    index = np.broadcast_to(np.arange(a.shape[d]).reshape([-1 if i == d else 1 for i in range(a.ndim)]), a.shape)
    hit = (a == values) | (np.isnan(a) if a.dtype.kind == "f" else False)
    return values, np.maximum.accumulate(np.where(hit, index, 0), d).astype(np.int64)


for _name in ("cummax", "cummin"):
    op(f"{_name}(input, dim)", vjps={"input": "scatter_add_zeros(g, input_shape, dim, indices)"}, aux=("indices",), result=_name,
       node=f"{_name.capitalize()}Backward0", latex=rf"\operatorname{{{_name}}}({{input}})", samples=ONE_DIM,
       doc=f"Running {'maximum' if _name == 'cummax' else 'minimum'} along dim, and where it was reached.",
       )(lambda input, dim, largest=_name == "cummax": _running(input, axis_of(dim, input.ndim), largest))  # fmt: skip


# ---- orderings ------------------------------------------------------------------------------------------------------------


def _order(a: Array, d: int, descending: bool) -> Array:
    """Stable sorting indices; nan counts as largest."""
    if not descending:
        return np.argsort(a, d, kind="stable")
    flipped = np.flip(a, d)
    return a.shape[d] - 1 - np.flip(np.argsort(flipped, d, kind="stable"), d)


@op("sort_(input, dim=-1, descending=False)", vjps={"input": "scatter_add_zeros(g, input_shape, dim, indices)"}, public="sort",
    aux=("indices",), result="sort", node="SortBackward0", latex=r"\operatorname{sort}({input})", method=False,
    samples=[Sample((MATRIX,)), Sample((MATRIX,), {"dim": 0, "descending": True}), Sample(([2.0, 1.0, 2.0, float("nan")],))])  # fmt: skip
def _sort(input: Array, dim: int, descending: bool) -> tuple[Array, Array]:
    """Sorted along dim, and where the elements came from."""
    if not input.ndim:
        return input[()], np.asarray(0)
    d = axis_of(dim, input.ndim)
    indices = _order(input, d, descending)
    return np.take_along_axis(input, indices, d), indices


@composite("sort")
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """Sorted along dim, and where the elements came from."""
    return TENSORS["sort_"](input, dim, descending)


@composite("argsort", samples=[Sample((MATRIX,)), Sample((MATRIX,), {"dim": 0, "descending": True})])
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The indices that sort along dim."""
    return TENSORS["sort_"](input, dim, descending)[1]


@composite("msort")
def msort(input: Tensor) -> Tensor:
    """Sorted along dimension 0."""
    return TENSORS["sort_"](input, 0, False)[0]


@op("topk_(input, k, dim=-1, largest=True)", vjps={"input": "scatter_add_zeros(g, input_shape, dim, indices)"}, public="topk",
    aux=("indices",), result="topk", node="TopkBackward0", latex=r"\operatorname{topk}({input})", method=False,
    samples=[Sample((MATRIX,), {"k": 2}), Sample((MATRIX,), {"k": 1, "dim": 0, "largest": False})],
    fails=[Failing((MATRIX,), {"k": 7}, RuntimeError, "selected index k out of range")])  # fmt: skip
def _topk(input: Array, k: int, dim: int, largest: bool) -> tuple[Array, Array]:
    """The k largest (or smallest) elements along dim, sorted, and where they are."""
    d = axis_of(dim, input.ndim)
    if k < 0 or k > (input.shape[d] if input.ndim else 1):
        raise RuntimeFault("selected index k out of range")
    if not input.ndim:
        return input[()], np.asarray(0)
    indices = np.take(_order(input, d, largest), np.arange(k), d)
    return np.take_along_axis(input, indices, d), indices


@composite("topk")
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or smallest) elements along dim, and where they are."""
    return TENSORS["topk_"](input, k, dim, largest)


@op("kthvalue(input, k, dim=-1, keepdim=False)", vjps={"input": "put_along(g, input_shape, dim, indices, keepdim)"},
    aux=("indices",), result="kthvalue", node="KthvalueBackward0", latex=r"{input}_{(k)}", samples=[Sample((MATRIX,), {"k": 2})])  # fmt: skip
def _kthvalue(input: Array, k: int, dim: int, keepdim: bool) -> tuple[Array, Array]:
    """The k-th smallest element along dim, and where it is."""
    d = axis_of(dim, input.ndim)
    if k < 1 or k > (input.shape[d] if input.ndim else 1):
        raise RuntimeFault("kthvalue(): selected number k out of range for dimension " + str(d))
    return _along_dim(input, dim, keepdim, lambda a, d: np.take(_order(a, d, False), k - 1, d), "kthvalue")


def _unique(a: Array, dim: int | None) -> tuple[Array, Array, Array]:
    if dim is None:
        v, inverse, counts = np.unique(a.reshape(-1), return_inverse=True, return_counts=True, equal_nan=False)
        return v, inverse.reshape(a.shape), counts
    v, inverse, counts = np.unique(a, return_inverse=True, return_counts=True, axis=dim)
    return v, inverse.reshape(-1), counts


@composite("unique", samples=[Sample(([3, 1, 3, 2],)), Sample(([1.5, 0.5, 1.5],))])
def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The distinct elements, sorted."""
    w = TENSORS["wrap_array"]
    v, inverse, counts = _unique(np.asarray(input._a).reshape(input._s), dim)
    out = [w(v)]
    if return_inverse:
        out.append(w(inverse.astype(np.int64)))
    if return_counts:
        out.append(w(counts.astype(np.int64)))
    return out[0] if len(out) == 1 else tuple(out)


@composite("unique_consecutive", samples=[Sample(([1, 1, 2, 2, 1],))])
def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """Runs of equal elements reduced to one."""
    w = TENSORS["wrap_array"]
    a = np.asarray(input._a).reshape(-1)
    starts = np.concatenate([[True], a[1:] != a[:-1]]) if a.size else np.zeros(0, bool)
    where = np.flatnonzero(starts)
    out = [w(a[where])]
    if return_inverse:
        out.append(w((np.cumsum(starts) - 1).reshape(input._s).astype(np.int64)))
    if return_counts:
        out.append(w(np.diff(np.append(where, a.size)).astype(np.int64)))
    return out[0] if len(out) == 1 else tuple(out)


@composite("bincount", samples=[Sample(([1, 1, 3],)), Sample(([1, 1, 3],), {"minlength": 6})])
def bincount(input: Tensor, weights: Tensor = None, minlength: int = 0) -> Tensor:
    """How often each number occurs."""
    a = np.asarray(input._a).reshape(input._s)
    if a.ndim != 1 or a.dtype.kind not in "ui" or (a.size and a.min() < 0):
        raise RuntimeFault("bincount only supports 1-d non-negative integral inputs.")
    w = None if weights is None else np.asarray(weights._a).reshape(weights._s)
    r = np.bincount(a, w, minlength)
    return TENSORS["wrap_array"](r.astype(np.int64) if w is None else r.astype(np.float64 if w.dtype != np.float32 else np.float32))


@composite("count_nonzero", samples=[Sample(([1.0, 0.0, 2.0],)), Sample((MATRIX,), {"dim": 0})])
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are not 0."""
    a = np.asarray(input._a).reshape(input._s)
    return TENSORS["wrap_array"](np.asarray(np.add.reduce(a != 0, axes_of(dim, a.ndim), np.int64) if a.ndim else int(a != 0), np.int64))


def _truth(name: str, f: Any) -> Any:
    def composite_(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
        a = np.asarray(input._a).reshape(input._s)
        r = np.asarray(f(a != 0, axes_of(dim, a.ndim), None, None, keepdim)) if a.ndim else np.asarray(a != 0)
        return TENSORS["wrap_array"](r.astype(np.uint8) if a.dtype == np.uint8 else r)

    composite_.__name__ = composite_.__qualname__ = name
    composite_.__doc__ = f"Whether {name} elements are not 0."
    return composite(name, samples=[*BY_DIM, Sample(([True, False],)), Sample(([],))])(composite_)


all = _truth("all", np.logical_and.reduce)
any = _truth("any", np.logical_or.reduce)


@composite("quantile", samples=[Sample(([1.0, 3.0, 2.0, 5.0],), {"q": 0.3}), Sample((MATRIX,), {"q": 0.5, "dim": 1})])
def quantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """The q-quantile along dim, interpolated."""
    x = TENSORS["reshape"](input, -1) if dim is None else input
    d = axis_of(0 if dim is None else dim, len(x._s))
    values = TENSORS["sort_"](x, d, False)[0]
    n = x._s[d]
    qs = [float(v) for v in (np.asarray(q._a).reshape(-1) if isinstance(q, NAMESPACE["Tensor"]) else [q])]
    out = []
    for v in qs:
        if not 0 <= v <= 1:
            raise RuntimeFault("quantile() q must be in the range [0, 1] but got " + str(v))
        pos = v * (n - 1)
        low, high = int(math.floor(pos)), int(math.ceil(pos))
        a, b = TENSORS["select"](values, d, low), TENSORS["select"](values, d, high)
        out.append(TENSORS["lerp"](a, b, pos - low))
    r = TENSORS["stack"](out, 0) if isinstance(q, NAMESPACE["Tensor"]) and q._s else out[0]
    return TENSORS["unsqueeze"](r, d) if keepdim and dim is not None else r


@composite("diff", samples=[Sample(([1.0, 4.0, 9.0],)), Sample((MATRIX,), {"dim": 0})])
def diff(input: Tensor, n: int = 1, dim: int = -1) -> Tensor:
    """Differences of neighbours along dim."""
    d = axis_of(dim, len(input._s))
    for _ in range(n):
        k = input._s[d]
        if not k:
            break
        input = TENSORS["narrow"](input, d, 1, k - 1) - TENSORS["narrow"](input, d, 0, k - 1)
    return input


@composite("histc", samples=[Sample(([1.0, 2.0, 1.0],), {"bins": 4, "min": 0, "max": 3})])
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Counts in equal bins."""
    a = np.asarray(input._a).reshape(-1)
    low, high = (float(a.min()), float(a.max())) if min == max and a.size else (min, max)
    if low == high:
        low, high = low - 1, high + 1
    return TENSORS["wrap_array"](np.histogram(a, bins, (low, high))[0].astype(a.dtype))


@composite("searchsorted", method=False)
def searchsorted(sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None) -> Tensor:
    """Where elements would be inserted to keep order."""
    t = NAMESPACE["Tensor"]
    b = np.asarray(input._a).reshape(input._s) if isinstance(input, t) else np.asarray(input)
    a = np.asarray(sorted_sequence._a).reshape(sorted_sequence._s)
    how = "right" if right or side == "right" else "left"
    if a.ndim == 1:
        r = np.searchsorted(a, b, how)
    else:
        r = np.stack([np.searchsorted(x, y, how) for x, y in zip(a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1]), strict=True)]).reshape(b.shape)
    return TENSORS["wrap_array"](np.asarray(r, np.int32 if out_int32 else np.int64))


@composite("bucketize", method=False)
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each element between sorted boundaries."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@composite("isin", method=False)
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element occurs among others."""
    t = NAMESPACE["Tensor"]
    a, b = (np.asarray(x._a).reshape(x._s) if isinstance(x, t) else np.asarray(x) for x in (elements, test_elements))
    return TENSORS["wrap_array"](np.isin(a, b, invert=invert))


