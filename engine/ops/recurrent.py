"""Nodes that only torch's recurrent layers make: splits that are no views, a transpose in place, packed sequences."""

from __future__ import annotations

from collections.abc import Sequence
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


def batch_sizes(lengths: Sequence[int]) -> list[int]:
    """How many sequences still go on at each step, of sequences of falling length."""
    return [sum(n > step for n in lengths) for step in range(max(lengths))]


def places(lengths: Sequence[int], batch_first: bool) -> tuple[Array, Array]:
    """Where in a padded array (L, N, …), or (N, L, …), the entries of the packed one lie."""
    sizes = batch_sizes(lengths)
    step = np.repeat(np.arange(len(sizes)), sizes)
    member = np.concatenate([np.arange(n) for n in sizes])
    return (member, step) if batch_first else (step, member)


@op(
    "packed(input, lengths, batch_first=False)",
    vjps={"input": "unpacked(g, lengths, batch_first, input_shape)"},
    node="PackPaddedSequenceBackward0",
    latex=r"\operatorname{pack}({input})",
    doc="The entries of padded sequences that are no padding, step after step.",
    source="https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html",
    samples=[Sample(([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]],), {"lengths": (3, 2)}),
             Sample(([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]],), {"lengths": (3, 1), "batch_first": True})],
    method=False,
    public="_pack_padded_sequence",
)  # fmt: skip
def packed(input: Array, lengths: tuple[int, ...], batch_first: bool) -> Array:
    return input[places(lengths, batch_first)]


@op(
    "unpacked(g_, lengths, batch_first, input_sizes)",
    vjps={"g_": "packed(g, lengths, batch_first)"},
    node="PackPaddedSequenceBackwardBackward0",
    latex="",
    method=False,
)
def unpacked(g_: Array, lengths: tuple[int, ...], batch_first: bool, input_sizes: tuple[int, ...]) -> Array:
    """Zeros to which the entries of a packed array went back."""
    r = np.zeros(input_sizes, g_.dtype)
    r[places(lengths, batch_first)] = g_
    return r


__all__ = ["batch_sizes", "gates", "packed", "places", "swapped", "unpacked"]
