"""Special functions NumPy lacks: erf and its kin, gamma functions. Arrays in, arrays out, computed in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any


def _poly(x: Array, coefficients: tuple[float, ...]) -> Array:
    r = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        r = r * x + c
    return r


# W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969)
_P1 = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3)
_Q1 = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_P2 = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_Q2 = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
_P3 = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_Q3 = (
    1.0, 2.56852019228982242e0, 1.87295284992346047e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip


def _erfc_tail(y: Array) -> Array:
    """erfc for y > 0.46875."""
    y = np.minimum(y, 27.0)
    middle = _poly(y, _P2) / _poly(y, _Q2)
    z = 1.0 / (y * y)
    far = z * _poly(z, _P3) / _poly(z, _Q3)
    far = (1.0 / math.sqrt(math.pi) - far) / y
    return np.exp(-y * y) * np.where(y <= 4.0, middle, far)


def _erf64(x: Array) -> Array:
    y = np.abs(x)
    z = np.minimum(y, 0.46875)
    small = x * _poly(z * z, _P1) / _poly(z * z, _Q1)
    r = np.where(y <= 0.46875, small, np.sign(x) * (1.0 - _erfc_tail(np.maximum(y, 0.46875))))
    return np.where(np.isnan(x), x, r)


def _erfc64(x: Array) -> Array:
    y = np.abs(x)
    tail = _erfc_tail(np.maximum(y, 0.46875))
    r = np.where(y <= 0.46875, 1.0 - _erf64(np.clip(x, -0.46875, 0.46875)), np.where(x > 0, tail, 2.0 - tail))
    return np.where(np.isnan(x), x, r)


def _erfinv64(y: Array) -> Array:
    """M. Giles' start, then two Newton steps."""
    a = np.clip(y, -1.0, 1.0)
    w = -np.log((1.0 - a) * (1.0 + a))
    c = 0.147
    t = 2.0 / (math.pi * c) - w / 2.0
    x = np.sign(a) * np.sqrt(np.maximum(np.sqrt(t * t + w / c) - t, 0.0))
    for _ in range(3):
        slope = 2.0 / math.sqrt(math.pi) * np.exp(-x * x)
        # near the ends the difference is taken on the complement, which keeps its digits
        error = np.where(a > 0.5, (1.0 - a) - _erfc64(x), np.where(a < -0.5, _erfc64(-x) - (1.0 + a), _erf64(x) - a))
        step = error / slope
        x = np.where(np.isfinite(step), x - step / (1.0 + x * step), x)
    x = np.where(a == 1.0, np.inf, np.where(a == -1.0, -np.inf, x))
    return np.where((np.abs(y) > 1.0) | np.isnan(y), np.nan, x)


def _digamma64(x: Array) -> Array:
    """Recurrence up to 10, then the asymptotic series; reflection for negative x."""
    negative = x <= 0
    z = np.where(negative, 1.0 - x, x)
    r = np.zeros_like(z)
    for _ in range(10):
        low = z < 10.0
        r = np.where(low, r - 1.0 / z, r)
        z = np.where(low, z + 1.0, z)
    w = 1.0 / (z * z)
    series = _poly(w, (1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12)) * w
    r = r + np.log(z) - 0.5 / z - series
    pole = negative & (x == np.floor(x))
    r = np.where(negative, r - math.pi / np.tan(math.pi * x), r)
    return np.where(pole, np.where(x == 0, np.copysign(np.inf, -x), np.nan), r)


def _trigamma64(x: Array) -> Array:
    negative = x <= 0
    z = np.where(negative, 1.0 - x, x)
    r = np.zeros_like(z)
    for _ in range(10):
        low = z < 10.0
        r = np.where(low, r + 1.0 / (z * z), r)
        z = np.where(low, z + 1.0, z)
    w = 1.0 / (z * z)
    r = r + 1.0 / z + 0.5 * w + w / z * _poly(w, (5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6))
    return np.where(negative, -r + (math.pi / np.sin(math.pi * x)) ** 2, r)


_BERNOULLI = (  # (2k)! / B(2k), the divisors of the Euler-Maclaurin series
    12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10, -2.950130727918164224e12,
    1.1646782814350067249e14, -4.5979787224074726105e15, 1.8152105401943546773e17, -7.1661652561756670113e18,
)  # fmt: skip
_STEPS = 2000  # how far below 10 an argument may lie: beyond, the function is a sum of too many terms


def _zeta(s: float, q: Array) -> Array:
    """Hurwitz's zeta function for whole s > 1: the terms up to q = 10, then the Euler-Maclaurin series."""
    total = np.zeros_like(q)
    lowest = np.min(q, initial=10.0, where=np.isfinite(q))
    for _ in range(min(_STEPS, max(0, math.ceil(10.0 - lowest)))):
        low = q < 10.0
        total = np.where(low, total + q**-s, total)
        q = np.where(low, q + 1.0, q)
    power = q**-s
    total = total + power * q / (s - 1.0) + 0.5 * power
    factor = s
    power = power / q
    for k, divisor in enumerate(_BERNOULLI):
        total = total + factor * power / divisor
        factor *= (s + 2 * k + 1.0) * (s + 2 * k + 2.0)
        power = power / (q * q)
    return total


def _polygamma64(x: Array, n: int) -> Array:
    if n == 1:
        return _trigamma64(x)
    return (-1.0) ** (n + 1) * math.gamma(n + 1.0) * _zeta(n + 1.0, x)


def polygamma(x: Array, n: int) -> Array:
    """The n-th derivative of digamma, n >= 1."""
    with np.errstate(all="ignore"):
        r = _polygamma64(np.asarray(x, np.float64), n)
    return r.astype(x.dtype) if np.ndim(x) else x.dtype.type(r)


_lgamma64 = np.vectorize(lambda v: _one_lgamma(v), otypes=[np.float64])


def _one_lgamma(v: float) -> float:
    try:
        return math.lgamma(v)
    except (ValueError, OverflowError):
        return math.inf


def _through_float64(f: Any) -> Any:
    def kernel(x: Array) -> Array:
        r = f(np.asarray(x, np.float64))
        return r.astype(x.dtype) if np.ndim(x) else x.dtype.type(r)

    return kernel


KERNELS = {
    "erf": _through_float64(_erf64),
    "erfc": _through_float64(_erfc64),
    "erfinv": _through_float64(_erfinv64),
    "digamma": _through_float64(_digamma64),
    "lgamma": _through_float64(lambda x: _lgamma64(x) if np.size(x) else np.asarray(x)),
}
