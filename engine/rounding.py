"""Arithmetic rounded as the C library and GCC's fused instructions round it, on whole arrays. Draws nothing.

NumPy has no fused multiply-add, and its `log` may differ from the C library's in the last bit; torch's random
numbers are made with both, so that they are rebuilt here from operations that are exact.

The float32 polynomials are those of the Cephes library (Stephen L. Moshier) as arranged in `avx_mathfun.h`
(Giovanni Garberoglio, zlib licence), which torch uses on every x86 machine with AVX2; the order of the
operations decides the last bit.
source: https://github.com/pytorch/pytorch/blob/v2.13.0/aten/src/ATen/native/cpu/avx_mathfun.h
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Operand = Array | float | np.floating[Any]

CHUNK = 1 << 13  # numbers transformed at once: the temporaries stay in the cache
TAU = 2.0 * math.pi
F32, F64, I64 = np.float32, np.float64, np.int64
_HALF_WAY, _LOST = I64(1 << 28), I64((1 << 29) - 1)  # the 29 bits a float64 has and a float32 lacks


# ---- fused multiply-add ---------------------------------------------------------------------------
def fma32(a: Operand, b: Operand, c: Operand) -> Array:
    """a * b + c in float32 with one rounding.

    The product is exact in float64. Rounding the sum to float64 and then to float32 errs only where the first
    rounding lands half-way between two float32: those few are rounded to odd first (Boldo and Melquiond).
    """
    product = np.multiply(a, b, dtype=F64)
    total = np.asarray(product + c)
    if ((total.view(I64) & _LOST) == _HALF_WAY).any() or np.abs(total).min(initial=1.0) < np.finfo(F32).tiny:
        total = _to_odd(*_two_sum(product, np.asarray(c, F64)))
    return total.astype(F32)


def fma64(a: Operand, b: Operand, c: Operand) -> Array:
    """a * b + c in float64 with one rounding (Boldo and Melquiond, "Emulation of FMA", 2008)."""
    a, b, c = (np.asarray(v, F64) for v in (a, b, c))
    high = a * b
    (a1, a0), (b1, b0) = _halves(a), _halves(b)
    low = ((a1 * b1 - high) + a1 * b0 + a0 * b1) + a0 * b0
    t1, t0 = _two_sum(c, low)
    v1, v0 = _two_sum(high, t1)
    return np.asarray(v1 + _to_odd(*_two_sum(t0, v0)))


def _halves(v: Array) -> tuple[Array, Array]:
    """v as a sum of two numbers of 26 bits (Veltkamp)."""
    t = v * 134217729.0  # 2^27 + 1
    high = t - (t - v)
    return high, v - high


def _two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """x + y rounded, and what the rounding lost (Knuth)."""
    s = x + y
    back = s - x
    return np.asarray(s), np.asarray((x - (s - back)) + (y - back))


def _to_odd(total: Array, lost: Array) -> Array:
    """The neighbour with an odd last bit, on the side of what was lost."""
    even = (lost != 0) & ((total.view(I64) & 1) == 0)
    return np.where(even, np.nextafter(total, np.where(lost > 0, np.inf, -np.inf)), total)


# ---- the C library's functions --------------------------------------------------------------------
@functools.cache
def _numpy_agrees(name: str) -> bool:
    """Whether NumPy's function is the C library's here: its vector versions depend on the processor."""
    x = np.random.RandomState(0).random_sample(8192) * (1.0 if name == "log" else TAU)
    exact = np.fromiter(map(getattr(math, name), x.tolist()), F64, x.size)
    return bool((getattr(np, name)(x) == exact).all())


def _libm(name: str, x: Array) -> Array:
    """math.sin, math.cos, math.log or math.log1p of each element, to the bit."""
    if name != "log1p" and _numpy_agrees(name):
        return getattr(np, name)(x)  # type: ignore[no-any-return]
    return np.fromiter(map(getattr(math, name), x.ravel().tolist()), F64, x.size).reshape(x.shape)


def log64(x: Array) -> Array:
    """math.log of each element, to the bit."""
    if _numpy_agrees("log") or np.finfo(np.longdouble).nmant < 60:
        return _libm("log", x)
    wide = np.log(x.astype(np.longdouble))
    y = wide.astype(F64)
    # The C library rounds rightly except near half-way, where it may take either side (glibc: 0.519 ulp).
    near = np.abs((wide - y).astype(F64)) > 0.45 * np.spacing(np.abs(y))
    y[near] = [math.log(v) for v in x[near].tolist()]
    return y


def log1p64(x: Array) -> Array:
    """math.log1p of each element; the C library's is too far from rightly rounded for the way of `log64`."""
    return _libm("log1p", x)


# ---- float32 polynomials --------------------------------------------------------------------------
def _fma(a: Operand, b: Operand, c: Operand) -> Array:
    """fma32 without its guard for subnormal results, which the polynomials below never have."""
    product = np.multiply(a, b, dtype=F64)
    total = product + c
    if ((total.view(I64) & _LOST) == _HALF_WAY).any():
        total = _to_odd(*_two_sum(product, np.asarray(c, F64)))
    return total.astype(F32)


def _f32(*values: float) -> tuple[np.float32, ...]:
    return tuple(map(F32, values))


_LOG = (
    *_f32(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
    *_f32(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
_SIN = _f32(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = _f32(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_QUARTER = _f32(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)  # -pi/4, in three parts
_ONE, _HALF = F32(1), F32(0.5)


def log32(x: Array) -> Array:
    """`_mm256_log_ps` for x in (0, 1]."""
    m, exponent = np.frexp(x)
    e = exponent.astype(F32)
    small = m < F32(0.707106781186547524)
    e -= small
    x = (m - _ONE) + np.where(small, m, F32(0))
    z = x * x
    y = _fma(_LOG[0], x, _LOG[1])
    for c in _LOG[2:]:
        y = _fma(y, x, c)
    y *= x
    y = _fma(y, z, e * F32(-2.12194440e-4))
    y = _fma(-z, _HALF, y)
    x = x + y
    return _fma(e, F32(0.693359375), x)


def sincos32(x: Array) -> tuple[Array, Array]:
    """`_mm256_sincos_ps` for x >= 0."""
    octant = (x * F32(1.27323954473516)).astype(np.int32)
    octant = (octant + 1) & ~1
    y = octant.astype(F32)
    for part in _QUARTER:
        x = _fma(y, part, x)
    z = x * x
    c = _fma(_COS[0], z, _COS[1])
    c = _fma(c, z, _COS[2])
    c *= z
    c = _fma(c, z, -(z * _HALF))
    c += _ONE
    s = _fma(_SIN[0], z, _SIN[1])
    s = _fma(s, z, _SIN[2])
    s *= z
    s = _fma(s, x, x)
    swapped = (octant & 2) != 0
    sin, cos = np.where(swapped, c, s), np.where(swapped, s, c)
    np.negative(sin, out=sin, where=(octant & 4) != 0)
    np.negative(cos, out=cos, where=(~(octant - 2) & 4) != 0)
    return sin, cos


# ---- Box-Muller -----------------------------------------------------------------------------------
def block_normals(x: Array, mean: float, std: float) -> None:
    """Turn uniform numbers into normal ones in place, sixteen by sixteen: eight radii, eight angles.

    x  (16 k,)  float32 or float64, in [0, 1)
    """
    wide = x.dtype == F64
    plain = mean == 0.0 and std == 1.0
    for start in range(0, x.size, CHUNK):
        block = x[start : start + CHUNK].reshape(-1, 2, 8)
        u, turn = 1 - block[:, 0], block[:, 1]
        if wide:
            radius, angle = np.sqrt(-2.0 * log64(u)), TAU * turn
            sin, cos = _libm("sin", angle), _libm("cos", angle)
        else:
            radius, angle = np.sqrt(F32(-2) * log32(u)), F32(TAU) * turn
            sin, cos = sincos32(angle)
        for place, z in ((0, radius * cos), (1, radius * sin)):
            if not plain:
                z = fma64(z, std, mean) if wide else fma32(z, F32(std), F32(mean))
            block[:, place] = z
    if plain:
        x += 0  # what fma(z, 1, 0) does to -0
