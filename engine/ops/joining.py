"""Tensors joined into one: cat, stack and their kin; grids of coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault, ValueFault
from engine.ops import kernels
from engine.ops.axes import axis_of
from engine.ops.op import (
    META,
    NAMESPACE,
    SHAPE,
    TENSORS,
    Custom,
    Node,
    Sample,
    composite,
    failed,
    link,
    record,
)  # fmt: skip
from engine.ops.shape import MATRIX, flatten, reshape, view

Array = Any
Tensor = Any


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
