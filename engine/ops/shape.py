"""The same values under another shape: view, reshape, flatten, dimensions of size 1 added and dropped."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.axes import axes_of, axis_of
from engine.ops.op import ARRAYS, TENSORS, Failing, Sample, composite, failed, op
from engine.ops.samples import Layout

Array = Any
Tensor = Any
Shape = kernels.Shape

MATRIX = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
CUBE = (([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), ([7.0, 8.0, 9.0], [10.0, 11.0, 12.0]))
TURNED = Layout(MATRIX)


def sizes(args: tuple[Any, ...], named: Any = None) -> tuple[Any, ...]:
    """`f(2, 3)`, `f((2, 3))` and `f(size=(2, 3))` mean the same; one-element tensors count as numbers."""
    if named is not None:
        args = args if args else (named,)
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = tuple(args[0])
    if all(type(d) is int for d in args):
        return args
    return tuple(d if type(d) is int else d.__index__() if hasattr(d, "__index__") else d for d in args)


def infer_size(shape: Any, n: int) -> Shape:
    """A requested shape with its -1 filled in."""
    shape = tuple(shape)
    known, holes = 1, 0
    for d in shape:
        if type(d) is not int or d < 0:
            holes += 1
        else:
            known *= d
    if not holes and known == n:
        return shape
    for d in shape:
        if not isinstance(d, (int, np.integer)):
            raise TypeFault(f"view(): argument 'size' failed to unpack the object at pos 1 with error \"type must be tuple of "
                            f"ints,but got {type(d).__name__}\"")  # fmt: skip
        if d < -1:
            raise RuntimeFault(f"invalid shape dimension {d}")
    if shape.count(-1) > 1:
        raise RuntimeFault("only one dimension can be inferred")
    known = kernels.numel([d for d in shape if d != -1])  # type: ignore[arg-type]
    if -1 in shape and known and n % known == 0:
        return tuple(n // known if d == -1 else d for d in shape)
    if -1 in shape and known == 0 and n == 0:
        raise RuntimeFault(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 can "
            "be any value and is ambiguous"
        )
    if known != n or -1 in shape:
        fits = [f"({a}, {n // a})" for a in range(2, 9) if n % a == 0][:3]
        raise RuntimeFault(
            f"shape '{list(shape)}' is invalid for input of size {n}",
            hint=f"{n} elements fit e.g. {', '.join(fits) or f'({n},)'}; -1 stands for whatever is left",
        )
    return shape


# ---- views ----------------------------------------------------------------------------------------------------


def view_array(a: Array, size: Any) -> Array | None:
    """A reshaped view, or None when the strides do not allow one."""
    r = a.reshape(size)
    if a.flags.c_contiguous:
        return r
    if a.size and r.base is not a and (r.base is None or r.base is not a.base) and not np.may_share_memory(r, a):
        return None
    return r


ARRAYS["reshape"] = lambda a, s: a.reshape(s)


@op("view_(input, size)", vjps={"input": "reshape(g, input_shape)"}, node="ViewBackward0", view=True, public="view",
    latex=r"\operatorname{view}({input})", method=False, samples=[Sample((MATRIX,), {"size": (3, 2)})])  # fmt: skip
def _view(input: Array, size: Any) -> Array:
    """The same storage under another shape."""
    r = view_array(input, size)
    if r is None:
        raise RuntimeFault(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead.",
            hint="x.reshape(...) copies when it has to; or x.contiguous().view(...)",
        )
    return r


@op("unsafe_view(input, size)", vjps={"input": "reshape(g, input_shape)"}, node="UnsafeViewBackward0", view=False,
    latex=r"\operatorname{view}({input})", method=False, public="reshape",
    samples=[Sample((MATRIX,), {"size": (3, 2)})])  # fmt: skip
def _unsafe_view(input: Array, size: Any) -> Array:
    """Another shape of a fresh copy."""
    return input.reshape(size)


@composite(samples=[Sample((MATRIX,), {"size": s}) for s in ((3, 2), (-1,), (6, 1), (2, -1))],
           fails=[Failing((MATRIX,), {"size": (4,)}, RuntimeError, "shape '[4]' is invalid for input of size 6"),
                  Failing((MATRIX,), {"size": (-1, -1)}, RuntimeError, "only one dimension can be inferred")])  # fmt: skip
def view(input: Tensor, *sizes_: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """The same storage under another shape (or, given a dtype of the same width, its bits read otherwise)."""
    if not sizes_ and dtype is None and size is None:
        raise TypeFault("view() received an invalid combination of arguments - got (), but expected one of:\n * (torch.dtype "
                        "dtype)\n * (tuple of ints size)\n")  # fmt: skip
    if dtype is not None or (sizes_ and isinstance(sizes_[0], dtypes.dtype)):
        d = dtype or sizes_[0]
        return TENSORS["wrap_array"](input._array().view(d.np))
    try:
        wanted = infer_size(sizes(sizes_, size), input._a.size)
    except RuntimeFault as e:
        raise failed(_view, (input,), e) from None
    return TENSORS["view_"](input, wanted)


@op("reshape_alias(input, size)", vjps={"input": "reshape(g, input_shape)"}, node="ReshapeAliasBackward0", view=True,
    latex=r"\operatorname{reshape}({input})", method=False, public="reshape")  # fmt: skip
def _reshape_alias(input: Array, size: Any) -> Array:
    """What reshape makes of a tensor that is not contiguous but can be viewed."""
    return input.reshape(size)


@composite(samples=[Sample((MATRIX,), {"shape": (3, 2)}), Sample((TURNED,), {"shape": (-1,)}), Sample((1.0,), {"shape": (1, 1)})],
           fails=[Failing((MATRIX,), {"shape": (4,)}, RuntimeError, "shape '[4]' is invalid for input of size 6")])  # fmt: skip
def reshape(input: Tensor, *sizes_: Any, shape: Any = None) -> Tensor:
    """Another shape: a view where the strides allow, else a copy."""
    try:
        size = infer_size(sizes(sizes_, shape), input._a.size)
    except RuntimeFault as e:
        raise failed(_view, (input,), e) from None
    a = input._array()
    if a.flags.c_contiguous:
        return TENSORS["view_"](input, size)
    if view_array(a, size) is not None:
        return TENSORS["reshape_alias"](input, size)
    return TENSORS["unsafe_view"](TENSORS["clone"](input), size)


@composite()
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """A view with the shape of other."""
    return view(input, other._s)


@composite()
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """reshape to the shape of other."""
    return reshape(input, other._s)


@composite(samples=[Sample((CUBE,)), Sample((CUBE,), {"start_dim": 1}), Sample((2.0,)), Sample((TURNED,))])
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim rolled into one."""
    s = input._s
    if not s:
        return reshape(input, (1,))
    a, b = axis_of(start_dim, len(s)), axis_of(end_dim, len(s))
    if a > b:
        raise RuntimeFault("flatten() has invalid args: start_dim cannot come after end_dim")
    if a == b:
        return input
    return reshape(input, s[:a] + (kernels.numel(s[a : b + 1]),) + s[b + 1 :])


@composite()
def ravel(input: Tensor) -> Tensor:
    """One dimension; a view where possible."""
    return reshape(input, -1)


@composite(samples=[Sample(([1.0, 2.0, 3.0, 4.0],), {"dim": 0, "sizes": (2, 2)})])
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Dimension dim unrolled into several."""
    s = input._s
    d = axis_of(dim, len(s))
    return view(input, s[:d] + infer_size(sizes, s[d]) + s[d + 1 :])


@op("unsqueeze(input, dim)", vjps={"input": "squeeze_dim(g, dim)"}, node="UnsqueezeBackward0", view=True,
    latex=r"\operatorname{unsqueeze}({input})",
    samples=[Sample((MATRIX,), {"dim": d}) for d in (0, 1, -1)] + [Sample((1.0,), {"dim": 0})],
    fails=[Failing((MATRIX,), {"dim": 4}, IndexError,
                   "Dimension out of range (expected to be in range of [-3, 2], but got 4)")])  # fmt: skip
def _unsqueeze(input: Array, dim: int) -> Array:
    """A new dimension of size 1 at `dim`."""
    d = axis_of(dim, input.ndim + 1)
    return input[(slice(None),) * d + (None,)]


@op("squeeze_dim(input, dim)", vjps={"input": "reshape(g, input_shape)"}, node="SqueezeBackward1", view=True,
    latex=r"\operatorname{squeeze}({input})", method=False, public="squeeze",
    samples=[Sample(([[1.0, 2.0]],), {"dim": 0}), Sample(([[1.0, 2.0]],), {"dim": 1})])  # fmt: skip
def _squeeze_dim(input: Array, dim: int) -> Array:
    """Dimension `dim` removed if its size is 1."""
    d = axis_of(dim, input.ndim)
    return input.reshape(input.shape[:d] + input.shape[d + 1 :]) if input.ndim and input.shape[d] == 1 else input[...]


@op("squeeze_dims(input, dim)", vjps={"input": "reshape(g, input_shape)"}, node="SqueezeBackward2", view=True,
    latex=r"\operatorname{squeeze}({input})", method=False, public="squeeze",
    samples=[Sample(([[[1.0], [2.0]]],), {"dim": (0, 2)})])  # fmt: skip
def _squeeze_dims(input: Array, dim: Any) -> Array:
    """These dimensions removed if their size is 1."""
    axes = axes_of(tuple(dim), input.ndim) or ()
    return np.squeeze(input, tuple(d for d in axes if input.shape[d] == 1))


@op("squeeze_all(input)", vjps={"input": "reshape(g, input_shape)"}, node="SqueezeBackward0", view=True,
    latex=r"\operatorname{squeeze}({input})", method=False, public="squeeze",
    samples=[Sample(([[1.0, 2.0]],)), Sample(([[1.0]],))])  # fmt: skip
def _squeeze_all(input: Array) -> Array:
    """All dimensions of size 1 removed."""
    return np.squeeze(input)


@composite()
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Dimensions of size 1 removed."""
    if dim is None:
        return TENSORS["squeeze_all"](input)
    return TENSORS["squeeze_dim" if isinstance(dim, int) else "squeeze_dims"](input, dim)
