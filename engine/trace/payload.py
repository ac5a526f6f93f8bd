"""Small questions about engine objects, asked wherever events are made of them. Knows no window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.ops.registry import E0
from engine.tensor import Tensor
from engine.trace import events as ev
from engine.trace.encode import encode, number


def is_parameter(tensor: Tensor) -> bool:
    """A leaf that requires grad."""
    leaf = tensor._n
    return leaf is not None and leaf[E0] is None


def memory(tensor: Tensor) -> Any:
    """The object that owns the tensor's values."""
    payload = tensor._a
    if type(payload) is np.ndarray:
        while type(payload.base) is np.ndarray:
            payload = payload.base
    return payload


def like(local: Any, upstream: Any) -> Any:
    """A local derivative in the dtype of what it is multiplied with: a constant comes as float64."""
    kind = getattr(upstream, "dtype", None)
    return local if kind is None or kind == np.asarray(local).dtype else np.asarray(local).astype(kind)


def payload(value: Any) -> Any:
    return value._a if isinstance(value, Tensor) else value


def one(value: Any) -> Any:
    return value if type(value) is np.float32 else np.asarray(value).reshape(())[()]


def term(value: Any, shape: tuple[int, ...]) -> ev.Number | ev.Array | None:
    """What an update read: numbers as numbers, state and gradients as arrays in the parameter's shape."""
    value = payload(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return encode(value, shape if value.size == math.prod(shape) else None)
    return number(value) if isinstance(value, (bool, int, float)) else None


def constant(value: Any) -> ev.Number | str:
    if isinstance(value, (bool, int, float, np.generic)):
        return number(value)
    return str(value)[:80]


def plain(value: Any) -> Any:
    """A parameter of a call as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, np.generic)):
        return number(value)
    if isinstance(value, (tuple, list)) and len(value) <= 64:
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray) and value.size <= 256:  # an index: the page shows which cells it picked
        return value.tolist()
    if isinstance(value, Tensor):
        return f"tensor{tuple(value._s)}"
    return str(value)[:80]
