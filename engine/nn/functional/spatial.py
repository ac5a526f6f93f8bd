"""Convolutions, pooling, padding, resizing and sliding windows as functions; the arithmetic is in ops/conv.py."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.errors import NotImplementedFault, RuntimeFault, ValueFault, unsupported
from engine.ops import pool
from engine.ops.op import TENSORS
from engine.tensor import Tensor, make

Ints = tuple[int, ...]


def _ints(value: Any, n: int, name: str = "") -> Ints:
    """One number per dimension."""
    if isinstance(value, Iterable):
        items = tuple(int(v) for v in value)
        if len(items) == 1:
            return items * n
        if len(items) != n and name:
            raise RuntimeFault(f"{name} must either be a single int, or a tuple of {n} ints")
        return items
    return (int(value),) * n


def _array(t: Tensor) -> Any:
    return np.asarray(t._a).reshape(t._s)


# ---- convolution ------------------------------------------------------------------------------------------------


def _convolve(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int, n: int
) -> Tensor:
    rank = len(input._s)
    if rank not in (n + 1, n + 2):
        raise RuntimeFault(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to conv{n}d, but got input of size: "
            f"{list(input._s)}",
            hint=f"conv{n}d takes (N, C, {', '.join('LHW'[:1] if n == 1 else 'HW' if n == 2 else 'DHW')})",
        )
    if rank == n + 1:
        batched = _convolve(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups, n)
        return batched.squeeze(0)
    stride, dilation = _ints(stride, n), _ints(dilation, n)
    kernel = weight._s[2:]
    if len(kernel) != n:
        padding = (0,) * n  # ops/conv.py says what is wrong
    if padding == "valid":
        padding = (0,) * n
    elif padding == "same":
        if any(s != 1 for s in stride):
            raise RuntimeFault("padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        padding = tuple(t // 2 for t in total)
        odd = [t % 2 for t in total]
        if any(odd):  # torch: one more on the right, by padding first
            warnings.warn(
                "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the "
                "input be created (Triggered internally at /__w/pytorch/pytorch/aten/src/ATen/native/"
                "Convolution.cpp:1101.)",
                stacklevel=4,
            )
            input = TENSORS["constant_pad_nd"](input, tuple(x for o in reversed(odd) for x in (0, o)))
    elif isinstance(padding, str):
        raise RuntimeFault(f"Invalid padding string: '{padding}'")
    else:
        padding = _ints(padding, n)
    if min(padding) < 0:
        raise RuntimeFault("negative padding is not supported")
    if min(stride) <= 0:
        raise RuntimeFault("non-positive stride is not supported")
    return TENSORS["convolution"](  # type: ignore[no-any-return]
        input, weight, bias, stride, padding, dilation, groups
    )


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation over sequences (N, C, L)."""
    return _convolve(input, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation over images (N, C, H, W)."""
    return _convolve(input, weight, bias, stride, padding, dilation, groups, 2)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation over volumes (N, C, D, H, W)."""
    return _convolve(input, weight, bias, stride, padding, dilation, groups, 3)


def _convolve_transposed(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
    n: int,
) -> Tensor:
    rank = len(input._s)
    if rank not in (n + 1, n + 2):
        raise RuntimeFault(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to conv_transpose{n}d, but got input of size: "
            f"{list(input._s)}"
        )
    if rank == n + 1:
        batched = _convolve_transposed(
            input.unsqueeze(0), weight, bias, stride, padding, output_padding, groups, dilation, n
        )
        return batched.squeeze(0)
    stride, padding, dilation = _ints(stride, n), _ints(padding, n), _ints(dilation, n)
    extra = _ints(output_padding, n)
    if any(e >= s and e >= d for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise RuntimeFault(
            "output padding must be smaller than either stride or dilation, but got output_padding_height: "
            f"{extra[0]} output_padding_width: {extra[-1]} stride_height: {stride[0]} stride_width: {stride[-1]} "
            f"dilation_height: {dilation[0]} dilation_width: {dilation[-1]}"
        )
    size = tuple(
        (input._s[2 + i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (weight._s[2 + i] - 1) + extra[i] + 1
        for i in range(n)
    )
    return TENSORS["convolution_transposed"](  # type: ignore[no-any-return]
        input, weight, bias, size, stride, padding, dilation, groups
    )


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution over sequences."""
    return _convolve_transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 1)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution over images."""
    return _convolve_transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 2)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution over volumes."""
    return _convolve_transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 3)


# ---- pooling ----------------------------------------------------------------------------------------------------


def _check_rank(input: Tensor, n: int, name: str) -> None:
    if len(input._s) not in (n + 1, n + 2):
        raise RuntimeFault(
            f"{name}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input._s)}"
            if n == 1
            else f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input"
        )


def _max_pool2d(
    input: Tensor, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool, indices: bool
) -> Any:
    out = TENSORS["max_pool"](input, kernel, stride, padding, dilation, ceil_mode)
    if not indices:
        return out
    where = pool.max_pool_indices(_array(input), kernel, stride, padding, dilation, ceil_mode)
    return out, make(where, where.shape)


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of (N, C, H, W) or (C, H, W)."""
    _check_rank(input, 2, "max_pool2d")
    kernel = _ints(kernel_size, 2, "max_pool2d: kernel_size")
    stride = kernel if stride is None else _ints(stride, 2)
    return _max_pool2d(
        input, kernel, stride, _ints(padding, 2), _ints(dilation, 2), ceil_mode, return_indices
    )


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of (N, C, L) or (C, L)."""
    _check_rank(input, 1, "max_pool1d")
    kernel = _ints(kernel_size, 1)
    step = kernel if stride is None else _ints(stride, 1)
    flat = input.unsqueeze(-2)
    result = _max_pool2d(
        flat, (1, *kernel), (1, *step), (0, *_ints(padding, 1)), (1, *_ints(dilation, 1)), ceil_mode, return_indices
    )
    if return_indices:
        return result[0].squeeze(-2), result[1].squeeze(-2)
    return result.squeeze(-2)


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, H, W) or (C, H, W)."""
    _check_rank(input, 2, "avg_pool2d")
    kernel = _ints(kernel_size, 2)
    step = kernel if stride is None or stride == [] else _ints(stride, 2)
    if divisor_override == 0:
        raise RuntimeFault("divisor must be not zero")
    return TENSORS["average_pool"](  # type: ignore[no-any-return]
        input, kernel, step, _ints(padding, 2), ceil_mode, count_include_pad, divisor_override
    )


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of (N, C, L) or (C, L)."""
    _check_rank(input, 1, "avg_pool1d")
    kernel = _ints(kernel_size, 1)
    step = kernel if stride is None else _ints(stride, 1)
    flat = input.unsqueeze(-2)
    return avg_pool2d(
        flat, (1, *kernel), (1, *step), (0, *_ints(padding, 1)), ceil_mode, count_include_pad
    ).squeeze(-2)


def _output_size(input: Tensor, size: Any, n: int) -> Ints:
    """`None` keeps a dimension as it is."""
    given = tuple(size) if isinstance(size, Iterable) else (size,) * n
    return tuple(input._s[len(input._s) - n + i] if s is None else int(s) for i, s in enumerate(given))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of as many windows as asked for, of (N, C, H, W) or (C, H, W)."""
    if len(input._s) not in (3, 4):
        raise RuntimeFault(f"adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got {list(input._s)}")
    size = _output_size(input, output_size, 2)
    if size == (1, 1):
        return input.mean((-1, -2), keepdim=True)
    return TENSORS["resample"](input, "adaptive", size)  # type: ignore[no-any-return]


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of as many windows as asked for, of (N, C, L) or (C, L)."""
    if len(input._s) not in (2, 3):
        raise RuntimeFault(f"Expected 2 to 3 dimensions, but got {len(input._s)}-dimensional tensor for argument #1 'self' (while "
                           "checking arguments for adaptive_avg_pool1d)")  # fmt: skip
    (size,) = _output_size(input, output_size, 1)
    return adaptive_avg_pool2d(input.unsqueeze(-2), (1, size)).squeeze(-2)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest value of as many windows as asked for, of (N, C, H, W) or (C, H, W)."""
    if len(input._s) not in (3, 4):
        raise RuntimeFault(f"adaptive_max_pool2d(): Expected 3D or 4D tensor, but got: {list(input._s)}")
    size = _output_size(input, output_size, 2)
    out = TENSORS["adaptive_max_pool"](input, size)
    if not return_indices:
        return out
    where = pool.adaptive_max_indices(_array(input), size)
    return out, make(where, where.shape)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest value of as many windows as asked for, of (N, C, L) or (C, L)."""
    (size,) = _output_size(input, output_size, 1)
    result = adaptive_max_pool2d(input.unsqueeze(-2), (1, size), return_indices)
    if return_indices:
        return result[0].squeeze(-2), result[1].squeeze(-2)
    return result.squeeze(-2)


# ---- padding, resizing, windows ---------------------------------------------------------------------------------


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
    return TENSORS["repeat_pad"](input, amounts, mode)  # type: ignore[no-any-return]


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Every window of (N, C, H, W) as a column: (N, C kh kw, L)."""
    if len(input._s) not in (3, 4):
        raise RuntimeFault(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(input._s)}"
        )
    geometry = (_ints(kernel_size, 2), _ints(dilation, 2), _ints(padding, 2), _ints(stride, 2))
    if len(input._s) == 3:
        return TENSORS["im2col"](input.unsqueeze(0), *geometry).squeeze(0)  # type: ignore[no-any-return]
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
        _ints(output_size, 2), _ints(kernel_size, 2), _ints(dilation, 2), _ints(padding, 2), _ints(stride, 2),
    )  # fmt: skip
    if len(input._s) == 2:
        return TENSORS["col2im"](input.unsqueeze(0), *geometry).squeeze(0)  # type: ignore[no-any-return]
    return TENSORS["col2im"](input, *geometry)  # type: ignore[no-any-return]


_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}


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
    else:
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
