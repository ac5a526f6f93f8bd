"""Array work shared by many operations: boxing, broadcasting and undoing it, sums through BLAS, constants.

Knows NumPy only: no Tensor, no graph, no operation.

A *payload* is an ndarray, or a NumPy scalar standing for a one-element tensor of any shape: scalar arithmetic is
five to ten times cheaper than arithmetic on arrays of size one.

A *gradient* on its way back may be smaller than the value it belongs to, as long as it broadcasts to it: the
gradient of a sum stays one number until somebody needs the full array (`full`).
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import float32 as F
from numpy import ndarray

# 1/0 is inf and log(-1) is nan in torch, silently. Set once for the process: NumPy's errstate costs
# 200 ns a use, more than a whole scalar operation.
np.seterr(all="ignore")


def _keep_freed_memory() -> None:
    """Tell glibc to keep what arrays free for the next ones, up to 256 MB.

    By default it returns every array above some 100 KB to the system at once, and a training step then pays for the
    page faults of getting them all again: two thirds of the time of a small convolutional network.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # not glibc
        return
    mallopt(-3, 1 << 25)  # M_MMAP_THRESHOLD, its largest value
    mallopt(-1, 1 << 28)  # M_TRIM_THRESHOLD


_keep_freed_memory()

Array = Any  # an ndarray or a NumPy scalar
Shape = tuple[int, ...]

F32 = np.dtype(F)
ONE = F(1.0)
BLAS_LIMIT = 1 << 16  # elements; beyond, NumPy's pairwise sum loses less to rounding than one long dot product

_ones_cache: dict[int, Array] = {}
_const_cache: dict[float, Array] = {}
ORIGIN: list[Shape] = [(0,) * k for k in range(65)]  # the index of the only element of a k-dim array of size one


def box(a: Array, shape: Shape) -> Array:
    """A real array of this shape filled with the scalar payload a."""
    r = np.empty(shape, a.dtype)
    r.fill(a)
    return r


def unbox(a: Array) -> Array:
    """The scalar payload of an array of size one; any other array as it is."""
    return a[ORIGIN[a.ndim]] if type(a) is ndarray and a.size == 1 else a


def const(value: float) -> Array:
    """A cached 0-d float32 array of a Python number: half the price of letting NumPy convert it at each use."""
    c = _const_cache.get(value)
    if c is None:
        c = np.array(value, F)
        if value and value == value and len(_const_cache) < 512:  # no 0.0/-0.0 mix-up, no NaN keys
            _const_cache[value] = c
    return c


def ones(n: int) -> Array:
    """A cached float32 vector of n ones."""
    r = _ones_cache.get(n)
    if r is None:
        r = np.ones(n, F)
        if len(_ones_cache) < 256:
            _ones_cache[n] = r
    return r


def full(g: Array, shape: Shape) -> Array:
    """The array of this shape that g stands for."""
    if g.shape == shape and type(g) is ndarray:
        return g
    r = np.empty(shape, g.dtype)
    r[...] = g if g.ndim <= len(shape) else g.reshape(shape)
    return r


def numel(shape: Shape) -> int:
    """How many elements a shape holds."""
    return math.prod(shape)


def broadcast_shapes(a: Shape, b: Shape) -> Shape | None:
    """The shape two shapes broadcast to, or None when they do not fit."""
    if len(a) < len(b):
        a = (1,) * (len(b) - len(a)) + a
    elif len(b) < len(a):
        b = (1,) * (len(a) - len(b)) + b
    out = []
    for x, y in zip(a, b, strict=True):
        if x != y and x != 1 and y != 1:
            return None
        out.append(y if x == 1 else x)
    return tuple(out)


def total(a: Array) -> Array:
    """The sum of all elements, as a scalar."""
    if type(a) is not ndarray:
        return a
    n = a.size
    if a.dtype is F32 and n <= BLAS_LIMIT:
        return a.ravel().dot(ones(n))
    if a.dtype.itemsize == 2 and a.dtype.kind in "fV":  # half precision: the sum is in single
        return np.add.reduce(a, None, np.float32).astype(a.dtype)
    return np.add.reduce(a, None)


def sum_axes(a: Array, axes: Sequence[int]) -> Array:
    """The sum over sorted axes, which stay as 1: through BLAS where that is one call."""
    s = a.shape
    nd = len(s)
    if a.dtype is not F32 or not a.flags.c_contiguous or a.size > 1 << 24 or not a.size:
        if a.dtype.itemsize == 2 and a.dtype.kind in "fV":
            return np.add.reduce(a, tuple(axes), np.float32, None, True).astype(a.dtype)
        return np.add.reduce(a, tuple(axes), None, None, True)
    k = len(axes)
    if not k:
        return a
    if axes[-1] == k - 1:  # a leading block: ones . A(m, rest)
        m = numel(s[:k])
        return ones(m).dot(a.reshape(m, -1)).reshape((1,) * k + s[k:])
    if axes[0] == nd - k:  # a trailing block: A(rest, m) . ones
        m = numel(s[nd - k :])
        return a.reshape(-1, m).dot(ones(m)).reshape(s[: nd - k] + (1,) * k)
    if k == 1:  # one in the middle: a batch of ones(1, m) @ A(l, m, r)
        d = axes[0]
        m = s[d]
        return np.matmul(ones(m).reshape(1, m), a.reshape(numel(s[:d]), m, -1)).reshape(
            s[:d] + (1,) + s[d + 1 :]
        )
    return np.add.reduce(a, tuple(axes), None, None, True)


def summed_axes(small: Shape, large: Shape) -> tuple[int, ...]:
    """The axes of `large` over which a gradient must be summed to fit the operand of shape `small`."""
    k = len(large) - len(small)
    return tuple(range(k)) + tuple(i + k for i, d in enumerate(small) if d == 1 and large[i + k] != 1)


def unbroadcast(g: Array, s: Shape, whole: Shape) -> Array:
    """Sum gradient g, which stands for an array of shape `whole`, down to the operand's shape s."""
    gs = g.shape
    if gs != whole:
        if s == whole:
            return g
        if not gs or not s or type(g) is not ndarray:  # g is one number, or the operand is
            if s and len(gs) > 0 and g.size != 1:
                g = full(g, whole)
            elif s:
                if type(g) is ndarray:
                    g = g.reshape(())[()]
                return g * g.dtype.type(numel(whole) / max(1, numel(s)))
            else:
                return total(g) * g.dtype.type(numel(whole) / max(1, g.size))
        elif len(gs) != len(whole) or len(s) != len(whole):
            g = full(g, whole)
        else:  # sum only where g is real; scale where it stands for equal copies
            k = 1
            for x, y, z in zip(gs, whole, s, strict=True):
                if x == 1 and y != 1 and z == 1:
                    k *= y
            g = full(g, tuple([y if z != 1 else x for x, y, z in zip(gs, whole, s, strict=True)]))
            axes = tuple([i for i, z in enumerate(s) if z == 1 and g.shape[i] != 1])
            if axes:
                g = sum_axes(g, axes)
            return g * np.array(k, g.dtype) if k != 1 else g
    if s == whole:
        return g
    if not s:
        return total(g)
    if type(g) is not ndarray:
        return g
    g = sum_axes(g, summed_axes(s, whole))
    return g.reshape(s)


def product_unbroadcast(g: Array, local: Array, s: Shape, whole: Shape) -> Array:
    """unbroadcast(g * local), as one contraction where BLAS has it."""
    gs = g.shape
    ls = local.shape
    if not s and ls == gs == whole and local.dtype is F32 and 0 < local.size <= BLAS_LIMIT * 16:
        return g.ravel().dot(local.ravel())
    if ls == whole and type(local) is ndarray and local.dtype is F32 and 0 < local.size <= BLAS_LIMIT * 16:
        if gs != whole and len(gs) == len(whole) == len(s):
            k = 0
            while k < len(gs) and gs[k] == 1:
                k += 1
            # g lives on the trailing axes, which are the summed ones
            if s[k:] == (1,) * (len(s) - k) and s[:k] == whole[:k] and gs[k:] == whole[k:]:
                return local.reshape(-1, g.size).dot(g.ravel()).reshape(s)
    return unbroadcast(g * local, s, whole)
