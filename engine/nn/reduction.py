"""What `reduction=` means, and the two old arguments it replaced."""

from __future__ import annotations

import warnings


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


def legacy_get_string(size_average: bool | None, reduce: bool | None, *, stacklevel: int = 3) -> str:
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
