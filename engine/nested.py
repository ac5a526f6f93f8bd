"""Nested Python data as arrays: which shape and dtype it has, and torch's complaints when it has none.

Makes arrays, not tensors; what a tensor is, it must know, since tensors may stand among the data.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import dtypes
from engine.dtypes import dtype as DType
from engine.errors import RuntimeFault, TypeFault, ValueFault, unsupported
from engine.tensor import Tensor

Array = Any

FROM_ARRAYS = (
    "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a "
    "single numpy.ndarray with numpy.array() before converting to a tensor. (Triggered internally at "
    "/pytorch/torch/csrc/utils/tensor_new.cpp:257.)"
)


def kind(value: Any) -> str:
    """How torch's argument parser names the type of a value."""
    return "Tensor" if isinstance(value, Tensor) else type(value).__name__


def full_name(value: Any) -> str:
    t = type(value)
    return t.__name__ if t.__module__ == "builtins" else f"{t.__module__}.{t.__name__}"


def is_sequence(value: Any) -> bool:
    if isinstance(value, (Tensor, np.ndarray)):
        return value.ndim > 0 and not (isinstance(value, Tensor) and value.numel() == 1)
    return hasattr(type(value), "__len__") and hasattr(type(value), "__getitem__") and not isinstance(value, dict)


def _shape_of(data: Any) -> tuple[int, ...]:
    """The shape nested sequences promise by their first elements."""
    shape: list[int] = []
    while is_sequence(data):
        if isinstance(data, (str, bytes)):
            raise ValueFault(f"too many dimensions '{kind(data)}'")
        if isinstance(data, (Tensor, np.ndarray)):
            return (*shape, *data.shape)
        shape.append(len(data))
        if not shape[-1]:
            break
        data = data[0]
    return tuple(shape)


def _leaves(data: Any, shape: tuple[int, ...], dim: int, whole: bool) -> list[Any]:
    """The elements of nested sequences in order, with torch's complaints where the nesting is uneven."""
    if dim == len(shape):
        if isinstance(data, Tensor):
            if data.numel() != 1:
                raise ValueFault("only one element tensors can be converted to Python scalars")
            return [data.item()]
        if isinstance(data, np.generic):
            return [data.item()]
        if isinstance(data, (bool, int, float)):
            return [data]
        if not whole:
            raise TypeFault(f"must be real number, not {kind(data)}")
        raise TypeFault(f"'{kind(data)}' object cannot be interpreted as an integer")
    if not is_sequence(data):
        raise TypeFault("not a sequence")
    if len(data) != shape[dim]:
        raise ValueFault(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    if isinstance(data, np.ndarray):
        return list(data.ravel().tolist())
    if isinstance(data, Tensor):
        raise ValueFault("only one element tensors can be converted to Python scalars")
    return [leaf for item in data for leaf in _leaves(item, shape, dim + 1, whole)]


def _infer(data: Any, depth: int = 0) -> DType | None:
    """The dtype of data: bool < int64 < the default float, unless arrays or tensors bring their own."""
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, (np.ndarray, np.generic)):
        return dtypes.of(data)
    if isinstance(data, complex):
        raise unsupported("complex numbers", "use two real tensors, for the real and the imaginary part")
    if isinstance(data, (bool, int, float)):
        return dtypes.of_number(data)
    if isinstance(data, (str, bytes)):
        raise TypeFault(f"new(): invalid data type '{kind(data)}'")
    if not is_sequence(data):
        raise RuntimeFault(f"Could not infer dtype of {kind(data)}")
    found: DType | None = None
    for item in data:
        d = _infer(item, depth + 1)
        if d is not None and d is not found:
            found = d if found is None else dtypes.promote_types(found, d)
    return found


def _plain(data: Any) -> Array | None:
    """Nested lists of Python numbers as an array, the fast way; None if they are anything else."""
    first = data
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if type(first) not in (int, float, bool):
        return None
    try:
        array = np.array(data)
    except Exception:  # ragged, or with strange elements: the slow way finds the words for it
        return None
    return array if array.dtype in (np.float64, np.int64, np.bool_) else None


def _check_range(values: Sequence[Any], d: DType) -> None:
    limits = np.iinfo(d.np)
    for v in values:
        if isinstance(v, float) and not math.isfinite(v):
            raise RuntimeFault(f"value cannot be converted to type {d.name} without overflow")
        v = int(v)
        if not -(1 << 63) <= v < 1 << 63:
            raise ValueFault("Overflow when unpacking long long")
        if not (limits.min or -limits.max) <= v <= limits.max:  # torch: a negative number wraps around in uint8
            raise RuntimeFault(f"value cannot be converted to type {d.name} without overflow")


def array_of(data: Any, d: DType | None = None) -> Array:
    """A new array with the elements of data, in dtype d or in the one torch infers."""
    if isinstance(data, Tensor):
        data = np.asarray(data._a).reshape(data._s)
    if isinstance(data, (np.ndarray, np.generic)):
        target = dtypes.of(data) if d is None else d
        dtypes.of(data)
        return np.array(data, target.np)
    if isinstance(data, (str, bytes)):
        raise TypeFault(f"new(): invalid data type '{kind(data)}'")
    array = _plain(data)
    if array is not None:
        if d is None:
            d = dtypes.get_default_dtype() if array.dtype.kind == "f" else dtypes.OF_NUMPY[array.dtype]
        if d.np.kind in "iu" and array.size and not (d is dtypes.int64 and array.dtype.kind in "ib"):
            _check_range((array.min().item(), array.max().item()), d)
            array = array.astype(np.int64)
        return array.astype(d.np)
    shape = _shape_of(data)
    if d is None:
        d = _infer(data) or dtypes.get_default_dtype()
        if isinstance(data, (list, tuple)) and data and isinstance(data[0], np.ndarray):
            warnings.warn(FROM_ARRAYS, UserWarning, stacklevel=3)
    values = _leaves(data, shape, 0, not d.is_floating_point)
    if d.np.kind in "iu":
        _check_range(values, d)
        return np.array([int(v) for v in values], np.int64).astype(d.np).reshape(shape)
    return np.array(values, d.np).reshape(shape)
