"""Affine maps and look-ups: linear, bilinear, embedding, one_hot, and distances between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault, unsupported
from engine.ops import kernels
from engine.ops.linear import linear as linear
from engine.ops.registry import NAMESPACE, TENSORS
from engine.tensor import Tensor, make


def _linear_slowly(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What the fast path of ops/linear.py leaves: other ranks and dtypes, no bias, observed, refused."""
    try:
        n = len(input._s)
        matrix = len(weight._s) == 2
        if bias is not None:
            _ = bias._a
    except AttributeError:
        raise _no_tensor(input, weight, bias) from None
    if n == 2 and matrix:
        if bias is not None:
            return TENSORS["affine"](bias, input, TENSORS["t"](weight))  # type: ignore[no-any-return]
        return TENSORS["mm"](input, weight.t())  # type: ignore[no-any-return]
    if bias is not None and matrix and n and input.is_contiguous():
        flat = input.view((kernels.numel(input._s[:-1]), input._s[-1]))
        return linear(flat, weight, bias).view((*input._s[:-1], weight._s[0]))  # type: ignore[no-any-return]
    if n == 0:
        raise RuntimeFault(f"both arguments to linear need to be at least 1D, but they are 0D and {len(weight._s)}D")
    out = TENSORS["matmul"](input, weight.t())
    return out if bias is None else out + bias  # type: ignore[no-any-return]


NAMESPACE["linear_slowly"] = _linear_slowly


def _no_tensor(*given: Any) -> TypeFault:
    """torch's complaint about the first argument that is no tensor."""
    for i, (name, value) in enumerate(zip(("input", "weight", "bias"), given, strict=True)):
        if not isinstance(value, Tensor) and not (name == "bias" and value is None):
            return TypeFault(
                f"linear(): argument '{name}' (position {i + 1}) must be Tensor, not {type(value).__name__}"
            )
    raise AssertionError


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T W x2 + b for every pair of rows."""
    given = {"input1": input1, "input2": input2, "weight": weight, **({} if bias is None else {"bias": bias})}
    if len({t._a.dtype for t in given.values()}) > 1:
        kinds = ", ".join(f"{name}: {dtypes.C_NAMES[t.dtype.name]}" for name, t in given.items())
        raise RuntimeFault(f"All tensors must have the same dtype, got {kinds}")
    if input1.dim() != input2.dim():
        raise RuntimeFault(
            f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}"
        )
    for i in range(input1.dim() - 1):
        if input1._s[i] != input2._s[i]:
            raise RuntimeFault(
                f"bilinear(): input batch dimensions do not match at dim {i}: got {input1._s[i]} and {input2._s[i]}"
            )
    for k, (x, d) in enumerate(((input1, 1), (input2, 2)), 1):
        if x._s[-1] != weight._s[d]:
            raise RuntimeFault(
                f"bilinear(): input{k} size does not match weight size: got {x._s[-1]} but expected {weight._s[d]}"
            )
    out_features, a, b = weight._s
    lead = input1._s[:-1]
    rows1, rows2 = input1.reshape((-1, a)), input2.reshape((-1, b))
    out = TENSORS["trilinear"](rows1, weight, rows2).reshape((*lead, out_features))
    return out if bias is None else out + bias  # type: ignore[no-any-return]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Row i of the weight for every index i of the input; row padding_idx gets no gradient."""
    if padding_idx is not None:
        rows = weight._s[0]
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if max_norm is not None:
        raise unsupported("embedding(max_norm=...)", "normalize the rows yourself under torch.no_grad()")
    if sparse:
        raise unsupported("embedding(sparse=True)", "leave sparse away: the gradient is dense")
    if input.dtype.is_floating_point or input.dtype.itemsize < 4:
        raise RuntimeFault(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; "
            f"but got torch.{_type_name(input)} instead (while checking arguments for embedding)",
            hint="indices are integers: input.long()",
        )
    return TENSORS["embedding_"](weight, input, padding_idx, scale_grad_by_freq)  # type: ignore[no-any-return]


def _type_name(t: Tensor) -> str:
    from engine.dtypes import TYPE_NAMES

    return TYPE_NAMES[t.dtype]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A 1 at each index, in a new last dimension of num_classes (or as many as needed)."""
    a = np.asarray(tensor._a).reshape(tensor._s)
    if a.dtype != np.int64:
        raise RuntimeFault(
            "one_hot is only applicable to index tensor of type LongTensor.", hint="convert it first: x.long()"
        )
    if a.size == 0:
        if num_classes <= 0:
            raise RuntimeFault("Can not infer total number of classes from empty tensor.")
        return make(np.zeros((*a.shape, num_classes), np.int64), (*a.shape, num_classes))
    if a.min() < 0:
        raise RuntimeFault("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(a.max()) + 1
    elif num_classes < 1:
        raise RuntimeFault("num_classes should be positive")
    elif num_classes <= a.max():
        raise RuntimeFault(
            "Class values must be smaller than num_classes.",
            hint=f"the largest class is {a.max()}, so num_classes must be at least {a.max() + 1}",
        )
    out = (a[..., None] == np.arange(num_classes)).astype(np.int64)
    return make(out, out.shape)


# ---- distances ------------------------------------------------------------------------------------------------


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """p-norm of x1 - x2 + eps along the last dimension."""
    gap = TENSORS["add_scalar"](x1 - x2, eps)
    return TENSORS["norm_along"](gap, p, -1, keepdim)  # type: ignore[no-any-return]


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along dim."""
    if x1._s != x2._s:
        shape = kernels.broadcast_shapes(x1._s, x2._s)
        if shape is not None:
            x1, x2 = (x if x._s == shape else x.expand(shape) for x in (x1, x2))
    lengths = [_length(x, dim, eps) for x in (x1, x2)]
    return ((x1 / lengths[0]) * (x2 / lengths[1])).sum(dim)


def _length(x: Tensor, dim: int, eps: float) -> Tensor:
    """The length along dim, at least eps: clamped in the data only, as torch does, so that no node shows it."""
    length: Tensor = TENSORS["vector_norm_"](x, 2.0, dim, True).clone()
    np.maximum(length._array(), eps, out=length._array())
    return length


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """x divided by its p-norm along dim, which is taken to be at least eps."""
    length = input.norm(p, dim, keepdim=True).clamp_min(eps).expand(input._s)
    return input / length
