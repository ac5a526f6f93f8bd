"""Running sums, products and extremes along a dimension, and differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.ops.axes import MATRIX, ONE_DIM, axis_of
from engine.ops.op import ARRAYS, TENSORS, Sample, composite, op
from engine.ops.sums import ARRAY_WORDS, as_integers

Array = Any
Tensor = Any


@op("cumsum_(input, dim)", vjps={"input": "reverse_cumsum(g, dim)"}, node="CumsumBackward0", public="cumsum", method=False,
    latex=r"\sum_{j \le i} {input}_j", latex_partials={"input": r"\mathbb{1}[i \le k]"}, samples=(*ONE_DIM, Sample((1.0,), {"dim": 0})))  # fmt: skip
def _cumsum(input: Array, dim: int) -> Array:
    """Running sums along dim."""
    a = as_integers(input)
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
    return _cumprod_by_parts(ARRAY_WORDS, g, a, d, lambda x: x * 0)


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
    a = as_integers(input)
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
