"""Maps that act on each spatial dimension by a small matrix: adaptive means, interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.op import TENSORS, Sample, op
from engine.ops.pool import IMAGE, adaptive_bounds
from engine.ops.vocabulary import word

Array = Any
Ints = tuple[int, ...]
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn.functional."


def _adaptive_matrix(size: int, out: int) -> Array:
    m = np.zeros((out, size))
    for i, (a, b) in enumerate(adaptive_bounds(size, out)):
        m[i, a:b] = 1 / (b - a)
    return m


def _nearest_matrix(size: int, out: int, scale: float | None) -> Array:
    step = np.float32(1 / scale) if scale else np.float32(size) / np.float32(out)
    source = np.minimum(np.floor(np.arange(out, dtype=np.float32) * step).astype(int), size - 1)
    m = np.zeros((out, size))
    m[np.arange(out), source] = 1
    return m


def _linear_matrix(size: int, out: int, scale: float | None, align_corners: bool) -> Array:
    if align_corners:
        source = np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0.0)
    else:
        source = np.maximum((np.arange(out) + 0.5) * (1 / scale if scale else size / out) - 0.5, 0)
    low = np.minimum(source.astype(int), size - 1)
    high = np.minimum(low + 1, size - 1)
    share = np.where(high > low, source - low, 0.0)
    m = np.zeros((out, size))
    np.add.at(m, (np.arange(out), low), 1 - share)
    np.add.at(m, (np.arange(out), high), share)
    return m


def _matrices(kind: str, sizes: Ints, out: Ints, scales: Any, align_corners: bool) -> list[Array]:
    if kind == "adaptive":
        return [_adaptive_matrix(n, o) for n, o in zip(sizes, out, strict=True)]
    scales = scales or (None,) * len(out)
    if kind == "nearest":
        return [_nearest_matrix(n, o, s) for n, o, s in zip(sizes, out, scales, strict=True)]
    return [_linear_matrix(n, o, s, align_corners) for n, o, s in zip(sizes, out, scales, strict=True)]


def _resample(x: Array, matrices: Sequence[Array], transposed: bool) -> Array:
    for i, m in enumerate(matrices):
        axis = x.ndim - len(matrices) + i
        x = np.moveaxis(np.tensordot(x, (m.T if transposed else m).astype(x.dtype), ([axis], [1])), -1, axis)
    return np.ascontiguousarray(x)


_RESIZED = {
    "adaptive": "AdaptiveAvgPool{n}DBackward0",
    "nearest": "UpsampleNearest{n}DBackward0",
    "linear": {1: "UpsampleLinear1DBackward0", 2: "UpsampleBilinear2DBackward0", 3: "UpsampleTrilinear3DBackward0"},
}


def _resized_node(params: dict[str, Any]) -> str:
    name = _RESIZED[params["kind"]]
    n = len(params["output_size"])
    return name[n] if isinstance(name, dict) else name.format(n=n)


@op(
    "resample(input, kind, output_size, scales=None, align_corners=False)",
    vjps={
        "input": "through_if(kind == 'adaptive', resample_back(g, kind, input_shape, output_size, scales, "
        "align_corners), input)"
    },
    node=_resized_node,
    latex=r"R\,{input}\,R^{\top}",
    latex_partials={"input": r"R^{\top} g\, R"},
    doc="Another spatial size by a matrix per dimension: adaptive means, nearest neighbours, linear interpolation.",
    source=_SITE + "interpolate.html",
    samples=[
        Sample((IMAGE,), {"kind": "adaptive", "output_size": (2, 2)}),
        Sample((IMAGE,), {"kind": "nearest", "output_size": (6, 6)}),
        Sample((IMAGE,), {"kind": "linear", "output_size": (5, 6)}),
    ],
    method=False,
    public="interpolate",
)
def resample(input: Array, kind: str, output_size: Ints, scales: Any, align_corners: bool) -> Array:
    size = tuple(output_size)
    return _resample(input, _matrices(kind, input.shape[-len(size) :], size, scales, align_corners), False)


@op(
    "resample_back(grad, kind, input_size, output_size, scales=None, align_corners=False)",
    vjps={"grad": "resample(g, kind, output_size, scales, align_corners)"},
    node="UpsampleBackwardBackward0",
    latex=r"R^{\top} g\, R",
    latex_partials={"grad": r"R\,x\,R^{\top}"},
    doc="The derivative of resample: its transpose.",
    source="",
    method=False,
    public="interpolate_backward",
)
def resample_back(
    grad: Array, kind: str, input_size: Ints, output_size: Ints, scales: Any, align_corners: bool
) -> Array:
    size = tuple(output_size)
    return _resample(grad, _matrices(kind, tuple(input_size)[-len(size) :], size, scales, align_corners), True)


word(
    "through_if",
    lambda condition, value, source: value,
    lambda condition, value, source: TENSORS["through"](value, source) if condition else value,
)
