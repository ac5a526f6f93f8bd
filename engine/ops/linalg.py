"""Linear algebra of square matrices: inverse, solve, determinant, Cholesky, powers."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import LinAlgFault, NotImplementedFault, RuntimeFault
from engine.ops.matmul import BATCH, SQUARE, A, B, V
from engine.ops.op import ARRAYS, TENSORS, Failing, Sample, composite, op, return_type

Array = Any
Tensor = Any


def check_square(a: Array, name: str, kernel: str = "") -> None:
    if a.ndim < 2:
        raise RuntimeFault(f"{name}: The input tensor A must have at least 2 dimensions.")
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeFault(f"{name}: A must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} matrices")
    if a.dtype.itemsize == 2:
        if kernel:
            raise NotImplementedFault(f"\"{kernel}\" not implemented for '{dtypes.SCALAR_NAMES[dtypes.of(a)]}'", hint="x.float()")
        raise RuntimeFault(f"{name}: Low precision dtypes not supported. Got {dtypes.SCALAR_NAMES[dtypes.of(a)]}",
                           hint="x.float()")  # fmt: skip
    if a.dtype.kind in "bui":
        raise RuntimeFault(f"{name}: Expected a floating point or complex tensor as input. Got {dtypes.SCALAR_NAMES[dtypes.of(a)]}")


@op("trace(input)", vjps={"input": "trace_back(g, input_shape)"}, node="TraceBackward0", latex=r"\operatorname{tr} {input}",
    latex_partials={"input": "I"}, samples=[Sample((SQUARE,)), Sample((A,))])  # fmt: skip
def _trace(input: Array) -> Array:
    """Sum of the diagonal."""
    if input.ndim != 2:
        raise RuntimeFault(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return np.trace(input.astype(np.int64) if input.dtype.kind in "bui" else input)


ARRAYS["trace_back"] = lambda g, s: np.eye(*s, dtype=g.dtype) * g
TENSORS["trace_back"] = lambda g, s: g * TENSORS["wrap_array"](np.eye(*s, dtype=g._a.dtype))
ARRAYS["batch_mm"] = np.matmul
TENSORS["batch_mm"] = lambda a, b: TENSORS["matmul"](a, b)


@op("inverse_(input)", vjps={"input": "-batch_mm(swap(out), batch_mm(g, swap(out)))"}, node="LinalgInvExBackward0",
    latex="{input}^{-1}", latex_partials={"input": r"-{input}^{-\top} \bar{Y} {input}^{-\top}"}, method=False, public="linalg.inv",
    samples=[Sample((SQUARE,))])  # fmt: skip
def _inverse(input: Array) -> Array:
    """Inverse of square matrices."""
    check_square(input, "linalg.inv")
    try:
        return np.linalg.inv(input).astype(input.dtype, copy=False)
    except np.linalg.LinAlgError:
        raise _singular("linalg.inv", "The diagonal element 1 is zero, the inversion could not be completed because the input "
                        "matrix is singular.") from None  # fmt: skip


def _singular(name: str, what: str) -> LinAlgFault:
    return LinAlgFault(f"{name}: {what}", hint="the matrix has no inverse: its rows depend on each other (det = 0)")


@composite("inverse", samples=[Sample((SQUARE,))])
def inverse(input: Tensor) -> Tensor:
    """Inverse of square matrices."""
    return TENSORS["inverse_"](input)


@op("solve_(input, other, left)", inputs=2, node="LinalgSolveExBackward0", method=False, public="linalg.solve",
    vjps={"input": "solve_back_a(g, input, out, left)", "other": "sum_to_size(adjoint(g, input, left), other_shape)"},
    latex="{input}^{-1} {other}", latex_partials={"input": r"-{input}^{-\top}\bar{X}\,X^\top", "other": r"{input}^{-\top}\bar{X}"},
    samples=[Sample((SQUARE, V), {"left": True}), Sample((SQUARE, B), {"left": True}), Sample((SQUARE, A), {"left": False})],
    fails=[Failing((SQUARE, [1.0, 2.0]), {"left": True}, RuntimeError,
                   "linalg.solve: Incompatible shapes of A and B for the equation AX = B (3x3 and 2x1)"),
           Failing((SQUARE, V), {"left": False}, RuntimeError,
                   "linalg.solve: Incompatible shapes of A and B for the equation XA = B (3x3 and 3x1)")])  # fmt: skip
def _solve(input: Array, other: Array, left: bool) -> Array:
    """The x with input @ x = other (or x @ input = other)."""
    return _solution(input, other, left)


def _solution(input: Array, other: Array, left: bool) -> Array:
    check_square(input, "linalg.solve", "lu_cpu")
    vector = other.ndim == 1
    b = other[:, None] if vector else other
    n, rows = input.shape[-1], b.shape[-2 if left else -1]
    if n != rows:
        equation = "AX" if left else "XA"
        raise RuntimeFault(
            f"linalg.solve: Incompatible shapes of A and B for the equation {equation} = B ({n}x{n} and {b.shape[-2]}x{b.shape[-1]})"
        )
    try:
        if left:
            r = np.linalg.solve(input, b)
        else:
            r = np.swapaxes(np.linalg.solve(np.swapaxes(input, -1, -2), np.swapaxes(b, -1, -2)), -1, -2)
    except np.linalg.LinAlgError:
        raise _singular("torch.linalg.solve", "The solver failed because the input matrix is singular.") from None
    return (r[:, 0] if vector else r).astype(input.dtype, copy=False)


def _solve_back_a(k: Any, g: Any, a: Any, x: Any, left: bool) -> Any:
    gb = k["adjoint"](g, a, left)
    if x.ndim == 1:
        return -k["outer_"](gb, x)
    product = k["batch_mm"](gb, k["swap"](x)) if left else k["batch_mm"](k["swap"](x), gb)
    return -k["sum_to_size"](product, tuple(a.shape))


for _k in (ARRAYS, TENSORS):
    _k["solve_back_a"] = lambda *args, k=_k: _solve_back_a(k, *args)
ARRAYS["adjoint"] = lambda g, a, left: _solution(np.swapaxes(a, -1, -2), g, left)
TENSORS["adjoint"] = lambda g, a, left: TENSORS["solve_"](TENSORS["swap"](a), g, left)


@op("det_(input)", vjps={"input": "det_back(g, input, out)"}, node="LinalgDetBackward0", latex=r"\det {input}", method=False,
    latex_partials={"input": r"\det({input})\,{input}^{-\top}"}, public="linalg.det", samples=[Sample((SQUARE,))])  # fmt: skip
def _det(input: Array) -> Array:
    """Determinant of square matrices."""
    check_square(input, "linalg.det", "lu_cpu")
    return np.asarray(np.linalg.det(input)).astype(input.dtype)


def _cofactors(a: Array) -> Array:
    """det(a) times the inverse transpose, also where a is singular."""
    u, s, vh = np.linalg.svd(a.astype(np.float64))
    n = s.shape[-1]
    others = np.stack([np.prod(np.delete(s, i, -1), -1) for i in range(n)], -1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (sign[..., None, None] * (u * others[..., None, :]) @ vh).astype(a.dtype)


ARRAYS["det_back"] = lambda g, a, out: np.asarray(g)[..., None, None] * _cofactors(a)
TENSORS["det_back"] = lambda g, a, out: TENSORS["reshape"](g * out, (*g._s, 1, 1)) * TENSORS["swap"](TENSORS["inverse_"](a))


@composite("det", samples=[Sample((SQUARE,))])
def det(input: Tensor) -> Tensor:
    """Determinant of square matrices."""
    return TENSORS["det_"](input)


@op("slogabsdet_(input)", vjps={"input": "logdet_back(g, input)"}, node="LinalgSlogdetBackward0", aux=("sign",),
    latex=r"\ln\lvert\det {input}\rvert", latex_partials={"input": r"{input}^{-\top}"}, method=False, result="slogabsdet",
    public="linalg.slogdet", samples=[])  # fmt: skip
def _slogabsdet(input: Array) -> tuple[Array, Array]:
    """Logarithm of the absolute determinant, and its sign."""
    check_square(input, "linalg.slogdet")
    sign, value = np.linalg.slogdet(input)
    return np.asarray(value).astype(input.dtype), np.asarray(sign).astype(input.dtype)


ARRAYS["logdet_back"] = lambda g, a: np.asarray(g)[..., None, None] * np.swapaxes(np.linalg.inv(a), -1, -2)
TENSORS["logdet_back"] = lambda g, a: TENSORS["reshape"](g, (*g._s, 1, 1)) * TENSORS["swap"](TENSORS["inverse_"](a))


@composite("slogdet", samples=[])
def slogdet(input: Tensor) -> Any:
    """Sign and logarithm of the absolute determinant."""
    value, sign = TENSORS["slogabsdet_"](input)
    return return_type("linalg_slogdet", ("sign", "logabsdet"))(sign, value)


@composite("logdet", samples=[Sample((SQUARE,))])
def logdet(input: Tensor) -> Tensor:
    """Logarithm of the determinant."""
    check_square(input._array(), "logdet")
    value, sign = TENSORS["slogabsdet_"](input)
    return TENSORS["where"](sign < 0, math.nan, value)


@op("cholesky_(input)", vjps={"input": "cholesky_back(g, out)"}, node="LinalgCholeskyExBackward0", latex=r"L,\ L L^\top = {input}",
    method=False, public="linalg.cholesky", samples=[])  # fmt: skip
def _cholesky(input: Array) -> Array:
    """The lower triangle whose square is the matrix."""
    check_square(input, "linalg.cholesky")
    try:
        return np.linalg.cholesky(input).astype(input.dtype, copy=False)
    except np.linalg.LinAlgError:
        raise LinAlgFault(
            "linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading "
            "minor of order 1 is not positive-definite).",
            hint="the matrix must be symmetric with positive eigenvalues; A @ A.T + eps * I is",
        ) from None


def _cholesky_gradient(k: Any, g: Any, low: Any, inverse_: Any) -> Any:
    phi = k["swap"](low)
    inner_ = k["batch_mm"](phi, g)
    half = k["tril"](inner_, 0) - k["tril"](k["triu"](inner_, 0), 0) * 0.5
    s = k["batch_mm"](k["swap"](inverse_), k["batch_mm"](half, inverse_))
    return (s + k["swap"](s)) * 0.5


ARRAYS["cholesky_back"] = lambda g, low: _cholesky_gradient(ARRAYS, g, low, np.linalg.inv(low))
TENSORS["cholesky_back"] = lambda g, low: _cholesky_gradient(TENSORS, g, low, TENSORS["inverse_"](low))


@composite("cholesky", samples=[])
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The lower (or upper) triangle whose square is the matrix."""
    r = TENSORS["cholesky_"](input)
    return TENSORS["swap"](r) if upper else r


@composite("matrix_power", samples=[Sample((SQUARE,), {"n": k}) for k in (0, 1, 2, 3, -1)])
def matrix_power(input: Tensor, n: int) -> Tensor:
    """A product of n copies of a square matrix."""
    a = input._array()
    if a.dtype.itemsize != 2 or a.ndim < 2:
        check_square(a, "linalg.matrix_power")
    if n == 0:
        eye = np.broadcast_to(np.eye(input._s[-1], dtype=a.dtype), input._s)
        return TENSORS["copy_"](TENSORS["clone"](input), TENSORS["wrap_array"](eye.copy()))
    if n < 0:
        input, n = TENSORS["inverse_"](input), -n
        if n == 1:
            return input
    if n == 1:
        return TENSORS["clone"](input)
    if n == 3:
        return TENSORS["matmul"](TENSORS["matmul"](input, input), input)
    r = None
    while n:
        if n & 1:
            r = input if r is None else TENSORS["matmul"](r, input)
        n >>= 1
        if n:
            input = TENSORS["matmul"](input, input)
    return r


@op("cross_(input, other, dim)", inputs=2, node="LinalgCrossBackward0", method=False, public="linalg.cross",
    vjps={"input": "cross_(other, g, dim)", "other": "cross_(g, input, dim)"}, latex=r"{input} \times {other}",
    samples=[Sample((V, [1.0, 0.0, 2.0]), {"dim": -1})])  # fmt: skip
def _cross(input: Array, other: Array, dim: int) -> Array:
    """Cross product of vectors of length 3."""
    if input.ndim != other.ndim:
        raise RuntimeFault("linalg.cross: inputs must have the same number of dimensions.")
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeFault(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    return np.cross(input, other, axis=dim)


@composite("cross", samples=[])
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Cross product of vectors of length 3."""
    d = next((i for i, n in enumerate(input._s) if n == 3), None) if dim is None else dim
    if d is None:
        raise RuntimeFault("no dimension of size 3 in input")
    if dim is None:
        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply use "
            "torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future release.",
            stacklevel=2,
        )
    return TENSORS["cross_"](input, other, d)


@composite("multi_dot", method=False, samples=[])
def multi_dot(tensors: Any) -> Tensor:
    """A product of several matrices."""
    r = tensors[0]
    for t in tensors[1:]:
        r = TENSORS["matmul"](r, t)
    return r


@op("cdist_(x1, x2, p)", inputs=2, vjps={"x1": "cdist_back(g, x1, x2, out, p, False)", "x2": "cdist_back(g, x1, x2, out, p, True)"},
    node="CdistBackward0", latex=r"\lVert {x1}_i - {x2}_j \rVert_{p}", method=False, public="cdist",
    latex_partials={"x1": r"\textstyle\sum_j g_{ij} \frac{{x1}_i - {x2}_j}{d_{ij}}", "x2": r"\textstyle\sum_i g_{ij} \frac{{x2}_j - {x1}_i}{d_{ij}}"})  # fmt: skip
def _cdist(x1: Array, x2: Array, p: float) -> Array:
    """Distances of all pairs of rows."""
    for name, a in (("X1", x1), ("X2", x2)):
        if a.ndim < 2:
            raise RuntimeFault(f"cdist only supports at least 2D tensors, {name} got: {a.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeFault(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if x1.dtype.itemsize == 2:
        raise NotImplementedFault(f"\"cdist\" not implemented for '{dtypes.SCALAR_NAMES[dtypes.of(x1)]}'", hint="x.float()")
    return ARRAYS["vector_norm_"](x1[..., :, None, :] - x2[..., None, :, :], p, -1, False)


def _cdist_back(k: Any, g: Any, a: Any, b: Any, out: Any, p: float, second: bool) -> Any:
    if k is ARRAYS:  # of one distance these are plain numbers
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-2])
        g, out = np.asarray(g).reshape(shape), np.asarray(out).reshape(shape)
    if second:
        g, out, a, b = k["swap"](g), k["swap"](out), b, a
    d = k["unsqueeze"](a, -2) - k["unsqueeze"](b, -3)
    return k["sum_to_size"](k["norm_gradient"](g, d, out, p, -1, False).sum(-2), tuple(a.shape))


ARRAYS["cdist_back"] = lambda *args: _cdist_back(ARRAYS, *args)
TENSORS["cdist_back"] = lambda *args: _cdist_back(TENSORS, *args)


@composite("cdist", method=False, samples=[Sample((A, A)), Sample((A, BATCH[1]), {"p": 1.0}), Sample((A, BATCH), {"p": 3.0})])
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """Distances of all pairs of rows."""
    return TENSORS["cdist_"](x1, x2, float(p))
