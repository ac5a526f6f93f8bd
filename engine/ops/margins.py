"""Losses of margins between classes; as in torch, they can be differentiated once."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import NotImplementedFault, RuntimeFault
from engine.ops.cross_entropy import check_classes
from engine.ops.op import TENSORS, op
from engine.ops.regression import ROWS
from engine.ops.samples import reductions
from engine.ops.vocabulary import constant, reduce_loss, word

Array = Any
Tensor = Any
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn."


def _refuse_half(input: Array, kernel: str) -> None:
    if input.dtype.itemsize == 2:
        raise NotImplementedFault(
            f"\"{kernel}\" not implemented for '{dtypes.SCALAR_NAMES[dtypes.of(input)]}'",
            hint="convert it first: x.float()",
        )


def _margins(input: Array, target: Array, margin: float) -> tuple[Array, Array]:
    """margin - x[y] + x[j] where positive and j != y, else 0; rows of samples."""
    rows = input.reshape(-1, input.shape[-1])
    y = target.reshape(-1)
    check_classes(y, rows.shape[1], -(1 << 62))
    place = np.arange(len(rows))
    z = margin - rows[place, y][:, None] + rows
    z[place, y] = 0
    return np.maximum(z, 0), y


def _multi_margin_vjp(
    g: Array, input: Array, target: Array, weight: Array | None, p: int, margin: float, reduction: str
) -> Array:
    z, y = _margins(input, target, margin)
    slope = (z > 0).astype(input.dtype) if p == 1 else 2 * z
    if weight is not None:
        slope *= weight[y][:, None]
    slope /= z.shape[1]
    slope[np.arange(len(y)), y] = -slope.sum(1)
    if reduction == "mean":
        slope /= len(y)
    scale = np.asarray(g).reshape(-1, 1)
    return (slope * scale).reshape(input.shape).astype(input.dtype, copy=False)


def _refuse(g: Any, name: str) -> Any:
    raise RuntimeFault(f"derivative for aten::{name} is not implemented")


word("refuse", _refuse, _refuse)


@op(
    "gradient_once(value, source, name)",
    inputs=2,
    vjps={"source": "refuse(g, name)"},
    node="NotImplemented",
    latex="{value}",
    latex_partials={"source": r"\text{none}"},
    doc="A gradient that torch cannot differentiate again: asking for it raises torch's error.",
    source="",
    method=False,
    public="not_implemented",
)
def gradient_once(value: Array, source: Array, name: str) -> Array:
    return value.copy()


def _once(name: str, vjp: Any) -> Any:
    """A gradient over Tensors, computed from their arrays and not differentiable again."""

    def over_tensors(g: Tensor, input: Tensor, *rest: Any) -> Tensor:
        arrays = [np.asarray(t._a).reshape(t._s) if hasattr(t, "_a") else t for t in (g, input, *rest)]
        return TENSORS["gradient_once"](constant(vjp(*arrays)), input, name)

    return over_tensors


word("multi_margin_vjp", _multi_margin_vjp, _once("multi_margin_loss_backward", _multi_margin_vjp))


@op(
    "multi_margin_loss(input, target, weight=None, p=1, margin=1.0, reduction='mean')",
    inputs=("input", "target", "weight"),
    optional=("weight",),
    vjps={"input": "multi_margin_vjp(g, input, target, weight, p, margin, reduction)"},
    node="MultiMarginLossBackward0",
    latex=r"\tfrac{1}{C}\textstyle\sum_{j \ne y}\max(0, m - {input}_y + {input}_j)^p",
    latex_partials={"input": r"\tfrac{1}{C}\mathbb{1}[m - {input}_y + {input}_j > 0]"},
    doc="Multi-class hinge loss.",
    source=_SITE + "MultiMarginLoss.html",
    samples=[*reductions(ROWS, [0, 2]), *reductions(ROWS, [0, 2], [1.0, 2.0, 0.5], p=2)],
    method=False,
)
def multi_margin_loss(
    input: Array, target: Array, weight: Array | None, p: int, margin: float, reduction: str
) -> Array:
    _refuse_half(input, "multi_margin_loss_cpu_kernel")
    z, y = _margins(input, target, margin)
    losses = (z if p == 1 else z * z).sum(1) / input.dtype.type(z.shape[1])
    if weight is not None:
        losses = losses * weight[y]
    return reduce_loss(losses if input.ndim > 1 else losses[0], reduction)


def _label_sets(target: Array) -> tuple[Array, Array]:
    """Rows of targets, and which classes are targets: those before the first -1."""
    rows = target.reshape(-1, target.shape[-1])
    valid = np.cumprod(rows >= 0, 1).astype(bool)
    member = np.zeros(rows.shape, bool)
    member[np.nonzero(valid)[0], rows[valid]] = True
    return np.where(valid, rows, -1), member


def _multilabel_terms(input: Array, target: Array) -> tuple[Array, Array, Array]:
    """(n, t, j): 1 - x[target t] + x[j] where positive, for targets t and classes j that are no target."""
    rows = input.reshape(-1, input.shape[-1])
    labels, member = _label_sets(target)
    chosen = np.take_along_axis(rows, np.maximum(labels, 0), 1)
    z = 1 - chosen[:, :, None] + rows[:, None, :]
    z[labels < 0] = 0
    z = np.where(member[:, None, :], 0, z)
    return np.maximum(z, 0), labels, member


def _multilabel_margin_vjp(g: Array, input: Array, target: Array, reduction: str) -> Array:
    z, labels, _ = _multilabel_terms(input, target)
    active = (z > 0).astype(input.dtype)
    slope = active.sum(1)
    n, t = np.nonzero(labels >= 0)
    np.subtract.at(slope, (n, labels[n, t]), active.sum(2)[n, t])
    slope /= z.shape[2] * (len(slope) if reduction == "mean" else 1)
    return (slope * np.asarray(g).reshape(-1, 1)).reshape(input.shape).astype(input.dtype, copy=False)


word(
    "multilabel_margin_vjp", _multilabel_margin_vjp, _once("multilabel_margin_loss_backward", _multilabel_margin_vjp)
)


@op(
    "multilabel_margin_loss(input, target, reduction='mean')",
    inputs=2,
    vjps={"input": "multilabel_margin_vjp(g, input, target, reduction)"},
    node="MultilabelMarginLossBackward0",
    latex=r"\tfrac{1}{C}\textstyle\sum_{t, j \notin T}\max(0, 1 - {input}_t + {input}_j)",
    latex_partials={"input": r"\pm\tfrac{1}{C}\#\{1 - {input}_t + {input}_j > 0\}"},
    doc="Hinge loss for several classes per sample; each row of targets ends at the first -1.",
    source=_SITE + "MultiLabelMarginLoss.html",
    samples=reductions(ROWS, [[2, 0, -1], [1, -1, 0]]),
    method=False,
)
def multilabel_margin_loss(input: Array, target: Array, reduction: str) -> Array:
    _refuse_half(input, "multilabel_margin_loss_forward_out_frame")
    z, _, _ = _multilabel_terms(input, target)
    losses = z.sum((1, 2)) / input.dtype.type(z.shape[2])
    return reduce_loss(losses if input.ndim > 1 else losses[0], reduction)
