"""Products of matrices and vectors, and linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops.op import ARRAYS, COMPOSITES, NAMESPACE, TENSORS, composite, op

Array = Any
Tensor = Any

ARRAYS["t"] = lambda a: a.T


@op("mm(input, mat2)", inputs=2, vjps={"input": "mm(g, t(mat2))", "mat2": "mm(t(input), g)"},
    node="MmBackward0", latex="A B", latex_partials={"input": r"\bar{C}\, B^\top", "mat2": r"A^\top \bar{C}"})  # fmt: skip
def _mm(input: Array, mat2: Array) -> Array:
    """Product of two matrices."""
    if input.ndim != 2:
        raise RuntimeFault("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeFault("mat2 must be a matrix")
    if input.shape[1] != mat2.shape[0]:
        raise misfit(input.shape, mat2.shape)
    return input.dot(mat2)


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


@op("dot(input, tensor)", inputs=2, vjps={"input": "g * tensor", "tensor": "g * input"},
    node="DotBackward0", latex=r"\sum_i x_i y_i", latex_partials={"input": "y", "tensor": "x"})  # fmt: skip
def _dot(input: Array, tensor: Array) -> Array:
    """Inner product of two vectors."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeFault(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.shape != tensor.shape:
        raise RuntimeFault(
            f"inconsistent tensor size, expected tensor [{input.size}] and src [{tensor.size}] to have the same number "
            f"of elements, but got {input.size} and {tensor.size} elements respectively"
        )
    return input.dot(tensor)


@op("mv(input, vec)", inputs=2, vjps={"input": "outer(g, vec)", "vec": "mv(t(input), g)"},
    node="MvBackward0", latex="A x", latex_partials={"input": r"\bar{y}\, x^\top", "vec": r"A^\top \bar{y}"})  # fmt: skip
def _mv(input: Array, vec: Array) -> Array:
    """Product of a matrix and a vector."""
    if input.ndim != 2 or vec.ndim != 1 or input.shape[1] != vec.shape[0]:
        raise RuntimeFault(
            f"size mismatch, got input ({input.shape[0]}), mat ({'x'.join(map(str, input.shape))}), vec ({vec.size})"
        )
    return input.dot(vec)


ARRAYS["outer"] = np.outer


@composite()
def matmul(input: Tensor, other: Tensor, *, out: Tensor = None) -> Tensor:
    """Matrix product as `@` does it: dot, mv, mm or batched, by the number of dimensions."""
    n, m = len(input._s), len(other._s)
    if n == 2 and m == 2:
        return TENSORS["mm"](input, other)
    if n == 1 and m == 1:
        return TENSORS["dot"](input, other)
    if n == 2 and m == 1:
        return TENSORS["mv"](input, other)
    if n == 1 and m == 2:
        return TENSORS["squeeze"](TENSORS["mm"](TENSORS["unsqueeze"](input, 0), other), 0)
    if n == 0 or m == 0:
        raise RuntimeFault(f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D")
    return batched(input, other)


def batched(input: Tensor, other: Tensor) -> Tensor:
    """matmul with batch dimensions: expanded, folded into bmm, unfolded."""
    raise RuntimeFault("batched matmul")


assert COMPOSITES is not None and NAMESPACE is not None
