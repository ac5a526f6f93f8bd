"""Rows of a table by their index, and the gradients that they collect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import IndexFault, RuntimeFault
from engine.ops.normalization import ROWS
from engine.ops.op import TENSORS, Failing, Sample, op
from engine.ops.vocabulary import constant, word

Array = Any
Tensor = Any
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn."


def _embedding_vjp(
    g: Array, indices: Array, shape: Sequence[int], padding_idx: int | None, by_frequency: bool
) -> Array:
    rows, width = shape
    flat = indices.reshape(-1)
    values = g.reshape(-1, width)
    if by_frequency:
        values = values / np.bincount(flat, minlength=rows)[flat][:, None].astype(g.dtype)
    out = np.zeros((rows, width), g.dtype)
    np.add.at(out, flat, values)
    if padding_idx is not None:
        out[padding_idx] = 0
    return out


def _embedding_vjp_tensors(
    g: Tensor, indices: Tensor, shape: Sequence[int], padding_idx: int | None, by_frequency: bool
) -> Tensor:
    rows, width = shape
    flat = np.asarray(indices._a).reshape(-1)
    select = np.zeros((rows, flat.size), g._a.dtype)
    select[flat, np.arange(flat.size)] = 1
    if by_frequency:
        select /= np.maximum(1, np.bincount(flat, minlength=rows))[:, None]
    if padding_idx is not None:
        select[padding_idx] = 0
    return TENSORS["mm"](constant(select.astype(g._a.dtype)), g.reshape((-1, width)))


word("embedding_vjp", _embedding_vjp, _embedding_vjp_tensors)


@op(
    "embedding_(weight, indices, padding_idx=None, scale_grad_by_freq=False)",
    inputs=2,
    vjps={"weight": "embedding_vjp(g, indices, weight_shape, padding_idx, scale_grad_by_freq)"},
    node="EmbeddingBackward0",
    latex=r"{weight}_{i}",
    latex_partials={"weight": r"\bar{w}_{i} \mathrel{+}= g"},
    doc="Row i of the weight for every index i.",
    source=_SITE + "Embedding.html",
    samples=[
        Sample((ROWS, [0, 1, 1, 0])),
        Sample((ROWS, [[0, 1], [1, 1]]), {"padding_idx": 0}),
        Sample((ROWS, [0, 1, 1]), {"scale_grad_by_freq": True}),
    ],
    fails=[Failing((ROWS, [0, 2]), {}, IndexError, "index out of range in self")],
    method=False,
    public="embedding",
)
def embedding_(weight: Array, indices: Array, padding_idx: int | None, scale_grad_by_freq: bool) -> Array:
    if weight.ndim != 2:
        raise RuntimeFault("'weight' must be 2-D")
    if indices.size and (indices.min() < 0 or indices.max() >= len(weight)):
        bad = indices[(indices < 0) | (indices >= len(weight))].ravel()[0]
        raise IndexFault(
            "index out of range in self",
            hint=f"index {bad}, but the table has rows 0..{len(weight) - 1}: num_embeddings must exceed every index",
        )
    return weight[indices]
