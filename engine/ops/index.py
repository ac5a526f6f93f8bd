"""Indexing: select, slice, tensors of indices, masks, gather and scatter; `x[...]` and `x[...] = v`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import IndexFault, RuntimeFault, TypeFault, ValueFault
from engine.ops import kernels
from engine.ops.axes import axis_of
from engine.ops.op import (
    ARRAYS,
    META,
    NAMESPACE,
    REGISTRY,
    SHAPE,
    TENSORS,
    Custom,
    Failing,
    Node,
    Sample,
    composite,
    failed,
    link,
    observe,
    op,
    record,
)  # fmt: skip
from engine.ops.samples import Number

Array = Any
Tensor = Any
MATRIX = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
VECTOR = [10.0, 20.0, 30.0, 40.0]


def at(dim: int, what: Any) -> tuple[Any, ...]:
    """An index that applies `what` to dimension dim."""
    return (slice(None),) * dim + (what,)


def along(index: Array, dim: int, shape: kernels.Shape) -> tuple[Any, ...]:
    """The index that takes, along dim, the elements an index tensor names and everything else at its own place."""
    grid = [np.arange(n).reshape([-1 if k == d else 1 for k in range(index.ndim)]) for d, n in enumerate(index.shape)]
    if grid:  # of a 0-dim tensor there is one element, at ()
        grid[dim] = index
    return tuple(grid)


# ---- basic indices: views ---------------------------------------------------------------------------------------


@op("select(input, dim, index)", vjps={"input": "select_backward(g, input_shape, dim, index)"}, node="SelectBackward0",
    view=True, latex=r"{input}_{{index}}",
    samples=[Sample((MATRIX,), {"dim": 0, "index": 1}), Sample((MATRIX,), {"dim": -1, "index": -1})],
    fails=[Failing(([1.0, 2.0],), {"dim": 0, "index": 2}, IndexError,
                   "select(): index 2 out of range for tensor of size [2] at dimension 0")])  # fmt: skip
def _select(input: Array, dim: int, index: int) -> Array:
    """One index of a dimension, which disappears."""
    if not input.ndim:
        raise IndexFault("select() cannot be applied to a 0-dim tensor.")
    d = axis_of(dim, input.ndim)
    n = input.shape[d]
    if not -n <= index < n:
        raise IndexFault(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {d}",
            hint=f"valid indices are {-n} to {n - 1}" if n else "the dimension is empty",
        )
    return input[(*at(d, index), ...)]


@op("select_backward(g_, input_sizes, dim, index)", vjps={"g_": "select(g, dim, index)"}, node="SelectBackwardBackward0",
    latex="", method=False)  # fmt: skip
def _select_backward(g_: Array, input_sizes: Any, dim: int, index: int) -> Array:
    """Zeros but for one index."""
    r = np.zeros(input_sizes, g_.dtype)
    r[at(axis_of(dim, r.ndim), index)] = g_
    return r


@op("slice(input, dim=0, start=None, end=None, step=1)", node="SliceBackward0", view=True, latex=r"{input}_{a:b}",
    vjps={"input": "slice_backward(g, input_shape, dim, start, end, step)"}, method=False, public="narrow",
    samples=[Sample((VECTOR,), {"dim": 0, "start": 1, "end": 3}), Sample((VECTOR,), {"dim": 0, "step": 2})])  # fmt: skip
def _slice(input: Array, dim: int, start: Any, end: Any, step: int) -> Array:
    """A range of a dimension."""
    return input[at(axis_of(dim, input.ndim), slice(start, end, step))]


@op("slice_backward(g_, input_sizes, dim, start, end, step)", vjps={"g_": "slice(g, dim, start, end, step)"},
    node="SliceBackwardBackward0", latex="", method=False)  # fmt: skip
def _slice_backward(g_: Array, input_sizes: Any, dim: int, start: Any, end: Any, step: int) -> Array:
    """Zeros but for a range."""
    r = np.zeros(input_sizes, g_.dtype)
    r[at(axis_of(dim, r.ndim), slice(start, end, step))] = g_
    return r


@op("put_at(g_, input_sizes, where)", vjps={"g_": "take_at(g, where)"}, node="SliceBackwardBackward0", latex="", method=False)
def _put_at(g_: Array, input_sizes: Any, where: Any) -> Array:
    """Zeros but for one basic index."""
    r = np.zeros(input_sizes, g_.dtype)
    r[where] = g_
    return r


@op("take_at(input, where)", vjps={"input": "put_at(g, input_shape, where)"}, node="SliceBackward0", latex="", method=False)
def _take_at(input: Array, where: Any) -> Array:
    """A copy of one basic index."""
    return input[(*where, ...)].copy()


@composite(samples=[Sample((MATRIX,), {"dim": 1, "start": 0, "length": 2})])
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` entries of a dimension from `start`."""
    if not input._s:
        raise RuntimeFault("narrow() cannot be applied to a 0-dim tensor.")
    d = axis_of(dim, len(input._s))
    n = input._s[d]
    start = int(start)
    if length < 0:
        raise RuntimeFault("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexFault(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeFault(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return TENSORS["slice"](input, d, start, start + length)


# ---- tensors of indices --------------------------------------------------------------------------------------------


@op("index_(input, indices)", vjps={"input": "index_backward(g, input_shape, indices)"}, node="IndexBackward0",
    latex=r"{input}_{I}", method=False, public="index", source="https://pytorch.org/docs/stable/tensors.html")  # fmt: skip
def _index(input: Array, indices: Any) -> Array:
    """Elements at tensors of indices or under masks."""
    try:
        return input[indices]
    except IndexError as e:
        raise index_error(input, indices, e) from None


def index_error(a: Array, indices: Any, e: Exception) -> Exception:
    """torch's sentence about an index that does not fit; it counts the index tensors, not the dimensions."""
    dim = nth = 0
    for i in indices:
        if isinstance(i, ndarray) and i.dtype == bool:
            if i.shape != a.shape[dim : dim + i.ndim]:
                k = next(
                    (j for j in range(i.ndim) if dim + j >= a.ndim or i.shape[j] != a.shape[dim + j]), 0
                )
                return IndexFault(
                    f"The shape of the mask {list(i.shape)} at index {k} does not match the shape of the indexed tensor "
                    f"{list(a.shape)} at index {dim + k}"
                )
            dim += i.ndim
            nth += i.ndim
            continue
        if isinstance(i, ndarray):
            n = a.shape[dim] if dim < a.ndim else 0
            bad = i[(i >= n) | (i < -n)]
            if bad.size:
                return IndexFault(
                    f"index {int(bad.flat[0])} is out of bounds for dimension {nth} with size {n}",
                    hint=f"valid indices are {-n} to {n - 1}",
                )
            nth += 1
        dim += i is not None
    shapes = [list(i.shape) for i in indices if isinstance(i, ndarray) and i.dtype != bool]
    if "broadcast" in str(e) and shapes:
        return IndexFault(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            + ", ".join(str(s) for s in shapes)
        )
    return IndexFault(str(e))


@op("index_backward(g_, input_sizes, indices)", vjps={"g_": "index_(g, indices)"}, node="IndexPutBackward0", latex="",
    method=False)  # fmt: skip
def _index_backward(g_: Array, input_sizes: Any, indices: Any) -> Array:
    """Gradients added back to where they were taken."""
    r = np.zeros(input_sizes, g_.dtype)
    if all(not isinstance(i, ndarray) or i.dtype == bool for i in indices):
        r[indices] = g_
    else:
        np.add.at(r, indices, g_)
    return r


def _checked_index(index: Array, what: str) -> Array:
    if index.dtype.kind not in "ui":
        raise RuntimeFault(f"{what}(): Expected dtype int32/int64 for index")
    return index


@op("gather(input, dim, index)", inputs=("input", "index"), node="GatherBackward0",
    vjps={"input": "scatter_add_zeros(g, input_shape, dim, index)"}, latex=r"{input}_{i,\,{index}_{i}}",
    samples=[Sample((MATRIX, ([0, 2], [1, 1])), {"dim": 1}), Sample((MATRIX, ([0, 1, 0],)), {"dim": 0})],
    fails=[Failing((MATRIX, ([0, 5],)), {"dim": 1}, RuntimeError,
                   "index 5 is out of bounds for dimension 1 with size 3")])  # fmt: skip
def _gather(input: Array, index: Array, dim: int) -> Array:
    """Along dim, the elements that index names."""
    if index.dtype.kind not in "ui" or index.dtype == np.uint8:
        raise RuntimeFault("gather(): Expected dtype int32/int64 for index")
    d = axis_of(dim, input.ndim)
    if index.ndim != input.ndim and index.size:
        raise RuntimeFault("Index tensor must have the same number of dimensions as input tensor")
    for k in range(input.ndim):
        if k != d and index.shape[k] > input.shape[k]:
            raise RuntimeFault(
                f"Size does not match at dimension {k} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {d}"
            )
    _in_range(index, input.shape[d] if input.ndim else 1, d, RuntimeFault)
    return input[along(index, d, input.shape)] if input.ndim else input[()] + np.zeros_like(index, input.dtype)


def _in_range(index: Array, n: int, dim: int, error: Any) -> None:
    bad = index[(index < 0) | (index >= n)]
    if bad.size:
        raise error(f"index {int(bad.flat[0])} is out of bounds for dimension {dim} with size {n}",
                    hint=f"valid indices are 0 to {n - 1}")  # fmt: skip


@op("scatter_add_zeros(g_, input_sizes, dim, index)", inputs=("g_", "index"),
    vjps={"g_": "gather(g, dim, index)"}, node="ScatterAddBackward0", latex="", method=False)  # fmt: skip
def _scatter_add_zeros(g_: Array, index: Array, input_sizes: Any, dim: int) -> Array:
    """Zeros to which elements were added at an index."""
    r = np.zeros(input_sizes, g_.dtype)
    np.add.at(r, along(index, axis_of(dim, r.ndim), r.shape), g_)
    return r


def _part(src: Array, index: Array) -> Array:
    """The part of src that an index of smaller shape reads."""
    return src[tuple(slice(n) for n in index.shape)]


def _check_scatter(input: Array, index: Array, dim: int, what: str) -> int:
    if index.dtype != np.int64 and index.dtype != np.int32:
        raise RuntimeFault(f"{what}(): Expected dtype int64 for index")
    d = axis_of(dim, input.ndim)
    if index.size and index.ndim != input.ndim:
        raise RuntimeFault("Index tensor must have the same number of dimensions as self tensor")
    _in_range(index, input.shape[d] if input.ndim else 1, d, RuntimeFault)
    return d


@op("scatter_src(input, dim, index, src)", inputs=("input", "index", "src"),
    vjps={"input": "scatter_zero(g, dim, index)", "src": "gather_into(g, dim, index, src_shape)"}, node="ScatterBackward0",
    latex=r"\operatorname{scatter}({input})", method=False, public="scatter",
    samples=[Sample((([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]), ([0, 2], [1, 0]), ([1.0, 2.0], [3.0, 4.0])), {"dim": 1})])  # fmt: skip
def _scatter_src(input: Array, index: Array, src: Array, dim: int) -> Array:
    """A copy with elements of src written at an index along dim."""
    d = _check_scatter(input, index, dim, "scatter")
    if src.dtype != input.dtype:
        raise RuntimeFault("scatter(): Expected self.dtype to be equal to src.dtype")
    r = input.copy()
    r[along(index, d, r.shape)] = _part(src, index)
    return r


@op("scatter_value(input, dim, index, value)", inputs=("input", "index"),
    vjps={"input": "scatter_zero(g, dim, index)"}, node="ScatterBackward1", latex=r"\operatorname{scatter}({input})",
    method=False, public="scatter", samples=[Sample((MATRIX, ([0], [1])), {"dim": 1, "value": 9.0})])  # fmt: skip
def _scatter_value(input: Array, index: Array, dim: int, value: Any) -> Array:
    """A copy with one number written at an index along dim."""
    d = _check_scatter(input, index, dim, "scatter")
    r = input.copy()
    r[along(index, d, r.shape)] = value
    return r


@op("scatter_zero(input, dim, index)", inputs=("input", "index"),
    vjps={"input": "scatter_zero(g, dim, index)"}, node="ScatterBackward1", latex="", method=False)  # fmt: skip
def _scatter_zero(input: Array, index: Array, dim: int) -> Array:
    """A copy with zeros written at an index along dim."""
    r = input.copy()
    r[along(index, axis_of(dim, r.ndim), r.shape)] = 0
    return r


@op("gather_into(input, dim, index, sizes)", inputs=("input", "index"),
    vjps={"input": "scatter_add_zeros(slice_to(g, index), input_shape, dim, index)"}, node="GatherBackward0", latex="",
    method=False)  # fmt: skip
def _gather_into(input: Array, index: Array, dim: int, sizes: Any) -> Array:
    """Gathered elements in the corner of zeros of a larger shape."""
    r = np.zeros(sizes, input.dtype)
    r[tuple(slice(n) for n in index.shape)] = input[along(index, axis_of(dim, input.ndim), input.shape)]
    return r


ARRAYS["slice_to"] = lambda g, index: _part(g, index)


def _slice_to_tensor(g: Tensor, index: Tensor) -> Tensor:
    for d, n in enumerate(index._s):
        g = TENSORS["slice"](g, d, 0, n)
    return g


TENSORS["slice_to"] = _slice_to_tensor


@op("scatter_add(input, dim, index, src)", inputs=("input", "index", "src"),
    vjps={"input": "g", "src": "gather_into(g, dim, index, src_shape)"}, node="ScatterAddBackward0",
    latex=r"\operatorname{scatter\_add}({input})", inplace=True,
    samples=[Sample((([0.0, 0.0, 0.0],), ([0, 0, 2],), ([1.0, 2.0, 3.0],)), {"dim": 1})])  # fmt: skip
def _scatter_add(input: Array, index: Array, src: Array, dim: int) -> Array:
    """A copy with elements of src added at an index along dim."""
    d = _check_scatter(input, index, dim, "scatter")
    r = input.copy()
    np.add.at(r, along(index, d, r.shape), _part(src, index))
    return r


@composite()
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """A copy with elements (or one number) written at an index along dim."""
    what = value if src is None else src
    if reduce is not None:
        if reduce == "add":
            src = what if isinstance(what, NAMESPACE["Tensor"]) else TENSORS["full_like"](index, what, dtype=input.dtype)
            return TENSORS["scatter_add"](input, dim, index, src)
        raise RuntimeFault(f"scatter with reduce={reduce!r} is not supported by Backstep")
    if isinstance(what, NAMESPACE["Tensor"]):
        return TENSORS["scatter_src"](input, dim, index, what)
    return TENSORS["scatter_value"](input, dim, index, what)


@op("index_select(input, dim, index)", inputs=("input", "index"),
    vjps={"input": "index_add_zeros(g, input_shape, dim, index)"}, node="IndexSelectBackward0",
    latex=r"{input}_{{index}}", samples=[Sample((MATRIX, [1, 0, 1]), {"dim": 0}), Sample((MATRIX, [2]), {"dim": 1})],
    fails=[Failing((MATRIX, [7]), {"dim": 0}, IndexError, "index out of range in self")])  # fmt: skip
def _index_select(input: Array, index: Array, dim: int) -> Array:
    """The entries of dimension dim that index names."""
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeFault("index_select(): Expected dtype int32 or int64 for index but got: "
                           f"{dtypes.SCALAR_NAMES[dtypes.of(index)]}")  # fmt: skip
    if index.ndim > 1:
        raise IndexFault("index_select(): Index is supposed to be a vector, but got dim: "
                         f"{index.ndim} with type: {dtypes.SCALAR_NAMES[dtypes.of(index)]} and size: {list(index.shape)}")  # fmt: skip
    d = axis_of(dim, input.ndim)
    n = input.shape[d] if input.ndim else 1
    if ((index < 0) | (index >= n)).any():
        raise IndexFault("index out of range in self", hint=f"valid indices are 0 to {n - 1}")
    return np.take(input, index.reshape(-1), d) if input.ndim else input.copy()


@op("index_add_zeros(g_, input_sizes, dim, index)", inputs=("g_", "index"),
    vjps={"g_": "index_select(g, dim, index)"}, node="IndexAddBackward0", latex="", method=False)  # fmt: skip
def _index_add_zeros(g_: Array, index: Array, input_sizes: Any, dim: int) -> Array:
    """Zeros to which entries were added at an index."""
    r = np.zeros(input_sizes, g_.dtype)
    np.add.at(r, at(axis_of(dim, r.ndim), index), g_)
    return r


@op("index_add(input, dim, index, source, *, alpha=1)", inputs=("input", "index", "source"), inplace=True,
    node="IndexAddBackward0",
    vjps={"input": "g", "source": "index_select(g, dim, index) * alpha"}, latex=r"\operatorname{index\_add}({input})",
    samples=[Sample((MATRIX, [0, 0], MATRIX), {"dim": 0})])  # fmt: skip
def _index_add(input: Array, index: Array, source: Array, dim: int, alpha: Any) -> Array:
    """A copy with entries of source added at an index of dim."""
    r = input.copy()
    np.add.at(r, at(axis_of(dim, r.ndim), index), source * alpha if alpha != 1 else source)
    return r


@op("index_copy(input, dim, index, source)", inputs=("input", "index", "source"),
    vjps={"input": "index_fill_number(g, dim, index, 0.0)", "source": "index_select(g, dim, index)"},
    node="IndexCopyBackward0", latex=r"\operatorname{index\_copy}({input})", inplace=True,
    samples=[Sample((MATRIX, [1, 0], MATRIX), {"dim": 0})])  # fmt: skip
def _index_copy(input: Array, index: Array, source: Array, dim: int) -> Array:
    """A copy with entries of source written at an index of dim."""
    r = input.copy()
    r[at(axis_of(dim, r.ndim), index)] = source
    return r


@op("index_fill_number(input, dim, index, value)", inputs=("input", "index"),
    vjps={"input": "index_fill_number(g, dim, index, 0.0)"}, node="IndexFillBackward0", method=False, public="index_fill",
    latex=r"\operatorname{index\_fill}({input})", samples=[Sample((MATRIX, [1]), {"dim": 0, "value": 3.0})])  # fmt: skip
def _index_fill(input: Array, index: Array, dim: int, value: Any) -> Array:
    """A copy with one number at an index of dim."""
    r = input.copy()
    r[at(axis_of(dim, r.ndim), index)] = value
    return r


@composite()
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy with one number at an index of dim."""
    return TENSORS["index_fill_number"](input, dim, index, value.item() if isinstance(value, NAMESPACE["Tensor"]) else value)


@composite("index", samples=(), method=False)
def index(input: Tensor, indices: Any) -> Tensor:
    """Elements at tensors of indices."""
    return getitem(input, tuple(indices))


# ---- masks -----------------------------------------------------------------------------------------------------------


@op("masked_select(input, mask)", inputs=2, vjps={"input": "masked_put_zeros(g, input_shape, mask)"},
    node="MaskedSelectBackward0", latex=r"{input}[{mask}]",
    samples=[Sample((MATRIX, ([True, False, True], [False, True, False])))])  # fmt: skip
def _masked_select(input: Array, mask: Array) -> Array:
    """The elements where mask holds, as a vector."""
    if mask.dtype != bool:
        raise RuntimeFault("masked_select: expected BoolTensor for mask")
    whole = kernels.broadcast_shapes(input.shape, mask.shape)
    if whole is None:
        from engine.ops.op import _misfit

        raise _misfit(mask.shape, input.shape)
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
        from engine.ops.op import _misfit

        raise failed(None, (input, mask), _misfit(mask._s, input._s))
    if mask._a.dtype != bool:
        raise RuntimeFault("masked_fill_ only supports boolean masks, but got mask with dtype "
                           f"{_c_name(mask)}", hint="a comparison makes a mask: x == 0")  # fmt: skip
    if isinstance(value, NAMESPACE["Tensor"]):
        if value._s:
            raise RuntimeFault(
                f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {len(value._s)} dimension(s)."
            )
        return TENSORS["masked_fill_tensor"](input, mask, value)
    if not input.dtype.is_floating_point and isinstance(value, float) and value != int(value):
        raise RuntimeFault("value cannot be converted to type int64_t without overflow")
    return TENSORS["masked_fill_number"](input, mask, value)


def _c_name(t: Tensor) -> str:
    d = dtypes.of(t._a)
    return {"int64": "long int", "float32": "float", "float64": "double", "int32": "int", "uint8": "unsigned char"}.get(d.name, d.name)


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


@composite()
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened input."""
    flat = TENSORS["reshape"](input, -1)
    return TENSORS["index_"](flat, (index._array(),))


@composite()
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """gather() whose index broadcasts."""
    if dim is None:
        return TENSORS["gather"](TENSORS["reshape"](input, -1), 0, TENSORS["reshape"](indices, -1))
    d = axis_of(dim, len(input._s))
    size = list(kernels.broadcast_shapes(input._s[:d] + (1,) + input._s[d + 1 :], indices._s[:d] + (1,) + indices._s[d + 1 :]) or ())
    a, b = list(size), list(size)
    a[d], b[d] = input._s[d], indices._s[d]
    return TENSORS["gather"](TENSORS["expand_to"](input, tuple(a)), d, TENSORS["expand_to"](indices, tuple(b)))


# ---- x[...] ------------------------------------------------------------------------------------------------------------


def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]`, as torch: ints select, slices slice, None unsqueezes, tensors, lists and masks index."""
    if type(key) is int:
        return _select_at(x, 0, key)
    v, advanced = _basic(x, key)
    if advanced is None:
        return v
    return TENSORS["index_"](v, advanced)


def _select_at(x: Tensor, d: int, i: int, place: int = 0) -> Tensor:
    s = x._s
    if not s:
        raise IndexFault(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
            "tensor to a number",
            hint="x.item()",
        )
    if not -s[d] <= i < s[d]:
        raise failed(_select, (x,), IndexFault(
            f"index {i} is out of bounds for dimension {place} with size {s[d]}",  # torch: the place in the index
            hint=f"valid indices are {-s[d]} to {s[d] - 1}" if s[d] else "the dimension is empty"))  # fmt: skip
    return TENSORS["select"](x, d, i)


def _is_advanced(k: Any) -> bool:
    return isinstance(k, (list, ndarray, NAMESPACE["Tensor"], bool, range, tuple)) or (
        isinstance(k, np.generic) and k.dtype == bool
    )


def _consumed(k: Any) -> int:
    """How many dimensions of x one part of an index uses."""
    if k is None or k is Ellipsis or isinstance(k, bool):
        return 0
    if isinstance(k, NAMESPACE["Tensor"]) and k._a.dtype in (np.bool_, np.uint8):
        return len(k._s)
    if isinstance(k, (list, ndarray)):
        a = np.asarray(k) if not isinstance(k, list) or not any(isinstance(e, NAMESPACE["Tensor"]) for e in k) else np.zeros(1, int)
        return a.ndim if a.dtype == bool else 1
    return 1


def _basic(x: Tensor, key: Any) -> tuple[Tensor, tuple[Any, ...] | None]:
    """The view of the basic parts of a key, and the advanced index still to be applied to it."""
    if isinstance(key, list) and any(isinstance(k, (slice, type(None), type(Ellipsis))) for k in key):
        key = tuple(key)
    keys = list(key) if isinstance(key, tuple) else [key]
    used = sum(_consumed(k) for k in keys)
    if used > len(x._s):
        if not x._s and not isinstance(key, tuple) and type(key) is int:
            _select_at(x, 0, 0)
        if not x._s and isinstance(key, slice):
            raise IndexFault("slice() cannot be applied to a 0-dim tensor.")
        raise IndexFault(f"too many indices for tensor of dimension {len(x._s)}")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    v = x
    d = 0
    advanced: list[Any] = []
    seen_ellipsis = False
    for place, k in enumerate(keys):
        if type(k) is int or (isinstance(k, np.integer) and not isinstance(k, bool)):
            v = _select_at(v, d, int(k), place)
        elif isinstance(k, slice):
            v = _slice_at(v, d, k)
            d += 1
            advanced.append(slice(None))
        elif k is None:
            v = TENSORS["unsqueeze"](v, d)
            d += 1
            advanced.append(slice(None))
        elif k is Ellipsis:
            if seen_ellipsis:
                raise IndexFault("an index can only have a single ellipsis ('...')")
            seen_ellipsis = True
            n = len(x._s) - used
            d += n
            advanced += [slice(None)] * n
        elif isinstance(k, bool):
            v = TENSORS["unsqueeze"](v, d)
            advanced.append(np.array([k]))
            d += 1
        elif _is_advanced(k):
            a = _index_array(k)
            if a.ndim == 0 and a.dtype != bool and isinstance(k, NAMESPACE["Tensor"]):
                v = _select_at(v, d, int(a), place)
                continue
            if a.ndim == 0:  # a mask of one element: a dimension of one or no elements
                v = TENSORS["unsqueeze"](v, d)
                a = a.reshape(1)
            advanced.append(a)
            d += a.ndim if a.dtype == bool else 1
        elif hasattr(k, "__index__"):
            v = _select_at(v, d, k.__index__(), place)
        elif isinstance(k, str):
            raise TypeFault("new(): invalid data type 'str'")
        else:
            raise IndexFault(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                f"{type(k).__name__})"
            )
    if any(isinstance(a, ndarray) for a in advanced):
        while advanced and isinstance(advanced[-1], slice):
            advanced.pop()
        return v, tuple(advanced)
    if v is x:
        v = TENSORS["alias"](x)
    return v, None


def _index_array(k: Any) -> Array:
    if isinstance(k, NAMESPACE["Tensor"]):
        a = np.asarray(k._a).reshape(k._s)
        if a.dtype == np.uint8:
            return a.astype(bool)
        if a.dtype.kind == "f" or a.dtype.kind == "V":
            raise IndexFault("tensors used as indices must be long, int, byte or bool tensors",
                             hint="convert it: idx.long()")  # fmt: skip
        return a
    if isinstance(k, (list, tuple)) and any(isinstance(e, NAMESPACE["Tensor"]) for e in k):
        k = [e.item() if isinstance(e, NAMESPACE["Tensor"]) else e for e in k]
    a = np.asarray(list(k) if isinstance(k, (range, tuple)) else k)
    if a.size == 0:
        return a.astype(np.int64)
    if a.dtype.kind == "f":
        raise IndexFault("tensors used as indices must be long, int, byte or bool tensors")
    return a


def _slice_at(v: Tensor, d: int, k: slice) -> Tensor:
    parts = []
    for p in (k.start, k.stop, k.step):
        parts.append(p if p is None or type(p) is int else p.__index__())
    start, stop, step = parts
    if step is not None and step <= 0:
        raise ValueFault("step must be greater than zero", hint="torch.flip(x, dims=(0,)) reverses a tensor")
    if start is None and stop is None and step is None:
        return v
    return TENSORS["slice"](v, d, start, stop, 1 if step is None else step)


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """`x[key] = value`: written into the storage, part of the graph."""
    v, advanced = _basic(x, key)
    if advanced is not None:
        TENSORS["before_inplace"](v, PUT, value)
    if not isinstance(value, NAMESPACE["Tensor"]):
        value = TENSORS["as_tensor"](value) if not isinstance(value, (bool, int, float)) else value
    if advanced is None:
        if isinstance(value, NAMESPACE["Tensor"]):
            while len(value._s) > len(v._s) and value._s[0] == 1:
                value = TENSORS["select"](value, 0, 0)
            if kernels.broadcast_shapes(v._s, value._s) != v._s:
                REGISTRY["expand_to"].kernel(value._array(), v._s)  # raises
            TENSORS["copy_"](v, value)
        else:
            TENSORS["forbid_overlap"](v)
            TENSORS["fill_"](v, value)
        return
    if not isinstance(value, NAMESPACE["Tensor"]):
        value = TENSORS["wrap_array"](v._a.dtype.type(value))
    TENSORS["index_put_"](v, advanced, value)


PUT = record("index_put", "Values written (or added) at tensors of indices.", node="IndexPutBackward0", inputs=("input", "values"),
             latex=r"{input}_{I} \leftarrow {values}", source="https://pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html")  # fmt: skip


def _put_arrays(n: Node, g: Any) -> tuple[Any, ...]:
    meta = n[META]
    g = kernels.full(g, n[SHAPE])
    out = []
    for p in meta["positions"]:
        if p == 0:
            if not meta["accumulate"]:
                g0 = g.copy()
                g0[meta["indices"]] = 0
                out.append(g0)
            else:
                out.append(g)
        else:
            part = g[meta["indices"]]
            out.append(kernels.unbroadcast(part, meta["shapes"][1], part.shape))
    return tuple(out)


def _put_tensors(n: Node, g: Tensor) -> tuple[Any, ...]:
    meta = n[META]
    out = []
    for p in meta["positions"]:
        if p == 0:
            zero = TENSORS["wrap_array"](g._a.dtype.type(0))
            out.append(g if meta["accumulate"] else index_put(g, meta["indices"], zero))
        else:
            out.append(TENSORS["sum_to_size"](TENSORS["index_"](g, meta["indices"]), meta["shapes"][1]))
    return tuple(out)


PUT_RULE = Custom(PUT, _put_arrays, _put_tensors)


@composite("index_put", samples=())
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with values written (or added) at tensors of indices."""
    where = tuple(_index_array(i) if isinstance(i, NAMESPACE["Tensor"]) else i for i in indices)
    a = np.array(input._a).reshape(input._s)
    b = np.asarray(values._a).reshape(values._s)
    if b.dtype != a.dtype and b.ndim:
        raise RuntimeFault(
            f"Index put requires the source and destination dtypes match, got {dtypes.SCALAR_NAMES[dtypes.of(a)]} for the "
            f"destination and {dtypes.SCALAR_NAMES[dtypes.of(b)]} for the source."
        )
    try:
        if accumulate:
            np.add.at(a, where, b)
        else:
            a[where] = b
    except IndexError as e:
        raise failed(PUT, (input, values), index_error(a, where, e)) from None
    except ValueError:
        got = list(a[where].shape)
        raise failed(PUT, (input, values), RuntimeFault(
            f"shape mismatch: value tensor of shape {list(b.shape)} cannot be broadcast to indexing result of shape {got}"
        )) from None  # fmt: skip
    r = TENSORS["wrap_array"](a)
    r._n = link(PUT_RULE, (input, values), a.shape, {"indices": where, "accumulate": accumulate})
    if NAMESPACE["_obs"] is not None:
        observe(PUT, r, (input, values), {"accumulate": accumulate})
    return r


@composite("index_put_", samples=())
def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """index_put in place."""
    return TENSORS["apply_inplace"](input, index_put(input, indices, values, accumulate), PUT)


@composite(samples=[Sample(([0, 2, 1],), {"num_classes": 4})], method=False)
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Class indices as rows of zeros and a one."""
    a = np.asarray(tensor._a).reshape(tensor._s)
    if a.dtype != np.int64:
        raise RuntimeFault("one_hot is only applicable to index tensor of type LongTensor.", hint="x.long()")
    if a.size == 0 and num_classes <= 0:
        raise RuntimeFault("Can not infer total number of classes from empty tensor.")
    if a.size and a.min() < 0:
        raise RuntimeFault("Class values must be non-negative.")
    n = int(a.max()) + 1 if num_classes == -1 else num_classes
    if a.size and a.max() >= n:
        raise RuntimeFault("Class values must be smaller than num_classes.")
    return TENSORS["wrap_array"]((a[..., None] == np.arange(n)).astype(np.int64))


assert Number is not None
