"""Pooling as functions; the arithmetic is in ops/pool.py and ops/resampling.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.errors import IndexFault, RuntimeFault, ValueFault
from engine.nn.functional.convolution import ints
from engine.ops import pool
from engine.ops.registry import TENSORS
from engine.tensor import Tensor, make

Ints = tuple[int, ...]


def _array(t: Tensor) -> Any:
    return np.asarray(t._a).reshape(t._s)


def _check_dims(input: Tensor, name: str) -> None:
    if len(input._s) not in (2, 3):
        raise RuntimeFault(
            f"Expected 2 to 3 dimensions, but got {len(input._s)}-dimensional tensor for argument #1 'self' (while "
            f"checking arguments for {name})"
        )


def _check_sizes(shape: tuple[int, ...], n: int, name: str = "") -> None:
    """Only the batch may be empty."""
    if 0 in shape[1:] or (0 in shape and len(shape) == n + 1):
        raise RuntimeFault(
            f"{name}Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape)}"
        )


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
    _check_sizes(input._s, 2)
    kernel = ints(kernel_size, 2, "max_pool2d: kernel_size")
    stride = kernel if stride is None else ints(stride, 2)
    return _max_pool2d(
        input, kernel, stride, ints(padding, 2), ints(dilation, 2), ceil_mode, return_indices
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
    _check_sizes(input._s, 1, "max_pool1d: ")
    kernel = ints(kernel_size, 1)
    step = kernel if stride is None else ints(stride, 1)
    size = pool.pooled_size(input._s[-1], kernel[0], step[0], ints(padding, 1)[0], ints(dilation, 1)[0], ceil_mode)
    if size < 1:
        raise RuntimeFault(f"max_pool1d() Invalid computed output size: {size}", hint="the window is longer than the input")
    flat = input.unsqueeze(-2)
    result = _max_pool2d(
        flat, (1, *kernel), (1, *step), (0, *ints(padding, 1)), (1, *ints(dilation, 1)), ceil_mode, return_indices
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
    if len(input._s) == 2:
        raise IndexFault("Dimension out of range (expected to be in range of [-2, 1], but got -3)")
    _check_rank(input, 2, "avg_pool2d")
    _check_sizes(input._s, 2)
    kernel = ints(kernel_size, 2)
    step = kernel if stride is None or stride == [] else ints(stride, 2)
    if divisor_override == 0:
        raise RuntimeFault("divisor must be not zero")
    return TENSORS["average_pool"](  # type: ignore[no-any-return]
        input, kernel, step, ints(padding, 2), ceil_mode, count_include_pad, divisor_override
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
    _check_dims(input, "avg_pool1d")
    kernel = ints(kernel_size, 1)
    step = kernel if stride is None else ints(stride, 1)
    if step == (0,):
        raise RuntimeFault("stride should not be zero")
    flat = input.unsqueeze(-2)
    return avg_pool2d(
        flat, (1, *kernel), (1, *step), (0, *ints(padding, 1)), ceil_mode, count_include_pad
    ).squeeze(-2)


def _output_size(input: Tensor, size: Any, n: int) -> Ints:
    """`None` keeps a dimension as it is."""
    given = tuple(size) if isinstance(size, Iterable) else (size,) * n
    return tuple(input._s[len(input._s) - n + i] if s is None else int(s) for i, s in enumerate(given))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of as many windows as asked for, of (N, C, H, W) or (C, H, W)."""
    if isinstance(output_size, Iterable) and len(input._s) <= 2:
        raise ValueFault("Input dimension should be at least 3")
    size = _output_size(input, output_size, 2) if len(input._s) > 1 else None
    if size == (1, 1):  # torch: a plain mean, whatever the dimensions
        return input.mean((-1, -2), keepdim=True)
    if len(input._s) not in (3, 4):
        raise RuntimeFault(f"adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got {list(input._s)}")
    return TENSORS["resample"](input, "adaptive", size)  # type: ignore[no-any-return]


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of as many windows as asked for, of (N, C, L) or (C, L)."""
    _check_dims(input, "adaptive_avg_pool1d")
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
    _check_dims(input, "adaptive_max_pool1d")
    (size,) = _output_size(input, output_size, 1)
    result = adaptive_max_pool2d(input.unsqueeze(-2), (1, size), return_indices)
    if return_indices:
        return result[0].squeeze(-2), result[1].squeeze(-2)
    return result.squeeze(-2)
