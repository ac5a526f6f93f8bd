"""Words that formulas use beside the operations themselves.

Each word exists twice: over arrays (ARRAYS) and over Tensors (TENSORS), see Note [Rules are formulas] in op.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import NotImplementedFault, RuntimeFault
from engine.ops import elementary as el
from engine.ops import kernels
from engine.ops.approximations import KERNELS as SPECIAL
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, op

Array = Any
Tensor = Any


def word(name: str, arrays: Callable[..., Any], tensors: Callable[..., Any]) -> None:
    """Say how `name` reads over arrays and over Tensors."""
    ARRAYS[name] = arrays
    TENSORS[name] = tensors


def in_dtype(rule: Callable[..., Array]) -> Callable[..., Array]:
    """A gradient over arrays, in the dtype of g: bfloat16 times a Python number is a float32 to NumPy."""

    def kept(g: Array, *args: Any) -> Array:
        r = rule(g, *args)
        return r if r.dtype is g.dtype else r.astype(g.dtype)

    return kept


def constant(a: Array) -> Tensor:
    """A Tensor without history around an array."""
    t = object.__new__(NAMESPACE["Tensor"])
    t._s = np.shape(a)
    t._a = kernels.unbox(a)
    t._n = None
    return t


def numel(x: Any) -> int:
    """How many elements an array or a Tensor has."""
    return kernels.numel(tuple(x.shape))


def mean_scale(x: Any, reduction: str) -> float:
    """What one element weighs in the reduced loss."""
    return 1.0 / max(1, numel(x)) if reduction == "mean" else 1.0


def reduce_loss(losses: Array, reduction: str) -> Array:
    """Losses per element as `reduction` wants them."""
    if reduction == "none":
        return losses
    total = kernels.total(losses)
    return total / losses.dtype.type(losses.size) if reduction == "mean" else total


# ---- NumPy's functions under torch's names, numbers, choices -------------------------------------------------


def sign_of(a: Array) -> Array:
    """-1, 0 or 1; nan counts as 0."""
    if a.dtype == bool:
        return a.copy()
    return (a > 0).astype(a.dtype) - (a < 0).astype(a.dtype)


ARRAYS.update(
    exp=el.exp, log=el.log, tanh=el.tanh, sqrt=np.sqrt, sin=el.sin, cos=el.cos, maximum=np.maximum, minimum=np.minimum,
    abs=np.absolute, tan=np.tan, asin=np.arcsin, acos=np.arccos, atan=np.arctan, sinh=np.sinh, cosh=np.cosh,
    asinh=np.arcsinh, acosh=np.arccosh, atanh=np.arctanh, expm1=el.expm1, log1p=el.log1p, log2=el.log2, log10=el.log10,
    exp2=el.exp2, floor=np.floor, ceil=np.ceil, trunc=np.trunc, isfinite=np.isfinite, sgn=sign_of, sign=sign_of,
    isnan=np.isnan, logical_and=np.logical_and, logical_not=np.logical_not, zeros_like=np.zeros_like,
    np_divide=np.divide, **SPECIAL,
)  # fmt: skip

LN2, LN10 = math.log(2), math.log(10)
ARRAYS.update(LN2=LN2, LN10=LN10, PI=math.pi)
TENSORS.update(LN2=LN2, LN10=LN10, PI=math.pi)


def _where(condition: Array, a: Array, b: Array) -> Array:
    """where() whose plain numbers take the dtype of the other side."""
    if type(a) in (int, float):  # not isinstance: np.float64 is a float
        a = b.dtype.type(a)
    elif type(b) in (int, float):
        b = a.dtype.type(b)
    r = np.where(condition, a, b)
    return r if r.ndim else r[()]


ARRAYS["where"] = _where
# `zero(g)` is a gradient of nothing but zeros; `select_if(c, g)` keeps g where c holds, and there only
ARRAYS["zero"] = np.zeros_like
ARRAYS["select_if"] = lambda c, g: _where(c, g, 0)
TENSORS["select_if"] = lambda c, g: TENSORS["where"](c, g, 0.0)


def zero_tensor(g: Tensor) -> Tensor:
    r = object.__new__(NAMESPACE["Tensor"])
    r._a = np.zeros(g._s, g._a.dtype) if type(g._a) is ndarray else g._a.dtype.type(0)
    r._s, r._n = g._s, None
    return r


TENSORS["zero"] = TENSORS["zeros_like_"] = zero_tensor

ARRAYS["t"] = lambda a: a.T  # what rules transpose has two dimensions


def no_derivative(name: str) -> Any:
    """torch has none either."""
    raise RuntimeFault(f"derivative for aten::{name} is not implemented")


ARRAYS["no_derivative"] = TENSORS["no_derivative"] = no_derivative


def floats_only(name: str, f: Any) -> Any:
    """A kernel that torch has for floating point only."""

    def kernel(*arrays: Array) -> Array:
        if arrays[0].dtype.kind in "bui":
            raise NotImplementedFault(f'"{name}" not implemented for \'{dtypes.SCALAR_NAMES[dtypes.of(arrays[0])]}\'')
        return f(*arrays)

    return kernel


def refuse_bool(name: str) -> Any:
    """Message of kernels that torch has not for bool."""
    return NotImplementedFault(f'"{name}" not implemented for \'Bool\'')


# ---- elementwise ------------------------------------------------------------------------------------------


def _rectify(x: Array) -> Array:
    if type(x) is ndarray:
        # of equals the second is the result: relu(-0.0) is -0.0
        return np.maximum(kernels.const(0.0) if x.dtype is kernels.F32 else x.dtype.type(0), x)
    return x if not x < 0 else type(x)(0)


def _choose(condition: Array, a: Array, b: Array, like: Array) -> Array:
    """where() that takes plain numbers on either side and answers in the dtype of `like`."""
    return np.where(condition, a, b).astype(like.dtype, copy=False)


def _choose_tensors(condition: Tensor, a: Any, b: Any, like: Tensor) -> Tensor:
    a, b = (x if hasattr(x, "_a") else constant(np.array(x, like._a.dtype)) for x in (a, b))
    return TENSORS["where"](condition, a, b)


def _logistic(x: Array) -> Array:
    return 1 / (1 + el.exp(-x))


def _smoothed(x: Array, beta: float, threshold: float) -> Array:
    z = x * beta
    return np.where(z > threshold, x, el.log1p(el.exp(np.minimum(z, threshold))) / beta).astype(x.dtype, copy=False)


def _limited(x: Array, low: float, high: float) -> Array:
    return np.minimum(np.maximum(x, low), high)


def _through(value: Tensor, source: Tensor) -> Tensor:
    return TENSORS["constant_in"](value, source)


ARRAYS["first"] = lambda value, source: value.copy()

# The slope of a piecewise linear function is constant, yet torch's gradient of it still depends, with derivative
# zero, on where it was taken: so that a second derivative is zeros and not an error.
op("constant_in(value, source)", inputs=2, forward="first(value, source)", vjps={"value": "g", "source": "g * 0"},
   partials={"value": "1"}, node="ThresholdBackwardBackward0", latex="{value}", latex_partials={"value": "1", "source": "0"},
   doc="The first value, recorded as depending on the second with derivative zero.", source="", method=False,
   inplace=False, public="threshold_backward")  # fmt: skip
word("detached", lambda x: x, lambda x: x.detach())
word("through", lambda value, source: value, _through)
def _gated(g: Array, open_: Array) -> Array:
    """g where open, 0 elsewhere; adding 0 turns the -0 of a negative g into the 0 torch prints."""
    r = g * open_
    r += 0.0
    return r


word("gated", _gated, lambda g, open_: _choose_tensors(open_, g, 0.0, g))
word("rectify", _rectify, lambda x: x.relu())
word("choose", _choose, _choose_tensors)
word("logistic", _logistic, lambda x: x.sigmoid())
word("smoothed", _smoothed, lambda x, beta, threshold: TENSORS["softplus"](x, beta, threshold))
word("limited", _limited, lambda x, low, high: x.clamp(low, high))
word("mean_scale", mean_scale, mean_scale)

# ---- sums over dimensions, which stay as 1 -------------------------------------------------------------------


def _sum_keep(x: Array, dim: int | Sequence[int]) -> Array:
    if not x.ndim:
        return x
    dims = (dim,) if isinstance(dim, int) else dim
    return kernels.sum_axes(x, tuple(sorted(d % x.ndim for d in dims)))


def _sum_keep_tensors(x: Tensor, dim: int | Sequence[int]) -> Tensor:
    return x.sum(dim, keepdim=True) if x.dim() else x


word("sum_keep", _sum_keep, _sum_keep_tensors)
