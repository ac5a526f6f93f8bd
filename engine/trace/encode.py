"""NumPy values to events.Array and back. Knows dtypes and budgets; knows no tensor, no node and no file.

float32 travels as the shortest decimal that reads back (0.1, not 0.10000000149011612); NaN and the infinities
as strings. What is too large to travel whole is described by statistics and its first values.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.trace.events import BINARY_LIMIT, INLINE_LIMIT, Array, Number, Stats

PREVIEW = 16  # values shown of an array that does not travel
FEW = 40  # values: up to here one str() each is faster than the vectorised search (0.6 us against 35 us at once)

_names: dict[Any, str] = {}  # dtype -> its name: NumPy makes the name anew each time, for 5 us

_POWERS = np.array([10.0**k for k in range(23)])  # all exact in float64: a product or quotient rounds once


def encode(
    value: Any,
    shape: Sequence[int] | None = None,
    *,
    dtype: str | None = None,
    inline: int = INLINE_LIMIT,
    binary: int = BINARY_LIMIT,
) -> Array:
    """What a trace holds of `value`: an ndarray, a NumPy scalar or a Python number.

    shape   the shape it stands for when it is smaller (a gradient not yet expanded); its own when None
    dtype   torch's name for it, where NumPy's does not tell (bfloat16)
    """
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    if type(value) is np.float32 and not shape:  # the commonest case by far
        return Array((), "float32", [_float32(value)])
    a = np.asarray(value)
    if a.dtype.kind == "O":
        a = a.astype(np.float64)
    if shape is not None and a.shape != tuple(shape):
        goal = tuple(shape)
        a = a.reshape(goal) if a.size == math.prod(goal) else np.broadcast_to(a, goal)
    name = dtype or _name(a.dtype)
    size = a.size
    if size <= inline:
        return Array(a.shape, name, numbers(a))
    if size <= binary:
        little = np.ascontiguousarray(a, a.dtype.newbyteorder("<"))
        return Array(a.shape, name, None, base64.b64encode(little.tobytes()).decode("ascii"))
    return Array(a.shape, name, None, None, numbers(_first(a, PREVIEW)), stats(a))


def brief(value: Any, shape: Sequence[int] | None = None) -> Array:
    """The value as a `step` tells it: whole up to 64 values, else 8 of them and statistics."""
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    if type(value) is np.float32 and not shape:
        return Array((), "float32", [_float32(value)])
    a = np.asarray(value)
    size = a.size if shape is None else math.prod(shape)
    if size <= 64:
        return encode(value, shape)
    if shape is not None and a.shape != tuple(shape):
        a = np.broadcast_to(a, tuple(shape))
    return Array(a.shape, _name(a.dtype), None, None, numbers(_first(a, 8)), stats(a))


def decode(array: Array | dict[str, Any]) -> npt.NDArray[Any] | None:
    """The values again, in the shape and dtype they had; None when only statistics travelled."""
    if isinstance(array, dict):
        shape, name = array["shape"], array["dtype"]
        data, b64 = array.get("data"), array.get("b64")
    else:
        shape, name, data, b64 = array.shape, array.dtype, array.data, array.b64
    kind = np.dtype({"bfloat16": "float32"}.get(name, name))
    if data is not None:
        return np.array([float(v) if isinstance(v, str) else v for v in data], kind).reshape(shape)
    if b64 is not None:
        raw = base64.b64decode(b64)
        return np.frombuffer(raw, kind.newbyteorder("<")).astype(kind).reshape(shape)
    return None


def number(value: Any) -> Number:
    """One number as JSON can hold it."""
    if type(value) is np.float32:
        return _float32(value)
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is float and not math.isfinite(value):
        return _word(value)
    result: Number = value
    return result


def numbers(a: npt.NDArray[Any]) -> list[Number]:
    """All values in row-major order."""
    kind = a.dtype
    if kind == np.float32 or kind == np.float16:
        if a.size <= FEW or kind == np.float16:
            return [_float32(v) for v in a.ravel()]
        flat = a.ravel()
        finite = np.isfinite(flat)
        if finite.all():
            short: list[Number] = _shortest(flat)
            return short
        found = _shortest(np.where(finite, flat, np.float32(0)))
        return [v if ok else _word(w) for v, ok, w in zip(found, finite, flat.tolist(), strict=True)]
    values: list[Number] = a.ravel().tolist()
    if kind.kind == "f" and not np.isfinite(a).all():
        return [v if math.isfinite(v) else _word(float(v)) for v in values]  # type: ignore[arg-type]
    return values


def stats(a: npt.NDArray[Any]) -> Stats:
    """Of all elements that are finite, in float64; NaNs and infinities are counted apart."""
    flat = a.ravel()
    nan = inf = 0
    if flat.dtype.kind == "f":
        with np.errstate(all="ignore"):
            total = float(np.dot(flat, flat))  # one fast pass tells
        if not math.isfinite(total):
            finite = np.isfinite(flat)
            nan = int(np.isnan(flat).sum())
            inf = int(flat.size - int(finite.sum()) - nan)
            flat = flat[finite]
    if flat.size == 0:
        return Stats(0, 0, 0, 0, 0, 0, nan, inf)
    wide = flat.astype(np.float64) if flat.size <= BINARY_LIMIT else flat  # large: BLAS in its own precision
    if wide.dtype.kind != "f":
        wide = wide.astype(np.float64)
    mean = float(wide.mean())
    with np.errstate(all="ignore"):
        square = float(np.dot(wide, wide))
    if not math.isfinite(square):
        wide = wide.astype(np.float64)
        mean, square = float(wide.mean()), float(np.dot(wide, wide))
    variance = max(square / flat.size - mean * mean, 0.0)
    return Stats(
        number(flat.min()), number(flat.max()), mean, math.sqrt(variance), math.sqrt(square),
        int(flat.size - np.count_nonzero(flat)), nan, inf,
    )  # fmt: skip


def _first(a: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    return a.ravel()[:count] if a.flags.c_contiguous else np.array(list(islice(a.flat, count)), a.dtype)


def _name(kind: np.dtype[Any]) -> str:
    found = _names.get(kind)
    if found is None:
        found = _names[kind] = kind.name
    return found


def _word(value: float) -> Number:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _float32(value: Any) -> Number:
    short = float(str(value))  # NumPy prints a float32 as the shortest decimal that reads back
    if short - short == 0.0:
        return short
    return _word(short)


def _shortest(flat: npt.NDArray[Any]) -> list[Any]:
    """Per value: the fewest digits, 6 to 9, whose nearest float32 is the value. All finite."""
    wide = flat.astype(np.float64)
    with np.errstate(all="ignore"):
        size = np.floor(np.log10(np.abs(wide)))
    size = np.where(np.isfinite(size), size, 0.0).astype(np.int64)
    found = wide.copy()
    reach = (size >= -13) & (size <= 27)  # where every power needed is exact
    open_ = np.flatnonzero((wide != 0) & reach)
    far = np.flatnonzero(~reach)
    for digits in (6, 7, 8, 9):
        if not open_.size:
            break
        w = wide[open_]
        shift = digits - 1 - size[open_]
        power = _POWERS[np.abs(shift)]
        with np.errstate(all="ignore"):
            tried = np.where(shift >= 0, np.rint(w * power) / power, np.rint(w / power) * power)
            good = tried.astype(np.float32) == flat[open_]
        found[open_[good]] = tried[good]
        open_ = open_[~good]
    values: list[Any] = found.tolist()
    for n in (*open_.tolist(), *far.tolist()):
        values[n] = float(str(flat[n]))
    return values
