"""Writing into a tensor that exists: what autograd forbids, versions, and the history that a change gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.autograd import versions
from engine.autograd.graph import wrap
from engine.errors import RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.refusals import failed
from engine.ops.registry import BW, E0, NAMESPACE, REGISTRY, RULES, SAVED, SEQ, TENSORS
from engine.tensor import DATA, Tensor

new = object.__new__

LEAF_OF_VIEW = "a view of a leaf Variable that requires grad is being used in an in-place operation."
# operations that may write one place several times
ANYWHERE = frozenset(("filled", "filled_tensor", "zeroed", "masked_fill_number", "masked_fill_tensor", "index_put"))
LEAF = "a leaf Variable that requires grad is being used in an in-place operation."


def store(out: Tensor, r: Tensor) -> Tensor:
    """`out=`: write the result into a given tensor."""
    if not isinstance(out, Tensor):
        raise TypeFault(f"argument 'out' must be Tensor, not {type(out).__name__}")
    if NAMESPACE["grad_on"] and (r._n is not None or out._n is not None):
        rule = None if r._n is None else RULES.get(r._n[BW])
        name = "" if rule is None else rule.op.public.replace(".", "_") + "(): functions with "
        raise RuntimeFault(
            f"{name}out=... arguments don't support automatic differentiation, but one of the arguments requires grad.",
            hint="leave out= away, or compute under torch.no_grad()",
        )
    if not dtypes.can_cast(r.dtype, out.dtype):
        raise RuntimeFault(
            f"result type {dtypes.SCALAR_NAMES[r.dtype]} can't be cast to the desired output type "
            f"{dtypes.SCALAR_NAMES[out.dtype]}"
        )
    if out._s == r._s:
        write(out, r._a)
    else:
        versions.part(out)
        out._a = r._a.astype(out._a.dtype)
        out._s = r._s
    return out


def write(t: Tensor, value: Any) -> None:
    """Change t's storage to `value` (broadcast and cast), counting the version; no graph."""
    a = t._a
    watch = NAMESPACE["_watch"]
    before = None
    if NAMESPACE["_obs"] is not None:
        before = np.array(a).reshape(t._s)
    if type(a) is ndarray:
        a[...] = value
        if t._b is not DATA:
            versions.bump(a)
    else:
        v = value.reshape(-1)[0] if type(value) is ndarray else value
        versions.renew(t, a.dtype.type(v), counted=True)
    if watch is not None:
        known = t.__dict__.get("_data_of")
        owner = t if known is None else known()
        _observe_write(watch, t if owner is None else owner, before, t)


def _observe_write(watch: Any, owner: Tensor, before: Any, t: Tensor) -> None:
    known = getattr(watch, "is_gradient", None)
    if known is not None and known(t):
        if not np.any(t._a):
            watch.zero([t], "zero")
        return
    if owner.is_leaf and owner._n is not None:
        now = None if before is None else np.array(t._a).reshape(t._s)
        watch.update(owner, before, now, None, {})


def before_inplace(t: Tensor, o: Any = None, *others: Any) -> None:
    """Raise where autograd forbids a change of t: this comes before anything else that may be wrong with it."""
    n = t._n
    if not NAMESPACE["grad_on"] or (n is None and not any(isinstance(x, Tensor) and x._n is not None for x in others)):
        return
    b = t._b
    if b:
        view = t
        while b:
            if b[2].name == "piece":
                name = "View" if n is None else NAMESPACE["node_name"](wrap(n)._node).rstrip("0123456789").removesuffix("Backward")
                raise failed(o, (t,), RuntimeFault(
                    f"Output {t.output_nr} of {name} is a view and is being modified inplace. This view is the output of a "
                    "function that returns multiple views. Such functions do not allow the output views to be modified inplace. "
                    "You should replace the inplace operation by an out-of-place one.",
                    hint="index instead: x[i] is a view that may be changed"))  # fmt: skip
            view = b[1]
            b = view._b
        if n is not None and view._n is not None and view._n[E0] is None:
            raise failed(o, (t,), RuntimeFault(
                LEAF_OF_VIEW, hint="change it under torch.no_grad(), or clone the leaf first"))  # fmt: skip
    if n is not None and n[E0] is None:
        raise failed(o, (t,), RuntimeFault(
            LEAF, hint="change it under torch.no_grad(), or make a new tensor: w = w - lr * w.grad"))  # fmt: skip


def forbid_overlap(t: Tensor, o: Any = None) -> None:
    """Raise where several elements of t lie in one place."""
    a = t._array()
    if a.size and any(step == 0 and n > 1 for step, n in zip(a.strides, a.shape, strict=True)):
        raise failed(o, (t,), RuntimeFault(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation.", hint="an expanded tensor repeats its elements"))  # fmt: skip


def forbid_partial_overlap(t: Tensor, others: Iterable[Any], o: Any = None) -> None:
    """Raise where t is to be written from memory it shares in part; the very same elements are fine."""
    a = t._a
    for other in others:
        if not isinstance(other, Tensor):
            continue
        b = other._a
        if type(b) is not ndarray or not np.may_share_memory(a, b) or not (_dense(a) and _dense(b)):
            continue
        if a.shape != b.shape or a.strides != b.strides or a.__array_interface__["data"] != b.__array_interface__["data"]:
            raise failed(o, (t,), RuntimeFault(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
                "location. Please clone() the tensor before performing the operation.",
                hint="what is read would already be overwritten: x[1:] += x[:-1].clone()"))  # fmt: skip


def _dense(a: ndarray[Any, Any]) -> bool:
    """Whether the elements lie in one block without gaps, in any order of dimensions."""
    size = a.itemsize
    for step, n in sorted((step, n) for step, n in zip(a.strides, a.shape, strict=True) if n != 1):
        if step != size:
            return False
        size *= n
    return True


def apply_inplace(t: Tensor, r: Tensor, o: Any = None) -> Tensor:
    """Make r, computed from t, the new value of t: storage, version and history."""
    before_inplace(t, o, r)
    if r._s != t._s:
        if kernels.broadcast_shapes(r._s, t._s) != t._s:
            raise RuntimeFault(
                f"output with shape {list(t._s)} doesn't match the broadcast shape {list(r._s)}",
                hint="an in-place operation cannot change the shape; use the form without the underscore",
            )
    if not dtypes.can_cast(r.dtype, t.dtype):
        raise RuntimeFault(
            f"result type {dtypes.SCALAR_NAMES[r.dtype]} can't be cast to the desired output type "
            f"{dtypes.SCALAR_NAMES[t.dtype]}",
            hint="an in-place operation keeps the dtype: use the form without the underscore, or x = x.float() first",
        )
    if type(t._a) is ndarray and 0 in t._a.strides and (o is None or o.name not in ANYWHERE):
        forbid_overlap(t, o)
    if NAMESPACE["grad_on"] and r._n is not None:
        rule = RULES.get(r._n[BW])
        if rule is not None and rule.op.inputs and rule.op.inputs[0] in rule.saved:
            place = SAVED + rule.saved.index(rule.op.inputs[0])  # torch: an in-place operation saves original_self
            if r._n[place] is t._a:
                r._n[place] = t._a.copy()
    write(t, r._a)
    if NAMESPACE["grad_on"]:
        m = r._n
        if m is not None:
            rule = RULES.get(m[BW])
            if rule is not None and "out" in rule.saved:
                m[SAVED + rule.saved.index("out")] = t._a
                m[SEQ] = NAMESPACE["seq"]()
        if m is not None:
            versions.remember(t._a, m, bool(t._b))
        if t._b:
            TENSORS["rebase_view"](t, m)
        else:
            t._n = m
            if t._v:
                TENSORS["rebase_views"](t)
    return t


def inplace(name: str) -> Callable[..., Tensor]:
    """The `name_` form of an operation."""
    f = TENSORS[name]
    o = REGISTRY.get(name) or REGISTRY.get(name + "_number")

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if NAMESPACE["_obs"] is not None:
            NAMESPACE["_obs"].target = self  # the operation that follows computes its new value
        before_inplace(self, o, *args)
        if type(self._a) is ndarray and args:
            forbid_partial_overlap(self, args, o)
        return apply_inplace(self, f(self, *args, **kwargs), o)

    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"In-place form of {name}()."
    return method


NAMESPACE["store"] = store
TENSORS["forbid_overlap"] = forbid_overlap
