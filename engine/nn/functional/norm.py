"""Normalizations as functions: they check shapes, keep running statistics and call ops/normalization.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.autograd.modes import no_grad
from engine.errors import IndexFault, RuntimeFault
from engine.nn.functional.pooling import avg_pool2d
from engine.nn.functional.spatial import pad
from engine.nn.reduction import constant
from engine.ops import kernels
from engine.ops.registry import TENSORS
from engine.tensor import Size, Tensor, make


def _more_than_one(size: Sequence[int]) -> None:
    if size[0] * kernels.numel(tuple(size[2:])) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {Size(size)}")


def _update_running(input: Tensor, mean: Tensor | None, var: Tensor | None, momentum: float) -> None:
    """running = (1 - momentum) * running + momentum * batch; the variance unbiased, as torch."""
    a = np.asarray(input._a).reshape(input._s)
    dims = (0, *range(2, a.ndim))
    n = a.size // a.shape[1]
    batch_mean = a.mean(dims, dtype=np.float64)
    spread = a.var(dims, dtype=np.float64) * (n / max(1, n - 1))
    with no_grad():
        for running, batch in ((mean, batch_mean), (var, spread)):
            if running is not None:
                old = np.asarray(running._a, np.float64).reshape(running._s)
                fresh = momentum * batch + (1 - momentum) * old  # in double precision, as torch accumulates
                running.copy_(make(fresh.astype(running._a.dtype), running._s))


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel normalized by the batch (training) or by running statistics, which training updates."""
    if training:
        _more_than_one(input._s)
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if not training and (running_mean is None or running_var is None):
        raise RuntimeFault("running_mean and running_var must be defined in evaluation mode")
    if len(input._s) < 2:
        last = max(len(input._s) - 1, 0)
        raise IndexFault(f"Dimension out of range (expected to be in range of [-{last + 1}, {last}], but got 1)")
    channels = input._s[1]
    for name, t in (("running_mean", running_mean), ("running_var", running_var)):
        if t is not None and t.numel() != channels:
            raise RuntimeFault(
                f"{name} should contain {channels} elements not {t.numel()}",
                hint=f"the input has {channels} channels (dimension 1): BatchNorm needs num_features={channels}",
            )
        if not training:
            constant("native_batch_norm", name, t)
    if not kernels.numel(input._s):  # torch: of nothing it is a copy
        out: Tensor = input.clone()
        out = out if weight is None else out * weight[0]
        return out if bias is None else out + bias[0]
    known = (None, None) if training else (running_mean, running_var)  # training reads the batch only
    out = TENSORS["native_batch_norm"](input, weight, bias, *known, training=training, eps=eps)
    if training and (running_mean is not None or running_var is not None):
        _update_running(input, running_mean, running_var, momentum)
    return out


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample normalized by itself: a batch norm over (1, N C, *)."""
    size = input._s
    if use_input_stats and kernels.numel(size[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {Size(size)}")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeFault("Expected running_mean and running_var to be defined when use_input_stats is false")
    n, c = size[:2]

    def repeated(x: Tensor | None) -> Any:
        return None if x is None else x.repeat(n)

    mean, var = repeated(running_mean), repeated(running_var)
    w, b = repeated(weight), repeated(bias)
    out = batch_norm(input.reshape((1, n * c, *size[2:])), mean, var, w, b, use_input_stats, momentum, eps)
    with no_grad():
        for running, copies in ((running_mean, mean), (running_var, var)):
            if running is not None and use_input_stats:
                running.copy_(copies.view((n, c)).mean(0))
    return out.view(size)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Each sample normalized over its last dimensions."""
    out: Tensor = TENSORS["native_layer_norm"](
        input, weight, bias, normalized_shape=tuple(normalized_shape), eps=eps
    )
    return out


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the last dimensions."""
    shape = tuple(normalized_shape)
    if input._s[len(input._s) - len(shape) :] != shape:
        wanted = "".join(f", {d}" for d in shape)
        raise RuntimeFault(
            f"Given normalized_shape={list(shape)}, expected input with shape [*{wanted}], "
            f"but got input of size{list(input._s)}"
        )
    eps = float(np.finfo(input._a.dtype).eps) if eps is None else eps
    dims = tuple(range(len(input._s) - len(shape), len(input._s)))
    rms = TENSORS["add_scalar"]((input**2).mean(dims, keepdim=True), eps).rsqrt()
    out = input * rms
    return out if weight is None else out * weight


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each group of channels of each sample normalized."""
    if input.dim() < 2:
        raise RuntimeFault(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    n, c = input._s[:2]
    _more_than_one([n * c // num_groups, num_groups, *input._s[2:]])
    out: Tensor = TENSORS["native_group_norm"](input, weight, bias, num_groups=num_groups, eps=eps)
    return out


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x divided by a power of the mean square over neighbouring channels."""
    n = input.dim()
    if n < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {n} dimensions)")
    if input.numel() == 0:
        return input
    squares = input.mul(input)
    if n == 3:
        lead = squares.unsqueeze(1)
        means = avg_pool2d(pad(lead, (0, 0, size // 2, (size - 1) // 2)), (size, 1), stride=1).squeeze(1)
    else:
        lead = squares.view((input._s[0], 1, input._s[1], input._s[2], -1))
        padded = pad(lead, (0, 0, 0, 0, size // 2, (size - 1) // 2))
        means = TENSORS["average_pool"](padded, (size, 1, 1), (1, 1, 1), (0, 0, 0)).squeeze(1).view(input._s)
    return input / means.mul(alpha).add(k).pow(beta)
