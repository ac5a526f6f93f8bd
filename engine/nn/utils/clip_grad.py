"""Clipping gradients, in place, after backward and before the optimizer's step."""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from engine.autograd import versions
from engine.errors import RuntimeFault
from engine.tensor import Tensor, make

Array = Any
Parameters = Tensor | Iterable[Tensor]


def _norm(values: Array, order: float) -> Array:
    """The vector norm of an array of any shape, in its own dtype."""
    sizes = np.abs(np.ravel(values)).astype(np.float64)
    if order == math.inf:
        found = sizes.max(initial=0.0)
    elif order == -math.inf:
        found = sizes.min(initial=math.inf)
    elif order == 0:
        found = np.count_nonzero(sizes)
    elif order == 2:
        found = math.sqrt(float(sizes.dot(sizes)))
    else:
        found = float((sizes**order).sum()) ** (1.0 / order)
    return values.dtype.type(found)


def _listed(parameters: Parameters) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def _change(grad: Tensor, new: Array) -> None:
    """Write new values into a gradient; no operation of the program's graph."""
    a = grad._a
    if type(a) is ndarray:
        a[...] = new
        versions.bump(a)
    else:
        versions.renew(grad, a.dtype.type(new), counted=True)


def clip_grad_norm_(
    parameters: Parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients so that their norm, taken as one vector, is at most max_norm.

    returns  the norm before, a 0-dim tensor
    source   https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
    """
    listed = _listed(parameters)
    grads = [p.grad for p in listed if p.grad is not None]
    if isinstance(parameters, types.GeneratorType) and not listed:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    if not grads:
        return make(np.float32(0.0), ())
    order = float(norm_type)
    total = _norm(np.array([_norm(g._a, order) for g in grads]), order)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeFault(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be clipped. "
            "To disable this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    share = np.minimum(total.dtype.type(float(max_norm)) / (total + total.dtype.type(1e-6)), total.dtype.type(1))
    for g in grads:
        _change(g, g._a * share.astype(g._a.dtype))
    return make(total, ())


def clip_grad_norm(
    parameters: Parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The deprecated name of clip_grad_norm_."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Parameters, clip_value: float, foreach: bool | None = None) -> None:
    """Cut every element of the gradients to [-clip_value, clip_value].

    source  https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
    """
    limit = float(clip_value)
    for p in _listed(parameters):
        if p.grad is not None:
            _change(p.grad, np.clip(p.grad._a, -limit, limit))
