"""What x[...] and x[...] = y mean: a subscript taken apart into selects, slices and tensors of indices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import IndexFault, RuntimeFault, TypeFault, ValueFault
from engine.ops import kernels
from engine.ops.gathering import index_error
from engine.ops.op import (
    META,
    NAMESPACE,
    REGISTRY,
    SHAPE,
    TENSORS,
    Custom,
    Node,
    composite,
    failed,
    link,
    observe,
    record,
)  # fmt: skip
from engine.ops.slices import select

Array = Any
Tensor = Any


@composite("index", samples=(), method=False)
def index(input: Tensor, indices: Any) -> Tensor:
    """Elements at tensors of indices."""
    return getitem(input, tuple(indices))


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
        if i:
            raise IndexFault(f"index {i} is out of bounds for dimension 0 with size 0", hint="x.item()")
        raise IndexFault(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
            "tensor to a number",
            hint="x.item()",
        )
    if not -s[d] <= i < s[d]:
        raise failed(select, (x,), IndexFault(
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
    if type(key) is slice and key == slice(None) and x._s:  # torch: all of it is the tensor itself, not a view
        v, advanced = x, None
    else:
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
    if len(where) > a.ndim:
        raise IndexFault(f"too many indices for tensor of dimension {a.ndim} (got {len(where)})")
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
    if np.may_share_memory(np.asarray(input._a), np.asarray(values._a)) and values._a.size:
        raise failed(PUT, (input, values), RuntimeFault(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
            "Please clone() the tensor before performing the operation.", hint="x[i] = y.clone()"))  # fmt: skip
    return TENSORS["apply_inplace"](input, index_put(input, indices, values, accumulate), PUT)
