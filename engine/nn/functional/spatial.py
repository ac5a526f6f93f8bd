"""Padding, sliding windows and resizing as functions; the arithmetic is in engine/ops."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import IndexFault, NotImplementedFault, RuntimeFault, ValueFault, unsupported
from engine.nn.functional.convolution import ints
from engine.nn.functional.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d
from engine.ops.registry import TENSORS
from engine.tensor import Tensor, make


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Extended on both sides, (left, right) of the last dimension first: constant, reflect, replicate, circular."""
    amounts = tuple(int(p) for p in pad)
    if len(amounts) % 2:
        raise RuntimeFault("Padding length must be divisible by 2")
    if len(amounts) > 2 * len(input._s):
        raise RuntimeFault(
            f"Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(amounts)} and input of dimension {len(input._s)}"
        )
    if mode == "constant":
        return TENSORS["constant_pad_nd"](input, amounts, 0.0 if value is None else value)  # type: ignore[no-any-return]
    if value is not None and value != 0:
        raise RuntimeFault(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedFault(f"Unrecognised padding mode {mode}")
    n = len(amounts) // 2
    if len(input._s) not in (n + 1, n + 2):
        raise NotImplementedFault(
            f"Padding size {len(amounts)} is not supported for {len(input._s)}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode == "circular":
        return _pad_around(input, amounts)
    return TENSORS["repeat_pad"](input, amounts, mode)  # type: ignore[no-any-return]


def _pad_around(input: Tensor, amounts: tuple[int, ...]) -> Tensor:
    """Extended by the other end, as torch does it: copied into an empty tensor, then its own slices side by side."""
    n = len(input._s)
    size = list(input._s)
    sides = [(n - 1 - i, amounts[2 * i], amounts[2 * i + 1]) for i in range(len(amounts) // 2)]
    for dim, before, after in sides:
        if before > size[dim] or after > size[dim]:
            raise RuntimeFault("Padding value causes wrapping around more than once.")
        size[dim] += before + after
        if size[dim] < 0:
            raise RuntimeFault("Negative padding value is resulting in an empty dimension")
    out = make(np.zeros(tuple(size), input._a.dtype), tuple(size))

    def part(t: Tensor, dim: int, start: int, end: int) -> Tensor:
        return TENSORS["slice"](t, dim, start, end, 1)  # type: ignore[no-any-return]

    target, source = out, input
    for dim, before, after in sides:
        target = part(target, dim, max(before, 0), size[dim] - max(after, 0))
        source = part(source, dim, max(-before, 0), source._s[dim] - max(-after, 0))
    target.copy_(source)
    for dim, before, after in sides:
        end = size[dim] - max(after, 0)
        if before > 0:
            part(out, dim, 0, before).copy_(part(out, dim, end - before, end))
        if after > 0:
            part(out, dim, end, size[dim]).copy_(part(out, dim, max(before, 0), max(before, 0) + after))
    return out


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Every window of (N, C, H, W) as a column: (N, C kh kw, L)."""
    if len(input._s) < 3:
        raise IndexFault(f"Dimension out of range (expected to be in range of [-{len(input._s)}, {len(input._s) - 1}], but got 2)")
    if len(input._s) > 4:
        raise RuntimeFault(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(input._s)}"
        )
    geometry = (ints(kernel_size, 2), ints(dilation, 2), ints(padding, 2), ints(stride, 2))
    kernel, spread, margin, step = geometry
    sizes = zip(input._s[-2:], kernel, spread, margin, step, strict=True)
    blocks = [(n + 2 * m - d * (k - 1) - 1) // t + 1 for n, k, d, m, t in sizes]
    if min(blocks) < 1:
        shown = ", ".join(f"{what}=({a}, {b})" for what, (a, b) in zip(("kernel_size", "dilation", "padding"), geometry, strict=False))
        raise RuntimeFault(
            f"Given input with spatial size ({input._s[-2]}, {input._s[-1]}), {shown}, calculated shape of the array of "
            f"sliding blocks as ({blocks[0]}, {blocks[1]}), but its components must be at least one."
        )
    return TENSORS["im2col"](input, *geometry)  # type: ignore[no-any-return]


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Columns added back into images: the transpose of unfold."""
    if len(input._s) not in (2, 3):
        raise RuntimeFault(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input._s)}"
        )
    geometry = (
        ints(output_size, 2), ints(kernel_size, 2), ints(dilation, 2), ints(padding, 2), ints(stride, 2),
    )  # fmt: skip
    if len(input._s) == 2:
        return TENSORS["col2im"](input.unsqueeze(0), *geometry).squeeze(0)  # type: ignore[no-any-return]
    return TENSORS["col2im"](input, *geometry)  # type: ignore[no-any-return]


_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}


def _check_spatial(n: int, mode: str) -> None:
    if n < 1 or n > 3:
        raise NotImplementedFault(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {n + 2}D) for the modes: nearest | linear | bilinear | "
            f"bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Another spatial size: modes nearest, linear, bilinear, trilinear and area."""
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueFault(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    n = len(input._s) - 2
    if size is not None and scale_factor is not None:
        raise ValueFault("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueFault("either size or scale_factor should be defined")
    scales: Any = None
    if size is not None:
        out = tuple(size) if isinstance(size, (list, tuple)) else (size,) * n
        if len(out) != n:
            raise ValueFault(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(input._s[2:])} and output size of {size}. Please provide input tensor in "
                "(N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        if recompute_scale_factor:
            raise ValueFault("recompute_scale_factor is not meaningful with an explicit size.")
        _check_spatial(n, mode)
    else:
        _check_spatial(n, mode)
        scales = tuple(scale_factor) if isinstance(scale_factor, (list, tuple)) else (scale_factor,) * n
        if len(scales) != n:
            raise ValueFault(
                "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(input._s[2:])} and scale_factor of shape {scale_factor}. Please provide input "
                "tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
            )
        out = tuple(int(np.floor(float(d) * s)) for d, s in zip(input._s[2:], scales, strict=True))
        if recompute_scale_factor:
            scales = None
    if antialias or mode in ("bicubic", "lanczos", "nearest-exact"):
        raise unsupported(f"interpolate(mode={mode!r}{', antialias=True' if antialias else ''})", "mode='bilinear'")
    if mode == "area":
        return adaptive_avg_pool1d(input, out) if n == 1 else adaptive_avg_pool2d(input, out)
    if mode == "nearest":
        return TENSORS["resample"](input, "nearest", out, scales)  # type: ignore[no-any-return]
    if mode not in _LINEAR:
        raise NotImplementedFault(
            "Input Error: Only 3D, 4D and 5D input Tensors supported "
            f"(got {len(input._s)}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | "
            f"area | nearest-exact (got {mode})"
        )
    if _LINEAR[mode] != n:
        raise NotImplementedFault(
            f"Got {len(input._s)}D input, but {mode} mode needs {_LINEAR[mode] + 2}D input"
        )
    return TENSORS["resample"](input, "linear", out, scales, bool(align_corners))  # type: ignore[no-any-return]


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """The old name of interpolate."""
    warnings.warn(
        "`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode, align_corners)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C r^2, H, W) -> (*, C, H r, W r)."""
    return TENSORS["pixel_shuffle"](input, upscale_factor)  # type: ignore[no-any-return]


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H r, W r) -> (*, C r^2, H, W)."""
    return TENSORS["pixel_unshuffle"](input, downscale_factor)  # type: ignore[no-any-return]
