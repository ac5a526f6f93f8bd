"""Inputs on which operations are compared with torch: the sets that blocks share.

A sample's inputs are specifications: nested lists and numbers are tensors (0-dim for a bare number), `Number` is a
Python number, `Layout` a tensor that is not contiguous. tests/parity turns them into tensors of every dtype.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.ops.op import Sample


@dataclass(frozen=True, slots=True)
class Number:
    """A Python number, as opposed to a 0-dim tensor."""

    value: Any


@dataclass(frozen=True, slots=True)
class Layout:
    """A tensor whose memory is not in row-major order: the transpose of `value`, or every second element of it."""

    value: Any
    how: str = "transposed"  # or "strided"


NAN, INF = float("nan"), float("inf")

UNARY = (
    Sample(([-2.0, -0.5, 0.0, 0.5, 1.0, 3.5],)),
    Sample(([[0.1, -0.7], [1.9, 2.3]],)),
    Sample((0.75,)),
    Sample(([],)),
    Sample(([NAN, INF, -INF, -0.0],)),
    Sample((Layout([[0.3, -1.2, 2.0], [0.4, 0.9, -0.1]]),)),
    Sample(([0, 1, 2, 5],)),
    Sample(([True, False],)),
)
POSITIVE = (
    Sample(([0.25, 1.0, 3.5, 100.0],)),
    Sample((2.0,)),
    Sample(([0.0, -1.0, NAN, INF],)),
    Sample(([[0.5], [1.5]],)),
    Sample(([1, 2, 3],)),
    Sample(([],)),
)
UNIT = (
    Sample(([-0.9, -0.25, 0.0, 0.5, 0.99],)),
    Sample((0.3,)),
    Sample(([1.0, -1.0, 1.5],)),
    Sample(([0, 1],)),
)
PAIRS = (
    Sample(([1.0, -2.0, 3.5], [0.5, 2.0, -1.5])),
    Sample(([[1.0], [2.0]], [3.0, -4.0, 5.0])),
    Sample(([[1.0, 2.0], [3.0, 4.0]], 2.5)),
    Sample((1.5, -0.5)),
    Sample(([1.5, 2.0], Number(3))),
    Sample(([1.5, 2.0], Number(0.25))),
    Sample(([3, 4, 5], [2, 2, 3])),
    Sample(([3, 4, 5], Number(2))),
    Sample(([3, 4, 5], Number(1.5))),
    Sample(([1, 2], [0.5, 1.5])),
    Sample(([True, False], [2, 3])),
    Sample(([], 1.0)),
    Sample((Layout([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), [[1.0], [-1.0]])),
    Sample(([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[1.0, -1.0]])),
    Sample(([1.0, 1.0, NAN], [1.0, NAN, INF])),
)
INTEGERS = (
    Sample(([3, 5, 12], [1, 2, 3])),
    Sample(([[3], [5]], [1, 2])),
    Sample(([3, 5], Number(1))),
    Sample(([True, False], [True, True])),
)


def reductions(*inputs: Any, **params: Any) -> list[Sample]:
    """A call of a loss for each way to reduce it."""
    return [Sample(inputs, {**params, "reduction": r}) for r in ("mean", "sum", "none")]
