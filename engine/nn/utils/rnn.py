"""Sequences of different lengths: padded to one tensor, or packed so that recurrent layers skip the padding.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/torch/nn/utils/rnn.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from engine.creation import as_tensor, full, tensor
from engine.errors import RuntimeFault
from engine.ops import recurrent
from engine.ops.registry import TENSORS
from engine.tensor import Tensor


class PackedSequence_(NamedTuple):
    """What a PackedSequence holds."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """The entries of several sequences, step after step, without padding; `batch_sizes` entries belong to a step."""

    __module__ = "torch.nn.utils.rnn"

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With its data in another dtype."""
        return type(self)(self.data.to(*args, **kwargs), self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def cpu(self) -> PackedSequence:
        """Itself: there is one device."""
        return self

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another."""
    return None if permutation is None else permutation.argsort()


def _check_lengths(input: Tensor, lengths: Sequence[int], batch_first: bool) -> None:
    """torch's complaints about lengths that cannot be packed."""
    if not input.numel():
        raise RuntimeFault("Cannot pack empty tensors.")
    count = input.size(0 if batch_first else 1)
    if len(lengths) != count:
        raise RuntimeFault(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} (batch_size={count})",
            hint=None if batch_first else "is the batch the first dimension? Then say batch_first=True",
        )
    if lengths[-1] <= 0:
        raise RuntimeFault(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if any(later > earlier for earlier, later in zip(lengths, lengths[1:], strict=False)):
        raise RuntimeFault(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do "
            "not need ONNX exportability."
        )
    longest = input.size(1 if batch_first else 0)
    if lengths[0] > longest:
        raise RuntimeFault(f"Expected lengths of at most {longest}, the padded length, but got {lengths[0]}")


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Padded sequences (L, N, …), or (N, L, …) with batch_first, without their padding."""
    lengths = as_tensor(lengths).long()
    order = None
    if not enforce_sorted:
        lengths, order = lengths.sort(descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    found = tuple(lengths.tolist())
    _check_lengths(input, found, batch_first)
    data = TENSORS["packed"](input, found, batch_first)
    return PackedSequence(data, tensor(recurrent.batch_sizes(found)), order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded sequences again, and their lengths."""
    sizes = sequence.batch_sizes.tolist()
    steps = len(sizes)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    data = sequence.data
    padded = full((steps, sizes[0], *data.shape[1:]), padding_value, dtype=data.dtype)
    start = 0
    for first, last in _runs(sizes):
        n = sizes[first]
        piece = data[start : start + n * (last - first)].view(last - first, n, *data.shape[1:])
        padded[first:last][:, :n].copy_(piece)
        start += n * (last - first)
    if batch_first:
        padded = padded.transpose(0, 1)
    lengths = tensor([sum(n > member for n in sizes) for member in range(sizes[0])])
    if sequence.unsorted_indices is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, sequence.unsorted_indices), lengths[sequence.unsorted_indices]


def _runs(sizes: Sequence[int]) -> Iterable[tuple[int, int]]:
    """From where to where neighbouring sizes are equal."""
    first = 0
    for i in range(1, len(sizes) + 1):
        if i == len(sizes) or sizes[i] != sizes[first]:
            yield first, i
            first = i


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (length, …) in one tensor (L, N, …), or (N, L, …) with batch_first; what is missing is padding."""
    if not isinstance(sequences, Iterable):
        raise RuntimeFault(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    rows = tuple(sequences)
    if not rows:
        raise RuntimeFault("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeFault(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(row.size(0) for row in rows)
    shape = (len(rows), longest) if batch_first else (longest, len(rows))
    out = full((*shape, *rows[0].shape[1:]), padding_value, dtype=rows[0].dtype)
    for i, row in enumerate(rows):
        start = longest - row.size(0) if padding_side == "left" else 0
        place = out.select(0 if batch_first else 1, i).narrow(0, start, row.size(0))
        place.copy_(row)
    return out


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences one by one, without their padding."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[:n] for row, n in zip(rows, lengths.tolist(), strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of different lengths, packed."""
    return pack_padded_sequence(pad_sequence(sequences), [row.size(0) for row in sequences], False, enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed tensor one by one."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
