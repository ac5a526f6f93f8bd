"""MultiheadAttention: several attentions in parallel between one projection in and one out."""

from __future__ import annotations

from typing import Any

from engine.nn import functional as F
from engine.nn import init
from engine.nn.modules.linear import NonDynamicallyQuantizableLinear
from engine.nn.modules.module import Module
from engine.nn.parameter import undrawn
from engine.tensor import Tensor


class MultiheadAttention(Module):
    """softmax(Q K^T / sqrt(d)) V in num_heads subspaces of embed_dim.

    input   query (L, N, E), key and value (S, N, E); (N, L, E) with batch_first; unbatched without N
    returns output (L, N, E), and weights (N, L, S) averaged over heads, or None with need_weights=False
    source  https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
    """

    bias_k: Tensor | None
    bias_v: Tensor | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        fresh = {"device": device, "dtype": dtype}
        same = self._qkv_same_embed_dim
        self.register_parameter("in_proj_weight", None)
        for name, width in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            made = None if same else undrawn((embed_dim, width), **fresh)
            self.register_parameter(name + "_proj_weight", made)
        if same:
            self.in_proj_weight = undrawn((3 * embed_dim, embed_dim), **fresh)
        self.register_parameter("in_proj_bias", undrawn(3 * embed_dim, **fresh) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **fresh)
        for name in ("bias_k", "bias_v"):
            setattr(self, name, undrawn((1, 1, embed_dim), **fresh) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._draw()
        if bias:
            init.constant_(self.out_proj.bias, 0.0)

    def reset_parameters(self) -> None:
        """Xavier weights, zero biases."""
        if self._qkv_same_embed_dim:
            init.xavier_uniform_(self.in_proj_weight)
        else:
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
        if self.bias_v is not None:
            init.xavier_normal_(self.bias_v)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        swap = self.batch_first and query.dim() == 3
        if swap:
            same, shared = query is key and key is value, key is value
            query = query.transpose(1, 0)
            key = query if same else key.transpose(1, 0)
            value = key if shared else value.transpose(1, 0)
        out, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (out.transpose(1, 0) if swap else out), weights
