"""Elements picked and put by a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Sample, composite, failed, op
from engine.ops.slices import MATRIX

Array = Any
Tensor = Any


@op("masked_select(input, mask)", inputs=2, vjps={"input": "masked_put_zeros(g, input_shape, mask)"},
    node="MaskedSelectBackward0", latex=r"{input}[{mask}]",
    samples=[Sample((MATRIX, ([True, False, True], [False, True, False])))])  # fmt: skip
def _masked_select(input: Array, mask: Array) -> Array:
    """The elements where mask holds, as a vector."""
    if mask.dtype != bool:
        raise RuntimeFault("masked_select: expected BoolTensor for mask")
    whole = kernels.broadcast_shapes(input.shape, mask.shape)
    if whole is None:
        from engine.ops.op import broadcast_fault

        raise broadcast_fault(mask.shape, input.shape)
    return np.broadcast_to(input, whole)[np.broadcast_to(mask, whole)]


@op("masked_put_zeros(g_, input_sizes, mask)", inputs=("g_", "mask"),
    vjps={"g_": "masked_select(g, mask)"}, node="MaskedScatterBackward0", latex="", method=False)  # fmt: skip
def _masked_put_zeros(g_: Array, mask: Array, input_sizes: Any) -> Array:
    """Zeros with elements written where mask holds."""
    whole = kernels.broadcast_shapes(tuple(input_sizes), mask.shape) or ()
    r = np.zeros(whole, g_.dtype)
    r[np.broadcast_to(mask, whole)] = g_
    return kernels.unbroadcast(r, tuple(input_sizes), whole)


op("masked_fill_number(input, mask, value)", inputs=2, forward="where(mask, value, input)", condition="mask",
   general=lambda a, m, v: np.where(m, a.dtype.type(v), a), partials={"input": "~mask"}, public="masked_fill",
   vjps={"input": "select_if(~mask, g)"}, node="MaskedFillBackward0", method=False, inplace=False,
   latex=r"\begin{cases}{value} & {mask}\\ {input}\end{cases}", latex_partials={"input": r"\mathbb{1}[\neg {mask}]"},
   doc="One number where mask holds.",
   samples=[Sample((MATRIX, [True, False, True]), {"value": -1.0})])  # fmt: skip
op("masked_fill_tensor(input, mask, value)", inputs=3, forward="where(mask, value, input)", condition="mask",
   general=lambda a, m, v: np.where(m, v, a), partials={"input": "~mask", "value": "mask"}, public="masked_fill",
   vjps={"input": "select_if(~mask, g)", "value": "select_if(mask, g)"}, node="MaskedFillBackward1", method=False,
   inplace=False, latex=r"\begin{cases}{value} & {mask}\\ {input}\end{cases}", doc="A 0-dim tensor where mask holds.",
   samples=[Sample((MATRIX, [True, False, True], 7.0))])  # fmt: skip


@composite()
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """value where mask holds."""
    if not isinstance(mask, NAMESPACE["Tensor"]):
        raise TypeFault(f"masked_fill(): argument 'mask' (position 1) must be Tensor, not {type(mask).__name__}")
    if kernels.broadcast_shapes(input._s, mask._s) is None:
        from engine.ops.op import broadcast_fault

        raise failed(None, (input, mask), broadcast_fault(mask._s, input._s))
    if mask._a.dtype != bool:
        raise RuntimeFault("masked_fill_ only supports boolean masks, but got mask with dtype "
                           f"{dtypes.C_NAMES[mask.dtype.name]}", hint="a comparison makes a mask: x == 0")  # fmt: skip
    if isinstance(value, NAMESPACE["Tensor"]):
        if value._s:
            raise RuntimeFault(
                f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {len(value._s)} dimension(s)."
            )
        return TENSORS["masked_fill_tensor"](input, mask, value)
    if not input.dtype.is_floating_point and isinstance(value, float) and value != int(value):
        raise RuntimeFault("value cannot be converted to type int64_t without overflow")
    return TENSORS["masked_fill_number"](input, mask, value)


@op("masked_scatter(input, mask, source)", inputs=3, node="MaskedScatterBackward0", inplace=True,
    vjps={"input": "select_if(~broadcast_mask(mask, g), g)", "source": "masked_scatter_backward(g, mask, source_shape)"},
    latex=r"\operatorname{masked\_scatter}({input})",
    samples=[Sample((MATRIX, ([True, False, True], [False, True, False]), [9.0, 8.0, 7.0]))])  # fmt: skip
def _masked_scatter(input: Array, mask: Array, source: Array) -> Array:
    """A copy with elements of source written in order where mask holds."""
    r = input.copy()
    m = np.broadcast_to(mask, r.shape)
    k = int(m.sum())
    if source.size < k:
        raise RuntimeFault("masked_scatter: expected self and source to have same dtypes" if source.dtype != input.dtype
                           else "Number of elements of source < number of ones in mask")  # fmt: skip
    r[m] = source.ravel()[:k]
    return r


ARRAYS["broadcast_mask"] = lambda m, g: np.broadcast_to(m, g.shape)
TENSORS["broadcast_mask"] = lambda m, g: TENSORS["expand_to"](m, g._s)


@op("masked_scatter_backward(g_, mask, sizes)", inputs=("g_", "mask"), latex="", method=False,
    vjps={"g_": "masked_scatter(zero(g) if False else expand_zero(g, g__shape), mask, g)"},
    node="MaskedScatterBackwardBackward0")  # fmt: skip
def _masked_scatter_backward(g_: Array, mask: Array, sizes: Any) -> Array:
    """The masked gradients, in the corner of zeros."""
    r = np.zeros(kernels.numel(tuple(sizes)), g_.dtype)
    taken = g_[np.broadcast_to(mask, g_.shape)]
    r[: taken.size] = taken
    return r.reshape(sizes)


ARRAYS["expand_zero"] = lambda g, s: np.zeros(s, g.dtype)
TENSORS["expand_zero"] = lambda g, s: TENSORS["wrap_array"](np.zeros(s, g._a.dtype))


@composite()
def nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor = None) -> Any:
    """Indices of the elements that are not 0."""
    found = np.nonzero(np.asarray(input._a).reshape(input._s))
    if as_tuple:
        return tuple(TENSORS["wrap_array"](f.astype(np.int64)) for f in found)
    return TENSORS["wrap_array"](np.stack(found, 1).astype(np.int64) if found else np.zeros((int(bool(input._a)), 0), np.int64))


@composite(method=False)
def argwhere(input: Tensor) -> Tensor:
    """Indices of the elements that are not 0, as rows."""
    return nonzero(input)
