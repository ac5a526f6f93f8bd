"""Attention as functions: scaled_dot_product_attention and the forward of MultiheadAttention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault
from engine.nn.functional.dropout import dropout
from engine.nn.functional.linear import linear
from engine.nn.functional.spatial import pad
from engine.ops.registry import TENSORS
from engine.tensor import Tensor, make


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V, with a boolean mask (True = look at it) or one that is added.

    graph   one node for (N, heads, L, d) without dropout; otherwise its parts, as torch
    """
    for name, t in (("key", key), ("value", value)):
        if t.dtype is not query.dtype:
            raise RuntimeFault(
                "Expected query, key, and value to have the same dtype, but got query.dtype: {} key.dtype: {} and "
                "value.dtype: {} instead.".format(*(dtypes.C_NAMES[t.dtype.name] for t in (query, key, value)))
            )
        if t.dim() < 2 or query.dim() < 2:
            raise RuntimeFault(
                "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim(): "
                f"{query.dim()}, key.dim(): {key.dim()} and value.dim(): {value.dim()} instead."
            )
        del name
    if is_causal and attn_mask is not None:
        raise RuntimeFault(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )
    if enable_gqa and query.dim() > 2:
        times = query._s[-3] // key._s[-3]
        key, value = (_repeat_heads(t, times) for t in (key, value))
    scale = 1 / math.sqrt(query._s[-1]) if scale is None else scale
    fusible = query.dim() == 4 and value._s[-1] == query._s[-1] and dropout_p == 0.0
    if fusible and (attn_mask is None or attn_mask._n is None):
        return TENSORS["attention"](  # type: ignore[no-any-return]
            query, key, value, attn_mask, causal=is_causal, scale=scale
        )
    root = math.sqrt(scale)  # torch: both factors are scaled, which keeps half precision in range
    scaled = TENSORS["mul_scalar"]
    weights = scaled(query, root) @ scaled(key.transpose(-2, -1), root)
    if is_causal:
        hidden = ~np.tri(query._s[-2], key._s[-2], dtype=bool)
        attn_mask = make(np.where(hidden, -np.inf, 0.0).astype(query._a.dtype), hidden.shape)
    elif attn_mask is not None and attn_mask._a.dtype == bool:
        shown = np.asarray(attn_mask._a).reshape(attn_mask._s)
        attn_mask = make(np.where(shown, 0.0, -np.inf).astype(query._a.dtype), attn_mask._s)
    if attn_mask is not None:
        weights = weights + attn_mask
    weights = TENSORS["safe_softmax"](weights, -1)
    if dropout_p > 0.0:
        weights = dropout(weights, dropout_p)
    return weights @ value


def _repeat_heads(t: Tensor, times: int) -> Tensor:
    return TENSORS["repeat_interleave"](t, times, -3)  # type: ignore[no-any-return]


def _additive(mask: Tensor | None, name: str, like: Tensor) -> Tensor | None:
    """A boolean mask (True = hide) as numbers to add."""
    if mask is None:
        return None
    a = np.asarray(mask._a).reshape(mask._s)
    if a.dtype == bool:
        return make(np.where(a, -np.inf, 0.0).astype(like._a.dtype), mask._s)
    if not mask.dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return mask


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> bool:
    """Whether the input is batched; torch's complaints otherwise."""
    n = query.dim()
    if n not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {n}-D query tensor"
        )
    kind = "batched" if n == 3 else "unbatched"
    if key.dim() != n or value.dim() != n:
        raise AssertionError(
            f"For {kind} ({n}-D) `query`, expected `key` and `value` to be {n}-D but found {key.dim()}-D and "
            f"{value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != n - 1:
        raise AssertionError(
            f"For {kind} ({n}-D) `query`, expected `key_padding_mask` to be `None` or {n - 1}-D but found "
            f"{padding.dim()}-D tensor instead"
        )
    if mask is not None and mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {kind} ({n}-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{mask.dim()}-D tensor instead"
        )
    return n == 3


def _project(q: Tensor, k: Tensor, v: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """The three input projections from one packed weight; in one product when q, k and v are the same."""
    e = q._s[-1]
    if k is v and q is k:
        together = linear(q, weight, bias)
        parts = together.unflatten(-1, (3, e)).unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()
        return parts[0], parts[1], parts[2]
    if k is v:
        w_q, w_kv = weight.split([e, 2 * e])
        b_q, b_kv = (None, None) if bias is None else bias.split([e, 2 * e])
        both = linear(k, w_kv, b_kv)
        both = both.unflatten(-1, (2, e)).unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()
        return linear(q, w_q, b_q), both[0], both[1]
    weights = weight.chunk(3)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return tuple(linear(x, w, b) for x, w, b in zip((q, k, v), weights, biases, strict=True))  # type: ignore[return-value]


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention in several heads: project, split, attend, join, project. (L, N, E) in and out."""
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeFault("Need attn_mask if specifying the is_causal hint.")
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    tgt_len, bsz, embed_dim = query._s
    src_len = key._s[0]
    key_padding_mask = _additive(key_padding_mask, "key_padding_mask", query)
    attn_mask = _additive(attn_mask, "attn_mask", query)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the mask is a hint: the causal form is used instead
    else:
        is_causal = False
    if embed_dim != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed_dim}")
    head_dim = embed_dim // num_heads
    if head_dim * num_heads != embed_dim:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")

    if use_separate_proj_weight:
        assert q_proj_weight is not None and k_proj_weight is not None and v_proj_weight is not None
        b = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
        q, k, v = (
            linear(query, q_proj_weight, b[0]),
            linear(key, k_proj_weight, b[1]),
            linear(value, v_proj_weight, b[2]),
        )
    else:
        assert in_proj_weight is not None
        q, k, v = _project(query, key, value, in_proj_weight, in_proj_bias)

    if attn_mask is not None:
        if attn_mask.dim() == 2:
            if attn_mask._s != (tgt_len, src_len):
                raise RuntimeFault(
                    f"The shape of the 2D attn_mask is {attn_mask.shape}, but should be {(tgt_len, src_len)}."
                )
            attn_mask = attn_mask.unsqueeze(0)
        elif attn_mask._s != (bsz * num_heads, tgt_len, src_len):
            raise RuntimeFault(
                f"The shape of the 3D attn_mask is {attn_mask.shape}, but should be "
                f"{(bsz * num_heads, tgt_len, src_len)}."
            )
    if bias_k is not None and bias_v is not None:
        k = TENSORS["cat"]([k, bias_k.repeat(1, bsz, 1)])
        v = TENSORS["cat"]([v, bias_v.repeat(1, bsz, 1)])
        attn_mask, key_padding_mask = (_one_column(m) for m in (attn_mask, key_padding_mask))
    q = q.view((tgt_len, bsz * num_heads, head_dim)).transpose(0, 1)
    k = k.view((k._s[0], bsz * num_heads, head_dim)).transpose(0, 1)
    v = v.view((v._s[0], bsz * num_heads, head_dim)).transpose(0, 1)
    if add_zero_attn:
        zeros = make(np.zeros((bsz * num_heads, 1, head_dim), k._a.dtype), (bsz * num_heads, 1, head_dim))
        k, v = TENSORS["cat"]([k, zeros], 1), TENSORS["cat"]([v, zeros], 1)
        attn_mask, key_padding_mask = (_one_column(m) for m in (attn_mask, key_padding_mask))
    src_len = k._s[1]
    if key_padding_mask is not None:
        if key_padding_mask._s != (bsz, src_len):
            raise AssertionError(
                f"expecting key_padding_mask shape of {(bsz, src_len)}, but got {key_padding_mask.shape}"
            )
        spread = key_padding_mask.view((bsz, 1, 1, src_len)).expand(-1, num_heads, -1, -1)
        spread = spread.reshape((bsz * num_heads, 1, src_len))
        attn_mask = spread if attn_mask is None else attn_mask + spread
    if not training:
        dropout_p = 0.0

    if need_weights:
        scaled = q * math.sqrt(1.0 / float(head_dim))
        turned = k.transpose(-2, -1)
        if attn_mask is None:
            scores = TENSORS["bmm"](scaled, turned)
        else:
            scores = TENSORS["masked_products"](attn_mask, scaled, turned)
        weights = scores.softmax(-1)
        if dropout_p > 0.0:
            weights = dropout(weights, dropout_p)
        out = TENSORS["bmm"](weights, v).transpose(0, 1).reshape((tgt_len * bsz, embed_dim))
        out = linear(out, out_proj_weight, out_proj_bias).view((tgt_len, bsz, -1))
        weights = weights.view((bsz, num_heads, tgt_len, src_len))
        if average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            return out.squeeze(1), weights.squeeze(0)
        return out, weights

    if attn_mask is not None:
        if attn_mask._s[0] == 1 and attn_mask.dim() == 3:
            attn_mask = attn_mask.unsqueeze(0)
        else:
            attn_mask = attn_mask.view((bsz, num_heads, -1, src_len))
    q = q.view((bsz, num_heads, tgt_len, head_dim))
    k = k.view((bsz, num_heads, src_len, head_dim))
    v = v.view((bsz, num_heads, src_len, head_dim))
    out = scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
    out = out.permute(2, 0, 1, 3).reshape((bsz * tgt_len, embed_dim))
    out = linear(out, out_proj_weight, out_proj_bias).view((tgt_len, bsz, -1))
    return (out.squeeze(1) if not batched else out), None


def _one_column(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else pad(mask, (0, 1))
