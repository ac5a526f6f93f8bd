"""torch.nn.functional: the functions behind the layers. This file only gathers names; see the files beside it.

What is one node in the graph is an operation of engine/ops; what is several is composed here as torch composes it.
"""

from __future__ import annotations

from typing import Any

from engine.errors import AttributeFault, near_miss, unsupported
from engine.nn.functional.activation import (
    celu,
    elu,
    elu_,
    gelu,
    glu,
    gumbel_softmax,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    relu_,
    rrelu,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
    threshold_,
)  # fmt: skip
from engine.nn.functional.attention import multi_head_attention_forward, scaled_dot_product_attention
from engine.nn.functional.classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    kl_div,
    nll_loss,
)  # fmt: skip
from engine.nn.functional.convolution import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)  # fmt: skip
from engine.nn.functional.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d
from engine.nn.functional.linear import (
    bilinear,
    cosine_similarity,
    embedding,
    linear,
    normalize,
    one_hot,
    pairwise_distance,
)  # fmt: skip
from engine.nn.functional.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)  # fmt: skip
from engine.nn.functional.norm import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    rms_norm,
)  # fmt: skip
from engine.nn.functional.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)  # fmt: skip
from engine.nn.functional.regression import (
    gaussian_nll_loss,
    huber_loss,
    l1_loss,
    mse_loss,
    poisson_nll_loss,
    smooth_l1_loss,
)  # fmt: skip
from engine.nn.functional.spatial import (
    fold,
    interpolate,
    pad,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
    upsample,
)  # fmt: skip

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d", "alpha_dropout",
    "avg_pool1d", "avg_pool2d", "batch_norm", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "celu", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "dropout", "dropout1d", "dropout2d", "dropout3d",
    "elu", "elu_", "embedding", "fold", "gaussian_nll_loss", "gelu", "glu", "group_norm", "gumbel_softmax",
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_", "hinge_embedding_loss", "huber_loss",
    "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm", "leaky_relu", "leaky_relu_", "linear",
    "local_response_norm", "log_softmax", "logsigmoid", "margin_ranking_loss", "max_pool1d", "max_pool2d", "mish",
    "mse_loss", "multi_head_attention_forward", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot", "pad", "pairwise_distance", "pixel_shuffle",
    "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu", "relu6", "relu_", "rms_norm", "rrelu",
    "scaled_dot_product_attention", "selu", "sigmoid", "silu", "smooth_l1_loss", "soft_margin_loss", "softmax",
    "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
    "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold", "upsample",
]  # fmt: skip

# functions torch also has under its own name, with the same arguments
TORCH_LEVEL = (
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "alpha_dropout", "avg_pool1d", "bilinear", "celu", "conv1d", "conv2d",
    "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_similarity", "dropout", "group_norm",
    "layer_norm", "max_pool1d", "max_pool2d", "pairwise_distance", "pixel_shuffle", "pixel_unshuffle", "prelu", "relu_",
    "rms_norm", "rrelu", "selu", "threshold", "threshold_",
)  # fmt: skip

# torch has these and Backstep has not; the value says what to use instead
LACKING: dict[str, str | None] = {
    "adaptive_avg_pool3d": None, "adaptive_max_pool3d": None, "affine_grid": None, "avg_pool3d": None,
    "channel_shuffle": "x.view(n, g, c // g, h, w).transpose(1, 2).reshape(n, c, h, w)", "conv_tbc": "conv1d",
    "ctc_loss": None, "embedding_bag": "embedding(x, weight).mean(1)", "feature_alpha_dropout": "alpha_dropout",
    "fractional_max_pool2d": "max_pool2d", "fractional_max_pool3d": None, "grid_sample": None,
    "linear_cross_entropy": "cross_entropy(linear(x, w), y)", "lp_pool1d": "avg_pool1d(x.pow(p), k)",
    "lp_pool2d": "avg_pool2d(x.pow(p), k)", "max_pool3d": None, "max_unpool1d": None, "max_unpool2d": None,
    "max_unpool3d": None, "pdist": "pairwise_distance",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in LACKING:
        instead = LACKING[name]
        raise unsupported(f"torch.nn.functional.{name}", None if instead is None else f"use {instead}")
    raise AttributeFault(
        f"module 'torch.nn.functional' has no attribute '{name}'", hint=near_miss(name, __all__)
    )
