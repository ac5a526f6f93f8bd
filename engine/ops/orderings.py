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
