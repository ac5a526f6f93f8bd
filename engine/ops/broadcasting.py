"""Shapes made to agree: expand, broadcast, and the sum that undoes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, Sample, composite, op
from engine.ops.shape import sizes

Array = Any
Tensor = Any
Shape = kernels.Shape


@op("expand_to(input, size)", vjps={"input": "sum_to_size(g, input_shape)"}, node="ExpandBackward0", view=True,
    latex=r"\operatorname{expand}({input})", method=False, public="expand",
    samples=[Sample(([[1.0], [2.0]],), {"size": (2, 3)}), Sample(([1.0, 2.0],), {"size": (3, -1)}), Sample((1.0,), {"size": (2, 2)})])  # fmt: skip
def _expand(input: Array, size: Any) -> Array:
    """A view with dimensions of size 1 repeated."""
    k = len(size) - input.ndim
    if k < 0:
        raise RuntimeFault(
            f"expand(torch.{dtypes.TYPE_NAMES[dtypes.of(input)]}{{{list(input.shape)}}}, size={list(size)}): the number of "
            f"sizes provided ({len(size)}) must be greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    want = []
    for i, d in enumerate(size):
        have = input.shape[i - k] if i >= k else 1
        if d == -1 and i < k:
            raise RuntimeFault(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if d != -1 and have not in (1, d):
            i, d, have = max((j, m, h) for j, m in enumerate(size) if j >= k for h in [input.shape[j - k]] if m != -1 and h not in (1, m))
            raise RuntimeFault(
                f"The expanded size of the tensor ({d}) must match the existing size ({have}) at non-singleton dimension "
                f"{i}.  Target sizes: {list(size)}.  Tensor sizes: {list(input.shape)}"
            )
        want.append(have if d == -1 else int(d))
    return np.lib.stride_tricks.as_strided(
        input,
        want,
        [0 if i < k or (input.shape[i - k] == 1 and d != 1) else input.strides[i - k] for i, d in enumerate(want)],
    )


ARRAYS["sum_to_size"] = lambda g, size: kernels.unbroadcast(g, tuple(size), g.shape)


@composite()
def expand(input: Tensor, *sizes_: Any, size: Any = None, implicit: bool = False) -> Tensor:
    """A view with dimensions of size 1 repeated."""
    return TENSORS["expand_to"](input, sizes(sizes_, size))


@composite()
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the shape of other."""
    return TENSORS["expand_to"](input, other._s)


@composite(samples=[Sample(([1.0, 2.0],), {"size": (3, 2)})])
def broadcast_to(input: Tensor, *sizes_: Any, size: Any = None) -> Tensor:
    """Expanded to a shape."""
    return TENSORS["expand_to"](input, sizes(sizes_, size))


def _common(tensors: Any) -> Shape:
    whole: Shape = ()
    for t in tensors:
        fit = kernels.broadcast_shapes(whole, t._s)
        if fit is None:
            from engine.ops.op import shape_error

            raise shape_error(_expand, tuple(tensors), ValueError())
        whole = fit
    return whole


@composite(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All expanded to their common shape."""
    ts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    whole = _common(ts)
    return tuple(TENSORS["expand_to"](t, whole) for t in ts)


@composite(method=False)
def broadcast_shapes(*shapes: Any) -> Any:
    """The shape these shapes broadcast to."""
    whole: Shape = ()
    for s in shapes:
        s = (s,) if isinstance(s, int) else tuple(s)
        fit = kernels.broadcast_shapes(whole, s)
        if fit is None:
            raise RuntimeFault(
                "Shape mismatch: objects cannot be broadcast to a single shape"
                if len(shapes) < 2
                else f"The size of tensor a ({whole[-1] if whole else 1}) must match the size of tensor b ({s[-1] if s else 1}) "
                f"at non-singleton dimension {max(len(whole), len(s)) - 1}"
            )
        whole = fit
    return TENSORS["size_class"](whole)


@composite()
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Summed down to a shape that broadcasts to this one."""
    wanted = sizes(size)
    s = input._s
    if s == wanted:
        return input
    if kernels.broadcast_shapes(wanted, s) != s:
        raise RuntimeFault(f"size {{{list(wanted)}}} is not expandable to size {{{list(s)}}}.")
    axes = kernels.summed_axes(wanted, s)
    out = TENSORS["sum"](input, axes, True) if axes else input
    return TENSORS["view_"](out, wanted) if out._s != wanted else out
