"""Convolutions as functions: sizes and paddings; the arithmetic is in ops/conv.py."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from engine.errors import RuntimeFault
from engine.ops.registry import TENSORS
from engine.tensor import Tensor

Ints = tuple[int, ...]


def ints(value: Any, n: int, name: str = "") -> Ints:
    """One number per dimension."""
    if isinstance(value, Iterable):
        items = tuple(int(v) for v in value)
        if len(items) == 1:
            return items * n
        if len(items) != n and name:
            raise RuntimeFault(f"{name} must either be a single int, or a tuple of {n} ints")
        return items
    return (int(value),) * n


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
    stride, dilation = ints(stride, n), ints(dilation, n)
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
        padding = ints(padding, n)
    if min(padding) < 0:
        raise RuntimeFault("negative padding is not supported")
    if min(stride) <= 0:
        raise RuntimeFault("non-positive stride is not supported")
    return TENSORS["convolution"](  # type: ignore[no-any-return]
        input, weight, bias, stride, padding, dilation, groups
    )


def _convolution(n: int, over: str) -> Callable[..., Tensor]:
    def convolve(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        return _convolve(input, weight, bias, stride, padding, dilation, groups, n)

    convolve.__name__ = convolve.__qualname__ = f"conv{n}d"
    convolve.__doc__ = f"Cross-correlation over {over}."
    return convolve


conv1d = _convolution(1, "sequences (N, C, L)")
conv2d = _convolution(2, "images (N, C, H, W)")
conv3d = _convolution(3, "volumes (N, C, D, H, W)")


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
    stride, padding, dilation = ints(stride, n), ints(padding, n), ints(dilation, n)
    extra = ints(output_padding, n)
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


def _convolution_transposed(n: int, over: str) -> Callable[..., Tensor]:
    def convolve(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Tensor:
        return _convolve_transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, n)

    convolve.__name__ = convolve.__qualname__ = f"conv_transpose{n}d"
    convolve.__doc__ = f"Transposed convolution over {over}."
    return convolve


conv_transpose1d = _convolution_transposed(1, "sequences")
conv_transpose2d = _convolution_transposed(2, "images")
conv_transpose3d = _convolution_transposed(3, "volumes")
