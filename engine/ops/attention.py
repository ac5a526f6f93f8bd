"""Operations of attention, and the forms of arithmetic that torch's own composites use.

Note [Forms of arithmetic]
    Where torch composes a loss or a norm in C++, `x + 1` is another overload than Python's, and its node has another
    name: AddBackward1, MulBackward1, ... The blocks `add_scalar`, `mul_scalar`, ... are those overloads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import IndexFault, RuntimeFault
from engine.ops import elementary as el
from engine.ops.matmul import expandable, matching
from engine.ops.op import TENSORS, Sample, op
from engine.ops.vocabulary import constant, in_dtype, word

Array = Any
Tensor = Any

ROWS = [[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]]
_SITE = "https://pytorch.org/docs/stable/generated/torch."

op("add_scalar(input, number)", forward="input + number", partials={"input": "1"}, node="AddBackward1",
   latex="{input} + c", latex_partials={"input": "1"}, doc="A number added, as torch's composites do it.",
   source=_SITE + "add.html", samples=[Sample((ROWS,), {"number": 2.0})], method=False, inplace=False,
   public="add")  # fmt: skip
op("sub_scalar(input, number)", forward="input - number", partials={"input": "1"}, node="SubBackward1",
   latex="{input} - c", latex_partials={"input": "1"}, doc="A number subtracted, as torch's composites do it.",
   source=_SITE + "sub.html", samples=[Sample((ROWS,), {"number": 2.0})], method=False, inplace=False,
   public="sub")  # fmt: skip
op("mul_scalar(input, number)", forward="input * number", partials={"input": "number"},
   vjps={"input": "g * number"}, node="MulBackward1",
   latex=r"c\,{input}", latex_partials={"input": "c"}, doc="A product with a number, as torch's composites do it.",
   source=_SITE + "mul.html", samples=[Sample((ROWS,), {"number": 2.0})], method=False, inplace=False,
   public="mul")  # fmt: skip
op("div_scalar(input, number)", forward="input / number", partials={"input": "1 / number"},
   vjps={"input": "g / number"}, node="DivBackward1",
   latex=r"\frac{input}{c}", latex_partials={"input": r"\frac{1}{c}"},
   doc="A quotient by a number, as torch's composites do it.",
   source=_SITE + "div.html", samples=[Sample((ROWS,), {"number": 2.0})], method=False, inplace=False,
   public="div")  # fmt: skip


# ---- norms along a dimension, as pairwise_distance takes them ---------------------------------------------------


def _norm_vjp(g: Any, x: Any, out: Any, p: float, dim: int, keepdim: bool, v: Any) -> Any:
    """g x |x|^(p-2) / out^(p-1), and 0 where out is 0."""
    if not keepdim:
        g, out = v.unsqueeze(g, dim), v.unsqueeze(out, dim)
    if p == 2:
        slope = x / v.nonzero(out)
    elif p == 1:
        slope = v.sign(x)
    elif p == float("inf"):
        top = v.equal(v.absolute(x), out)
        slope = v.sign(x) * top / v.total(top, dim)
    else:
        slope = v.sign(x) * v.power(v.absolute(x), p - 1) / v.power(v.nonzero(out), p - 1)
    return g * slope


class _Arrays:
    unsqueeze = staticmethod(lambda a, dim: np.expand_dims(a, dim))
    sign = staticmethod(np.sign)
    absolute = staticmethod(np.abs)
    power = staticmethod(lambda a, p: a**p)
    nonzero = staticmethod(lambda a: np.where(a == 0, a.dtype.type(np.inf), a))
    equal = staticmethod(lambda a, b: (a == b).astype(a.dtype))
    total = staticmethod(lambda a, dim: a.sum(dim, keepdims=True))


class _Tensors:
    unsqueeze = staticmethod(lambda t, dim: t.unsqueeze(dim))
    sign = staticmethod(lambda t: t.sign())
    absolute = staticmethod(lambda t: t.abs())
    power = staticmethod(lambda t, p: t**p)
    nonzero = staticmethod(lambda t: t.masked_fill(t == 0, float("inf")))
    equal = staticmethod(lambda a, b: (a == b).to(a.dtype))
    total = staticmethod(lambda t, dim: t.sum(dim, keepdim=True))


word(
    "norm_along_vjp",
    lambda *args: _norm_vjp(*args, _Arrays),
    lambda *args: _norm_vjp(*args, _Tensors),
)


@op(
    "norm_along(input, p, dim, keepdim=False)",
    vjps={"input": "norm_along_vjp(g, input, out, p, dim, keepdim)"},
    node="NormBackward1",
    latex=r"\lVert {input} \rVert_p",
    latex_partials={"input": r"\frac{x\,|{input}|^{p-2}}{\lVert {input} \rVert_p^{p-1}}"},
    doc="The p-norm along one dimension; the derivative at 0 is 0.",
    source=_SITE + "norm.html",
    samples=[Sample((ROWS,), {"p": p, "dim": -1}) for p in (2.0, 1.0, 3.0)],
    method=False,
    public="norm",
)
def norm_along(input: Array, p: float, dim: int, keepdim: bool) -> Array:
    size = np.abs(input)
    if p == float("inf"):
        return size.max(dim, keepdims=keepdim)
    if p == 2:
        return np.sqrt((input * input).sum(dim, keepdims=keepdim))
    return ((size**p).sum(dim, keepdims=keepdim) ** (1 / p)).astype(input.dtype, copy=False)


# ---- attention ----------------------------------------------------------------------------------------------------


def _safe_softmax(x: Array) -> Array:
    top = x.max(-1, keepdims=True)
    e = el.exp(x - np.where(np.isneginf(top), x.dtype.type(0), top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, x.dtype.type(1), total)


@op(
    "safe_softmax(input, dim)",
    vjps={"input": "softmax_vjp(g, out, dim)"},
    node="SafeSoftmaxBackward0",
    latex=r"\frac{e^{input}}{\sum e^{input}}",
    latex_partials={"input": r"y \odot (g - \textstyle\sum g \odot y)"},
    doc="Softmax along the last dimension that gives zeros, not nan, for a row that is masked out whole.",
    source=_SITE + "nn.functional.scaled_dot_product_attention.html",
    samples=[Sample((ROWS,), {"dim": -1})],
    method=False,
    public="_safe_softmax",
)
def safe_softmax(input: Array, dim: int) -> Array:
    return np.moveaxis(_safe_softmax(np.moveaxis(input, dim, -1)), -1, dim)


def _scores(q: Array, k: Array, mask: Array | None, causal: bool, scale: float) -> Array:
    scores = np.matmul(q, np.swapaxes(k, -1, -2)) * q.dtype.type(scale)
    if causal:
        scores = np.where(np.tri(q.shape[-2], k.shape[-2], dtype=bool), scores, q.dtype.type(-np.inf))
    if mask is not None:
        if mask.dtype == bool:
            scores = np.where(mask, scores, q.dtype.type(-np.inf))
        else:
            scores = scores + mask.astype(q.dtype)
    return scores


def _attention_vjps(
    g: Array, q: Array, k: Array, v: Array, mask: Any, weights: Array, causal: bool, scale: float, which: str
) -> Array:
    if which == "value":
        return np.matmul(np.swapaxes(weights, -1, -2), g)
    moved = np.matmul(g, np.swapaxes(v, -1, -2)) * weights
    back = (moved - weights * moved.sum(-1, keepdims=True)) * q.dtype.type(scale)
    return np.matmul(back, k) if which == "query" else np.matmul(np.swapaxes(back, -1, -2), q)


def _attention_vjps_tensors(
    g: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Any, weights: Any, causal: bool, scale: float, which: str
) -> Tensor:
    scores = (q @ k.transpose(-1, -2)) * scale
    if causal:
        hidden = ~np.tri(q.shape[-2], k.shape[-2], dtype=bool)
        scores = scores.masked_fill(constant(hidden), float("-inf"))
    if mask is not None:
        kept = np.asarray(mask._a).reshape(mask._s)
        scores = scores.masked_fill(constant(~kept), float("-inf")) if kept.dtype == bool else scores + mask
    w = TENSORS["safe_softmax"](scores, -1)
    if which == "value":
        return w.transpose(-1, -2) @ g
    moved = (g @ v.transpose(-1, -2)) * w
    back = (moved - w * moved.sum(-1, keepdim=True)) * scale
    return back @ k if which == "query" else back.transpose(-1, -2) @ q


word("attention_vjp", in_dtype(_attention_vjps), _attention_vjps_tensors)
_READS = "g, query, key, value, mask, weights, causal, scale"
_QUERY = [[[[1.0, 0.5], [-1.0, 2.0]]]]


@op(
    "attention(query, key, value, mask=None, causal=False, scale=1.0)",
    inputs=("query", "key", "value", "mask"),
    optional=("mask",),
    vjps={n: f"attention_vjp({_READS}, '{n}')" for n in ("query", "key", "value")},
    aux=("weights",),
    node="ScaledDotProductFlashAttentionForCpuBackward0",
    latex=r"\operatorname{softmax}(s\,Q K^{\top})\,V",
    latex_partials={
        "query": r"s\,\bar{S} K",
        "key": r"s\,\bar{S}^{\top} Q",
        "value": r"P^{\top} g",
    },
    doc="Softmax of the scaled products of queries and keys, times the values.",
    source=_SITE + "nn.functional.scaled_dot_product_attention.html",
    samples=[
        Sample((_QUERY, _QUERY, _QUERY), {"scale": 0.7}),
        Sample((_QUERY, _QUERY, _QUERY), {"scale": 0.7, "causal": True}),
    ],
    method=False,
    public="scaled_dot_product_attention",
)
def attention(
    query: Array, key: Array, value: Array, mask: Array | None, causal: bool, scale: float
) -> tuple[Array, Array]:
    if query.shape[-1] != key.shape[-1]:
        n, heads, _, width = query.shape
        raise RuntimeFault(
            f"Expected size for first two dimensions of batch2 tensor to be: [{n * heads}, {width}] but got: "
            f"[{n * heads}, {key.shape[-1]}].",
            hint="queries and keys must have the same last dimension",
        )
    weights = _safe_softmax(_scores(query, key, mask, causal, scale))
    # the query's own memory order, as torch allocates it, so that joining the heads again needs no copy
    out = np.empty_like(query, shape=(*query.shape[:-1], value.shape[-1]))
    return np.matmul(weights, value, out=out), weights


@op(
    "masked_products(mask, batch1, batch2)",
    inputs=3,
    vjps={
        "mask": "sum_to_size(g, mask_shape)",
        "batch1": "bmm(g, turned(batch2))",
        "batch2": "bmm(turned(batch1), g)",
    },
    node="BaddbmmBackward0",
    latex=r"{mask} + {batch1}\,{batch2}",
    latex_partials={
        "mask": "g",
        "batch1": r"g\,{batch2}^{\top}",
        "batch2": r"{batch1}^{\top} g",
    },
    doc="Batched products plus a mask that is broadcast over them.",
    source=_SITE + "baddbmm.html",
    samples=[Sample(([[[0.0, -1.0]]], [[[1.0, 2.0], [0.5, -1.0]]], [[[1.0, 0.0], [2.0, 1.0]]]))],
    method=False,
    public="baddbmm",
)
def masked_products(mask: Array, batch1: Array, batch2: Array) -> Array:
    if batch2.ndim < 3:
        raise IndexFault(f"Dimension out of range (expected to be in range of [-{batch2.ndim or 1}, {max(batch2.ndim - 1, 0)}], but got 2)")
    expandable(mask, (*batch1.shape[:2], batch2.shape[2]))
    if batch1.ndim != 3:
        raise RuntimeFault("batch1 must be a 3D tensor")
    if batch2.shape[:2] != (batch1.shape[0], batch1.shape[2]):
        raise RuntimeFault(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch1.shape[0]}, {batch1.shape[2]}] but got: "
            f"[{batch2.shape[0]}, {batch2.shape[1]}]."
        )
    if mask.dtype != batch1.dtype:
        c = [dtypes.C_NAMES[dtypes.of(a).name] for a in (mask, batch1, batch2)]
        raise RuntimeFault(f"Input dtypes must be the same, got: input {c[0]}, batch1: {c[1]}, batch2: {c[2]}")
    matching(batch1, batch2, "expected scalar type {a} but found {b}")
    return (np.matmul(batch1, batch2) + mask).astype(batch1.dtype, copy=False)


word("turned", lambda a: np.swapaxes(a, -1, -2), lambda t: t.transpose(-1, -2))


# ---- bilinear -------------------------------------------------------------------------------------------------------


@op(
    "trilinear(input1, weight, input2)",
    inputs=3,
    vjps={
        "input1": "trilinear_first(g, weight, input2)",
        "weight": "trilinear_weight(input1, g, input2)",
        "input2": "trilinear_last(input1, weight, g)",
    },
    node="TrilinearBackward0",
    latex=r"x_1^{\top} W x_2",
    latex_partials={
        "input1": r"g\,W x_2",
        "weight": r"g\,x_1 x_2^{\top}",
        "input2": r"g\,W^{\top} x_1",
    },
    doc="x1^T W_o x2 for every row and every output o.",
    source=_SITE + "nn.functional.bilinear.html",
    samples=[Sample((ROWS, [[[1.0, 0.5], [2.0, -1.0], [0.0, 1.0]]], [[1.0, -2.0], [0.5, 3.0]]))],
    method=False,
    public="_trilinear",
)
def trilinear(input1: Array, weight: Array, input2: Array) -> Array:
    return _wide_einsum("na,oab,nb->no", input1, weight, input2)


def _wide_einsum(equation: str, *operands: Array) -> Array:
    if operands[0].dtype.itemsize == 2:
        wide = [a.astype(np.float32) for a in operands]
        return np.einsum(equation, *wide, optimize=True).astype(operands[0].dtype)
    return np.einsum(equation, *operands, optimize=True)


def _einsum(equation: str) -> tuple[Any, Any]:
    return (
        lambda *operands: _wide_einsum(equation, *operands),
        lambda *operands: TENSORS["einsum"](equation, *operands),
    )


word("trilinear_first", *_einsum("no,oab,nb->na"))
word("trilinear_weight", *_einsum("na,no,nb->oab"))
word("trilinear_last", *_einsum("na,oab,no->nb"))

__all__ = ["attention", "masked_products", "norm_along", "safe_softmax", "trilinear"]
