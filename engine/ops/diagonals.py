"""Diagonals and triangles of matrices, as views and as copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops.axes import axis_of
from engine.ops.op import TENSORS, Sample, composite, op
from engine.ops.shape import CUBE, MATRIX, reshape
from engine.ops.views import movedim

Array = Any
Tensor = Any


@op("diagonal(input, offset=0, dim1=0, dim2=1)", vjps={"input": "diagonal_backward(g, input_shape, offset, dim1, dim2)"},
    node="DiagonalBackward0", view=True, latex=r"\operatorname{diagonal}({input})",
    samples=[Sample((MATRIX,)), Sample((MATRIX,), {"offset": 1}), Sample((CUBE,), {"offset": 0, "dim1": 1, "dim2": 2})])  # fmt: skip
def _diagonal(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    """The diagonal of two dimensions, as the last one."""
    r = np.diagonal(input, offset, axis_of(dim1, input.ndim), axis_of(dim2, input.ndim))
    if input.flags.writeable:
        r.flags.writeable = True
    return r


@op("diagonal_backward(g_, input_sizes, offset, dim1, dim2)", vjps={"g_": "diagonal(g, offset, dim1, dim2)"},
    node="DiagonalBackwardBackward0", latex="", method=False)  # fmt: skip
def _diagonal_backward(g_: Array, input_sizes: Any, offset: int, dim1: int, dim2: int) -> Array:
    """Zeros but for a diagonal."""
    r = np.zeros(input_sizes, g_.dtype)
    d = np.diagonal(r, offset, axis_of(dim1, r.ndim), axis_of(dim2, r.ndim))
    d.flags.writeable = True
    d[...] = g_
    return r


def _triangle(f: Any, name: str, input: Array, diagonal: int) -> Array:
    if input.ndim < 2:
        raise RuntimeFault(f"{name}: input tensor must have at least 2 dimensions")
    return f(input, diagonal)


for _name, _f in (("tril", np.tril), ("triu", np.triu)):
    op(f"{_name}(input, diagonal=0)", vjps={"input": f"{_name}(g, diagonal)"}, node=f"{_name.capitalize()}Backward0",
       latex=rf"\operatorname{{{_name}}}({{input}})",
       doc=f"The {'lower' if _name == 'tril' else 'upper'} triangle of matrices, zeros elsewhere.",
       samples=[Sample((MATRIX,)), Sample((MATRIX,), {"diagonal": 1}), Sample((CUBE,), {"diagonal": -1})], inplace=True,
       )(lambda input, diagonal, f=_f, name=_name: _triangle(f, name, input, diagonal))  # fmt: skip


@op("diag_embed_(input, offset)", vjps={"input": "diagonal(g, offset, -2, -1)"}, node="DiagEmbedBackward0",
    latex=r"\operatorname{diag}({input})", method=False, public="diag_embed",
    samples=[Sample(([1.0, 2.0],), {"offset": 0}), Sample((MATRIX,), {"offset": 1})])  # fmt: skip
def _diag_embed(input: Array, offset: int) -> Array:
    """Matrices with the last dimension on a diagonal."""
    n = input.shape[-1] + abs(offset)
    r = np.zeros((*input.shape[:-1], n, n), input.dtype)
    i = np.arange(input.shape[-1])
    r[..., i + max(0, -offset), i + max(0, offset)] = input
    return r


@composite(samples=[Sample(([1.0, 2.0],)), Sample((MATRIX,))])
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last dimension on a diagonal."""
    r = TENSORS["diag_embed_"](input, offset)
    n = len(r._s)
    a, b = axis_of(dim1, n), axis_of(dim2, n)
    return r if (a, b) == (n - 2, n - 1) else movedim(r, (n - 2, n - 1), (a, b))


@op("diagonal_copy(input, offset)", vjps={"input": "diagonal_backward(g, input_shape, offset, 0, 1)"},
    node="DiagonalBackward0_copy", latex=r"\operatorname{diag}({input})", method=False, public="diag",
    samples=[Sample((MATRIX,), {"offset": 0})])  # fmt: skip
def _diagonal_copy(input: Array, offset: int) -> Array:
    """A diagonal as a new vector."""
    return np.diagonal(input, offset).copy()


@composite(samples=[Sample(([1.0, 2.0],)), Sample((MATRIX,)), Sample((MATRIX,), {"diagonal": 1})])
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor = None) -> Tensor:
    """A vector as a diagonal matrix, or the diagonal of a matrix."""
    n = len(input._s)
    if n not in (1, 2):
        raise RuntimeFault(f"diag(): Supports 1D or 2D tensors. Got {n}D")
    return TENSORS["diag_embed_" if n == 1 else "diagonal_copy"](input, diagonal)


@composite()
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Flattened, as a diagonal matrix."""
    return TENSORS["diag_embed_"](reshape(input, -1), offset)
