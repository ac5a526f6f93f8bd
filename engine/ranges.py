"""Factories of ranges and patterns: arange, linspace, eye and their kin."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from engine import dtypes
from engine.creation import check_options, finish, is_int, mismatch, resolve
from engine.dtypes import dtype as DType
from engine.errors import NotImplementedFault, RuntimeFault, TypeFault
from engine.nested import kind
from engine.rounding import fma64
from engine.tensor import Tensor

Array = Any


def _number(name: str, argument: str, value: Any, position: int) -> Any:
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.item()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (bool, int, float)):
        return value
    raise TypeFault(f"{name}(): argument '{argument}' (position {position}) must be Number, not {kind(value)}")


def arange(*args: Any, **options: Any) -> Tensor:
    """arange(end), arange(start, end), arange(start, end, step): up to, but without, end.

    dtype   int64 if all three are whole, else the default float
    source  https://pytorch.org/docs/stable/generated/torch.arange.html
    """
    names = ("start", "end", "step") if len(args) > 1 or "end" in options else ("end",)
    given = dict(zip(names, args, strict=False))
    given |= {name: options.pop(name) for name in ("start", "end", "step") if name in options}
    check_options("arange", options)
    numbers = (bool, int, float, np.generic, Tensor)
    wrong = len(args) > 1 and not all(isinstance(v, numbers) for v in args)
    if wrong or len(args) > 3 or given.get("end") is None:
        raise mismatch("arange", *args)
    start, end, step = given.get("start"), given["end"], given.get("step")
    first = _number("arange", "start", 0 if start is None else start, 1)
    last = _number("arange", "end", end, 1 if start is None else 2)
    by = _number("arange", "step", 1 if step is None else step, 3)
    floating = any(isinstance(v, float) for v in (first, last, by))
    d = resolve("arange", options.get("dtype"), None if floating else dtypes.int64)
    if by == 0:
        raise RuntimeFault("step must be nonzero")
    if not (math.isfinite(first) and math.isfinite(last)):
        raise RuntimeFault(f"unsupported range: {first} -> {last}")
    if (by > 0) != (last >= first) and last != first:
        raise RuntimeFault("upper bound and lower bound inconsistent with step sign")
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish("arange", _steps(first, last, by, d), options.get("requires_grad", False), **keep)


def _steps(first: Any, last: Any, by: Any, d: DType) -> Array:
    if d.np.kind in "iu":
        first, by = int(first), int(by)
        n = math.ceil((last - first) / by) if isinstance(last, float) else -((first - last) // by)
        return (first + by * np.arange(max(n, 0))).astype(d.np)
    n = max(math.ceil((last - first) / by), 0)
    exact = fma64(np.arange(n), float(by), float(first))
    lanes = {4: 8, 8: 4}.get(d.itemsize)
    if lanes:  # torch counts whole vectors from a first number rounded to the dtype, two vectors at a time
        whole = n // (2 * lanes) * 2 * lanes
        starts = exact[:whole:lanes].astype(d.np).astype(np.float64)
        exact[:whole] = fma64(np.arange(lanes), float(by), starts[:, None]).ravel()
    return exact.astype(d.np)


def range_(start: Any = 0, end: Any = None, step: Any = 1, **options: Any) -> Tensor:
    """As arange, but end is reached (deprecated in torch)."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent "
        "with Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    if end is None:
        start, end = 0, start
    d = resolve("range", options.get("dtype"))
    n = int((end - start) / step) + 1
    return finish("range", (start + np.float64(step) * np.arange(n)).astype(d.np), options.get("requires_grad", False))


def _spaced(name: str, start: Any, end: Any, steps: Any, d: DType) -> Array:
    if not all(isinstance(v, (bool, int, float, np.generic, Tensor)) for v in (start, end)) or not is_int(steps):
        raise mismatch(name, start, end, steps)
    if int(steps) < 0:
        raise RuntimeFault("number of steps must be non-negative")
    if d is dtypes.bool_:
        raise NotImplementedFault(f"\"{name}_cpu\" not implemented for 'Bool'")
    n = int(steps)
    a, b = (_number(name, "start", v, 1) for v in (start, end))
    if n == 1:
        return np.full(1, a).astype(d.np)
    i = np.arange(n)
    if d.np.kind in "iu":
        step = (float(b) - float(a)) / max(n - 1, 1)
        return np.where(i < n // 2, np.trunc(a + step * i), np.trunc(b - step * (n - 1 - i))).astype(d.np)
    a, b = d.np.type(a), d.np.type(b)
    by = np.float64((b - a) / d.np.type(max(n - 1, 1)))
    # from both ends to the middle, each number with one rounding: torch fuses multiplication and addition
    return np.where(i < n // 2, fma64(by, i, a), fma64(-by, n - 1 - i, b)).astype(d.np)


def linspace(start: Any, end: Any, steps: Any = None, **options: Any) -> Tensor:
    """`steps` numbers from start to end, both included.

    source  https://pytorch.org/docs/stable/generated/torch.linspace.html
    """
    check_options("linspace", options)
    if steps is None:
        raise mismatch("linspace", start, end)
    d = resolve("linspace", options.get("dtype"))
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish("linspace", _spaced("linspace", start, end, steps, d), options.get("requires_grad", False), **keep)


def logspace(start: Any, end: Any, steps: Any = None, base: float = 10.0, **options: Any) -> Tensor:
    """Powers of base, the exponents evenly spaced from start to end.

    source  https://pytorch.org/docs/stable/generated/torch.logspace.html
    """
    check_options("logspace", options)
    if steps is None:
        raise mismatch("logspace", start, end)
    d = resolve("logspace", options.get("dtype"))
    exponents = _spaced("logspace", start, end, steps, dtypes.float64)
    return finish("logspace", np.power(float(base), exponents).astype(d.np), options.get("requires_grad", False))


def eye(n: Any, m: Any = None, **options: Any) -> Tensor:
    """Ones on the diagonal, zeros elsewhere."""
    check_options("eye", options)
    for name, value in (("n", n), ("m", m)):
        if value is not None and not is_int(value):
            raise TypeFault(f"eye(): argument '{name}' (position 1) must be int, not {kind(value)}")
        if value is not None and int(value) < 0:
            raise RuntimeFault(f"{name} must be greater or equal to 0, got {value}")
    d = resolve("eye", options.get("dtype"))
    array = np.eye(int(n), int(n) if m is None else int(m), dtype=d.np)
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish("eye", array, options.get("requires_grad", False), **keep)


def _triangle(name: str, indices: Any, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    d = resolve(name, dtype, dtypes.int64)
    return finish(name, np.array(indices(row, offset, col)).astype(d.np), device=device)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, **_: Any) -> Tensor:
    """Rows and columns of the lower triangle, in two rows."""
    return _triangle("tril_indices", np.tril_indices, row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, **_: Any) -> Tensor:
    """Rows and columns of the upper triangle, in two rows."""
    return _triangle("triu_indices", np.triu_indices, row, col, offset, dtype, device)


# what torch has under these names at its top
PUBLIC = {f.__name__.rstrip("_"): f for f in (arange, range_, linspace, logspace, eye, tril_indices, triu_indices)}
