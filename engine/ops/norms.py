"""Norms of vectors, and the logarithm of sums of exponentials. (Normalization layers are in normalization.py.)"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops import elementary as el
from engine.ops.axes import MATRIX, ONE_DIM, axes_of, drop_axes
from engine.ops.op import ARRAYS, TENSORS, Sample, composite, op
from engine.ops.sums import sum_array
from engine.ops.vocabulary import in_dtype

Array = Any
Tensor = Any
Dims = Any  # None, an int or a sequence of ints


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
ARRAYS["norm_gradient"] = in_dtype(lambda *a: _norm_gradient(ARRAYS, *a))
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
    r = el.log(np.add.reduce(el.exp(input - m), axes, None, None, True)) + m
    return r if keepdim else drop_axes(r, axes)


@composite("logsumexp")
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Logarithm of the sum of exponentials over dim."""
    if not input.dtype.is_floating_point:
        input = TENSORS["to_dtype"](input, dtypes.get_default_dtype())
    return TENSORS["logsumexp_"](input, dim, keepdim, out=out)
