"""The largest, smallest, middle and most frequent values, and where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine.errors import IndexFault, NotImplementedFault, RuntimeFault
from engine.ops import kernels
from engine.ops.axes import BAD_DIM, BY_DIM, BY_DIMS, MATRIX, ONE_DIM, axes_of, axis_of, spread, unreduced
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Sample, composite, op, return_type

Array = Any
Tensor = Any
Dims = Any  # None, an int or a sequence of ints


def _share_ties(g: Any, a: Any, out: Any, dim: Dims, keepdim: bool) -> Any:
    """amax and full max: equal extremes share the gradient evenly."""
    mask = a == unreduced(out, np.shape(a), dim, keepdim)
    n = np.add.reduce(mask, axes_of(dim, np.ndim(a)), None, None, True) if np.ndim(a) else 1
    return spread(g, np.shape(a), dim, keepdim) * mask / np.asarray(n, a.dtype)


def _share_ties_tensor(g: Tensor, a: Tensor, out: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    mask = a == TENSORS["unreduced"](out, a._s, dim, keepdim)
    n = TENSORS["sum"](mask, dim, True) if a._s else 1
    return TENSORS["spread"](g, a._s, dim, keepdim) * mask / n


def _share_all(g: Any, a: Any, out: Any) -> Any:
    """max() of everything: as share_ties, where nan is equal to nan."""
    mask = (a == out) | (np.isnan(a) & np.isnan(out)) if a.dtype.kind in "fV" else a == out
    return g * mask / np.asarray(np.count_nonzero(mask), a.dtype)


def _share_all_tensor(g: Tensor, a: Tensor, out: Tensor) -> Tensor:
    mask = TENSORS["logical_or"](a == out, TENSORS["logical_and"](TENSORS["isnan"](a), TENSORS["isnan"](out)))
    return g * mask / TENSORS["sum"](mask)


ARRAYS["share_all"] = _share_all
TENSORS["share_all"] = _share_all_tensor
ARRAYS["share_ties"] = _share_ties
TENSORS["share_ties"] = _share_ties_tensor


def _extreme(a: Array, dim: Dims, keepdim: bool, f: Any, name: str) -> Array:
    axes = axes_of(dim, a.ndim)
    if a.ndim == 0:
        return a[()]
    if a.size == 0:
        if axes is None:
            what = "IndexFault" if name in ("amax", "amin") else ""
            raise (IndexFault if what else RuntimeFault)(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
                "'dim' argument."
            )
        for d in axes:
            if a.shape[d] == 0:
                raise IndexFault(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    return f(a, axes, None, None, keepdim)


for _name, _f, _tex in (("amax", np.maximum.reduce, r"\max"), ("amin", np.minimum.reduce, r"\min")):
    op(f"{_name}_(input, dim=None, keepdim=False)", vjps={"input": "share_ties(g, input, out, dim, keepdim)"}, public=_name,
       node=f"{_name.capitalize()}Backward0", latex=rf"{_tex}_i {{input}}_i", method=False,
       latex_partials={"input": r"\mathbb{1}[{input}_i = y] / n_y"},
       doc=f"The {'largest' if _name == 'amax' else 'smallest'} element over dims; ties share the gradient.",
       samples=(*BY_DIMS, Sample(([1.0, 3.0, 3.0],))),
       )(lambda input, dim, keepdim, f=_f, name=_name: _extreme(input, dim, keepdim, f, name))  # fmt: skip


@composite("amax")
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The largest element over dims."""
    return TENSORS["amax_"](input, None if dim == () else dim, keepdim, out=out)


@composite("amin")
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The smallest element over dims."""
    return TENSORS["amin_"](input, None if dim == () else dim, keepdim, out=out)


for _name, _f in (("max", np.maximum.reduce), ("min", np.minimum.reduce)):
    op(f"{_name}_all(input)", vjps={"input": "share_all(g, input, out)"}, public=_name,
       node=f"{_name.capitalize()}Backward1", latex=rf"\{_name}_i {{input}}_i", method=False,
       latex_partials={"input": r"\mathbb{1}[{input}_i = y] / n_y"},
       doc=f"The {'largest' if _name == 'max' else 'smallest'} of all elements.",
       samples=(Sample((MATRIX,)), Sample((1.0,)), Sample(([2.0, 2.0],)), Sample(([1.0, float('nan')],))),
       )(lambda input, f=_f, name=_name: _extreme(input, None, False, f, name))  # fmt: skip


def _arg(a: Array, dim: int, largest: bool) -> Array:
    """The index of the extreme along dim; nan counts as extreme, the first of equals wins."""
    if a.dtype == bool:
        a = a.astype(np.int8)
    f = np.argmax if largest else np.argmin
    return np.asarray(f(a, dim)).astype(np.int64)


def _take(a: Array, indices: Array, d: int) -> Array:
    return np.take_along_axis(a, np.expand_dims(indices, d), d)


def put_along(g: Any, shape: kernels.Shape, dim: int, indices: Array, keepdim: bool) -> Any:
    """Zeros of `shape` with g at the indices that a reduction over dim chose."""
    if not shape:
        return g
    d = axis_of(dim, len(shape))
    r = np.zeros(shape, g.dtype)
    if not keepdim:
        g, indices = np.expand_dims(np.asarray(g), d), np.expand_dims(indices, d)
    np.put_along_axis(r, indices, g, d)
    return r


def _put_along_tensor(g: Tensor, shape: kernels.Shape, dim: int, indices: Tensor, keepdim: bool) -> Tensor:
    if not shape:
        return g
    d = axis_of(dim, len(shape))
    if not keepdim:
        g, indices = TENSORS["unsqueeze"](g, d), TENSORS["unsqueeze"](indices, d)
    return TENSORS["scatter_add_zeros"](g, shape, d, indices)


ARRAYS["put_along"] = put_along
TENSORS["put_along"] = _put_along_tensor


def along_dim(a: Array, dim: int, keepdim: bool, choose: Any, name: str) -> tuple[Array, Array]:
    """Values and indices of a choice along dim."""
    d = axis_of(dim, a.ndim)
    if a.ndim == 0:
        return a[()], np.asarray(0, np.int64)
    if a.shape[d] == 0:
        raise IndexFault(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    indices = choose(a, d)
    values = _take(a, indices, d)
    return (values, np.expand_dims(indices, d)) if keepdim else (np.squeeze(values, d), indices)


def _median_index(a: Array, d: int) -> Array:
    """The index of the lower median; nan counts as the median."""
    order = np.argsort(a, d, kind="stable")
    k = (a.shape[d] - 1) // 2
    indices = np.take(order, k, d)
    if a.dtype.kind == "f" and np.isnan(a).any():
        bad = np.isnan(a)
        indices = np.where(bad.any(d), np.argmax(bad, d), indices)
    return indices.astype(np.int64)


def _mode_index(a: Array, d: int) -> Array:
    """The last index of the most frequent element, the smallest such element."""
    moved = np.moveaxis(a, d, -1)
    out = np.empty(moved.shape[:-1], np.int64)
    for place in np.ndindex(out.shape):
        row = moved[place]
        values, counts = np.unique(row, return_counts=True)
        out[place] = np.flatnonzero(row == values[np.argmax(counts)])[-1]
    return out


_CHOICES = {
    "max": (lambda a, d: _arg(a, d, True), "MaxBackward0"),
    "min": (lambda a, d: _arg(a, d, False), "MinBackward0"),
    "median": (_median_index, "MedianBackward1"),
    "mode": (_mode_index, "ModeBackward0"),
}
for _name, (_choose, _node) in _CHOICES.items():
    op(f"{_name}_dim(input, dim, keepdim=False)", vjps={"input": "put_along(g, input_shape, dim, indices, keepdim)"},
       public=_name, node=_node, latex=rf"\operatorname{{{_name}}}_{{dim}} {{input}}", method=False, aux=("indices",), result=_name,
       doc=f"The {_name} along dim, and where it is.", samples=ONE_DIM, fails=BAD_DIM,
       )(lambda input, dim, keepdim, choose=_choose, name=_name: along_dim(input, dim, keepdim, choose, name))  # fmt: skip


def _extreme_composite(name: str) -> Any:
    pair = "maximum" if name == "max" else "minimum"

    def f(input: Tensor, *args: Any, dim: Any = None, keepdim: bool = False, other: Any = None, axis: Any = None, out: Any = None) -> Any:
        if args:
            if isinstance(args[0], NAMESPACE["Tensor"]):
                other = args[0]
            else:
                dim = args[0]
                keepdim = args[1] if len(args) > 1 else keepdim
        if other is not None:
            return TENSORS[pair](input, other, out=out)
        dim = axis if dim is None else dim
        if dim is None:
            return TENSORS[name + "_all"](input, out=out)
        return TENSORS[name + "_dim"](input, dim, keepdim, out=out)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"The {name} of all elements, along dim (with indices), or of two tensors."
    return composite(name)(f)


max = _extreme_composite("max")
min = _extreme_composite("min")


@op("median_all(input)", vjps={"input": "share_all(g, input, out)"}, public="median", node="MedianBackward0",
    latex=r"\operatorname{median} {input}", method=False, aux=("indices",), samples=(Sample((MATRIX,)), Sample(([3.0, 1.0, 2.0],))))  # fmt: skip
def _median_all(input: Array) -> tuple[Array, Array]:
    """The lower median of all elements."""
    flat = input.reshape(-1)
    if not flat.size:
        return input.dtype.type(np.nan), np.asarray(0)
    i = _median_index(flat, 0)
    return flat[i], np.asarray(i)


def _put_flat(g: Array, shape: kernels.Shape, index: Array) -> Array:
    r = np.zeros(kernels.numel(shape), g.dtype)
    r[index] = g.reshape(()) if type(g) is ndarray else g
    return r.reshape(shape)


ARRAYS["put_flat"] = _put_flat
TENSORS["put_flat"] = lambda g, s, i: TENSORS["reshape"](
    TENSORS["put_at"](g, (kernels.numel(s),), (int(i._a),)), s
)


@composite("median")
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements, or along dim with indices."""
    return TENSORS["median_all"](input) if dim is None else TENSORS["median_dim"](input, dim, keepdim)


@composite("mode")
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along dim."""
    return TENSORS["mode_dim"](input, dim, keepdim)


@composite("aminmax")
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Smallest and largest element."""
    return return_type("aminmax", ("min", "max"))(
        TENSORS["amin_"](input, dim, keepdim), TENSORS["amax_"](input, dim, keepdim)
    )


def _arg_composite(name: str) -> Any:
    largest = name == "argmax"

    def f(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
        a = np.asarray(input._a).reshape(input._s)
        if a.size == 0 and dim is None:
            raise IndexFault(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        if a.dtype == bool:
            raise NotImplementedFault(f"\"{name}_cpu\" not implemented for 'Bool'")
        if dim is None:
            r = np.asarray(_arg(a.reshape(-1), 0, largest))
            r = r.reshape((1,) * a.ndim) if keepdim else r
        else:
            d = axis_of(dim, a.ndim)
            if a.ndim and a.shape[d] == 0:
                raise IndexFault(f"{name}(): Expected reduction dim {d} to have non-zero size.")
            r = _arg(a, d, largest) if a.ndim else np.asarray(0)
            r = np.expand_dims(r, d) if keepdim and a.ndim else r
        return TENSORS["wrap_array"](np.asarray(r, np.int64))

    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"Where the {'largest' if largest else 'smallest'} element is."
    return composite(name, samples=[*BY_DIM, Sample(([1.0, 3.0, 3.0],)), Sample(([1, 3, 2],))])(f)


argmax = _arg_composite("argmax")
argmin = _arg_composite("argmin")
