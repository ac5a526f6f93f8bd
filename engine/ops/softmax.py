"""Activations along a dimension: softmax, log_softmax, glu."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import IndexFault, NotImplementedFault, RuntimeFault
from engine.ops import elementary as el
from engine.ops import kernels
from engine.ops.activation import ROWS
from engine.ops.op import ARRAYS, TENSORS, Failing, Sample, composite, op
from engine.ops.vocabulary import word

Array = Any
Tensor = Any
_CLASS = "https://pytorch.org/docs/stable/generated/torch.nn."


def _checked_dim(x: Array, dim: int) -> int:
    n = x.ndim or 1
    if not -n <= dim < n:
        raise IndexFault(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def _not_floating(x: Array, name: str) -> NotImplementedFault:
    return NotImplementedFault(
        f"\"{name}\" not implemented for '{dtypes.SCALAR_NAMES[dtypes.of(x)]}'",
        hint="convert it first: x.float()",
    )


@op(
    "softmax_(input, dim)",
    vjps={"input": "softmax_vjp(g, out, dim)"},
    node="SoftmaxBackward0",
    latex=r"\frac{e^{input}}{\sum e^{input}}",
    latex_partials={"input": r"y \odot (g - \textstyle\sum g \odot y)"},
    doc="exp(x) divided by its sum along dim; the largest value is subtracted first.",
    source=_CLASS + "Softmax.html",
    samples=[
        Sample((ROWS,), {"dim": 1}),
        Sample((ROWS,), {"dim": 0}),
        Sample((ROWS,), {"dim": -1}),
        Sample(([1000.0, 1000.0],), {"dim": 0}),
        Sample((2.0,), {"dim": 0}),
    ],
    fails=[
        Failing(
            (ROWS,), {"dim": 2}, IndexError,
            "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
        )
    ],
    method=False,
    inplace=False,
    public="softmax",
)  # fmt: skip
def softmax(input: Array, dim: int) -> Array:
    dim = _checked_dim(input, dim)
    if input.dtype.kind in "iub":
        raise _not_floating(input, "softmax_lastdim_kernel_impl" if dim == input.ndim - 1 else "softmax_kernel_impl")
    if not input.ndim or not input.size:
        return np.ones_like(input)
    e = el.exp(input - input.max(dim, keepdims=True))
    e /= kernels.sum_axes(e, (dim,))
    return e


def _softmax_vjp(g: Array, out: Array, dim: int) -> Array:
    if not out.ndim:
        return np.zeros_like(out)
    if out.dtype.itemsize == 2:  # half precision: in single
        return _softmax_vjp(g.astype(np.float32), out.astype(np.float32), dim).astype(out.dtype)
    moved = g * out
    return moved - out * kernels.sum_axes(moved, (dim % out.ndim,))


word("softmax_vjp", _softmax_vjp, lambda g, out, dim: g * out - out * TENSORS["sum_keep"](g * out, dim))


@op(
    "log_softmax_(input, dim)",
    vjps={"input": "log_softmax_vjp(g, out, dim)"},
    node="LogSoftmaxBackward0",
    latex=r"{input} - \ln\textstyle\sum e^{input}",
    latex_partials={"input": r"g - e^{y}\textstyle\sum g"},
    doc="log(softmax(x)) along dim, computed without overflow.",
    source=_CLASS + "LogSoftmax.html",
    samples=[
        Sample((ROWS,), {"dim": 1}),
        Sample((ROWS,), {"dim": 0}),
        Sample(([1000.0, -1000.0],), {"dim": -1}),
        Sample((2.0,), {"dim": -1}),
    ],
    fails=[
        Failing(
            (ROWS,), {"dim": -3}, IndexError,
            "Dimension out of range (expected to be in range of [-2, 1], but got -3)",
        )
    ],
    method=False,
    inplace=False,
    public="log_softmax",
)  # fmt: skip
def log_softmax(input: Array, dim: int) -> Array:
    dim = _checked_dim(input, dim)
    if input.dtype.kind in "iub":
        last = dim == input.ndim - 1
        raise _not_floating(input, "log_softmax_lastdim_kernel_impl" if last else "log_softmax_kernel_impl")
    if not input.ndim or not input.size:
        return np.zeros_like(input)
    shifted = input - input.max(dim, keepdims=True)
    shifted -= el.log(kernels.sum_axes(el.exp(shifted), (dim,)))
    return shifted


def _log_softmax_vjp(g: Array, out: Array, dim: int) -> Array:
    if not out.ndim:
        return np.zeros_like(out)
    back = el.exp(out)
    back *= kernels.sum_axes(g, (dim % out.ndim,))
    return np.subtract(g, back, back)


word("log_softmax_vjp", _log_softmax_vjp, lambda g, out, dim: g - out.exp() * TENSORS["sum_keep"](g, dim))


def _in_dtype(name: str, input: Tensor, dim: int, dtype: Any, out: Any) -> Tensor:
    """An operation along a dimension, of the input in another dtype when one is given."""
    if dtype is not None:
        input = input.to(dtype)
    result: Tensor = TENSORS[name](input, dim, out=out)
    return result


@composite("softmax")
def softmax_of(input: Tensor, dim: int, dtype: Any = None, *, out: Any = None) -> Tensor:
    """exp(x) divided by its sum along dim."""
    return _in_dtype("softmax_", input, dim, dtype, out)


@composite("log_softmax")
def log_softmax_of(input: Tensor, dim: int, dtype: Any = None, *, out: Any = None) -> Tensor:
    """log(softmax(x)) along dim, computed without overflow."""
    return _in_dtype("log_softmax_", input, dim, dtype, out)


@op(
    "glu(input, dim=-1)",
    vjps={"input": "glu_vjp(g, input, dim)"},
    node="GluBackward0",
    latex=r"a \odot \sigma(b), \; [a, b] = {input}",
    latex_partials={"input": r"[g\,\sigma(b),\; g\,a\,\sigma(b)(1 - \sigma(b))]"},
    doc="First half times the sigmoid of the second half, along dim.",
    source=_CLASS + "GLU.html",
    samples=[Sample(([[1.0, -2.0], [0.5, 3.0]],)), Sample(([[1.0, -2.0], [0.5, 3.0]],), {"dim": 0})],
    fails=[
        Failing(
            (ROWS,), {"dim": 1}, RuntimeError,
            "Halving dimension must be even, but dimension 1 is size 3",
        )
    ],
    method=False,
)  # fmt: skip
def glu(input: Array, dim: int) -> Array:
    if not input.ndim:
        raise RuntimeFault("glu does not support 0-dimensional tensors")
    dim = _checked_dim(input, dim)
    if input.shape[dim] % 2:
        raise RuntimeFault(f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}")
    a, b = np.split(input, 2, dim)
    return a * ARRAYS["logistic"](b)


def _glu_vjp(g: Array, input: Array, dim: int) -> Array:
    a, b = np.split(input, 2, dim)
    s = ARRAYS["logistic"](b)
    return np.concatenate([g * s, g * a * s * (1 - s)], dim)


def _glu_vjp_tensors(g: Any, input: Any, dim: int) -> Any:
    a, b = input.chunk(2, dim)
    s = b.sigmoid()
    return TENSORS["cat"]([g * s, g * a * s * (1 - s)], dim)


word("glu_vjp", _glu_vjp, _glu_vjp_tensors)
