"""The affine map of nn.Linear: torch's two nodes, T and Addmm, made in one go.

Note [Two nodes, one call]
    `x @ w.T + b` is TBackward0 under AddmmBackward0. Making the transposed view as a Tensor of its own would cost as
    much as the product of small matrices; `affine_of` computes once and writes both records. While somebody watches,
    the two operations run one by one instead, so that both are seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.matmul import misfit
from engine.ops.op import ARRAYS, NAMESPACE, REGISTRY, RULES, TENSORS, Rule, Sample, op
from engine.ops.vocabulary import word

Array = Any
Tensor = Any

new = object.__new__
ORIGIN = kernels.ORIGIN[2]


def _untransposed(a: Array) -> Array:
    """a.T; the array itself that `a` is the whole transpose of, so that a gradient need not be copied to be kept."""
    base = a.base
    if base is not None and base.shape == a.shape[::-1] and base.strides == a.strides[::-1] and base.base is None:
        return base
    return a.T


ARRAYS["t"] = _untransposed


def _row_sum(g: Array, shape: tuple[int, ...]) -> Array:
    """g summed down to the bias's shape: over the rows, through BLAS."""
    rows = g.shape[0]
    if g.dtype is kernels.F32 and rows <= kernels.BLAS_LIMIT and len(shape) == 1 and shape[0] == g.shape[1]:
        return kernels.ones(rows).dot(g)
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


def _rules(name: str) -> dict[tuple[str, ...], Rule]:
    """An operation's compiled rules, by the inputs that get a gradient."""
    return {rule.names: rule for rule in RULES.values() if rule.op is REGISTRY[name]}


_affine = _rules("affine")
_BOTH, _ALL = _affine[("bias", "mat2")], _affine[("bias", "mat1", "mat2")]


def affine_of(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """input @ weight.T + bias for matrices, as T and Addmm."""
    a, w, b = input._a, weight._a, bias._a
    n_w, n_b = weight._n, bias._n
    names = NAMESPACE
    if (
        names["_obs"] is not None
        or (n_w is None or n_b is None) and names["grad_on"] and not (n_w is None is n_b is input._n)
        or not a.dtype == w.dtype == b.dtype
    ):
        return TENSORS["affine"](bias, input, TENSORS["t"](weight))
    rows, k = input._s
    cols = weight._s[0]
    if type(a) is not ndarray:
        a = kernels.box(a, (rows, k))
    if type(w) is not ndarray:
        w = kernels.box(w, weight._s)
    if type(b) is not ndarray:
        b = kernels.box(b, (1,))
    t = w.T
    if k != t.shape[0] or bias._s != (cols,):
        return TENSORS["affine"](bias, input, TENSORS["t"](weight))
    v = a.dot(t)
    np.add(v, b, v)
    r = new(names["Tensor"])
    r._s = s = (rows, cols)
    r._a = v if v.size != 1 else v[ORIGIN]
    if n_w is None or not names["grad_on"]:
        r._n = None
        return r
    seq = names["seq"]
    shape = (k, cols)
    turned = [seq(), _TURN.release, n_w, None, None, 0, None, shape, (weight._s,)]
    n_i = input._n
    meta = (bias._s, input._s, shape)
    if n_i is None:
        r._n = [seq(), _BOTH.release, n_b, turned, None, 0, None, s, meta, a]
    else:
        r._n = [seq(), _ALL.release, n_b, n_i, (turned,), 0, None, s, meta, a, t]
    return r


_TURN = _rules("t")[("input",)]
__all__ = ["affine", "affine_of"]
