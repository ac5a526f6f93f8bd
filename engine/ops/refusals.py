"""What compiled operations say on their slow paths: to the caller, in torch's words, and to the observer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.errors import EngineError, RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.registry import BW, NAMESPACE, RULES, Op


def type_name(value: Any) -> str:
    """How torch's argument parser names the type of a value."""
    return type(value).__name__


def not_a_tensor(o: Op, args: Sequence[Any], position: int) -> EngineError:
    """torch's complaint about an argument that is no tensor."""
    name = o.inputs[position]
    given = args[position]
    return TypeFault(f"{o.public}(): argument '{name}' (position {position + 1}) must be Tensor, not {type_name(given)}")


def shape_error(o: Op, args: Sequence[Any], cause: BaseException) -> EngineError:
    """torch's complaint about shapes that do not broadcast, with the ways out."""
    tensor_class = NAMESPACE["Tensor"]
    shapes = [a._s for a in args if isinstance(a, tensor_class)]
    whole: kernels.Shape = ()
    for s in shapes:
        fit = kernels.broadcast_shapes(whole, s)
        if fit is None:
            error: EngineError = broadcast_fault(whole, s)
            break
        whole = fit
    else:
        error = RuntimeFault(str(cause))
    return failed(o, args, error)


def broadcast_fault(a: kernels.Shape, b: kernels.Shape) -> EngineError:
    k = max(len(a), len(b))
    x, y = (1,) * (k - len(a)) + a, (1,) * (k - len(b)) + b
    axis = max(i for i in range(k) if x[i] != y[i] and x[i] != 1 and y[i] != 1)
    hints = []
    for first, second, what in ((a, b, "first"), (b, a, "second")):
        for d in range(len(first) + 1):
            tried = first[:d] + (1,) + first[d:]
            fit = kernels.broadcast_shapes(tried, second)
            if fit is not None and len(first) < 4:
                hints.append(f"unsqueeze({d}) on the {what} would make {tried} against {second} -> {fit}")
                break
    if len(a) == 2 and kernels.broadcast_shapes(a[::-1], b) is not None:
        hints.append(f".T on the first would make {a[::-1]} against {b} -> {kernels.broadcast_shapes(a[::-1], b)}")
    return RuntimeFault(
        f"The size of tensor a ({x[axis]}) must match the size of tensor b ({y[axis]}) at non-singleton dimension {axis}",
        hint="; or ".join(hints) or None,
    )


def op_error(o: Op, args: Sequence[Any], params: dict[str, Any], cause: BaseException) -> BaseException:
    """What an operation's kernel raised, told to the observer."""
    if not isinstance(cause, EngineError) and isinstance(cause, (ValueError, TypeError, IndexError)):
        cause = RuntimeFault(f"{o.public}: {cause}")
    return failed(o, args, cause)


def failed(o: Op, args: Sequence[Any], error: Any) -> Any:
    """Tell the observer which operation failed; returns the error for raising."""
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].fail_op(o, args, error)
    return error


def observe(
    o: Op, r: Any, args: Sequence[Any], params: dict[str, Any], view_of: Any = None, outputs: Any = None
) -> None:
    """Report a forward operation."""
    n = r._n
    rule = RULES.get(n[BW]) if n is not None else None
    NAMESPACE["_obs"].forward(
        o, n, args, (r,) if outputs is None else tuple(outputs), params, saved=rule.saved if rule is not None else (), view_of=view_of
    )
