"""gradcheck: analytical gradients against differences, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.autograd.functional import grad
from engine.errors import EngineError
from engine.ops.registry import NAMESPACE, TENSORS

Tensor = Any


class GradcheckError(EngineError, RuntimeError):
    """Numerical and analytical gradients differ."""

    __module__ = "torch.autograd.gradcheck"


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _differentiable(outputs: Any) -> list[Tensor]:
    return [o for o in _tuple(outputs) if isinstance(o, NAMESPACE["Tensor"]) and o.dtype.is_floating_point]


def _values(f: Callable[..., Any], inputs: tuple[Any, ...]) -> list[Any]:
    return [np.array(o._a, np.float64).reshape(-1) for o in _differentiable(f(*inputs))]


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False, **options: Any,
) -> bool:  # fmt: skip
    """Whether the gradients of func at inputs agree with central differences.

    inputs should be float64 and require grad; float32 is too coarse for the default tolerances.
    """
    ins = _tuple(inputs)
    watched = [t for t in ins if isinstance(t, NAMESPACE["Tensor"]) and t.requires_grad]
    if not watched:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True."
        )
    outputs = _differentiable(func(*ins))
    for index, t in enumerate(watched):
        a = t._array()
        numeric = [np.zeros((a.size, o._a.size)) for o in outputs]
        it = np.ndindex(a.shape)
        for row, place in enumerate(it):
            kept = a[place].copy()
            a[place] = kept + eps
            up = _values(func, ins)
            a[place] = kept - eps
            down = _values(func, ins)
            a[place] = kept
            for j, (u, d) in enumerate(zip(up, down, strict=True)):
                numeric[j][row] = (u - d) / (2 * eps)
        for j, o in enumerate(outputs):
            analytic = np.zeros_like(numeric[j])
            if o._n is not None:
                for column in range(o._a.size):
                    seed = np.zeros(o._s, o._a.dtype)
                    seed.reshape(-1)[column] = 1
                    (g,) = grad(o, t, TENSORS["wrap_array"](seed), retain_graph=True, allow_unused=True)
                    if g is not None:
                        analytic[:, column] = np.array(g._a).reshape(t._s).reshape(-1)
            if not np.allclose(analytic, numeric[j], rtol, atol, equal_nan=True):
                if not raise_exception:
                    return False
                raise GradcheckError(
                    f"Jacobian mismatch for output {j} with respect to input {index},\nnumerical:{numeric[j]}\nanalytical:{analytic}\n"
                )
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, **options: Any,
) -> bool:  # fmt: skip
    """Whether second derivatives agree with differences of first ones."""
    ins = _tuple(inputs)
    outputs = _differentiable(func(*ins))
    rng = np.random.default_rng(0)
    if grad_outputs is None:
        seeds = [TENSORS["wrap_array"](np.asarray(rng.uniform(0.5, 1.5, o._s), o._a.dtype)) for o in outputs]
        for s in seeds:
            s.requires_grad_()
    else:
        seeds = list(_tuple(grad_outputs))
    watched = [i for i, t in enumerate(ins) if isinstance(t, NAMESPACE["Tensor"]) and t.requires_grad]

    def first(*args: Any) -> Any:
        outs = _differentiable(func(*args[: len(ins)]))
        kept = [(o, s) for o, s in zip(outs, args[len(ins) :], strict=True) if o._n is not None]
        gs = grad([o for o, _ in kept], [args[i] for i in watched], [s for _, s in kept], create_graph=True, allow_unused=True)
        return tuple(g for g in gs if g is not None)

    return gradcheck(first, (*ins, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
