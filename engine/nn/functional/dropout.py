"""Dropout: a random mask times the input. Bits come from the default generator, as torch draws them."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.random import default_generator
from engine.tensor import Tensor, make
from engine.writing import apply_inplace

Array = Any


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _noise(like: Array, p: float) -> Array:
    """1 / (1 - p) where kept (with probability 1 - p), else 0; drawn in the order in which `like` lies in memory."""
    noise = np.empty_like(like)
    in_memory = noise.transpose(sorted(range(noise.ndim), key=lambda axis: -noise.strides[axis]))
    in_memory[...] = default_generator.bernoulli(in_memory.shape, 1 - p)
    noise /= noise.dtype.type(1 - p)
    return noise


def _drop(input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Tensor:
    if p == 0 or not training or input.numel() == 0:
        return input
    a = input._array()
    if p == 1:
        mask = make(np.zeros((), a.dtype)[()], ())
    else:
        noise = _noise(a if shape == a.shape else np.empty(shape, a.dtype), p)
        mask = make(kernels.unbox(noise), shape)
    out = input * mask
    return apply_inplace(input, out) if inplace else out


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element zero with probability p, the rest scaled by 1 / (1 - p)."""
    _check(p)
    return _drop(input, p, training, inplace, input._s)


def _feature_dropout(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if input.dim() < 2:
        raise RuntimeFault("Feature dropout requires at least 2 dimensions in the input")
    return _drop(input, p, training, inplace, input._s[:2] + (1,) * (input.dim() - 2))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, L) or (C, L) dropped."""
    _check(p)
    n = input.dim()
    if n not in (2, 3):
        raise RuntimeFault(
            f"dropout1d: Expected 2D or 3D input, but received a {n}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
    if n == 3:
        return _feature_dropout(input, p, training, inplace)
    return _feature_dropout(input.unsqueeze(0), p, training, inplace).squeeze(0)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, H, W) dropped."""
    _check(p)
    n = input.dim()
    if n not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {n}-D input to dropout2d, which is deprecated and will result in an error in a "
            "future release. To retain the behavior and silence this warning, please use dropout instead. Note that "
            "dropout2d exists to provide channel-wise dropout on inputs with 2 spatial dimensions, a channel "
            "dimension, and an optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=2,
        )
    if n == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To "
            "maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _feature_dropout(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, D, H, W) or (C, D, H, W) dropped."""
    _check(p)
    n = input.dim()
    if n not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {n}-D input to dropout3d, which is deprecated and will result in an error in a "
            "future release. To retain the behavior and silence this warning, please use dropout instead. Note that "
            "dropout3d exists to provide channel-wise dropout on inputs with 3 spatial dimensions, a channel "
            "dimension, and an optional batch dimension (i.e. 4D or 5D inputs).",
            stacklevel=2,
        )
    if n == 5:
        return _feature_dropout(input, p, training, inplace)
    return _feature_dropout(input.unsqueeze(0), p, training, inplace).squeeze(0)


ALPHA = 1.7580993408473766  # torch: _dropout_impl, the saturation of SELU


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout to the saturation value of SELU, rescaled so that mean and variance stay."""
    _check(p)
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        return input * make(np.zeros((), input._a.dtype)[()], ())
    kept = default_generator.bernoulli(input._s, 1 - p).astype(input._a.dtype)
    a = 1.0 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    shift = (kept - 1) * (ALPHA * a) + ALPHA * a * p
    out = input * make(kept * a, input._s) + make(shift.astype(kept.dtype), input._s)
    return apply_inplace(input, out) if inplace else out
