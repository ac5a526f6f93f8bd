"""Which values there are, how many, and whether all or any hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import NotImplementedFault, RuntimeFault
from engine.ops.axes import BY_DIM, MATRIX, axes_of
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Sample, composite, op

Array = Any
Tensor = Any
Dims = Any  # None, an int or a sequence of ints


@op("unique_(input, dim)", vjps={"input": "underived('_unique2' if dim is None else 'unique_dim')"}, aux=("inverse", "counts"),
    result="unique_", node=lambda p: "Unique2Backward0" if p["dim"] is None else "UniqueDimBackward0", method=False,
    latex=r"\operatorname{unique} {input}", public="unique")  # fmt: skip
def _unique(input: Array, dim: int | None) -> tuple[Array, Array, Array]:
    """The distinct elements (or slices), sorted; where each went; how many there were."""
    if dim is None:
        v, inverse, counts = np.unique(input.reshape(-1), return_inverse=True, return_counts=True, equal_nan=False)
        return v, inverse.reshape(input.shape).astype(np.int64), counts.astype(np.int64)
    v, inverse, counts = np.unique(input, return_inverse=True, return_counts=True, axis=dim)
    return v, inverse.reshape(-1).astype(np.int64), counts.astype(np.int64)


@op("unique_consecutive_(input)", vjps={"input": "underived('unique_consecutive')"}, aux=("inverse", "counts"),
    result="unique_consecutive_", node="UniqueConsecutiveBackward0", latex=r"\operatorname{unique} {input}", method=False,
    public="unique_consecutive")  # fmt: skip
def _unique_consecutive(input: Array) -> tuple[Array, Array, Array]:
    """Runs of equal elements reduced to one; where each went; how long the runs were."""
    a = input.reshape(-1)
    starts = np.concatenate([[True], a[1:] != a[:-1]]) if a.size else np.zeros(0, bool)
    where = np.flatnonzero(starts)
    inverse = (np.cumsum(starts) - 1).reshape(input.shape)
    return a[where], inverse.astype(np.int64), np.diff(np.append(where, a.size)).astype(np.int64)


def _underived(name: str) -> Any:
    raise NotImplementedFault(f"the derivative for '{name}' is not implemented.")


ARRAYS["underived"] = TENSORS["underived"] = _underived


def _chosen(found: Any, return_inverse: bool, return_counts: bool) -> Any:
    values, inverse, counts = found
    out = (values, *([inverse] if return_inverse else []), *([counts] if return_counts else []))
    return values if len(out) == 1 else out


@composite("unique", samples=[Sample(([3, 1, 3, 2],)), Sample(([1.5, 0.5, 1.5],)), Sample(([[1.5], [0.5], [1.5]],), {"dim": 0})])
def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The distinct elements, sorted."""
    return _chosen(TENSORS["unique_"](input, dim), return_inverse, return_counts)


@composite("unique_consecutive", samples=[Sample(([1, 1, 2, 2, 1],)), Sample(([1.0, 1.0, 2.5, 1.0],))])
def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """Runs of equal elements reduced to one."""
    return _chosen(TENSORS["unique_consecutive_"](input), return_inverse, return_counts)


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


@composite("histc", samples=[Sample(([1.0, 2.0, 1.0],), {"bins": 4, "min": 0, "max": 3})])
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Counts in equal bins."""
    a = np.asarray(input._a).reshape(-1)
    low, high = (float(a.min()), float(a.max())) if min == max and a.size else (min, max)
    if low == high:
        low, high = low - 1, high + 1
    return TENSORS["wrap_array"](np.histogram(a, bins, (low, high))[0].astype(a.dtype))


@composite("isin", method=False)
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element occurs among others."""
    t = NAMESPACE["Tensor"]
    a, b = (np.asarray(x._a).reshape(x._s) if isinstance(x, t) else np.asarray(x) for x in (elements, test_elements))
    return TENSORS["wrap_array"](np.isin(a, b, invert=invert))
