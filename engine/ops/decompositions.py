"""Eigenvectors, singular values, QR: nodes with several outputs, differentiated once."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.ops import kernels
from engine.ops.linalg import check_square
from engine.ops.op import (
    NAMESPACE,
    SAVED,
    SHAPE,
    TENSORS,
    Custom,
    Node,
    composite,
    link,
    record,
    return_type,
)  # fmt: skip

Array = Any
Tensor = Any


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
    check_square(a, "linalg.eigh")
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
