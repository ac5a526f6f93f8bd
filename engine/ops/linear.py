"""The affine map of nn.Linear: torch's two nodes, T and Addmm, made in one go.

Note [Two nodes, one record]
    `x @ w.T + b` is TBackward0 under AddmmBackward0. Making the transposed view, its node and its gradient would cost
    as much as the product of small matrices, so `linear` writes one folded record whose last edge leads to the
    weight itself. Whoever looks at the graph, rather than just running `loss.backward()`, unfolds it into the two
    (FOLDED in ops/registry.py). While somebody watches, the two operations run one by one, so that both are seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

import engine.ops.views  # noqa: F401  (the rules of t are read)
from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.kernels import BLAS_LIMIT, F32, ones
from engine.ops.matmul import misfit
from engine.ops.op import (
    ARRAYS,
    BW,
    DEPS,
    E0,
    E1,
    FOLDED,
    GRAD,
    META,
    NAMESPACE,
    REST,
    RULES,
    SAVED,
    SEQ,
    SHAPE,
    Node,
    Sample,
    freed_function,
    op,
    rules_of,
)  # fmt: skip
from engine.ops.vocabulary import word

Array = Any
Tensor = Any


def _untransposed(a: Array) -> Array:
    """a.T; the array itself that `a` is the whole transpose of, so that a gradient need not be copied to be kept."""
    base = a.base  # of strided windows it is a stand-in without a shape
    if type(base) is ndarray and base.shape == a.shape[::-1] and base.strides == a.strides[::-1] and base.base is None:
        return base
    return a.T


ARRAYS["t"] = _untransposed


def _row_sum(g: Array, shape: tuple[int, ...]) -> Array:
    """g summed down to the bias's shape: over the rows, through BLAS."""
    rows, columns = g.shape
    if shape == (columns,) and rows <= BLAS_LIMIT and g.dtype is F32:
        return ones(rows).dot(g)  # type: ignore[no-any-return]
    return kernels.unbroadcast(g, shape, g.shape)


word("row_sum", _row_sum, lambda g, shape: g.sum_to_size(shape))
word("times_t", lambda g, mat2: g.dot(mat2.T), lambda g, mat2: g.mm(mat2.t()))
word("t_times", lambda mat1, g: g.T.dot(mat1).T, lambda mat1, g: mat1.t().mm(g))


@op(
    "affine(bias, mat1, mat2)",
    inputs=3,
    vjps={"bias": "row_sum(g, bias_shape)", "mat1": "times_t(g, mat2)", "mat2": "t_times(mat1, g)"},
    node="AddmmBackward0",
    latex=r"{mat1}\,{mat2} + {bias}",
    latex_partials={
        "bias": r"\textstyle\sum_i g_i",
        "mat1": r"g\,{mat2}^{\top}",
        "mat2": r"{mat1}^{\top} g",
    },
    doc="A product of matrices plus a bias that is broadcast over the rows.",
    source="https://pytorch.org/docs/stable/generated/torch.addmm.html",
    samples=[Sample(([0.5, -1.0], [[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]], [[1.0, 0.5], [2.0, -1.0], [0.0, 1.0]]))],
    method=False,
    public="addmm",
)
def affine(bias: Array, mat1: Array, mat2: Array) -> Array:
    if mat1.dtype != mat2.dtype or mat1.dtype != bias.dtype:
        a, b = (dtypes.SCALAR_NAMES[dtypes.of(m)] for m in (mat1, mat2))
        if a == b:
            raise RuntimeFault(
                f"self and mat2 must have the same dtype, but got {dtypes.SCALAR_NAMES[dtypes.of(bias)]} and {b}"
            )
        raise RuntimeFault(
            f"mat1 and mat2 must have the same dtype, but got {a} and {b}",
            hint="convert the input: x.float(), or the layer: model.double()",
        )
    if mat1.shape[1] != mat2.shape[0]:
        raise misfit(mat1.shape, mat2.shape)
    shape = (mat1.shape[0], mat2.shape[1])
    if kernels.broadcast_shapes(bias.shape, shape) != shape:
        axis = len(shape) - 1
        raise RuntimeFault(
            f"The expanded size of the tensor ({shape[axis]}) must match the existing size ({bias.shape[-1]}) at "
            f"non-singleton dimension {axis}.  Target sizes: {list(shape)}.  Tensor sizes: {list(bias.shape)}"
        )
    out = mat1.dot(mat2)
    out += bias
    return out


_affine = rules_of("affine")
_ALL, _BOTH, _TURN = _affine[("bias", "mat1", "mat2")], _affine[("bias", "mat2")], rules_of("t")[("input",)]

# Written against the namespace of compiled operations, whose switches (`_obs`, `grad_on`) are its globals.
_SOURCE = """
def linear(input, weight, bias=None):
    if bias is None or _obs is not None: return linear_slowly(input, weight, bias)
    try:
        a = input._a; w = weight._a; b = bias._a; n_i = input._n; n_w = weight._n; n_b = bias._n
        if (
            len(input._s) != 2 or len(weight._s) != 2 or a.dtype is not F32 or w.dtype is not F32 or b.dtype is not F32
            or ((n_w is None or n_b is None) and grad_on)
        ):
            return linear_slowly(input, weight, bias)
    except AttributeError:
        return linear_slowly(input, weight, bias)
    if type(a) is not ndarray: a = box(a, input._s)
    if type(w) is not ndarray: w = box(w, weight._s)
    if type(b) is not ndarray: b = box(b, bias._s)
    try:
        v = a.dot(w.T)
        s = v.shape
        # one number for all rows: twice as fast without an axis to repeat it along
        add(v, b if s[1] != 1 or b.size != 1 else b.reshape(()), v)
    except ValueError:
        return linear_slowly(input, weight, bias)
    r = new(Tensor)
    r._s = s
    r._a = v if s != (1, 1) else v[0, 0]
    if not grad_on:
        r._n = None
    elif n_i is None:
        r._n = [seq(), affine_both, n_b, n_w, None, 0, None, s, None, a, w]
    else:
        r._n = [seq(), affine_all, n_b, n_i, (n_w,), 0, None, s, None, a, w]
    return r

def affine_both(n, g):
    s = n[7]
    if type(g) is not ndarray: g = box(g, s)
    elif g.shape != s: g = full(g, s)
    a = n[9]
    n[1] = affine_both_freed; n[9] = n[10] = None
    return row_sum(g, n[2][7]), g.T.dot(a)

def affine_all(n, g):
    s = n[7]
    if type(g) is not ndarray: g = box(g, s)
    elif g.shape != s: g = full(g, s)
    a = n[9]; w = n[10]
    n[1] = affine_all_freed; n[9] = n[10] = None
    return row_sum(g, n[2][7]), g.dot(w), g.T.dot(a)
"""


def _unfold(n: Node) -> None:
    """Two nodes again: TBackward0 between this one and the weight."""
    freed = n[BW] in (NAMESPACE["affine_all_freed"], NAMESPACE["affine_both_freed"])
    rule = RULES[n[BW]]
    weight = n[E1] if rule is _BOTH else n[REST][0]
    shape: tuple[int, ...] = weight[SHAPE]
    under_way = 1 if n[DEPS] or n[GRAD] is not None else 0  # a backward pass has counted this node's edges
    # older than the product, newer than all before it
    turned = [n[SEQ] + 0.5, _TURN.release, weight, None, None, under_way, None, shape[::-1], (shape,)]
    n[BW] = rule.freed if freed else rule.release
    n[META] = (n[E0][SHAPE], (n[SHAPE][0], shape[1]), shape[::-1])
    if rule is _BOTH:
        n[E1] = turned
        del n[SAVED + 1 :]
    else:
        n[REST] = (turned,)
        if not freed:
            n[SAVED + 1] = n[SAVED + 1].T


NAMESPACE.update(
    affine_all_freed=freed_function(), affine_both_freed=freed_function(),
    row_sum=_row_sum, add=np.add,
)  # fmt: skip
exec(compile(_SOURCE, "<compiled op affine>", "exec"), NAMESPACE)
for _rule, _name in ((_ALL, "affine_all"), (_BOTH, "affine_both")):
    for _key in (_name, _name + "_freed"):
        RULES[NAMESPACE[_key]] = _rule
        FOLDED[NAMESPACE[_key]] = _unfold
linear: Callable[..., Tensor] = NAMESPACE["linear"]
linear.__doc__ = """x W^T + b.

    input   (*, in_features)
    weight  (out_features, in_features), bias (out_features,)
    graph   TBackward0 and AddmmBackward0 for matrices; views around them, or matmul, for other ranks
    """

__all__ = ["affine", "linear"]
