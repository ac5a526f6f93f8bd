"""The same storage read in another order: transposes, permutations, windows, strides."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.axes import axis_of
from engine.ops.op import ARRAYS, TENSORS, Failing, Sample, composite, op
from engine.ops.shape import CUBE, MATRIX, sizes

Array = Any
Tensor = Any


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
    if not order and dims is None:
        raise TypeFault('permute() missing 1 required positional arguments: "dims"')
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
