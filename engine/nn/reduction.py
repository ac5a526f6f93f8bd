"""What losses share: what `reduction=` means, the two old arguments it replaced, arguments that may not be tracked."""

from __future__ import annotations

import warnings

from engine.errors import RuntimeFault
from engine.ops.registry import NAMESPACE
from engine.tensor import Tensor

Flag = bool | None


def check(reduction: str) -> str:
    """`reduction` if it is one; torch's ValueError otherwise."""
    if reduction in ("mean", "sum", "none"):
        return reduction
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=3
        )
        return "mean"
    raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy_get_string(size_average: Flag, reduce: Flag, *, stacklevel: int = 3) -> str:
    """The `reduction` that `size_average=` and `reduce=` stood for, with torch's warning."""
    if reduce is not None and not reduce:
        reduction = "none"
    else:
        reduction = "mean" if size_average is None or size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        stacklevel=stacklevel,
    )
    return reduction


def chosen(size_average: Flag, reduce: Flag, reduction: str) -> str:
    """The reduction that a call of a loss asks for, in the new way or the old."""
    if size_average is not None or reduce is not None:
        return legacy_get_string(size_average, reduce, stacklevel=4)
    return reduction if reduction in ("mean", "sum", "none") else check(reduction)


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Losses per element as `reduction` wants them."""
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def constant(function: str, argument: str, tensor: Tensor | None) -> None:
    """torch refuses to track an argument it has no derivative for."""
    if tensor is not None and tensor._n is not None and NAMESPACE["grad_on"]:
        raise RuntimeFault(
            f"The function '{function}' is not differentiable with respect to argument '{argument}'. "
            "This input cannot have requires_grad True.",
            hint=f"give the {argument} without history: {argument}.detach()",
        )
