"""Padding and pixel shuffling: rearranging the borders and channels of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops.op import TENSORS, Failing, Sample, op
from engine.ops.vocabulary import word

Array = Any
Ints = tuple[int, ...]

_SITE = "https://pytorch.org/docs/stable/generated/torch.nn.functional."
IMAGE = [[[[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [2.0, 1.0, -2.0]]]]
LINE = [[[1.0, 2.0, 0.5, -1.0, 3.0]]]

# ---- padding ------------------------------------------------------------------------------------------------------


def _sides(ndim: int, pad: Sequence[int]) -> list[tuple[int, int]]:
    """(before, after) of every dimension, from torch's last-dimension-first list."""
    sides = [(0, 0)] * ndim
    for i in range(len(pad) // 2):
        sides[ndim - 1 - i] = (pad[2 * i], pad[2 * i + 1])
    return sides


def _crop(x: Array, sides: Sequence[tuple[int, int]]) -> Array:
    return x[tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape, sides, strict=True))]


@op(
    "constant_pad_nd(input, pad, value=0.0)",
    vjps={"input": "unpad(g, pad)"},
    node="ConstantPadNdBackward0",
    latex=r"\operatorname{pad}({input})",
    latex_partials={"input": r"\operatorname{crop}(g)"},
    doc="Extended with a value (negative amounts cut off); (left, right) of the last dimension first.",
    source=_SITE + "pad.html",
    samples=[Sample(([[1.0, 2.0], [3.0, 4.0]],), {"pad": (1, 2)}), Sample(([1.0, 2.0, 3.0],), {"pad": (-1, 1)})],
    fails=[
        Failing(
            ([1.0, 2.0],), {"pad": (1, 1, 1, 1)}, RuntimeError,
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is 4 while "
            "the input has 1 dimensions.",
        )
    ],
    method=False,
)  # fmt: skip
def constant_pad_nd(input: Array, pad: Sequence[int], value: float) -> Array:
    if len(pad) % 2:
        raise RuntimeFault(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * input.ndim:
        raise RuntimeFault(
            f"Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(pad)} while the input has {input.ndim} dimensions."
        )
    sides = _sides(input.ndim, pad)
    for i, (n, (a, b)) in enumerate(zip(input.shape, sides, strict=True)):
        if n + a + b < 0:
            raise RuntimeFault(
                f"The input size {n}, plus negative padding {a} and {b} resulted in a negative output size, "
                f"which is invalid. Check dimension {i} of your input."
            )
    grown = [(max(0, a), max(0, b)) for a, b in sides]
    return np.pad(_crop(input, sides), grown, constant_values=value)


word(
    "unpad",
    lambda g, pad: np.ascontiguousarray(
        _crop(np.pad(g, [(max(0, -a), max(0, -b)) for a, b in _sides(g.ndim, pad)]), [
            (-max(0, a), -max(0, b)) for a, b in _sides(g.ndim, pad)
        ])
    ),
    lambda g, pad: TENSORS["constant_pad_nd"](g, tuple(-p for p in pad)),
)  # fmt: skip

_NUMPY_MODE = {"reflect": "reflect", "replicate": "edge"}
_PAD_NODE = {"reflect": "ReflectionPad{n}DBackward0", "replicate": "ReplicationPad{n}DBackward0"}


def _source_index(n: int, before: int, after: int, mode: str) -> Array:
    return np.pad(np.arange(n), (before, after), mode=_NUMPY_MODE[mode])


def _pad_matrices(sizes: Ints, pad: Sequence[int], mode: str) -> list[Array]:
    """For each padded dimension, from the last: which element each place repeats."""
    return [
        _source_index(sizes[len(sizes) - 1 - i], pad[2 * i], pad[2 * i + 1], mode) for i in range(len(pad) // 2)
    ]


def _repeat_pad(x: Array, pad: Sequence[int], mode: str) -> Array:
    for i, index in enumerate(_pad_matrices(x.shape, pad, mode)):
        x = np.take(x, index, axis=x.ndim - 1 - i)
    return x


def _repeat_unpad(g: Array, shape: Ints, pad: Sequence[int], mode: str) -> Array:
    for i, index in enumerate(_pad_matrices(shape, pad, mode)):
        axis = g.ndim - 1 - i
        size = list(g.shape)
        size[axis] = shape[axis]
        out = np.zeros(size, g.dtype)
        np.add.at(np.moveaxis(out, axis, 0), index, np.moveaxis(g, axis, 0))
        g = out
    return g


@op(
    "repeat_pad(input, pad, mode)",
    vjps={"input": "through(repeat_unpad(g, input_shape, pad, mode), input)"},
    node=lambda p: _PAD_NODE[p["mode"]].format(n=len(p["pad"]) // 2),
    latex=r"\operatorname{pad}({input})",
    latex_partials={"input": r"\operatorname{fold}(g)"},
    doc="Extended by what is there already: mirrored (reflect), the border (replicate).",
    source=_SITE + "pad.html",
    samples=[
        Sample((LINE,), {"pad": (1, 2), "mode": "reflect"}),
        Sample((LINE,), {"pad": (1, 2), "mode": "replicate"}),
        Sample((IMAGE,), {"pad": (1, 1, 2, 0), "mode": "reflect"}),
    ],
    method=False,
    public="pad",
)
def repeat_pad(input: Array, pad: Sequence[int], mode: str) -> Array:
    for i in range(len(pad) // 2):
        axis = input.ndim - 1 - i
        n, before, after = input.shape[axis], pad[2 * i], pad[2 * i + 1]
        if mode == "reflect" and (before >= n or after >= n):
            raise RuntimeFault(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({before}, {after}) at dimension {axis} of input {list(input.shape)}"
            )
    return _repeat_pad(input, pad, mode)


@op(
    "repeat_unpad(grad, input_size, pad, mode)",
    vjps={"grad": "repeat_pad(g, pad, mode)"},
    node="PadBackwardBackward0",
    latex=r"\operatorname{fold}(g)",
    latex_partials={"grad": r"\operatorname{pad}(x)"},
    doc="The derivative of repeat_pad: repeated places add up.",
    source="",
    method=False,
    public="pad_backward",
)
def repeat_unpad(grad: Array, input_size: Ints, pad: Sequence[int], mode: str) -> Array:
    return _repeat_unpad(grad, tuple(input_size), pad, mode)


# ---- pixel shuffle ------------------------------------------------------------------------------------------------


@op(
    "pixel_shuffle(input, upscale_factor)",
    vjps={"input": "pixel_unshuffle(g, upscale_factor)"},
    node="PixelShuffleBackward0",
    latex=r"\operatorname{shuffle}({input})",
    latex_partials={"input": r"\operatorname{unshuffle}(g)"},
    doc="(*, C r^2, H, W) -> (*, C, H r, W r).",
    source=_SITE + "pixel_shuffle.html",
    method=False,
)
def pixel_shuffle(input: Array, upscale_factor: int) -> Array:
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeFault(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeFault(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    x = input.reshape(*lead, c // (r * r), r, r, h, w)
    k = len(lead)
    return x.transpose(*range(k), k, k + 3, k + 1, k + 4, k + 2).reshape(*lead, c // (r * r), h * r, w * r)


@op(
    "pixel_unshuffle(input, downscale_factor)",
    vjps={"input": "pixel_shuffle(g, downscale_factor)"},
    node="PixelUnshuffleBackward0",
    latex=r"\operatorname{unshuffle}({input})",
    latex_partials={"input": r"\operatorname{shuffle}(g)"},
    doc="(*, C, H r, W r) -> (*, C r^2, H, W).",
    source=_SITE + "pixel_unshuffle.html",
    method=False,
)
def pixel_unshuffle(input: Array, downscale_factor: int) -> Array:
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeFault(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    *lead, c, h, w = input.shape
    for name, size in (("height", h), ("width", w)):
        if size % r:
            raise RuntimeFault(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size(-{2 if name == 'height' else 1})={size} is not divisible by {r}"
            )
    x = input.reshape(*lead, c, h // r, r, w // r, r)
    k = len(lead)
    return x.transpose(*range(k), k, k + 2, k + 4, k + 1, k + 3).reshape(*lead, c * r * r, h // r, w // r)


__all__ = ["constant_pad_nd", "pixel_shuffle", "pixel_unshuffle", "repeat_pad", "repeat_unpad"]
