"""Values in order: sorting, the k-th, quantiles, places among sorted values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops.axes import MATRIX, axis_of
from engine.ops.extremes import along_dim
from engine.ops.op import NAMESPACE, TENSORS, Failing, Sample, composite, op

Array = Any
Tensor = Any


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
    return along_dim(input, dim, keepdim, lambda a, d: np.take(_order(a, d, False), k - 1, d), "kthvalue")


@composite("quantile", samples=[
    Sample(([1.0, 3.0, 2.0, 5.0],), {"q": 0.3}), Sample((MATRIX,), {"q": 0.5, "dim": 1}),
    Sample((MATRIX,), {"q": 0.3, "dim": 0, "keepdim": True}), Sample((MATRIX,), {"q": 0.6, "interpolation": "lower"}),
    Sample(([1.0, math.nan, 2.0],), {"q": 0.5, "interpolation": "midpoint"})])  # fmt: skip
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The q-quantile along dim, interpolated; made of torch's own steps, whose nodes the graph shows."""
    tensor = NAMESPACE["Tensor"]
    if input._a.dtype not in (np.float32, np.float64):
        raise RuntimeFault("quantile() input tensor must be either float or double dtype", hint="x.float()")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeFault(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if not isinstance(q, tensor):
        if not 0 <= q <= 1:
            raise RuntimeFault(f"quantile() q must be in the range [0, 1] but got {q}")
        at = np.asarray(q, input._a.dtype).reshape(1)
    else:
        if len(q._s) > 1:
            raise RuntimeFault("quantile() q must be a scalar or 1D tensor")
        if q._a.dtype != input._a.dtype:
            raise RuntimeFault("quantile() q tensor must be same dtype as the input tensor", hint="q.to(x.dtype)")
        at = np.asarray(q._a).reshape(-1)
        if at.size and not (at.min() >= 0 and at.max() <= 1):
            raise RuntimeFault("quantile() q values must be in the range [0, 1]")
    shape = list(input._s)
    if dim is None:
        values = TENSORS["sort_"](TENSORS["reshape"](input, (-1,)), -1, False)[0]
        shape = [1] * len(shape) if keepdim else []
    else:
        d = axis_of(dim, len(shape))
        last = d == len(shape) - 1
        moved = input if last else TENSORS["transpose"](TENSORS["unsqueeze"](input, -1), d, -1)
        values = TENSORS["sort_"](moved, -1, False)[0]
        if keepdim:
            shape[d] = 1
        elif shape:
            del shape[d]
    n = values._s[-1] if values._s else 1
    values = TENSORS["view"](values, (*shape, n))
    found = np.asarray(values._a).reshape(values._s)
    ranks = np.broadcast_to(at * at.dtype.type(n - 1), (*shape, at.size))
    ranks = np.where(np.isnan(found).any(-1, keepdims=True), ranks.dtype.type(n - 1), ranks)
    ranks = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}.get(interpolation, np.asarray)(ranks)
    wrap = TENSORS["wrap_array"]
    below = ranks.astype(np.int64)
    r = TENSORS["gather"](values, -1, wrap(below))
    if interpolation in ("linear", "midpoint"):
        weights = np.full_like(ranks, 0.5) if interpolation == "midpoint" else ranks - below.astype(ranks.dtype)
        above = TENSORS["gather"](values, -1, wrap(np.ceil(ranks).astype(np.int64)))
        r = TENSORS["lerp_tensor"](r, above, wrap(weights))
    if isinstance(q, tensor) and q._s:
        r = r.unsqueeze(0).transpose_(0, -1) if r._n is None else r.unsqueeze_(0).transpose_(0, -1)
    return r.squeeze_(-1)


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
