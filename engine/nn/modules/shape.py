"""Turning one number into one per dimension: `spread(3, 2)` is (3, 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def spread(value: Any, n: int) -> tuple[Any, ...]:
    """`value` n times when it is one number; as a tuple when it is several."""
    if isinstance(value, Iterable):
        return tuple(value)
    return (value,) * n
