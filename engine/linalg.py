"""torch.linalg: the names under which linear algebra is found there. Nothing is defined here but thin spellings."""

from __future__ import annotations

from typing import Any

from engine.errors import RuntimeFault
from engine.ops.decompositions import eigh, qr, svd
from engine.ops.decompositions import pinverse as pinv
from engine.ops.linalg import cholesky, det, matrix_power, multi_dot, slogdet
from engine.ops.linalg import inverse as inv
from engine.ops.matmul import matmul
from engine.ops.registry import TENSORS

Tensor = Any

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power", "multi_dot",
    "norm", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Cross product of vectors of length 3 along dim."""
    return TENSORS["cross_"](input, other, dim)


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """The X with A @ X = B (or X @ A = B)."""
    return TENSORS["solve_"](A, B, left)


def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The p-norm of all elements, or over dim."""
    return TENSORS["vector_norm_"](x if dtype is None else x.to(dtype), float(ord), dim, keepdim)


def matrix_norm(A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """Norms of matrices: Frobenius, nuclear, 1, 2 and infinity."""
    a, b = dim
    if ord == "fro":
        return TENSORS["vector_norm_"](A, 2.0, tuple(dim), keepdim)
    if ord in (2, -2, "nuc"):
        s = svdvals(TENSORS["movedim"](A, (a, b), (-2, -1)))
        r = s.sum(-1) if ord == "nuc" else (s.amax(-1) if ord == 2 else s.amin(-1))
        return r.unsqueeze(a).unsqueeze(b) if keepdim else r
    if ord in (1, -1, float("inf"), float("-inf")):
        along, over = (a, b) if abs(ord) == 1 else (b, a)
        sums = A.abs().sum(along, keepdim=True)
        r = sums.amax(over, keepdim=True) if ord > 0 else sums.amin(over, keepdim=True)
        return r if keepdim else r.squeeze((a, b))
    raise RuntimeFault(f"linalg.matrix_norm: Order {ord} not supported.")


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of a vector or a matrix, by `ord` and the number of dims."""
    if dtype is not None:
        A = A.to(dtype)
    if ord is None:
        return TENSORS["vector_norm_"](A, 2.0, dim, keepdim)
    matrix = dim is not None and not isinstance(dim, int) and len(dim) == 2
    if matrix or isinstance(ord, str) or (dim is None and A.dim() == 2):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim)
    return vector_norm(A, ord, dim, keepdim)


def svdvals(A: Tensor) -> Tensor:
    """Singular values."""
    return svd(A, False)[1]


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues of symmetric matrices."""
    return eigh(A, UPLO)[0]


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Inner products along dim."""
    return (x * y).sum(dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of matrices."""
    return TENSORS["diagonal"](A, offset, dim1, dim2)
