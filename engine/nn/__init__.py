"""torch.nn: parameters, layers, losses, initialisers. This file only gathers names."""

from __future__ import annotations

from typing import Any

from engine.errors import AttributeFault, near_miss, unsupported
from engine.nn import functional as functional
from engine.nn import init as init
from engine.nn import modules as modules
from engine.nn import parameter as parameter
from engine.nn import utils as utils
from engine.nn.modules import *  # noqa: F403
from engine.nn.modules import __all__ as _LAYERS
from engine.nn.parameter import Buffer as Buffer
from engine.nn.parameter import Parameter as Parameter

# torch has these and Backstep has not; the value says what to use instead
LACKING: dict[str, str | None] = {
    "AdaptiveAvgPool3d": None, "AdaptiveLogSoftmaxWithLoss": "CrossEntropyLoss", "AdaptiveMaxPool3d": None,
    "AvgPool3d": None, "CTCLoss": None, "ChannelShuffle": "nn.functional views", "CrossMapLRN2d": "LayerNorm",
    "DataParallel": "the model itself: there is one device", "EmbeddingBag": "Embedding and .mean(1)",
    "FeatureAlphaDropout": "AlphaDropout", "FractionalMaxPool2d": "MaxPool2d", "FractionalMaxPool3d": None,
    "LPPool1d": "AvgPool1d", "LPPool2d": "AvgPool2d", "LPPool3d": None, "LazyBatchNorm1d": "BatchNorm1d",
    "LazyBatchNorm2d": "BatchNorm2d", "LazyBatchNorm3d": "BatchNorm3d", "LazyConv1d": "Conv1d",
    "LazyConv2d": "Conv2d", "LazyConv3d": "Conv3d", "LazyLinear": "Linear with its in_features written out",
    "LinearCrossEntropyLoss": "Linear and CrossEntropyLoss", "LocalResponseNorm": "nn.functional.local_response_norm",
    "MaxPool3d": None, "MaxUnpool1d": None, "MaxUnpool2d": None, "MaxUnpool3d": None, "NLLLoss2d": "NLLLoss",
    "SyncBatchNorm": "BatchNorm2d", "UninitializedParameter": None, "UninitializedBuffer": None,
    "UpsamplingBilinear2d": "Upsample(mode='bilinear', align_corners=True)",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in LACKING:
        instead = LACKING[name]
        raise unsupported(f"torch.nn.{name}", None if instead is None else f"use {instead}")
    raise AttributeFault(f"module 'torch.nn' has no attribute '{name}'", hint=near_miss(name, _LAYERS))
