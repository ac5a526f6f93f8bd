"""Views and rearrangements: the same values under another shape, and tensors joined or taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault, ValueFault
from engine.ops import kernels
from engine.ops.axes import axes_of, axis_of
from engine.ops.op import (
    ARRAYS,
    META,
    NAMESPACE,
    SAVED,
    SHAPE,
    TENSORS,
    Bundle,
    Custom,
    Failing,
    Node,
    Sample,
    composite,
    failed,
    link,
    op,
    port,
    record,
)  # fmt: skip
from engine.ops.samples import Layout

Array = Any
Tensor = Any
Shape = kernels.Shape

assert SAVED == 9
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


ARRAYS["t"] = lambda a: a.T  # what rules transpose has two dimensions


@op("t(input)", vjps={"input": "t(g)"}, node="TBackward0", view=True, latex="{input}^\\top",
    samples=[Sample((MATRIX,)), Sample(([1.0, 2.0],)), Sample((1.0,))],
    fails=[Failing((CUBE,), {}, RuntimeError, "t() expects a tensor with <= 2 dimensions, but self is 3D")])  # fmt: skip
def _t(input: Array) -> Array:
    """Transpose of a matrix; vectors and numbers stay as they are."""
    if input.ndim > 2:
        raise RuntimeFault(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.T if input.ndim == 2 else input[...]


@op("transpose(input, dim0, dim1)", vjps={"input": "transpose(g, dim0, dim1)"}, node="TransposeBackward0", view=True,
    latex="{input}^\\top", aliases=("swapaxes", "swapdims"),
    samples=[Sample((CUBE,), {"dim0": 0, "dim1": 2}), Sample((CUBE,), {"dim0": -1, "dim1": 1})],
    fails=[Failing((MATRIX,), {"dim0": 0, "dim1": 2}, IndexError,
                   "Dimension out of range (expected to be in range of [-2, 1], but got 2)")])  # fmt: skip
def _transpose(input: Array, dim0: int, dim1: int) -> Array:
    """Two dimensions exchanged."""
    a, b = axis_of(dim0, input.ndim), axis_of(dim1, input.ndim)
    return np.swapaxes(input, a, b) if input.ndim else input[...]


def inverse_permutation(dims: Any) -> tuple[int, ...]:
    """The order that undoes `dims`."""
    n = len(dims)
    out = [0] * n
    for i, d in enumerate(dims):
        out[d % n] = i
    return tuple(out)


ARRAYS["inverse_permutation"] = TENSORS["inverse_permutation"] = inverse_permutation


@op("permute_dims(input, dims)", vjps={"input": "permute_dims(g, inverse_permutation(dims))"}, node="PermuteBackward0",
    view=True, latex=r"\operatorname{permute}({input})", method=False, public="permute",
    samples=[Sample((CUBE,), {"dims": (2, 0, 1)}), Sample((MATRIX,), {"dims": (-1, 0)})])  # fmt: skip
def _permute(input: Array, dims: Any) -> Array:
    """Dimensions in another order."""
    if dims == (1, 0) and input.ndim == 2:
        return input.T
    if len(dims) != input.ndim:
        raise RuntimeFault(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(dims)}"
        )
    axes = [axis_of(d, input.ndim) for d in dims]
    if len(set(axes)) != len(axes):
        raise RuntimeFault("permute(): duplicate dims are not allowed.")
    return input.transpose(axes)


@composite()
def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """Dimensions in another order."""
    return TENSORS["permute_dims"](input, sizes(order, dims))


@composite(samples=[Sample((CUBE,), {"source": 0, "destination": 2}), Sample((CUBE,), {"source": (0, 1), "destination": (2, 0)})],
           aliases=("moveaxis",))  # fmt: skip
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places."""
    n = len(input._s)
    src = [axis_of(d, n) for d in ((source,) if isinstance(source, int) else source)]
    dst = [axis_of(d, n) for d in ((destination,) if isinstance(destination, int) else destination)]
    if not n:
        return TENSORS["alias"](input)
    order = [-1] * n
    for s, d in zip(src, dst, strict=True) if n else ():
        order[d] = s
    rest = iter(i for i in range(n) if i not in src)
    return TENSORS["permute_dims"](input, tuple(next(rest) if o == -1 else o for o in order))


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


@op("diagonal(input, offset=0, dim1=0, dim2=1)", vjps={"input": "diagonal_backward(g, input_shape, offset, dim1, dim2)"},
    node="DiagonalBackward0", view=True, latex=r"\operatorname{diagonal}({input})",
    samples=[Sample((MATRIX,)), Sample((MATRIX,), {"offset": 1}), Sample((CUBE,), {"offset": 0, "dim1": 1, "dim2": 2})])  # fmt: skip
def _diagonal(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    """The diagonal of two dimensions, as the last one."""
    r = np.diagonal(input, offset, axis_of(dim1, input.ndim), axis_of(dim2, input.ndim))
    if input.flags.writeable:
        r.flags.writeable = True
    return r


@op("diagonal_backward(g_, input_sizes, offset, dim1, dim2)", vjps={"g_": "diagonal(g, offset, dim1, dim2)"},
    node="DiagonalBackwardBackward0", latex="", method=False)  # fmt: skip
def _diagonal_backward(g_: Array, input_sizes: Any, offset: int, dim1: int, dim2: int) -> Array:
    """Zeros but for a diagonal."""
    r = np.zeros(input_sizes, g_.dtype)
    d = np.diagonal(r, offset, axis_of(dim1, r.ndim), axis_of(dim2, r.ndim))
    d.flags.writeable = True
    d[...] = g_
    return r


@op("unfold(input, dimension, size, step)", vjps={"input": "unfold_backward(g, input_shape, dimension, size, step)"},
    node="UnfoldBackward0", view=True, public="Tensor.unfold", latex=r"\operatorname{unfold}({input})",
    samples=[Sample(([1.0, 2.0, 3.0, 4.0, 5.0],), {"dimension": 0, "size": 2, "step": s}) for s in (1, 2)]
    + [Sample((MATRIX,), {"dimension": 1, "size": 2, "step": 1})])  # fmt: skip
def _unfold(input: Array, dimension: int, size: int, step: int) -> Array:
    """Windows of a dimension, as a new last dimension."""
    d = axis_of(dimension, input.ndim)
    n = input.shape[d] if input.ndim else 1
    if size > n:
        raise RuntimeFault(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeFault(f"step is {step} but must be > 0")
    count = (n - size) // step + 1
    shape = [*input.shape, size]
    strides = [*input.strides, input.strides[d]]
    shape[d] = count
    strides[d] *= step
    return np.lib.stride_tricks.as_strided(input, shape, strides)


@op("unfold_backward(g_, input_sizes, dim, size, step)", vjps={"g_": "unfold(g, dim, size, step)"},
    node="UnfoldBackwardBackward0", latex="", method=False)  # fmt: skip
def _unfold_backward(g_: Array, input_sizes: Any, dim: int, size: int, step: int) -> Array:
    """Windows added back to where they were taken."""
    r = np.zeros(input_sizes, g_.dtype)
    d = axis_of(dim, r.ndim)
    moved = np.moveaxis(r, d, -1)
    windows = np.moveaxis(g_, d, -2)
    for i in range(windows.shape[-2]):
        moved[..., i * step : i * step + size] += windows[..., i, :]
    return r


@op("alias(input)", vjps={"input": "g"}, node="AliasBackward0", view=True, latex="{input}", method=False,
    samples=[Sample((MATRIX,))], source="")  # fmt: skip
def _alias(input: Array) -> Array:
    """The tensor itself, as a new view."""
    return input[...]


@op("as_strided(input, size, stride, storage_offset=None)", view=True, node="AsStridedBackward0",
    vjps={"input": "as_strided_backward(g, input_shape, size, stride, storage_offset)"},
    latex=r"\operatorname{as\_strided}({input})", samples=[Sample((MATRIX,), {"size": (2,), "stride": (1,)})])  # fmt: skip
def _as_strided(input: Array, size: Any, stride: Any, storage_offset: Any) -> Array:
    """Any strides over the storage of a contiguous tensor."""
    flat = input.reshape(-1)[storage_offset or 0 :]
    need = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if kernels.numel(tuple(size)) else 0
    if need > flat.size:
        raise RuntimeFault(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {storage_offset or 0}, and itemsize "
            f"{input.itemsize} requiring a storage size of {(need + (storage_offset or 0)) * input.itemsize} are out of bounds "
            f"for storage of size {input.nbytes}"
        )
    return np.lib.stride_tricks.as_strided(flat, size, [s * input.itemsize for s in stride])


@op("as_strided_backward(g_, input_sizes, size, stride, storage_offset)", node="AsStridedBackwardBackward0", latex="",
    vjps={"g_": "as_strided(g, size, stride, storage_offset)"}, method=False)  # fmt: skip
def _as_strided_backward(g_: Array, input_sizes: Any, size: Any, stride: Any, storage_offset: Any) -> Array:
    """Elements added back to where the strides took them."""
    r = np.zeros(kernels.numel(tuple(input_sizes)), g_.dtype)
    index = np.full(tuple(size), storage_offset or 0)
    for d, s in enumerate(stride):
        index = index + (np.arange(size[d]) * s).reshape([-1 if k == d else 1 for k in range(len(size))])
    np.add.at(r, index, g_)
    return r.reshape(input_sizes)


# ---- copies ---------------------------------------------------------------------------------------------------


@op("clone_(input)", vjps={"input": "g"}, node="CloneBackward0", latex="{input}", lazy=True, method=False, public="clone",
    samples=[Sample((MATRIX,)), Sample((1.0,)), Sample((TURNED,))])  # fmt: skip
def _clone(input: Array) -> Array:
    """A copy with its own storage, part of the graph."""
    return input.copy(order="K")


@composite()
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with its own storage, part of the graph."""
    return TENSORS["clone_"](input)


@op("contiguous_(input)", vjps={"input": "g"}, node="CloneBackward0", latex="{input}", lazy=True, method=False,
    public="contiguous", samples=[Sample((TURNED,))])  # fmt: skip
def _contiguous(input: Array) -> Array:
    """A copy in row-major order."""
    return np.ascontiguousarray(input) if not input.flags.c_contiguous else input.copy()


TENSORS["clone_rows"] = lambda x: TENSORS["contiguous_"](x)


@composite()
def contiguous(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """The tensor itself if its memory is in row-major order, else such a copy."""
    a = input._a
    return input if type(a) is not ndarray or a.flags.c_contiguous else TENSORS["contiguous_"](input)


@op("to_dtype(input, dtype, source=None)", vjps={"input": "cast_back(g, source)"}, node="ToCopyBackward0", latex="{input}", lazy=True,
    method=False, public="to", samples=())  # fmt: skip
def _to_dtype(input: Array, dtype: Any, source: Any) -> Array:
    """A copy with another element type."""
    if input.dtype.kind not in "bui" and dtype.np.kind in "ui":
        return np.trunc(input).astype(np.int64).astype(dtype.np)
    return input.astype(dtype.np)


def _cast_back(g: Array, source: Any) -> Array:
    return g.astype(source.np)


_convert = TENSORS["to_dtype"]


def to_dtype(input: Tensor, dtype: Any) -> Tensor:
    """A copy with another element type: part of the graph as long as that is a floating point type."""
    if dtype.is_floating_point or input._n is None:
        return _convert(input, dtype, dtypes.of(input._a))
    before = NAMESPACE["grad_on"]
    NAMESPACE["grad_on"] = False
    try:
        return _convert(input, dtype, dtypes.of(input._a))
    finally:
        NAMESPACE["grad_on"] = before


TENSORS["to_dtype"] = to_dtype


ARRAYS["cast_back"] = _cast_back
TENSORS["cast_back"] = to_dtype


@op("flip_(input, dims)", vjps={"input": "flip_(g, dims)"}, node="FlipBackward0", latex=r"\operatorname{flip}({input})",
    method=False, public="flip", samples=[Sample((MATRIX,), {"dims": (0,)}), Sample((MATRIX,), {"dims": (0, -1)})])  # fmt: skip
def _flip(input: Array, dims: Any) -> Array:
    """Reversed along these dimensions."""
    return np.flip(input, [axis_of(d, input.ndim) for d in dims]).copy() if input.ndim else input.copy()


@composite()
def flip(input: Tensor, *axes: Any, dims: Any = None) -> Tensor:
    """Reversed along these dimensions."""
    return TENSORS["flip_"](input, sizes(axes, dims))


@composite()
def fliplr(input: Tensor) -> Tensor:
    """Reversed along dimension 1."""
    return TENSORS["flip_"](input, (1,))


@composite()
def flipud(input: Tensor) -> Tensor:
    """Reversed along dimension 0."""
    return TENSORS["flip_"](input, (0,))


@op("roll(input, shifts, dims=None)", vjps={"input": "roll(g, opposite(shifts), dims)"}, node="RollBackward0",
    latex=r"\operatorname{roll}({input})", samples=[Sample((MATRIX,), {"shifts": 1}), Sample((MATRIX,), {"shifts": 1, "dims": 0}),
    Sample((MATRIX,), {"shifts": (1, -1), "dims": (0, 1)})])  # fmt: skip
def _roll(input: Array, shifts: Any, dims: Any) -> Array:
    """Shifted around along dimensions."""
    dims = None if dims is None or dims == () else dims
    if not input.size:
        return input.copy()
    if isinstance(dims, int):
        dims = axis_of(dims, input.ndim)
    elif dims is not None:
        dims = tuple(axis_of(d, input.ndim) for d in dims)
    return np.roll(input, shifts if dims is not None or isinstance(shifts, int) else shifts[0], dims)


ARRAYS["opposite"] = TENSORS["opposite"] = lambda s: -s if isinstance(s, int) else tuple(-x for x in s)


@op("rot90(input, k=1, dims=(0, 1))", vjps={"input": "rot90(g, -k, dims)"}, node="Rot90Backward0",
    latex=r"\operatorname{rot90}({input})", samples=[Sample((MATRIX,)), Sample((MATRIX,), {"k": 2})])  # fmt: skip
def _rot90(input: Array, k: int, dims: Any) -> Array:
    """Rotated by 90 degrees, k times."""
    return np.rot90(input, k, dims).copy()


@op("repeat_(input, sizes)", vjps={"input": "repeat_backward(g, sizes, input_shape)"}, node="RepeatBackward0",
    latex=r"\operatorname{repeat}({input})", method=False, public="repeat",
    samples=[Sample((MATRIX,), {"sizes": (2, 1)}), Sample(([1.0, 2.0],), {"sizes": (2, 3)})])  # fmt: skip
def _repeat(input: Array, sizes: Any) -> Array:
    """Copies laid side by side."""
    if len(sizes) < input.ndim:
        raise RuntimeFault("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return np.tile(input, sizes)


def _repeat_backward(g: Any, counts: Any, shape: Shape) -> Any:
    """Sum over the copies: every dimension split into (copies, size)."""
    k = len(counts) - len(shape)
    split: list[int] = []
    axes = []
    for i, c in enumerate(counts):
        axes.append(len(split))
        split.append(c)
        if i >= k:
            split.append(shape[i - k])
    if isinstance(g, NAMESPACE["Tensor"]):
        return TENSORS["reshape"](TENSORS["sum"](TENSORS["reshape"](g, tuple(split)), tuple(axes)), shape)
    return g.reshape(split).sum(tuple(axes)).reshape(shape)


ARRAYS["repeat_backward"] = TENSORS["repeat_backward"] = _repeat_backward


@composite()
def repeat(input: Tensor, *counts: Any, repeats: Any = None) -> Tensor:
    """Copies laid side by side."""
    return TENSORS["repeat_"](input, sizes(counts, repeats))


@composite(samples=[Sample((MATRIX,), {"dims": (2,)}), Sample(([1.0],), {"dims": (2, 2)})])
def tile(input: Tensor, *times: Any, dims: Any = None) -> Tensor:
    """repeat() with missing leading counts taken as 1."""
    counts = sizes(times, dims)
    return TENSORS["repeat_"](input, (1,) * (len(input._s) - len(counts)) + counts)


@composite(samples=[Sample((MATRIX,), {"repeats": 2}), Sample((MATRIX,), {"repeats": 2, "dim": 0})])
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None, *, output_size: Any = None) -> Tensor:
    """Each element repeated in place."""
    if dim is None:
        input, dim = flatten(input), 0
    d = axis_of(dim, len(input._s))
    if isinstance(repeats, int):
        s = input._s
        wide = TENSORS["expand_to"](TENSORS["unsqueeze"](input, d + 1), (*s[: d + 1], repeats, *s[d + 1 :]))
        return flatten(TENSORS["clone_rows"](wide), d, d + 1)
    if isinstance(repeats, NAMESPACE["Tensor"]):
        counts = np.broadcast_to(np.asarray(repeats._a).reshape(-1), (input._s[d],))
    else:
        counts = np.full(input._s[d], repeats)
    index = TENSORS["wrap_array"](np.repeat(np.arange(input._s[d]), counts))
    return TENSORS["index_select"](input, d, index)


def _triangle(f: Any, name: str, input: Array, diagonal: int) -> Array:
    if input.ndim < 2:
        raise RuntimeFault(f"{name}: input tensor must have at least 2 dimensions")
    return f(input, diagonal)


for _name, _f in (("tril", np.tril), ("triu", np.triu)):
    op(f"{_name}(input, diagonal=0)", vjps={"input": f"{_name}(g, diagonal)"}, node=f"{_name.capitalize()}Backward0",
       latex=rf"\operatorname{{{_name}}}({{input}})",
       doc=f"The {'lower' if _name == 'tril' else 'upper'} triangle of matrices, zeros elsewhere.",
       samples=[Sample((MATRIX,)), Sample((MATRIX,), {"diagonal": 1}), Sample((CUBE,), {"diagonal": -1})], inplace=True,
       )(lambda input, diagonal, f=_f, name=_name: _triangle(f, name, input, diagonal))  # fmt: skip


@op("diag_embed_(input, offset)", vjps={"input": "diagonal(g, offset, -2, -1)"}, node="DiagEmbedBackward0",
    latex=r"\operatorname{diag}({input})", method=False, public="diag_embed",
    samples=[Sample(([1.0, 2.0],), {"offset": 0}), Sample((MATRIX,), {"offset": 1})])  # fmt: skip
def _diag_embed(input: Array, offset: int) -> Array:
    """Matrices with the last dimension on a diagonal."""
    n = input.shape[-1] + abs(offset)
    r = np.zeros((*input.shape[:-1], n, n), input.dtype)
    i = np.arange(input.shape[-1])
    r[..., i + max(0, -offset), i + max(0, offset)] = input
    return r


@composite(samples=[Sample(([1.0, 2.0],)), Sample((MATRIX,))])
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last dimension on a diagonal."""
    r = TENSORS["diag_embed_"](input, offset)
    n = len(r._s)
    a, b = axis_of(dim1, n), axis_of(dim2, n)
    return r if (a, b) == (n - 2, n - 1) else movedim(r, (n - 2, n - 1), (a, b))


@op("diagonal_copy(input, offset)", vjps={"input": "diagonal_backward(g, input_shape, offset, 0, 1)"},
    node="DiagonalBackward0_copy", latex=r"\operatorname{diag}({input})", method=False, public="diag",
    samples=[Sample((MATRIX,), {"offset": 0})])  # fmt: skip
def _diagonal_copy(input: Array, offset: int) -> Array:
    """A diagonal as a new vector."""
    return np.diagonal(input, offset).copy()


@composite(samples=[Sample(([1.0, 2.0],)), Sample((MATRIX,)), Sample((MATRIX,), {"diagonal": 1})])
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor = None) -> Tensor:
    """A vector as a diagonal matrix, or the diagonal of a matrix."""
    n = len(input._s)
    if n not in (1, 2):
        raise RuntimeFault(f"diag(): Supports 1D or 2D tensors. Got {n}D")
    return TENSORS["diag_embed_" if n == 1 else "diagonal_copy"](input, diagonal)


@composite()
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Flattened, as a diagonal matrix."""
    return TENSORS["diag_embed_"](reshape(input, -1), offset)


# ---- joining and taking apart -----------------------------------------------------------------------------------

CAT = record("cat", "Tensors joined along a dimension that exists.", node="CatBackward0",
             latex=r"\operatorname{cat}({tensors})", kernel=np.concatenate, aliases=("concat", "concatenate"))  # fmt: skip


def _cat_arrays(n: Node, g: Any) -> tuple[Any, ...]:
    g = kernels.full(g, n[SHAPE])
    meta = n[META]
    d, out, start = meta["dim"], [], 0
    for i, s in enumerate(meta["shapes"]):
        size = s[d] if len(s) > d and s != (0,) else 0
        if i in meta["positions"]:
            part = g[(slice(None),) * d + (slice(start, start + size),)]
            out.append((part if size or s != (0,) else np.zeros((0,), g.dtype)).astype(meta["types"][i], copy=False))
        start += size
    return tuple(out)


def _cat_tensors(n: Node, g: Tensor) -> tuple[Any, ...]:
    meta = n[META]
    d, out, start = meta["dim"], [], 0
    for i, s in enumerate(meta["shapes"]):
        size = s[d] if len(s) > d and s != (0,) else 0
        if i in meta["positions"]:
            out.append(TENSORS["narrow"](g, d, start, size))
        start += size
    return tuple(out)


CAT_RULE = Custom(CAT, _cat_arrays, _cat_tensors)


def _list_of(name: str, tensors: Any) -> list[Tensor]:
    tensor = NAMESPACE["Tensor"]
    if isinstance(tensors, tensor) or not isinstance(tensors, (list, tuple)):
        raise TypeFault(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}",
            hint=f"torch.{name}([a, b])",
        )
    for i, t in enumerate(tensors):
        if not isinstance(t, tensor):
            raise TypeFault(f"expected Tensor as element {i} in argument 0, but got {type(t).__name__}")
    if not tensors:
        if name == "stack":
            raise RuntimeFault("stack expects a non-empty TensorList")
        raise ValueFault(f"torch.{name}(): expected a non-empty list of Tensors")
    return list(tensors)


def _arrays_of(tensors: list[Tensor]) -> tuple[list[Array], Any]:
    """The arrays in their common dtype."""
    kind = dtypes.of(tensors[0]._a)
    for t in tensors[1:]:
        kind = dtypes.promote_types(kind, dtypes.of(t._a))
    return [np.asarray(t._a).reshape(t._s).astype(kind.np, copy=False) for t in tensors], kind


def _finish(o: Any, rule: Custom, tensors: list[Tensor], v: Array, meta: dict[str, Any], out: Any, params: Any) -> Tensor:
    from engine.ops.op import observe

    meta["types"] = [t._a.dtype for t in tensors]
    r = TENSORS["wrap_array"](v)
    r._n = link(rule, tensors, v.shape, meta)
    r._a = kernels.unbox(v)
    if NAMESPACE["_obs"] is not None:
        observe(o, r, tuple(tensors), params)
    return r if out is None else NAMESPACE["store"](out, r)


@composite("cat", aliases=("concat", "concatenate"), method=False,
           samples=[Sample((), {"tensors": (MATRIX, MATRIX), "dim": d}) for d in (0, 1, -1)])  # fmt: skip
def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Tensor = None) -> Tensor:
    """Tensors joined along a dimension that exists."""
    ts = _list_of("cat", tensors)
    real = [t for t in ts if t._s != (0,)] or ts
    first = real[0]
    if not first._s:
        raise RuntimeFault(f"zero-dimensional tensor (at position {ts.index(first)}) cannot be concatenated",
                           hint="torch.stack() joins 0-dim tensors")  # fmt: skip
    d = axis_of(dim if axis is None else axis, len(first._s))
    for i, t in enumerate(ts):
        if t._s == (0,):
            continue
        if not t._s:
            raise RuntimeFault(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
        if len(t._s) != len(first._s):
            raise failed(CAT, ts, RuntimeFault(
                f"Tensors must have same number of dimensions: got {len(first._s)} and {len(t._s)}",
                hint=f"unsqueeze the one with {min(len(first._s), len(t._s))} dimensions, or use torch.stack"))  # fmt: skip
        for k, (a, b) in enumerate(zip(first._s, t._s, strict=True)):
            if k != d and a != b:
                raise failed(CAT, ts, RuntimeFault(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {a} but got size {b} for tensor "
                    f"number {i} in the list."))  # fmt: skip
    arrays, _ = _arrays_of(ts)
    v = np.concatenate([a for a in arrays if a.shape != (0,) or a.ndim == len(first._s)], d)
    return _finish(CAT, CAT_RULE, ts, v, {"dim": d}, out, {"dim": dim})


STACK = record("stack", "Tensors of one shape joined along a new dimension.", node="StackBackward0",
               latex=r"\operatorname{stack}({tensors})", kernel=np.stack)  # fmt: skip


def _stack_arrays(n: Node, g: Any) -> tuple[Any, ...]:
    g = kernels.full(g, n[SHAPE])
    d = n[META]["dim"]
    parts = []
    for i in n[META]["positions"]:
        p = g[(slice(None),) * d + (i,)]
        parts.append(p.astype(n[META]["types"][i], copy=False))
    return tuple(parts)


def _stack_tensors(n: Node, g: Tensor) -> tuple[Any, ...]:
    return tuple(TENSORS["select"](g, n[META]["dim"], i) for i in n[META]["positions"])


STACK_RULE = Custom(STACK, _stack_arrays, _stack_tensors)


@composite("stack", method=False, samples=[Sample((), {"tensors": (MATRIX, MATRIX), "dim": d}) for d in (0, 1, -1)])
def stack(tensors: Any, dim: int = 0, *, out: Tensor = None) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    ts = _list_of("stack", tensors)
    for i, t in enumerate(ts):
        if t._s != ts[0]._s:
            raise failed(STACK, ts, RuntimeFault(
                f"stack expects each tensor to be equal size, but got {list(ts[0]._s)} at entry 0 and {list(t._s)} at entry {i}",
                hint="torch.cat joins tensors that differ in one dimension"))  # fmt: skip
    d = axis_of(dim, len(ts[0]._s) + 1)
    arrays, _ = _arrays_of(ts)
    return _finish(STACK, STACK_RULE, ts, np.stack(arrays, d), {"dim": d}, out, {"dim": dim})


def _at_least(t: Tensor, n: int) -> Tensor:
    return reshape(t, (1,)) if not t._s and n == 1 else t


@composite(method=False)
def hstack(tensors: Any) -> Tensor:
    """Joined along dimension 1 (0 for vectors)."""
    ts = [_at_least(t, 1) for t in tensors]
    return cat(ts, 0 if len(ts[0]._s) == 1 else 1)


@composite(method=False, aliases=("row_stack",))
def vstack(tensors: Any) -> Tensor:
    """Joined along dimension 0, vectors as rows."""
    return cat([TENSORS["unsqueeze"](_at_least(t, 1), 0) if len(t._s) < 2 else t for t in tensors], 0)


@composite(method=False)
def dstack(tensors: Any) -> Tensor:
    """Joined along dimension 2."""
    out = []
    for t in tensors:
        t = TENSORS["unsqueeze"](_at_least(t, 1), 0) if len(t._s) < 2 else t
        out.append(TENSORS["unsqueeze"](t, 2) if len(t._s) < 3 else t)
    return cat(out, 2)


@composite(method=False)
def column_stack(tensors: Any) -> Tensor:
    """Joined along dimension 1, vectors as columns."""
    return cat([reshape(t, (t._a.size, 1)) if len(t._s) < 2 else t for t in tensors], 1)


@composite(method=False)
def atleast_1d(*tensors: Any) -> Any:
    """Of at least one dimension."""
    out = tuple(_at_least(t, 1) for t in tensors)
    return out[0] if len(out) == 1 else out


@composite(method=False)
def atleast_2d(*tensors: Any) -> Any:
    """Of at least two dimensions."""
    out = tuple(TENSORS["unsqueeze"](_at_least(t, 1), 0) if len(t._s) < 2 else t for t in tensors)
    return out[0] if len(out) == 1 else out


# several views of one tensor, one node with several outputs


def _pieces_arrays(n: Node, g: Bundle) -> tuple[Any, ...]:
    meta = n[META]
    whole = np.zeros(meta["shapes"][0], meta["type"])
    for i, p in g.parts.items():
        whole[meta["where"][i]] = p
    return (whole,)


def _pieces_tensors(n: Node, g: Bundle) -> tuple[Any, ...]:
    meta = n[META]
    total = None
    for i, p in g.parts.items():
        part = TENSORS["put_at"](p, meta["shapes"][0], meta["where"][i])
        total = part if total is None else total + part
    return (total,)


def _pieces(o: Any, rule: Custom, input: Tensor, where: list[Any], params: dict[str, Any]) -> tuple[Tensor, ...]:
    a = input._array()
    arrays = [a[(*w, ...)] for w in where]
    node = link(rule, (input,), tuple(p.shape for p in arrays), {"where": where, "type": a.dtype})
    out = []
    for i, p in enumerate(arrays):
        r = TENSORS["wrap_array"](p)
        r._n = None if node is None else port(node, i, p.shape)
        NAMESPACE["link_view"](r, input, PIECE, {"where": where[i]})
        out.append(r)
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].forward(o, node, (input,), tuple(out), params, saved=(), view_of=input)
    return tuple(out)


def _piece(input: Array, where: Any) -> Array:
    r = input[(*where, ...)]
    return r


PIECE = record("piece", "One of several views of a tensor.", node="SliceBackward0", latex="", kernel=_piece, inputs=("input",))
SPLIT = record("split", "Views of equal parts along a dimension.", node="SplitBackward0", inputs=("input",),
               latex=r"\operatorname{split}({input})", view=True)  # fmt: skip
SPLIT_SIZES = record("split_with_sizes", "Views of parts of given sizes along a dimension.", node="SplitWithSizesBackward0",
                     latex=r"\operatorname{split}({input})", inputs=("input",), public="split", view=True)  # fmt: skip
UNBIND = record("unbind", "A view for each index of a dimension.", node="UnbindBackward0", inputs=("input",),
                latex=r"\operatorname{unbind}({input})", view=True)  # fmt: skip
SPLIT_RULE = Custom(SPLIT, _pieces_arrays, _pieces_tensors)
SPLIT_SIZES_RULE = Custom(SPLIT_SIZES, _pieces_arrays, _pieces_tensors)
UNBIND_RULE = Custom(UNBIND, _pieces_arrays, _pieces_tensors)


def _ranges(d: int, lengths: Any) -> list[Any]:
    out, start = [], 0
    for n in lengths:
        out.append((*(slice(None),) * d, slice(start, start + n)))
        start += n
    return out


@composite("split", samples=[Sample((MATRIX,), {"split_size_or_sections": 2, "dim": 1}),
                             Sample((MATRIX,), {"split_size_or_sections": [1, 2], "dim": 1})])  # fmt: skip
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along a dimension: of one size, or of given sizes."""
    if not tensor._s:
        raise RuntimeFault("split expects at least a 1-dimensional tensor")
    d = axis_of(dim, len(tensor._s))
    n = tensor._s[d]
    if isinstance(split_size_or_sections, (list, tuple)):
        if sum(split_size_or_sections) != n:
            raise RuntimeFault(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), but got "
                f"split_sizes={list(split_size_or_sections)}"
            )
        return _pieces(SPLIT_SIZES, SPLIT_SIZES_RULE, tensor, _ranges(d, split_size_or_sections), {"dim": dim})
    k = int(split_size_or_sections)
    if k < 0 or (k == 0 and n):
        raise RuntimeFault(f"split expects split_size be non-negative, but got split_size={k}"
                           if k < 0 else f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")  # fmt: skip
    lengths = [min(k, n - i) for i in range(0, n, k)] if n else [0]
    return _pieces(SPLIT, SPLIT_RULE, tensor, _ranges(d, lengths), {"split_size": k, "dim": dim})


@composite("chunk", samples=[Sample((MATRIX,), {"chunks": 2, "dim": 1})], aliases=("unsafe_chunk",))
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal parts along a dimension."""
    if not input._s:
        raise RuntimeFault("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeFault(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = axis_of(dim, len(input._s))
    n = input._s[d]
    return split(input, -(-n // chunks) if n else [0] * chunks, d)


@composite("tensor_split", samples=[])
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts that may differ by one element, or cut at given indices."""
    d = axis_of(dim, len(input._s))
    n = input._s[d]
    if isinstance(indices_or_sections, int):
        k, extra = divmod(n, indices_or_sections)
        cuts = []
        at = 0
        for i in range(indices_or_sections - 1):
            at += k + (i < extra)
            cuts.append(at)
    else:
        cuts = [int(i) for i in indices_or_sections]
    bounds = [0, *cuts, n]
    return tuple(TENSORS["slice"](input, d, a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True))


@composite("unbind", samples=[Sample((MATRIX,)), Sample((MATRIX,), {"dim": 1})])
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """A view for each index of a dimension."""
    if not input._s:
        raise RuntimeFault("Dimension specified as 0 but tensor has no dimensions")
    d = axis_of(dim, len(input._s))
    where = [(*(slice(None),) * d, i) for i in range(input._s[d])]
    return _pieces(UNBIND, UNBIND_RULE, input, where, {"dim": dim}) if where else ()


@composite("meshgrid", method=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinate grids of vectors."""
    ts = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    if indexing is None:
        import warnings

        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=2,
        )
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise RuntimeFault(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(ts) >= 2
    if swap:
        ts[0], ts[1] = ts[1], ts[0]
    shape = tuple(t._a.size for t in ts)
    grids = [
        TENSORS["expand_to"](view(t, (1,) * i + (t._a.size,) + (1,) * (len(ts) - i - 1)), shape) for i, t in enumerate(ts)
    ]
    if swap:
        grids = [TENSORS["transpose"](x, 0, 1) for x in grids]
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@composite("cartesian_prod", method=False)
def cartesian_prod(*tensors: Any) -> Tensor:
    """All combinations of the elements of vectors, as rows."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(x) for x in meshgrid(*tensors, indexing="ij")], 1)


