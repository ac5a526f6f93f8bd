"""Nodes that only torch's recurrent layers make: splits that are no views, and a transpose in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.ops.axes import axis_of
from engine.ops.op import Custom, Sample, op, record
from engine.ops.parts import pieces, pieces_arrays, pieces_tensors, ranges

Array = Any
Tensor = Any

UNSAFE_SPLIT = record(
    "unsafe_split", "Equal parts along a dimension, not counted as views.", node="UnsafeSplitBackward0",
    inputs=("input",), latex=r"\operatorname{split}({input})", view=True,
)  # fmt: skip
UNSAFE_SPLIT_RULE = Custom(UNSAFE_SPLIT, pieces_arrays, pieces_tensors)


def gates(input: Tensor, count: int) -> tuple[Tensor, ...]:
    """The columns of (N, count * H) in `count` equal parts."""
    width = input._s[1] // count
    return pieces(UNSAFE_SPLIT, UNSAFE_SPLIT_RULE, input, ranges(1, [width] * count), {"split_size": width, "dim": 1})


@op(
    "swapped(input, dim0, dim1)",
    vjps={"input": "transpose(g, dim0, dim1)"},
    node="TransposeBackward1",
    view=True,
    latex=r"{input}^{\top}",
    latex_partials={"input": r"g^{\top}"},
    doc="Two dimensions exchanged in place, as torch's layers do with batch_first.",
    source="https://pytorch.org/docs/stable/generated/torch.Tensor.transpose_.html",
    samples=[Sample(([[1.0, 2.0], [3.0, 4.0]],), {"dim0": 0, "dim1": 1})],
    method=False,
    public="transpose_",
)
def swapped(input: Array, dim0: int, dim1: int) -> Array:
    return np.swapaxes(input, axis_of(dim0, input.ndim), axis_of(dim1, input.ndim))


__all__ = ["gates", "swapped"]
