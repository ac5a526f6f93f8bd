"""Normalizations that are one node in torch: batch, layer and group normalization.

RMSNorm and instance normalization are made of these and others in nn/functional.

Note [Statistics are saved, not kept in the graph]
    Over arrays a rule reads the normalized values and the inverse deviations that forward has saved. Over Tensors
    it computes them anew from the input, so that second derivatives see how they depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, Sample, op
from engine.ops.vocabulary import word

Array = Any
Tensor = Any
Dims = tuple[int, ...]
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn."

SIX = [[1.0, 2.0, 4.0, 0.0, -3.0, 0.5], [-1.0, 0.5, 3.0, 1.0, 2.5, -2.0]]
BATCH = [[1.0, 2.0, 4.0], [-1.0, 0.5, 3.0], [0.5, 4.0, -2.0]]
ROWS = [[1.0, 2.0, 4.0], [-1.0, 0.5, 3.0]]


def _check_dtypes(input: Array, *others: Array | None) -> None:
    if any(a is not None and a.dtype != input.dtype for a in others):
        raise RuntimeFault(
            "mixed dtype (CPU): all inputs must share same datatype.",
            hint="convert the input: x.float(), or the layer: model.double()",
        )


def _count(shape: Sequence[int], dims: Dims) -> int:
    return kernels.numel(tuple(shape[d] for d in dims))


def _mean_keep(x: Array, dims: Dims) -> Array:
    return kernels.sum_axes(x, dims) / x.dtype.type(max(1, _count(x.shape, dims)))


def _normalize(x: Array, dims: Dims, eps: float) -> tuple[Array, Array]:
    """(x - mean) / sqrt(var + eps) over dims, and 1 / sqrt(var + eps)."""
    centred = x - _mean_keep(x, dims)
    rstd = 1 / np.sqrt(_mean_keep(centred * centred, dims) + x.dtype.type(eps))
    centred *= rstd
    return centred, rstd


def _normalized_vjp(g: Array, xhat: Array, rstd: Array, dims: Dims) -> Array:
    """The gradient through `_normalize`, where the statistics depend on the input too."""
    back = g - _mean_keep(g, dims)
    back -= xhat * _mean_keep(g * xhat, dims)
    back *= rstd
    return back


def _normalize_tensors(x: Tensor, dims: Dims, eps: float) -> tuple[Tensor, Tensor]:
    n = _count(x.shape, dims)
    sums = TENSORS["sum_keep"]
    centred = x - sums(x, dims) / n
    rstd = (sums(centred * centred, dims) / n + eps).sqrt().reciprocal()
    return centred * rstd, rstd


def _normalized_vjp_tensors(g: Tensor, xhat: Tensor, rstd: Tensor, dims: Dims) -> Tensor:
    n = _count(g.shape, dims)
    sums = TENSORS["sum_keep"]
    return (g - sums(g, dims) / n - xhat * (sums(g * xhat, dims) / n)) * rstd


def _times(g: Any, weight: Any, shape: Sequence[int]) -> Any:
    return g if weight is None else g * weight.reshape(tuple(shape))


def _affine(xhat: Array, weight: Array | None, bias: Array | None, shape: Sequence[int]) -> Array:
    if weight is None and bias is None:
        return xhat.copy()  # xhat is saved: what is changed in place afterwards must be another array
    out = xhat if weight is None else xhat * weight.reshape(tuple(shape))
    return out if bias is None else out + bias.reshape(tuple(shape))


def _per_channel(ndim: int, channels: int) -> Dims:
    return (1, channels) + (1,) * (ndim - 2)


def _over_channels(ndim: int) -> Dims:
    return (0, *range(2, ndim))


# ---- batch norm ---------------------------------------------------------------------------------------------


def _batch_input_vjp(
    g: Array, input: Array, weight: Array | None, xhat: Array, rstd: Array, mean: Any, var: Any, training: bool,
    eps: float,
) -> Array:  # fmt: skip
    g = _times(g, weight, rstd.shape)
    return _normalized_vjp(g, xhat, rstd, _over_channels(input.ndim)) if training else g * rstd


def _batch_statistics(input: Tensor, mean: Any, var: Any, training: bool, eps: float) -> tuple[Tensor, Tensor]:
    n = input.dim()
    if training:
        return _normalize_tensors(input, _over_channels(n), eps)
    shape = _per_channel(n, input.shape[1])
    rstd = (var.reshape(shape) + eps).sqrt().reciprocal()
    return (input - mean.reshape(shape)) * rstd, rstd


def _batch_input_vjp_tensors(
    g: Tensor, input: Tensor, weight: Any, xhat: Tensor, rstd: Tensor, mean: Any, var: Any, training: bool, eps: float
) -> Tensor:
    xhat, rstd = _batch_statistics(input, mean, var, training, eps)
    g = _times(g, weight, _per_channel(input.dim(), input.shape[1]))
    return _normalized_vjp_tensors(g, xhat, rstd, _over_channels(input.dim())) if training else g * rstd


def _batch_weight_vjp(
    g: Array, input: Array, xhat: Array, mean: Any, var: Any, training: bool, eps: float
) -> Array:
    return kernels.sum_axes(g * xhat, _over_channels(g.ndim)).reshape(-1)


def _batch_weight_vjp_tensors(
    g: Tensor, input: Tensor, xhat: Tensor, mean: Any, var: Any, training: bool, eps: float
) -> Tensor:
    xhat, _ = _batch_statistics(input, mean, var, training, eps)
    return TENSORS["sum_keep"](g * xhat, _over_channels(g.dim())).reshape(-1)


word("batch_input_vjp", _batch_input_vjp, _batch_input_vjp_tensors)
word("batch_weight_vjp", _batch_weight_vjp, _batch_weight_vjp_tensors)
word(
    "channel_sum",
    lambda g: kernels.sum_axes(g, _over_channels(g.ndim)).reshape(-1),
    lambda g: TENSORS["sum_keep"](g, _over_channels(g.dim())).reshape(-1),
)


@op(
    "native_batch_norm(input, weight=None, bias=None, running_mean=None, running_var=None, training=True, eps=1e-05)",
    inputs=("input", "weight", "bias", "running_mean", "running_var"),
    optional=("weight", "bias", "running_mean", "running_var"),
    vjps={
        "input": "batch_input_vjp(g, input, weight, xhat, rstd, running_mean, running_var, training, eps)",
        "weight": "batch_weight_vjp(g, input, xhat, running_mean, running_var, training, eps)",
        "bias": "channel_sum(g)",
    },
    aux=("xhat", "rstd"),
    node="NativeBatchNormBackward0",
    latex=r"\frac{{input} - \mu}{\sqrt{\sigma^2 + \epsilon}}\,{weight} + {bias}",
    latex_partials={
        "input": r"\frac{w}{\sigma}(g - \bar{g} - \hat{x}\,\overline{g\hat{x}})",
        "weight": r"\textstyle\sum g\hat{x}",
        "bias": r"\textstyle\sum g",
    },
    doc="Each channel (dimension 1) normalized by its mean and variance over the batch, or by running ones.",
    source=_SITE + "BatchNorm2d.html",
    samples=[
        Sample((BATCH,)),
        Sample((BATCH, [1.0, 2.0, 0.5], [0.0, 1.0, -1.0])),
        Sample((BATCH, [1.0, 2.0, 0.5], [0.0, 1.0, -1.0], [0.0, 1.0, 2.0], [1.0, 2.0, 0.5]), {"training": False}),
    ],
    method=False,
    public="batch_norm",
)
def native_batch_norm(
    input: Array, weight: Array | None, bias: Array | None, running_mean: Array | None, running_var: Array | None,
    training: bool, eps: float,
) -> tuple[Array, Array, Array]:  # fmt: skip
    n, channels = input.ndim, input.shape[1]
    for name, value in (
        ("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias),
    ):  # fmt: skip
        if value is not None and value.size != channels:
            raise RuntimeFault(
                f"{name} should contain {channels} elements not {value.size}",
                hint=f"the input has {channels} channels (dimension 1): BatchNorm needs num_features={channels}",
            )
    _check_dtypes(input, weight, bias, running_mean, running_var)
    shape = _per_channel(n, channels)
    if training:
        xhat, rstd = _normalize(input, _over_channels(n), eps)
    else:
        assert running_mean is not None and running_var is not None
        rstd = (1 / np.sqrt(running_var + running_var.dtype.type(eps))).reshape(shape)
        xhat = (input - running_mean.reshape(shape)) * rstd
    return _affine(xhat, weight, bias, shape), xhat, rstd


# ---- layer norm ---------------------------------------------------------------------------------------------


def _last(ndim: int, normalized_shape: Sequence[int]) -> Dims:
    return tuple(range(ndim - len(normalized_shape), ndim))


def _first(ndim: int, normalized_shape: Sequence[int]) -> Dims:
    return tuple(range(ndim - len(normalized_shape)))


def _layer_input_vjp(
    g: Array, input: Array, weight: Array | None, xhat: Array, rstd: Array, shape: Dims, eps: float
) -> Array:
    return _normalized_vjp(g if weight is None else g * weight, xhat, rstd, _last(g.ndim, shape))


def _layer_input_vjp_tensors(
    g: Tensor, input: Tensor, weight: Any, xhat: Tensor, rstd: Tensor, shape: Dims, eps: float
) -> Tensor:
    dims = _last(g.dim(), shape)
    return _normalized_vjp_tensors(g if weight is None else g * weight, *_normalize_tensors(input, dims, eps), dims)


def _layer_weight_vjp_tensors(g: Tensor, input: Tensor, xhat: Tensor, shape: Dims, eps: float) -> Tensor:
    xhat, _ = _normalize_tensors(input, _last(g.dim(), shape), eps)
    return TENSORS["sum_keep"](g * xhat, _first(g.dim(), shape)).reshape(tuple(shape))


word("layer_input_vjp", _layer_input_vjp, _layer_input_vjp_tensors)
word(
    "layer_weight_vjp",
    lambda g, input, xhat, shape, eps: kernels.sum_axes(g * xhat, _first(g.ndim, shape)).reshape(tuple(shape)),
    _layer_weight_vjp_tensors,
)
word(
    "leading_sum",
    lambda g, shape: kernels.sum_axes(g, _first(g.ndim, shape)).reshape(tuple(shape)),
    lambda g, shape: TENSORS["sum_keep"](g, _first(g.dim(), shape)).reshape(tuple(shape)),
)


@op(
    "native_layer_norm(input, weight=None, bias=None, normalized_shape=(), eps=1e-05)",
    inputs=("input", "weight", "bias"),
    optional=("weight", "bias"),
    vjps={
        "input": "layer_input_vjp(g, input, weight, xhat, rstd, normalized_shape, eps)",
        "weight": "layer_weight_vjp(g, input, xhat, normalized_shape, eps)",
        "bias": "leading_sum(g, normalized_shape)",
    },
    aux=("xhat", "rstd"),
    node="NativeLayerNormBackward0",
    latex=r"\frac{{input} - \mu}{\sqrt{\sigma^2 + \epsilon}}\,{weight} + {bias}",
    latex_partials={
        "input": r"\frac{1}{\sigma}(gw - \overline{gw} - \hat{x}\,\overline{gw\hat{x}})",
        "weight": r"\textstyle\sum g\hat{x}",
        "bias": r"\textstyle\sum g",
    },
    doc="Each sample normalized by the mean and variance over its last dimensions.",
    source=_SITE + "LayerNorm.html",
    samples=[
        Sample((ROWS,), {"normalized_shape": (3,)}),
        Sample((ROWS,), {"normalized_shape": (2, 3)}),
        Sample((ROWS, [1.0, 2.0, 0.5], [0.0, 1.0, -1.0]), {"normalized_shape": (3,)}),
    ],
    method=False,
    public="layer_norm",
)
def native_layer_norm(
    input: Array, weight: Array | None, bias: Array | None, normalized_shape: Dims, eps: float
) -> tuple[Array, Array, Array]:
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeFault(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but got normalized_shape = []"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != shape:
            raise RuntimeFault(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(value.shape)} and normalized_shape = {list(shape)}"
            )
    if input.shape[max(0, input.ndim - len(shape)) :] != shape:
        wanted = "".join(f", {d}" for d in shape)
        raise RuntimeFault(
            f"Given normalized_shape={list(shape)}, expected input with shape [*{wanted}], "
            f"but got input of size{list(input.shape)}",
            hint=f"the last dimension is {input.shape[-1] if input.ndim else 'missing'}: "
            f"use LayerNorm({input.shape[-1] if input.ndim else 1})",
        )
    _check_dtypes(input, weight, bias)
    xhat, rstd = _normalize(input, _last(input.ndim, shape), eps)
    return _affine(xhat, weight, bias, shape), xhat, rstd


# ---- group norm ---------------------------------------------------------------------------------------------


def _grouped(x: Any, groups: int) -> Any:
    return x.reshape((x.shape[0], groups, kernels.numel(tuple(x.shape[1:])) // groups))


def _group_input_vjp(
    g: Array, input: Array, weight: Array | None, xhat: Array, rstd: Array, groups: int, eps: float
) -> Array:
    g = _times(g, weight, _per_channel(g.ndim, g.shape[1]))
    return _normalized_vjp(_grouped(g, groups), xhat, rstd, (2,)).reshape(g.shape)


def _group_input_vjp_tensors(
    g: Tensor, input: Tensor, weight: Any, xhat: Tensor, rstd: Tensor, groups: int, eps: float
) -> Tensor:
    g = _times(g, weight, _per_channel(g.dim(), g.shape[1]))
    parts = _normalize_tensors(_grouped(input, groups), (2,), eps)
    return _normalized_vjp_tensors(_grouped(g, groups), *parts, (2,)).reshape(tuple(g.shape))


def _group_weight_vjp_tensors(g: Tensor, input: Tensor, xhat: Tensor, groups: int, eps: float) -> Tensor:
    xhat, _ = _normalize_tensors(_grouped(input, groups), (2,), eps)
    return TENSORS["channel_sum"](g * xhat.reshape(tuple(g.shape)))


word("group_input_vjp", _group_input_vjp, _group_input_vjp_tensors)
word(
    "group_weight_vjp",
    lambda g, input, xhat, groups, eps: ARRAYS["channel_sum"](g * xhat.reshape(g.shape)),
    _group_weight_vjp_tensors,
)


@op(
    "native_group_norm(input, weight=None, bias=None, num_groups=1, eps=1e-05)",
    inputs=("input", "weight", "bias"),
    optional=("weight", "bias"),
    vjps={
        "input": "group_input_vjp(g, input, weight, xhat, rstd, num_groups, eps)",
        "weight": "group_weight_vjp(g, input, xhat, num_groups, eps)",
        "bias": "channel_sum(g)",
    },
    aux=("xhat", "rstd"),
    node="NativeGroupNormBackward0",
    latex=r"\frac{{input} - \mu_G}{\sqrt{\sigma_G^2 + \epsilon}}\,{weight} + {bias}",
    latex_partials={
        "input": r"\frac{1}{\sigma_G}(gw - \overline{gw} - \hat{x}\,\overline{gw\hat{x}})",
        "weight": r"\textstyle\sum g\hat{x}",
        "bias": r"\textstyle\sum g",
    },
    doc="Each group of channels of each sample normalized by its mean and variance.",
    source=_SITE + "GroupNorm.html",
    samples=[
        Sample((SIX,), {"num_groups": 2}),
        Sample((SIX, [1.0, 2.0, 0.5, 1.0, -1.0, 3.0], [0.0, 1.0, -1.0, 0.5, 2.0, 0.0]), {"num_groups": 2}),
    ],
    method=False,
    public="group_norm",
)
def native_group_norm(
    input: Array, weight: Array | None, bias: Array | None, num_groups: int, eps: float
) -> tuple[Array, Array, Array]:
    channels = input.shape[1]
    if channels % num_groups:
        raise RuntimeFault(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != (channels,):
            raise RuntimeFault(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(value.shape)} and input of shape {list(input.shape)}"
            )
    _check_dtypes(input, weight, bias)
    xhat, rstd = _normalize(_grouped(input, num_groups), (2,), eps)
    return _affine(xhat.reshape(input.shape), weight, bias, _per_channel(input.ndim, channels)), xhat, rstd
