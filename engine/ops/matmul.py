"""Products of matrices and vectors, and linear algebra."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import IndexFault, LinAlgFault, RuntimeFault
from engine.ops import kernels
from engine.ops.op import (
    ARRAYS,
    NAMESPACE,
    SAVED,
    SHAPE,
    TENSORS,
    Custom,
    Failing,
    Node,
    Sample,
    composite,
    failed,
    link,
    op,
    record,
    return_type,
)  # fmt: skip
from engine.ops.samples import Layout

Array = Any
Tensor = Any

A = ([1.0, -2.0, 3.0], [4.0, 0.5, -6.0])
B = ([1.0, 2.0], [-3.0, 4.0], [5.0, 0.5])
BATCH = (([1.0, 2.0, 0.5], [3.0, -4.0, 1.0]), ([5.0, 6.0, -1.0], [7.0, 8.0, 2.0]))
SQUARE = ([2.0, 1.0, 0.5], [0.0, 3.0, 1.0], [1.0, 0.0, 4.0])
V = [1.0, 2.0, -3.0]


def matching(a: Array, b: Array, what: str = "") -> None:
    """Operands of a matrix product must have one dtype."""
    if a.dtype != b.dtype:
        x, y = dtypes.of(a), dtypes.of(b)
        raise RuntimeFault(
            f"expected m1 and m2 to have the same dtype, but got: {_c(x)} != {_c(y)}"
            if not what
            else f"{what} {_c(x)} and {_c(y)}",
            hint="convert one of them: x.float(), x.double() or x.to(y.dtype)",
        )


def _c(d: dtypes.dtype) -> str:
    """torch's C++ name of a dtype, as it stands in messages."""
    return dtypes.C_NAMES[d.name]


def product(a: Array, b: Array) -> Array:
    """a @ b; half precision in float32."""
    if a.dtype.itemsize == 2 and a.dtype.kind not in "iu":
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)
    return a.dot(b) if a.ndim <= 2 and b.ndim <= 2 else np.matmul(a, b)


def misfit(a: tuple[int, ...], b: tuple[int, ...]) -> RuntimeFault:
    """torch's sentence for matrices that do not fit, and the transpositions that would."""
    (n, k), (m, p) = a, b
    ways = []
    if k == p:
        ways.append(f"x @ W.T would be ({n}, {k}) @ ({p}, {m}) -> ({n}, {m})")
    if n == m:
        ways.append(f"x.T @ W would be ({k}, {n}) @ ({m}, {p}) -> ({k}, {p})")
    if p == n and not ways:
        ways.append(f"W @ x would be ({m}, {p}) @ ({n}, {k}) -> ({m}, {k})")
    return RuntimeFault(
        f"mat1 and mat2 shapes cannot be multiplied ({n}x{k} and {m}x{p})",
        hint="; or ".join(ways) or f"the inner sizes must agree: {k} columns on the left, {m} rows on the right",
    )


@op("mm(input, mat2)", inputs=2, vjps={"input": "mm(g, t(mat2))", "mat2": "mm(t(input), g)"},
    node="MmBackward0", latex="{input}\\,{mat2}",
    latex_partials={"input": r"\bar{Y}\,{mat2}^\top", "mat2": r"{input}^\top \bar{Y}"},
    samples=[Sample((A, B)), Sample((Layout(B), B)), Sample((([1.0],), ([2.0],))), Sample((([1, 2],), ([3], [4])))],
    fails=[Failing((A, A), {}, RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
           Failing((V, A), {}, RuntimeError, "self must be a matrix")])  # fmt: skip
def _mm(input: Array, mat2: Array) -> Array:
    """Product of two matrices."""
    if input.ndim != 2:
        raise RuntimeFault("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeFault("mat2 must be a matrix")
    if input.shape[1] != mat2.shape[0]:
        raise misfit(input.shape, mat2.shape)
    matching(input, mat2)
    return product(input, mat2)


@op("dot(input, tensor)", inputs=2, vjps={"input": "g * tensor", "tensor": "g * input"}, node="DotBackward0",
    latex=r"\sum_i {input}_i\,{tensor}_i", latex_partials={"input": "{tensor}", "tensor": "{input}"}, samples=[Sample((V, V))],
    fails=[Failing(([1.0, 2.0], [1.0]), {}, RuntimeError, "inconsistent tensor size, expected tensor [2] and src [1] to have "
                   "the same number of elements, but got 2 and 1 elements respectively")])  # fmt: skip
def _dot(input: Array, tensor: Array) -> Array:
    """Inner product of two vectors."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeFault(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.dtype != tensor.dtype:
        names = [dtypes.SCALAR_NAMES[dtypes.of(a)] for a in (input, tensor)]
        raise RuntimeFault(f"dot : expected both vectors to have same dtype, but found {names[0]} and {names[1]}")
    if input.shape != tensor.shape:
        raise RuntimeFault(
            f"inconsistent tensor size, expected tensor [{input.size}] and src [{tensor.size}] to have the same number "
            f"of elements, but got {input.size} and {tensor.size} elements respectively"
        )
    return product(input, tensor)


@op("mv(input, vec)", inputs=2, vjps={"input": "outer_(g, vec)", "vec": "mv(t(input), g)"}, node="MvBackward0",
    latex="{input}\\,{vec}", latex_partials={"input": r"\bar{y}\,{vec}^\top", "vec": r"{input}^\top \bar{y}"},
    samples=[Sample((A, V))], fails=[Failing((A, [1.0]), {}, RuntimeError, "size mismatch, got input (2), mat (2x3), vec (1)")])  # fmt: skip
def _mv(input: Array, vec: Array) -> Array:
    """Product of a matrix and a vector."""
    if not input.ndim:
        raise IndexFault("Dimension specified as 0 but tensor has no dimensions")
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeFault(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeFault(
            f"size mismatch, got input ({input.shape[0]}), mat ({'x'.join(map(str, input.shape))}), vec ({vec.size})"
        )
    matching(input, vec)
    return product(input, vec)


ARRAYS["outer_"] = np.outer
TENSORS["outer_"] = lambda a, b: TENSORS["outer"](a, b)
ARRAYS["swap"] = lambda a: np.swapaxes(a, -1, -2)
TENSORS["swap"] = lambda a: TENSORS["transpose"](a, -1, -2)


@op("bmm(input, mat2)", inputs=2, vjps={"input": "bmm(g, swap(mat2))", "mat2": "bmm(swap(input), g)"}, node="BmmBackward0",
    latex="{input}_b\\,{mat2}_b", latex_partials={"input": r"\bar{Y}_b\,{mat2}_b^\top", "mat2": r"{input}_b^\top \bar{Y}_b"},
    samples=[Sample((BATCH, (B, B)))],
    fails=[Failing((BATCH, BATCH), {}, RuntimeError,
                   "Expected size for first two dimensions of batch2 tensor to be: [2, 3] but got: [2, 2].")])  # fmt: skip
def _bmm(input: Array, mat2: Array) -> Array:
    """Products of two batches of matrices."""
    if input.ndim != 3:
        raise RuntimeFault("batch1 must be a 3D tensor")
    if mat2.ndim != 3:
        raise RuntimeFault("batch2 must be a 3D tensor")
    if mat2.shape[0] != input.shape[0] or mat2.shape[1] != input.shape[2]:
        raise RuntimeFault(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}].",
            hint="the inner sizes must agree; .transpose(-1, -2) exchanges rows and columns of each matrix",
        )
    matching(input, mat2, "expected scalar type")
    return product(input, mat2)


@op("addmm_(input, mat1, mat2, beta, alpha)", inputs=3, node="AddmmBackward0", public="addmm", method=False,
    vjps={"input": "scaled(sum_to_size(g, input_shape), beta)", "mat1": "scaled(mm(g, t(mat2)), alpha)",
          "mat2": "scaled(mm(t(mat1), g), alpha)"},
    latex=r"{beta}\,{input} + {alpha}\,{mat1}\,{mat2}",
    latex_partials={"input": r"{beta}\,\bar{Y}", "mat1": r"{alpha}\,\bar{Y}\,{mat2}^\top", "mat2": r"{alpha}\,{mat1}^\top \bar{Y}"},
    samples=[Sample((([1.0, 2.0], [3.0, 4.0]), A, B), {"beta": 2, "alpha": 3}), Sample(([1.0, 2.0], A, B), {"beta": 1, "alpha": 1})])  # fmt: skip
def _addmm(input: Array, mat1: Array, mat2: Array, beta: Any, alpha: Any) -> Array:
    """beta * input + alpha * mat1 @ mat2."""
    if mat1.ndim != 2 or mat2.ndim != 2:
        raise RuntimeFault(f"mat1 must be a matrix, got {mat1.ndim}-D tensor" if mat1.ndim != 2 else
                           f"mat2 must be a matrix, got {mat2.ndim}-D tensor")  # fmt: skip
    if mat1.shape[1] != mat2.shape[0]:
        raise misfit(mat1.shape, mat2.shape)
    matching(mat1, mat2)
    r = product(mat1, mat2)
    if alpha != 1:
        r = r * r.dtype.type(alpha)
    shape = (mat1.shape[0], mat2.shape[1])
    if kernels.broadcast_shapes(input.shape, shape) != shape:
        raise RuntimeFault(
            f"The expanded size of the tensor ({shape[-1]}) must match the existing size ({input.shape[-1]}) at non-singleton "
            f"dimension 1.  Target sizes: {list(shape)}.  Tensor sizes: {list(input.shape)}"
        )
    return r if beta == 0 else r + (input if beta == 1 else input * input.dtype.type(beta))


def _scaled(x: Any, k: Any) -> Any:
    return x if k == 1 else x * k


ARRAYS["scaled"] = TENSORS["scaled"] = _scaled


@composite("addmm")
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """beta * input + alpha * mat1 @ mat2."""
    return TENSORS["addmm_"](input, mat1, mat2, beta, alpha, out=out)


@composite("addmv")
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * mat @ vec."""
    return _scaled(input, beta) + _scaled(TENSORS["mv"](mat, vec), alpha)


@composite("addbmm")
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * the sum of batch1 @ batch2."""
    return _scaled(input, beta) + _scaled(TENSORS["sum"](TENSORS["bmm"](batch1, batch2), 0), alpha)


@composite("baddbmm")
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * batch1 @ batch2."""
    if beta == 1 and alpha == 1 and "masked_products" in TENSORS:
        return TENSORS["masked_products"](input, batch1, batch2)
    return _scaled(input, beta) + _scaled(TENSORS["bmm"](batch1, batch2), alpha)


@composite("addr")
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * the outer product."""
    return _scaled(input, beta) + _scaled(TENSORS["outer"](vec1, vec2), alpha)


@composite("matmul", samples=[Sample((V, V)), Sample((A, V)), Sample((A, B)), Sample((V, B)), Sample((BATCH, B)), Sample((BATCH, V)),
                              Sample((BATCH, (B, B))), Sample((V, (B, B))), Sample((A, (B, B)))],
           fails=[Failing((A, A), {}, RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
                  Failing((V, A), {}, RuntimeError, "mat1 and mat2 shapes cannot be multiplied (1x3 and 2x3)"),
                  Failing((V, 1.0), {}, RuntimeError,
                          "both arguments to matmul need to be at least 1D, but they are 1D and 0D")])  # fmt: skip
def matmul(input: Tensor, other: Tensor, *, out: Tensor = None) -> Tensor:
    """Matrix product as `@` does it: dot, mv, mm or batched, by the number of dimensions."""
    n, m = len(input._s), len(other._s)
    if n == 2 and m == 2:
        r = TENSORS["mm"](input, other)
    elif n == 1 and m == 1:
        r = TENSORS["dot"](input, other)
    elif n == 2 and m == 1:
        r = TENSORS["mv"](input, other)
    elif n == 1 and m == 2:
        r = TENSORS["squeeze_row"](TENSORS["mm"](TENSORS["unsqueeze"](input, 0), other), 0)
    elif n == 0 or m == 0:
        raise failed(None, (input, other), RuntimeFault(
            f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D", hint="x * y multiplies by a number"))  # fmt: skip
    else:
        r = _batched(input, other)
    return r if out is None else NAMESPACE["store"](out, r)


@op("squeeze_row(input, dim)", vjps={"input": "reshape(g, input_shape)"}, node="SqueezeBackward4", view=True, method=False,
    latex=r"\operatorname{squeeze}({input})", public="squeeze", samples=())  # fmt: skip
def _squeeze_row(input: Array, dim: int) -> Array:
    """The row of a matrix of one row."""
    return input.reshape(input.shape[:dim] + input.shape[dim + 1 :])


def _fold(x: Tensor, y: Tensor) -> Tensor:
    """A batch of matrices against one matrix or vector: the batch rolled into the rows."""
    rows = TENSORS["reshape"](x, (-1 if x._a.size else kernels.numel(x._s[:-1]), x._s[-1]))
    if len(y._s) == 1:
        r = TENSORS["mv"](rows, y)
        return TENSORS["unsafe_view"](r, x._s[:-1])
    return TENSORS["unsafe_view"](TENSORS["mm"](rows, y), (*x._s[:-1], y._s[-1]))


def _batched(x: Tensor, y: Tensor) -> Tensor:
    n, m = len(x._s), len(y._s)
    if m <= 2 and n >= 3:
        if x._s[-1] != y._s[0]:
            rows = kernels.numel(x._s[:-1])
            if m == 1:
                raise RuntimeFault(f"size mismatch, got input ({rows}), mat ({rows}x{x._s[-1]}), vec ({y._s[0]})")
            raise failed(None, (x, y), misfit((rows, x._s[-1]), y._s))
        return _fold(x, y)
    if n <= 2 and m >= 3:
        turned = TENSORS["transpose"](y, -1, -2)
        if n == 1:
            return _fold(turned, x)
        return TENSORS["contiguous"](TENSORS["transpose"](_fold(turned, TENSORS["t"](x)), -1, -2))
    batch = kernels.broadcast_shapes(x._s[:-2], y._s[:-2])
    if batch is None:
        from engine.ops.op import _misfit

        raise failed(None, (x, y), _misfit(x._s[:-2], y._s[:-2]))
    k = kernels.numel(batch)
    xs, ys = (*batch, *x._s[-2:]), (*batch, *y._s[-2:])
    a = TENSORS["reshape"](TENSORS["expand_to"](x, xs), (k, *x._s[-2:]))
    b = TENSORS["reshape"](TENSORS["expand_to"](y, ys), (k, *y._s[-2:]))
    return TENSORS["unsafe_view"](TENSORS["bmm"](a, b), (*batch, x._s[-2], y._s[-1]))


@composite("outer", samples=[Sample((V, [1.0, 2.0]))], aliases=("ger",))
def outer(input: Tensor, vec2: Tensor, *, out: Tensor = None) -> Tensor:
    """All products of the elements of two vectors."""
    if len(input._s) != 1 or len(vec2._s) != 1:
        which, t = ("self", input) if len(input._s) != 1 else ("vec2", vec2)
        raise RuntimeFault(f"outer: Expected 1-D argument {which}, but got {len(t._s)}-D")
    return TENSORS["mul"](TENSORS["view"](input, (input._s[0], 1)), vec2)


@composite("inner", samples=[Sample((V, V)), Sample((A, A))])
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sum of products over the last dimension."""
    if not input._s or not other._s:
        return input * other
    if len(input._s) == 1 and len(other._s) == 1:
        return TENSORS["dot"](input, other)
    return tensordot(input, other, dims=([-1], [-1]))


@composite("tensordot", method=False, samples=[])
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Contraction over several dimensions."""
    n, m = len(a._s), len(b._s)
    if isinstance(dims, int):
        left, right = list(range(n - dims, n)), list(range(dims))
    else:
        left, right = ([d % n for d in dims[0]], [d % m for d in dims[1]])
    keep_a, keep_b = [i for i in range(n) if i not in left], [i for i in range(m) if i not in right]
    inner_size = math.prod(a._s[i] for i in left)
    x = TENSORS["reshape"](TENSORS["permute"](a, (*keep_a, *left)), (math.prod(a._s[i] for i in keep_a), inner_size))
    y = TENSORS["reshape"](TENSORS["permute"](b, (*right, *keep_b)), (inner_size, math.prod(b._s[i] for i in keep_b)))
    return TENSORS["reshape"](TENSORS["mm"](x, y), (*[a._s[i] for i in keep_a], *[b._s[i] for i in keep_b]))


@composite("kron", samples=[Sample((A, B))])
def kron(input: Tensor, other: Tensor) -> Tensor:
    """Kronecker product."""
    n = max(len(input._s), len(other._s))
    s, t = (1,) * (n - len(input._s)) + input._s, (1,) * (n - len(other._s)) + other._s
    a = TENSORS["reshape"](input, tuple(d for k in s for d in (k, 1)))
    b = TENSORS["reshape"](other, tuple(d for k in t for d in (1, k)))
    return TENSORS["reshape"](a * b, tuple(x * y for x, y in zip(s, t, strict=True)))


# ---- einsum ---------------------------------------------------------------------------------------------------------


@composite("einsum", method=False, samples=[])
def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products written as an equation: "ij,jk->ik"."""
    ops = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else list(operands)
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ops):
        few = len(terms) < len(ops)
        raise RuntimeFault(f"einsum(): {'more' if few else 'fewer'} operands were provided than specified in the equation")
    wide = max((len(t._s) - len(s.replace("...", "")) for t, s in zip(ops, terms, strict=True) if "..." in s), default=0)
    spare = [chr(0x100 + i) for i in range(wide)]
    full_terms = []
    for t, s in zip(ops, terms, strict=True):
        if "..." in s:
            k = len(t._s) - len(s.replace("...", ""))
            s = s.replace("...", "".join(spare[wide - k :]))
        if len(s) != len(t._s):
            raise RuntimeFault(
                f"einsum(): the number of subscripts in the equation ({len(s)}) does not match the number of dimensions "
                f"({len(t._s)}) for operand {len(full_terms)} and no ellipsis was given"
            )
        full_terms.append(s)
    if arrow:
        result = right.replace("...", "".join(spare))
    else:
        letters = "".join(full_terms)
        result = "".join(spare) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in spare))
    sizes: dict[str, int] = {}
    for place, (t, s) in enumerate(zip(ops, full_terms, strict=True)):
        for c, d in zip(s, t._s, strict=True):
            if sizes.get(c, 1) not in (1, d) and d != 1:
                raise failed(None, ops, RuntimeFault(
                    f"einsum(): subscript {c} has size {d} for operand {place} which does not broadcast with previously "
                    f"seen size {sizes[c]}"))  # fmt: skip
            sizes[c] = d if sizes.get(c, 1) == 1 else sizes[c]
    for c in result:
        if c not in sizes:
            raise RuntimeFault(
                f"einsum(): output subscript {c} does not appear in the equation for any input operand"
            )
    x, labels = _diagonals(ops[0], full_terms[0])
    for i in range(1, len(ops)):
        y, other = _diagonals(ops[i], full_terms[i])
        later = set(result).union(*full_terms[i + 1 :])
        x, labels = _contract(x, labels, y, other, later, sizes, result)
    gone = tuple(i for i, c in enumerate(labels) if c not in result)
    if gone:
        x = TENSORS["sum"](x, gone)
        labels = "".join(c for c in labels if c in result)
    order = tuple(labels.index(c) for c in result)
    return TENSORS["permute"](x, order) if order != tuple(range(len(order))) else x


def _diagonals(x: Tensor, labels: str) -> tuple[Tensor, str]:
    """Repeated labels reduced to their diagonal."""
    for c in sorted(set(labels)):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            x = TENSORS["diagonal"](x, 0, i, j)
            labels = labels[:i] + labels[i + 1 : j] + labels[j + 1 :] + c
    return x, labels


def _contract(
    x: Tensor, a: str, y: Tensor, b: str, later: set[str], sizes: dict[str, int], result: str
) -> tuple[Tensor, str]:
    """One pair: sum what only one operand has, batch what stays in both, multiply the rest as matrices."""
    for c in [c for c in a if c not in b and c not in later]:
        x = TENSORS["sum"](x, a.index(c))
        a = a.replace(c, "")
    for c in [c for c in b if c not in a and c not in later]:
        y = TENSORS["sum"](y, b.index(c))
        b = b.replace(c, "")
    batch = [c for c in a if c in b and c in later]
    inner_labels = [c for c in a if c in b and c not in later]
    only_a, only_b = [c for c in a if c not in b], [c for c in b if c not in a]
    if not inner_labels:  # nothing to sum: a product of elements
        labels = "".join(sorted([*batch, *only_a, *only_b], key=lambda c: result.find(c)))
        return TENSORS["mul"](_aligned(x, a, labels), _aligned(y, b, labels)), labels
    xs = [sizes[c] if c in batch + inner_labels else x._s[a.index(c)] for c in a]
    ys = [sizes[c] if c in batch + inner_labels else y._s[b.index(c)] for c in b]
    if tuple(xs) != x._s:
        x = TENSORS["expand_to"](x, tuple(xs))
    if tuple(ys) != y._s:
        y = TENSORS["expand_to"](y, tuple(ys))
    n, m, k, p = (
        math.prod(sizes[c] for c in group) for group in (batch, only_a, inner_labels, only_b)
    )
    x = TENSORS["permute"](x, tuple(a.index(c) for c in (*batch, *only_a, *inner_labels)))
    y = TENSORS["permute"](y, tuple(b.index(c) for c in (*batch, *inner_labels, *only_b)))
    r = TENSORS["bmm"](TENSORS["reshape"](x, (n, m, k)), TENSORS["reshape"](y, (n, k, p)))
    labels = "".join([*batch, *only_a, *only_b])
    return TENSORS["view"](r, tuple(sizes[c] for c in labels)), labels


def _aligned(x: Tensor, have: str, want: str) -> Tensor:
    """The dimensions in the order wanted, with ones for those it has not."""
    order = tuple(have.index(c) for c in want if c in have)
    if order != tuple(range(len(order))):
        x = TENSORS["permute"](x, order)
    for i, c in enumerate(want):
        if c not in have:
            x = TENSORS["unsqueeze"](x, i)
    return x


# ---- linear algebra ---------------------------------------------------------------------------------------------------


def _square(a: Array, name: str) -> None:
    if a.ndim < 2:
        raise RuntimeFault(f"{name}: The input tensor A must have at least 2 dimensions.")
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeFault(f"{name}: A must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} matrices")
    if a.dtype.itemsize == 2:
        raise RuntimeFault(f"{name}: Low precision dtypes not supported. Got {dtypes.SCALAR_NAMES[dtypes.of(a)]}",
                           hint="x.float()")  # fmt: skip
    if a.dtype.kind in "bui":
        raise RuntimeFault(f"{name}: Expected a floating point or complex tensor as input. Got {dtypes.SCALAR_NAMES[dtypes.of(a)]}")


@op("trace(input)", vjps={"input": "trace_back(g, input_shape)"}, node="TraceBackward0", latex=r"\operatorname{tr} {input}",
    latex_partials={"input": "I"}, samples=[Sample((SQUARE,)), Sample((A,))])  # fmt: skip
def _trace(input: Array) -> Array:
    """Sum of the diagonal."""
    if input.ndim != 2:
        raise RuntimeFault(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return np.trace(input.astype(np.int64) if input.dtype.kind in "bui" else input)


ARRAYS["trace_back"] = lambda g, s: np.eye(*s, dtype=g.dtype) * g
TENSORS["trace_back"] = lambda g, s: g * TENSORS["wrap_array"](np.eye(*s, dtype=g._a.dtype))
ARRAYS["batch_mm"] = np.matmul
TENSORS["batch_mm"] = lambda a, b: TENSORS["matmul"](a, b)


@op("inverse_(input)", vjps={"input": "-batch_mm(swap(out), batch_mm(g, swap(out)))"}, node="LinalgInvExBackward0",
    latex="{input}^{-1}", latex_partials={"input": r"-{input}^{-\top} \bar{Y} {input}^{-\top}"}, method=False, public="linalg.inv",
    samples=[Sample((SQUARE,))])  # fmt: skip
def _inverse(input: Array) -> Array:
    """Inverse of square matrices."""
    _square(input, "linalg.inv")
    try:
        return np.linalg.inv(input).astype(input.dtype, copy=False)
    except np.linalg.LinAlgError:
        raise _singular("linalg.inv", "The diagonal element 1 is zero, the inversion could not be completed because the input "
                        "matrix is singular.") from None  # fmt: skip


def _singular(name: str, what: str) -> LinAlgFault:
    return LinAlgFault(f"{name}: {what}", hint="the matrix has no inverse: its rows depend on each other (det = 0)")


@composite("inverse", samples=[Sample((SQUARE,))])
def inverse(input: Tensor) -> Tensor:
    """Inverse of square matrices."""
    return TENSORS["inverse_"](input)


@op("solve_(input, other, left)", inputs=2, node="LinalgSolveExBackward0", method=False, public="linalg.solve",
    vjps={"input": "solve_back_a(g, input, out)", "other": "solve_back_b(g, input)"},
    latex="{input}^{-1} {other}", latex_partials={"input": r"-{input}^{-\top}\bar{X}\,X^\top", "other": r"{input}^{-\top}\bar{X}"},
    samples=[Sample((SQUARE, V), {"left": True}), Sample((SQUARE, B), {"left": True})])  # fmt: skip
def _solve(input: Array, other: Array, left: bool) -> Array:
    """The x with input @ x = other."""
    _square(input, "linalg.solve")
    vector = other.ndim == 1
    b = other[:, None] if vector else other
    try:
        r = np.linalg.solve(input, b)
    except np.linalg.LinAlgError:
        raise _singular("torch.linalg.solve", "The solver failed because the input matrix is singular.") from None
    return (r[:, 0] if vector else r).astype(input.dtype, copy=False)


def _solve_back_b(g: Array, a: Array) -> Array:
    return _solve(np.swapaxes(a, -1, -2), g, True)


def _solve_back_a(g: Array, a: Array, x: Array) -> Array:
    gb = _solve_back_b(g, a)
    return -np.outer(gb, x) if gb.ndim == 1 else -np.matmul(gb, np.swapaxes(x, -1, -2))


def _solve_back_a_tensor(g: Tensor, a: Tensor, x: Tensor) -> Tensor:
    gb = TENSORS["solve_"](TENSORS["swap"](a), g, True)
    return -TENSORS["outer"](gb, x) if len(gb._s) == 1 else -TENSORS["matmul"](gb, TENSORS["swap"](x))


ARRAYS.update(solve_back_a=_solve_back_a, solve_back_b=_solve_back_b)
TENSORS.update(solve_back_a=_solve_back_a_tensor, solve_back_b=lambda g, a: TENSORS["solve_"](TENSORS["swap"](a), g, True))


@op("det_(input)", vjps={"input": "det_back(g, input, out)"}, node="LinalgDetBackward0", latex=r"\det {input}", method=False,
    latex_partials={"input": r"\det({input})\,{input}^{-\top}"}, public="linalg.det", samples=[Sample((SQUARE,))])  # fmt: skip
def _det(input: Array) -> Array:
    """Determinant of square matrices."""
    _square(input, "linalg.det")
    return np.asarray(np.linalg.det(input)).astype(input.dtype)


def _cofactors(a: Array) -> Array:
    """det(a) times the inverse transpose, also where a is singular."""
    u, s, vh = np.linalg.svd(a.astype(np.float64))
    n = s.shape[-1]
    others = np.stack([np.prod(np.delete(s, i, -1), -1) for i in range(n)], -1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (sign[..., None, None] * (u * others[..., None, :]) @ vh).astype(a.dtype)


ARRAYS["det_back"] = lambda g, a, out: np.asarray(g)[..., None, None] * _cofactors(a)
TENSORS["det_back"] = lambda g, a, out: TENSORS["reshape"](g * out, (*g._s, 1, 1)) * TENSORS["swap"](TENSORS["inverse_"](a))


@composite("det", samples=[Sample((SQUARE,))])
def det(input: Tensor) -> Tensor:
    """Determinant of square matrices."""
    return TENSORS["det_"](input)


@op("slogabsdet_(input)", vjps={"input": "logdet_back(g, input)"}, node="LinalgSlogdetBackward0", aux=("sign",),
    latex=r"\ln\lvert\det {input}\rvert", latex_partials={"input": r"{input}^{-\top}"}, method=False, result="slogabsdet",
    public="linalg.slogdet", samples=[])  # fmt: skip
def _slogabsdet(input: Array) -> tuple[Array, Array]:
    """Logarithm of the absolute determinant, and its sign."""
    _square(input, "linalg.slogdet")
    sign, value = np.linalg.slogdet(input)
    return np.asarray(value).astype(input.dtype), np.asarray(sign).astype(input.dtype)


ARRAYS["logdet_back"] = lambda g, a: np.asarray(g)[..., None, None] * np.swapaxes(np.linalg.inv(a), -1, -2)
TENSORS["logdet_back"] = lambda g, a: TENSORS["reshape"](g, (*g._s, 1, 1)) * TENSORS["swap"](TENSORS["inverse_"](a))


@composite("slogdet", samples=[])
def slogdet(input: Tensor) -> Any:
    """Sign and logarithm of the absolute determinant."""
    value, sign = TENSORS["slogabsdet_"](input)
    return return_type("linalg_slogdet", ("sign", "logabsdet"))(sign, value)


@composite("logdet", samples=[Sample((SQUARE,))])
def logdet(input: Tensor) -> Tensor:
    """Logarithm of the determinant."""
    value, sign = TENSORS["slogabsdet_"](input)
    return TENSORS["where"](sign < 0, math.nan, value)


@op("cholesky_(input)", vjps={"input": "cholesky_back(g, out)"}, node="LinalgCholeskyExBackward0", latex=r"L,\ L L^\top = {input}",
    method=False, public="linalg.cholesky", samples=[])  # fmt: skip
def _cholesky(input: Array) -> Array:
    """The lower triangle whose square is the matrix."""
    _square(input, "linalg.cholesky")
    try:
        return np.linalg.cholesky(input).astype(input.dtype, copy=False)
    except np.linalg.LinAlgError:
        raise LinAlgFault(
            "linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading "
            "minor of order 1 is not positive-definite).",
            hint="the matrix must be symmetric with positive eigenvalues; A @ A.T + eps * I is",
        ) from None


def _cholesky_gradient(k: Any, g: Any, low: Any, inverse_: Any) -> Any:
    phi = k["swap"](low)
    inner_ = k["batch_mm"](phi, g)
    half = k["tril"](inner_, 0) - k["tril"](k["triu"](inner_, 0), 0) * 0.5
    s = k["batch_mm"](k["swap"](inverse_), k["batch_mm"](half, inverse_))
    return (s + k["swap"](s)) * 0.5


ARRAYS["cholesky_back"] = lambda g, low: _cholesky_gradient(ARRAYS, g, low, np.linalg.inv(low))
TENSORS["cholesky_back"] = lambda g, low: _cholesky_gradient(TENSORS, g, low, TENSORS["inverse_"](low))


@composite("cholesky", samples=[])
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The lower (or upper) triangle whose square is the matrix."""
    r = TENSORS["cholesky_"](input)
    return TENSORS["swap"](r) if upper else r


@composite("matrix_power", samples=[Sample((SQUARE,), {"n": k}) for k in (0, 1, 2, 3, -1)])
def matrix_power(input: Tensor, n: int) -> Tensor:
    """A product of n copies of a square matrix."""
    _square(input._array(), "linalg.matrix_power")
    if n == 0:
        return TENSORS["wrap_array"](np.broadcast_to(np.eye(input._s[-1], dtype=input._a.dtype), input._s).copy())
    if n < 0:
        input, n = TENSORS["inverse_"](input), -n
    if n == 1:
        return TENSORS["clone"](input)
    if n == 3:
        return TENSORS["matmul"](TENSORS["matmul"](input, input), input)
    r = None
    while n:
        if n & 1:
            r = input if r is None else TENSORS["matmul"](r, input)
        n >>= 1
        if n:
            input = TENSORS["matmul"](input, input)
    return r


@op("cross_(input, other, dim)", inputs=2, node="LinalgCrossBackward0", method=False, public="linalg.cross",
    vjps={"input": "cross_(other, g, dim)", "other": "cross_(g, input, dim)"}, latex=r"{input} \times {other}",
    samples=[Sample((V, [1.0, 0.0, 2.0]), {"dim": -1})])  # fmt: skip
def _cross(input: Array, other: Array, dim: int) -> Array:
    """Cross product of vectors of length 3."""
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeFault(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    return np.cross(input, other, axis=dim)


@composite("cross", samples=[])
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Cross product of vectors of length 3."""
    d = next(i for i, n in enumerate(input._s) if n == 3) if dim is None else dim
    return TENSORS["cross_"](input, other, d)


@composite("multi_dot", method=False, samples=[])
def multi_dot(tensors: Any) -> Tensor:
    """A product of several matrices."""
    r = tensors[0]
    for t in tensors[1:]:
        r = TENSORS["matmul"](r, t)
    return r


@composite("cdist", method=False, samples=[Sample((A, A)), Sample((A, BATCH[1]), {"p": 1.0})])
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """Distances of all pairs of rows."""
    d = TENSORS["unsqueeze"](x1, -2) - TENSORS["unsqueeze"](x2, -3)
    return TENSORS["vector_norm_"](d, float(p), -1, False)


# decompositions with several outputs: values for reading and for first derivatives of the common ones

EIGH = record("eigh", "Eigenvalues and eigenvectors of symmetric matrices.", node="LinalgEighBackward0", inputs=("input",),
              latex=r"Q \Lambda Q^\top = {input}", public="linalg.eigh")  # fmt: skip
SVD = record("svd", "Singular value decomposition.", node="LinalgSvdBackward0", inputs=("input",),
             latex=r"U S V^\top = {input}", public="linalg.svd")  # fmt: skip
QR = record("qr", "QR decomposition.", node="LinalgQrBackward0", inputs=("input",), latex=r"Q R = {input}", public="linalg.qr")


def _several(rule: Custom, input: Tensor, arrays: list[Array], name: str, fields: tuple[str, ...]) -> Any:
    from engine.ops.op import port

    node = link(rule, (input,), tuple(a.shape for a in arrays), {}, *arrays)
    out = []
    for i, a in enumerate(arrays):
        r = TENSORS["wrap_array"](a)
        r._n = None if node is None else port(node, i, a.shape)
        out.append(r)
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].forward(rule.op, node, (input,), tuple(out), {}, saved=("out",))
    return return_type(name, fields)(*out)


def _parts(n: Node, g: Any) -> list[Array]:
    return [kernels.full(np.asarray(g.parts[i]), s) if i in g.parts else np.zeros(s, n[SAVED].dtype) for i, s in enumerate(n[SHAPE])]


def _eigh_arrays(n: Node, g: Any) -> tuple[Any, ...]:
    gl, gv = _parts(n, g)
    w, v = n[SAVED], n[SAVED + 1]
    vt = np.swapaxes(v, -1, -2)
    gap = w[..., None, :] - w[..., :, None]
    f = np.where(np.eye(w.shape[-1], dtype=bool), 0, 1 / np.where(gap == 0, 1, gap))
    inner_ = vt @ gv * f
    i = np.arange(w.shape[-1])
    inner_[..., i, i] += gl
    return ((v @ inner_ @ vt).astype(v.dtype),)


def _no_second_order(name: str) -> Any:
    def refuse(n: Node, g: Any) -> Any:
        from engine.errors import unsupported

        raise unsupported(f"second order through {name}")

    return refuse


EIGH_RULE = Custom(EIGH, _eigh_arrays, _no_second_order("linalg.eigh"), True)


def _svd_arrays(n: Node, g: Any) -> tuple[Any, ...]:
    gu, gs, gvh = _parts(n, g)
    u, s, vh = n[SAVED], n[SAVED + 1], n[SAVED + 2]
    v = np.swapaxes(vh, -1, -2)
    k = s.shape[-1]
    e = np.where(np.eye(k, dtype=bool), 1, s[..., None, :] ** 2 - s[..., :, None] ** 2)
    skew = lambda x: x - np.swapaxes(x, -1, -2)  # noqa: E731
    ut, sm = np.swapaxes(u, -1, -2), s[..., None, :]
    inner_ = (skew(ut @ gu) / e) * sm + s[..., :, None] * (skew(vh @ np.swapaxes(gvh, -1, -2)) / e)
    i = np.arange(k)
    inner_[..., i, i] = gs
    r = u @ inner_ @ vh
    if u.shape[-2] > k:
        r = r + (np.eye(u.shape[-2], dtype=u.dtype) - u @ ut) @ (gu / sm) @ vh
    if v.shape[-2] > k:
        r = r + u @ (gvh / s[..., :, None]) @ (np.eye(v.shape[-2], dtype=u.dtype) - v @ vh)
    return (r.astype(u.dtype),)


SVD_RULE = Custom(SVD, _svd_arrays, _no_second_order("linalg.svd"), True)


def _qr_arrays(n: Node, g: Any) -> tuple[Any, ...]:
    gq, gr = _parts(n, g)
    q, r = n[SAVED], n[SAVED + 1]
    m = r @ np.swapaxes(gr, -1, -2) - np.swapaxes(gq, -1, -2) @ q
    sym = np.tril(m) + np.swapaxes(np.tril(m, -1), -1, -2)
    return ((np.linalg.solve(r, np.swapaxes(gq + q @ sym, -1, -2))).swapaxes(-1, -2).astype(q.dtype),)


QR_RULE = Custom(QR, _qr_arrays, _no_second_order("linalg.qr"), True)


@composite("eigh", method=False, samples=[])
def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of symmetric matrices."""
    a = A._array()
    _square(a, "linalg.eigh")
    w, v = np.linalg.eigh(a, UPLO)
    return _several(EIGH_RULE, A, [w.astype(a.dtype), v.astype(a.dtype)], "linalg_eigh", ("eigenvalues", "eigenvectors"))


@composite("svd", method=False, samples=[])
def svd(A: Tensor, full_matrices: bool = True) -> Any:
    """Singular value decomposition U, S, Vh."""
    u, s, vh = np.linalg.svd(A._array(), full_matrices and A._n is None)
    return _several(SVD_RULE, A, [u, s, vh], "linalg_svd", ("U", "S", "Vh"))


@composite("qr", method=False, samples=[])
def qr(A: Tensor, mode: str = "reduced") -> Any:
    """QR decomposition."""
    q, r = np.linalg.qr(A._array(), mode)
    return _several(QR_RULE, A, [q, r], "linalg_qr", ("Q", "R"))


@composite("pinverse", samples=[])
def pinverse(input: Tensor) -> Tensor:
    """Pseudo-inverse of a matrix of full rank."""
    xt = TENSORS["swap"](input)
    if input._s[-2] >= input._s[-1]:
        return TENSORS["matmul"](TENSORS["inverse_"](TENSORS["matmul"](xt, input)), xt)
    return TENSORS["matmul"](xt, TENSORS["inverse_"](TENSORS["matmul"](input, xt)))


