"""The same values in another order or several times over, as copies: flip, roll, repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.axes import axis_of
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Sample, composite, op
from engine.ops.shape import MATRIX, flatten, sizes

Array = Any
Tensor = Any
Shape = kernels.Shape


@op("flip_(input, dims)", vjps={"input": "flip_(g, dims)"}, node="FlipBackward0", latex=r"\operatorname{flip}({input})",
    method=False, public="flip", samples=[Sample((MATRIX,), {"dims": (0,)}), Sample((MATRIX,), {"dims": (0, -1)})])  # fmt: skip
def _flip(input: Array, dims: Any) -> Array:
    """Reversed along these dimensions."""
    return np.flip(input, [axis_of(d, input.ndim) for d in dims]).copy() if input.ndim else input.copy()


@composite()
def flip(input: Tensor, *axes: Any, dims: Any = None) -> Tensor:
    """Reversed along these dimensions."""
    return TENSORS["flip_"](input, sizes(axes, dims))


@composite()
def fliplr(input: Tensor) -> Tensor:
    """Reversed along dimension 1."""
    return TENSORS["flip_"](input, (1,))


@composite()
def flipud(input: Tensor) -> Tensor:
    """Reversed along dimension 0."""
    return TENSORS["flip_"](input, (0,))


@op("roll(input, shifts, dims=None)", vjps={"input": "roll(g, opposite(shifts), dims)"}, node="RollBackward0",
    latex=r"\operatorname{roll}({input})", samples=[Sample((MATRIX,), {"shifts": 1}), Sample((MATRIX,), {"shifts": 1, "dims": 0}),
    Sample((MATRIX,), {"shifts": (1, -1), "dims": (0, 1)})])  # fmt: skip
def _roll(input: Array, shifts: Any, dims: Any) -> Array:
    """Shifted around along dimensions."""
    dims = None if dims is None or dims == () else dims
    if not input.size:
        return input.copy()
    if isinstance(dims, int):
        dims = axis_of(dims, input.ndim)
    elif dims is not None:
        dims = tuple(axis_of(d, input.ndim) for d in dims)
    return np.roll(input, shifts if dims is not None or isinstance(shifts, int) else shifts[0], dims)


ARRAYS["opposite"] = TENSORS["opposite"] = lambda s: -s if isinstance(s, int) else tuple(-x for x in s)


@op("rot90(input, k=1, dims=(0, 1))", vjps={"input": "rot90(g, -k, dims)"}, node="Rot90Backward0",
    latex=r"\operatorname{rot90}({input})", samples=[Sample((MATRIX,)), Sample((MATRIX,), {"k": 2})])  # fmt: skip
def _rot90(input: Array, k: int, dims: Any) -> Array:
    """Rotated by 90 degrees, k times."""
    return np.rot90(input, k, dims).copy()


@op("repeat_(input, sizes)", vjps={"input": "repeat_backward(g, sizes, input_shape)"}, node="RepeatBackward0",
    latex=r"\operatorname{repeat}({input})", method=False, public="repeat",
    samples=[Sample((MATRIX,), {"sizes": (2, 1)}), Sample(([1.0, 2.0],), {"sizes": (2, 3)})])  # fmt: skip
def _repeat(input: Array, sizes: Any) -> Array:
    """Copies laid side by side."""
    if len(sizes) < input.ndim:
        raise RuntimeFault("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return np.tile(input, sizes)


def _repeat_backward(g: Any, counts: Any, shape: Shape) -> Any:
    """Sum over the copies: every dimension split into (copies, size)."""
    k = len(counts) - len(shape)
    split: list[int] = []
    axes = []
    for i, c in enumerate(counts):
        axes.append(len(split))
        split.append(c)
        if i >= k:
            split.append(shape[i - k])
    if isinstance(g, NAMESPACE["Tensor"]):
        return TENSORS["reshape"](TENSORS["sum"](TENSORS["reshape"](g, tuple(split)), tuple(axes)), shape)
    return g.reshape(split).sum(tuple(axes)).reshape(shape)


ARRAYS["repeat_backward"] = TENSORS["repeat_backward"] = _repeat_backward


@composite()
def repeat(input: Tensor, *counts: Any, repeats: Any = None) -> Tensor:
    """Copies laid side by side."""
    return TENSORS["repeat_"](input, sizes(counts, repeats))


@composite(samples=[Sample((MATRIX,), {"dims": (2,)}), Sample(([1.0],), {"dims": (2, 2)})])
def tile(input: Tensor, *times: Any, dims: Any = None) -> Tensor:
    """repeat() with missing leading counts taken as 1."""
    counts = sizes(times, dims)
    return TENSORS["repeat_"](input, (1,) * (len(input._s) - len(counts)) + counts)


@composite(samples=[Sample((MATRIX,), {"repeats": 2}), Sample((MATRIX,), {"repeats": 2, "dim": 0})])
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None, *, output_size: Any = None) -> Tensor:
    """Each element repeated in place."""
    if dim is None:
        input, dim = flatten(input), 0
    d = axis_of(dim, len(input._s))
    if isinstance(repeats, int):
        s = input._s
        wide = TENSORS["expand_to"](TENSORS["unsqueeze"](input, d + 1), (*s[: d + 1], repeats, *s[d + 1 :]))
        return flatten(TENSORS["clone_rows"](wide), d, d + 1)
    if isinstance(repeats, NAMESPACE["Tensor"]):
        counts = np.broadcast_to(np.asarray(repeats._a).reshape(-1), (input._s[d],))
    else:
        counts = np.full(input._s[d], repeats)
    index = TENSORS["wrap_array"](np.repeat(np.arange(input._s[d]), counts))
    return TENSORS["index_select"](input, d, index)
