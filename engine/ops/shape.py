"""Views and rearrangements: the same values under another shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, composite, op
from engine.ops.reduce import axis_of

Array = Any
Tensor = Any
Shape = kernels.Shape

ARRAYS.update(unsqueeze=lambda a, dim: np.expand_dims(a, dim), reshape=lambda a, s: a.reshape(s))


def infer_size(shape: Any, n: int) -> Shape:
    """A requested shape with its -1 filled in."""
    shape = tuple(int(d) for d in shape)
    known = kernels.numel([d for d in shape if d != -1])  # type: ignore[arg-type]
    if shape.count(-1) == 1 and known and n % known == 0:
        return tuple(n // known if d == -1 else d for d in shape)
    if shape.count(-1) > 1:
        raise RuntimeFault("only one dimension can be inferred")
    if known != n or -1 in shape:
        raise RuntimeFault(f"shape '{list(shape)}' is invalid for input of size {n}")
    return shape


@op("view(input, size)", vjps={"input": "reshape(g, input_shape)"}, node="ViewBackward0", view=True,
    latex=r"\operatorname{view}(x)", method=False)  # fmt: skip
def _view(input: Array, size: Any) -> Array:
    """The same storage under another shape."""
    r = input.reshape(infer_size(size, input.size))
    if input.size and not np.may_share_memory(r, input):
        raise RuntimeFault(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead.",
            hint="x.reshape(...) copies when it has to; or x.contiguous().view(...)",
        )
    return r


@op("t(input)", vjps={"input": "t(g)"}, node="TBackward0", view=True, latex="x^\\top")
def _t(input: Array) -> Array:
    """Transpose of a matrix; vectors and numbers stay as they are."""
    if input.ndim > 2:
        raise RuntimeFault(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.T


@op("transpose(input, dim0, dim1)", vjps={"input": "transpose(g, dim0, dim1)"}, node="TransposeBackward0", view=True,
    latex="x^\\top")  # fmt: skip
def _transpose(input: Array, dim0: int, dim1: int) -> Array:
    """Two dimensions exchanged."""
    return np.swapaxes(input, axis_of(dim0, input.ndim), axis_of(dim1, input.ndim)) if input.ndim else input[...]


@op("permute_(input, dims)", vjps={"input": "permute_(g, inverse_permutation(dims))"}, node="PermuteBackward0", view=True,
    latex=r"\operatorname{permute}(x)", method=False, public="permute")  # fmt: skip
def _permute(input: Array, dims: Any) -> Array:
    """Dimensions in another order."""
    if len(dims) != input.ndim:
        raise RuntimeFault(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(dims)}"
        )
    return input.transpose([axis_of(d, input.ndim) for d in dims])


def inverse_permutation(dims: Any) -> tuple[int, ...]:
    """The order that undoes `dims`."""
    n = len(dims)
    out = [0] * n
    for i, d in enumerate(dims):
        out[d % n] = i
    return tuple(out)


ARRAYS["inverse_permutation"] = TENSORS["inverse_permutation"] = inverse_permutation


@op("unsqueeze(input, dim)", vjps={"input": "squeeze_dim(g, dim)"}, node="UnsqueezeBackward0", view=True,
    latex=r"\operatorname{unsqueeze}(x)")  # fmt: skip
def _unsqueeze(input: Array, dim: int) -> Array:
    """A new dimension of size 1 at `dim`."""
    return np.expand_dims(input, axis_of(dim, input.ndim + 1))


@op("squeeze_dim(input, dim)", vjps={"input": "reshape(g, input_shape)"}, node="SqueezeBackward1", view=True,
    latex=r"\operatorname{squeeze}(x)", method=False, public="squeeze")  # fmt: skip
def _squeeze_dim(input: Array, dim: int) -> Array:
    """Dimension `dim` removed if its size is 1."""
    d = axis_of(dim, input.ndim)
    return np.squeeze(input, d) if input.ndim and input.shape[d] == 1 else input[...]


@op("squeeze_all(input)", vjps={"input": "reshape(g, input_shape)"}, node="SqueezeBackward0", view=True,
    latex=r"\operatorname{squeeze}(x)", method=False, public="squeeze")  # fmt: skip
def _squeeze_all(input: Array) -> Array:
    """All dimensions of size 1 removed."""
    return np.squeeze(input)


@composite()
def squeeze(input: Tensor, dim: int | None = None) -> Tensor:
    """Dimensions of size 1 removed."""
    return TENSORS["squeeze_all"](input) if dim is None else TENSORS["squeeze_dim"](input, dim)


@op("expand_(input, size)", vjps={"input": "sum_to_size(g, input_shape)"}, node="ExpandBackward0", view=True,
    latex=r"\operatorname{expand}(x)", method=False, public="expand")  # fmt: skip
def _expand(input: Array, size: Any) -> Array:
    """A view with dimensions of size 1 repeated."""
    k = len(size) - input.ndim
    if k < 0:
        raise RuntimeFault(
            f"expand(torch.{_type_name(input)}{{{list(input.shape)}}}, size={list(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    want = []
    for i, d in enumerate(size):
        have = input.shape[i - k] if i >= k else 1
        if d == -1 and i < k:
            raise RuntimeFault(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if d != -1 and have not in (1, d):
            raise RuntimeFault(
                f"The expanded size of the tensor ({d}) must match the existing size ({have}) at non-singleton dimension "
                f"{i}.  Target sizes: {list(size)}.  Tensor sizes: {list(input.shape)}"
            )
        want.append(have if d == -1 else d)
    r = np.broadcast_to(input, want)
    if input.flags.writeable:
        r.flags.writeable = True
    return r


def _type_name(a: Array) -> str:
    from engine import dtypes

    return dtypes.TYPE_NAMES[dtypes.of(a)] + "{"[:0]


def sum_to_size_array(g: Array, size: Shape) -> Array:
    """Sum a broadcast gradient down to `size`."""
    return kernels.unbroadcast(g, tuple(size), g.shape)


ARRAYS["sum_to_size"] = sum_to_size_array


def sizes(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    return tuple(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else args


@composite()
def expand(input: Tensor, *size: Any) -> Tensor:
    """A view with dimensions of size 1 repeated."""
    return TENSORS["expand_"](input, sizes(size))


@composite()
def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimensions in another order."""
    return TENSORS["permute_"](input, sizes(dims))


@composite()
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """Another shape: a view where the strides allow, else a copy."""
    size = infer_size(sizes(shape), kernels.numel(input._s))
    a = input._array()
    if np.may_share_memory(a.reshape(size), a) or not a.size:
        return TENSORS["view"](input, size)
    return TENSORS["view"](TENSORS["clone"](input), size)


@composite()
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Summed down to a shape that broadcasts to this one."""
    size = sizes(size)
    s = input._s
    if s == size:
        return input
    axes = kernels.summed_axes(size, s)
    out = TENSORS["sum"](input, axes, True) if axes else input
    return TENSORS["reshape"](out, size) if out._s != size else out


@op("clone(input)", vjps={"input": "g"}, node="CloneBackward0", latex="x", lazy=True)
def _clone(input: Array) -> Array:
    """A copy with its own storage, part of the graph."""
    return input.copy()
