"""Products of matrices and vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import IndexFault, RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Failing, Sample, composite, failed, op, type_name
from engine.ops.samples import Layout

Array = Any
Tensor = Any

A = ([1.0, -2.0, 3.0], [4.0, 0.5, -6.0])
B = ([1.0, 2.0], [-3.0, 4.0], [5.0, 0.5])
BATCH = (([1.0, 2.0, 0.5], [3.0, -4.0, 1.0]), ([5.0, 6.0, -1.0], [7.0, 8.0, 2.0]))
SQUARE = ([2.0, 1.0, 0.5], [0.0, 3.0, 1.0], [1.0, 0.0, 4.0])
V = [1.0, 2.0, -3.0]


def matching(a: Array, b: Array, what: str = "expected m1 and m2 to have the same dtype, but got: {c_a} != {c_b}") -> None:
    """Operands of a matrix product must have one dtype; torch has a sentence for every product."""
    if a.dtype != b.dtype:
        x, y = dtypes.of(a), dtypes.of(b)
        raise RuntimeFault(
            what.format(a=dtypes.SCALAR_NAMES[x], b=dtypes.SCALAR_NAMES[y], c_a=_c(x), c_b=_c(y)),
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
    matching(input, vec, "addmv input tensors must have the same dtype, but got {b}, {a}, and {b}")
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
    matching(input, mat2, "expected scalar type {a} but found {b}")
    return product(input, mat2)


def expandable(a: Array, shape: tuple[int, ...]) -> None:
    """torch's sentence about a summand that does not broadcast to the product."""
    have = a.shape
    if len(have) > len(shape):
        raise RuntimeFault(
            f"expand(torch.{dtypes.TYPE_NAMES[dtypes.of(a)]}{{{list(have)}}}, size={list(shape)}): the number of sizes provided "
            f"({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({len(have)})"
        )
    for i in range(1, len(have) + 1):
        if have[-i] not in (1, shape[-i]):
            raise RuntimeFault(
                f"The expanded size of the tensor ({shape[-i]}) must match the existing size ({have[-i]}) at non-singleton "
                f"dimension {len(shape) - i}.  Target sizes: {list(shape)}.  Tensor sizes: {list(have)}"
            )


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
    matching(input, mat2, "self and mat2 must have the same dtype, but got {a} and {b}")
    matching(mat1, mat2, "mat1 and mat2 must have the same dtype, but got {a} and {b}")
    if mat1.shape[1] != mat2.shape[0]:
        raise misfit(mat1.shape, mat2.shape)
    r = product(mat1, mat2)
    if alpha != 1:
        r = r * r.dtype.type(alpha)
    shape = (mat1.shape[0], mat2.shape[1])
    expandable(input, shape)
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
    if len(mat._s) == 2 and len(vec._s) == 1 and len(input._s) <= 1:
        if mat._s[1] != vec._s[0] or kernels.numel(input._s) not in (1, mat._s[0]):
            raise RuntimeFault(f"size mismatch, got input ({kernels.numel(input._s)}), mat ({mat._s[0]}x{mat._s[1]}), vec ({vec._s[0]})")
        kinds = [dtypes.SCALAR_NAMES[dtypes.of(t._a)] for t in (input, mat, vec)]
        if len(set(kinds)) > 1:
            raise RuntimeFault(f"addmv input tensors must have the same dtype, but got {kinds[0]}, {kinds[1]}, and {kinds[2]}")
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
    try:
        n, m = len(input._s), len(other._s)
    except AttributeError:
        name, position, given = ("other", 2, other) if hasattr(input, "_s") else ("input", 1, input)
        raise TypeFault(
            f"matmul(): argument '{name}' (position {position}) must be Tensor, not {type_name(given)}",
            hint="torch.tensor(...) makes a tensor of a list or an array",
        ) from None
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
    if len(x._s) == len(y._s) == 3 and (x._s[0] == 1) != (y._s[0] == 1):  # torch: a batch of one is a matrix
        if y._s[0] == 1:
            y = TENSORS["squeeze_dim"](y, 0)
        else:
            x = TENSORS["squeeze_dim"](x, 0)
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
        from engine.ops.op import broadcast_fault

        raise failed(None, (x, y), broadcast_fault(x._s[:-2], y._s[:-2]))
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
    rows, columns = math.prod(a._s[i] for i in keep_a), math.prod(b._s[i] for i in keep_b)
    x, y = TENSORS["permute"](a, (*keep_a, *left)), TENSORS["permute"](b, (*right, *keep_b))
    if rows == columns == 1:  # torch: one number is a dot product
        x, y = (t if len(t._s) == 1 else TENSORS["reshape"](t, (inner_size,)) for t in (x, y))
        return TENSORS["reshape"](TENSORS["dot"](x, y), (*[a._s[i] for i in keep_a], *[b._s[i] for i in keep_b]))
    x, y = TENSORS["reshape"](x, (rows, inner_size)), TENSORS["reshape"](y, (inner_size, columns))
    return TENSORS["reshape"](TENSORS["mm"](x, y), (*[a._s[i] for i in keep_a], *[b._s[i] for i in keep_b]))


@composite("kron", samples=[Sample((A, B))])
def kron(input: Tensor, other: Tensor) -> Tensor:
    """Kronecker product."""
    n = max(len(input._s), len(other._s))
    s, t = (1,) * (n - len(input._s)) + input._s, (1,) * (n - len(other._s)) + other._s
    a = TENSORS["unsafe_view"](input, tuple(d for k in s for d in (k, 1)))
    b = TENSORS["unsafe_view"](other, tuple(d for k in t for d in (1, k)))
    return TENSORS["unsafe_view"](a * b, tuple(x * y for x, y in zip(s, t, strict=True)))
