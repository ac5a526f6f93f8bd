"""Elements picked and put by tensors of indices: x[indices], gather, scatter, index_add and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import IndexFault, RuntimeFault
from engine.ops import kernels
from engine.ops.axes import axis_of
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Failing, Sample, composite, op
from engine.ops.slices import MATRIX, along, at

Array = Any
Tensor = Any


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
    if source.ndim != input.ndim and source.ndim and input.ndim:
        raise IndexFault(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality "
            f"({source.ndim}), destination dimensionality ({input.ndim})"
        )
    if source.ndim and index.size != source.shape[axis_of(dim, source.ndim)]:
        raise IndexFault(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) "
            f"({source.shape[axis_of(dim, source.ndim)]})"
        )
    r = input.copy()
    r[at(axis_of(dim, r.ndim), index)] = source
    return r


@op("index_fill_number(input, dim, index, value)", inputs=("input", "index"),
    vjps={"input": "index_fill_number(g, dim, index, 0.0)"}, node="IndexFillBackward0", method=False, public="index_fill",
    latex=r"\operatorname{index\_fill}({input})", samples=[Sample((MATRIX, [1]), {"dim": 0, "value": 3.0})])  # fmt: skip
def _index_fill(input: Array, index: Array, dim: int, value: Any) -> Array:
    """A copy with one number at an index of dim."""
    r = input.copy()
    d, rows = axis_of(dim, r.ndim), np.atleast_1d(r)
    n = rows.shape[d]
    for i in np.ravel(index):
        if not -n <= i < n:
            raise IndexFault(f"index {i} is out of bounds for dimension {d} with size {n}")
    rows[at(d, index)] = value
    return r


@composite()
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy with one number at an index of dim."""
    return TENSORS["index_fill_number"](input, dim, index, value.item() if isinstance(value, NAMESPACE["Tensor"]) else value)


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
