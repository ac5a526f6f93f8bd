"""In-place operations that are not simply `name_` of an operation, and the autograd of changing views.

Note [Views and history]
    A view knows its base and the steps that lead to it (`_b`); a base knows its live views by weak references (`_v`).
    Changing a view with a gradient makes the base a new node, CopySlices: its gradient goes to the base's old node with
    zeros where the view lies, and the view's part goes to the node of the new value. All live views then get new nodes:
    one AsStridedBackward0 from the base, whatever steps lead to them. torch: rebase_history, CopySlices.
"""

from __future__ import annotations

import operator
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
from numpy import float32 as F
from numpy import ndarray

from engine import dtypes
from engine.autograd import versions
from engine.autograd.versions import renew
from engine.errors import RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.custom import Custom, link, record
from engine.ops.op import op
from engine.ops.parts import PIECE
from engine.ops.refusals import failed
from engine.ops.registry import BW, META, NAMESPACE, REGISTRY, RULES, SHAPE, TENSORS, Node, Op, Rule, Sample
from engine.tensor import DATA, Tensor, make
from engine.writing import apply_inplace, before_inplace, forbid_partial_overlap, inplace

F32 = kernels.F32
Array = Any
Steps = list[tuple[Op, dict[str, Any]]]


def steps_to(view: Tensor) -> Steps:
    """The view operations that lead from the base to this view."""
    steps: Steps = []
    while view._b:
        _, parent, o, params = view._b
        steps.append((o, params))
        view = parent
    return steps[::-1]


def walk_array(a: Array, steps: Steps) -> Array:
    """The same steps over an array."""
    for o, params in steps:
        a = o.kernel(a, **params)
    return a


def walk_tensor(t: Tensor, steps: Steps) -> Tensor:
    """The same steps over a Tensor."""
    for o, params in steps:
        t = TENSORS["take_view"](t, params["where"]) if o is PIECE else o.call(t, **params)  # type: ignore[misc]
    return t


def _take_view(t: Tensor, where: Any) -> Tensor:
    """One piece of a tensor as a view."""
    for d, w in reversed(list(enumerate(where))):
        if isinstance(w, int):
            t = TENSORS["select"](t, d, w)
        elif w != slice(None):
            t = TENSORS["slice"](t, d, w.start, w.stop, 1)
    return t


TENSORS["take_view"] = _take_view
COPY_SLICES = record(
    "copy_slices", "A part of a tensor replaced by new values.", node="CopySlices", inputs=("input", "values"),
    latex=r"{input}_{I} \leftarrow {values}", source="https://pytorch.org/docs/stable/notes/autograd.html",
)  # fmt: skip


def _slices_arrays(n: Node, g: Any) -> tuple[Any, ...]:
    g = kernels.full(g, n[SHAPE])
    steps = n[META]["steps"]
    out = []
    for p in n[META]["positions"]:
        whole = g.copy()
        part = walk_array(whole, steps)
        if p == 0:
            part[...] = 0
            out.append(whole)
        else:
            out.append(part.copy())
    return tuple(out)


def _slices_tensors(n: Node, g: Tensor) -> tuple[Any, ...]:
    steps = n[META]["steps"]
    out = []
    for p in n[META]["positions"]:
        if p == 0:
            whole = TENSORS["clone"](g)
            zero_(walk_tensor(whole, steps))
            out.append(whole)
        else:
            out.append(walk_tensor(g, steps))
    return tuple(out)


COPY_SLICES_RULE = Custom(COPY_SLICES, _slices_arrays, _slices_tensors)


def link_view(r: Tensor, parent: Tensor, o: Op, params: dict[str, Any]) -> None:
    """Note that r shares the storage of parent, and how to see it again after the base has changed."""
    b = parent._b
    base = b[0] if b else parent
    r._viewed = (base, parent, o, params)
    views = base._v
    if views is None:
        base._views = views = []
    elif len(views) & 31 == 31:  # now and then, forget those that are gone
        views[:] = [v for v in views if v() is not None]
    views.append(weakref.ref(r))


def rebase_view(view: Tensor, node: Node | None) -> None:
    """A view was changed in place to a value that `node` made: give base and views their new history."""
    base = view._b[0]
    if node is None and base._n is None:
        return
    value = make(view._a, view._s)
    value._n = node
    steps = steps_to(view)
    base._n = link(COPY_SLICES_RULE, (base, value), base._s, {"steps": steps})
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].forward(COPY_SLICES, base._n, (base, value), (base,), {}, saved=(), inplace=True)
    rebase_views(base)


def place_of(view: Tensor, base: Tensor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Size, strides and offset of a view in the elements of its base, as if that were contiguous."""
    whole = np.empty(base._s, np.int8)
    part = walk_array(whole, steps_to(view))
    offset = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    return part.shape, part.strides, int(offset)


def rebase_views(base: Tensor) -> None:
    """Walk the steps of all live views of a base again."""
    views = base._v
    if not views or not NAMESPACE["grad_on"]:
        return
    watching, NAMESPACE["_obs"] = NAMESPACE["_obs"], None
    try:
        for ref in list(views):
            view = ref()
            if view is None or (base._n is None and view._n is None):
                continue
            if view._n is not None and base._n is not None and any(o.name == "piece" for o, _ in steps_to(view)):
                view._n = _spoiled(view, base)
            else:
                view._n = TENSORS["as_strided"](base, *place_of(view, base))._n
    finally:
        NAMESPACE["_obs"] = watching


def _refuse_piece(n: Node, g: Any) -> Any:
    raise RuntimeFault(n[META]["message"], hint="index instead: x[0:2] is a view that may be changed")


# one of several views made at once whose base was changed: whoever asks for its node, or goes back through it, is refused
SPOILED = Custom(
    record("spoiled_piece", "One of several views whose base was changed in place.", node="Invalid", inputs=("input",), latex=""),
    _refuse_piece,
    _refuse_piece,
)


def _spoiled(view: Tensor, base: Tensor) -> Node | None:
    """The node of a piece of split(), chunk() or unbind() after its base was changed."""
    if RULES.get(view._n[BW]) is SPOILED:
        node: Node = view._n
        return node
    name = NAMESPACE["node_name"](view._n).rstrip("0123456789").removesuffix("Backward")
    message = (
        f"Output {view.output_nr} of {name} is a view and its base or another view of its base has been modified inplace. "
        "This view is the output of a function that returns multiple views. Such functions do not allow the output views to be "
        "modified inplace. You should replace the inplace operation by an out-of-place one."
    )
    return link(SPOILED, (base,), view._s, {"message": message})


NAMESPACE["link_view"] = link_view
TENSORS.update(rebase_view=rebase_view, rebase_views=rebase_views, apply_inplace=apply_inplace,
               before_inplace=before_inplace)  # fmt: skip

# ---- copying and filling ------------------------------------------------------------------------------------------

op("copied(input, src)", inputs=2, forward="copied(input, src)", general=lambda a, s: np.broadcast_to(s, a.shape).copy(),
   vjps={"input": "zero(g)", "src": "g"}, partials={"src": "1"}, promote="first", node="CopyBackwards", method=False,
   inplace=False, latex="{src}", fast=False, doc="The values of another tensor.", public="copy_", condition="src",
   samples=[Sample(([1.0, 2.0], [3.0, 4.0])), Sample((([1.0, 2.0], [3.0, 4.0]), [5.0, 6.0]))],
   source="https://pytorch.org/docs/stable/generated/torch.Tensor.copy_.html")  # fmt: skip
op("filled(input, value)", forward="filled(input, value)", general=lambda a, v: np.full_like(a, v), public="fill_",
   vjps={"input": "zero(g)"}, partials={"input": "0"}, node="FillBackward2", method=False, inplace=False, latex="{value}",
   fast=False, doc="One number everywhere.", samples=[Sample(([1.0, 2.0],), {"value": 3.0})],
   source="https://pytorch.org/docs/stable/generated/torch.Tensor.fill_.html")  # fmt: skip
op("filled_tensor(input, value)", inputs=2, forward="filled_tensor(input, value)", public="fill_",
   general=lambda a, v: np.full_like(a, v), vjps={"input": "zero(g)", "value": "g"}, partials={"value": "1"}, promote="first",
   node="FillBackward3", method=False, inplace=False, latex="{value}", fast=False, doc="The number in a 0-dim tensor everywhere.",
   samples=[Sample(([1.0, 2.0], 3.0))], source="https://pytorch.org/docs/stable/generated/torch.Tensor.fill_.html")  # fmt: skip
op("zeroed(input)", forward="zeros_like(input)", vjps={"input": "zero(g)"}, partials={"input": "0"}, node="ZeroBackward0",
   method=False, inplace=False, latex="0", doc="Zero everywhere.", public="zero_", samples=[Sample(([1.0, 2.0],))],
   source="https://pytorch.org/docs/stable/generated/torch.Tensor.zero_.html")  # fmt: skip


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """The values of another tensor, broadcast and converted."""
    if not isinstance(src, Tensor):
        raise TypeFault(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    before_inplace(self, REGISTRY["copied"], src)
    if type(self._a) is ndarray:
        forbid_partial_overlap(self, (src,), REGISTRY["copied"])
    if kernels.broadcast_shapes(self._s, src._s) != self._s:
        from engine.ops.refusals import broadcast_fault

        fits = kernels.broadcast_shapes(self._s, src._s)
        raise failed(REGISTRY["copied"], (self, src), broadcast_fault(self._s, src._s) if fits is None else RuntimeFault(
            f"output with shape {list(self._s)} doesn't match the broadcast shape {list(fits)}"))  # fmt: skip
    if src._a.dtype != self._a.dtype:
        src = TENSORS["to_dtype"](src, dtypes.of(self._a))
    return apply_inplace(self, TENSORS["copied"](self, src), REGISTRY["copied"])


def fill_(self: Tensor, value: Any) -> Tensor:
    """One number everywhere."""
    if isinstance(value, Tensor):
        if value._s:
            raise RuntimeFault(
                f"fill_ only supports 0-dimension value tensor but got tensor with {len(value._s)} dimensions."
            )
        before_inplace(self, REGISTRY["filled_tensor"], value)
        if value._a.dtype != self._a.dtype:
            value = TENSORS["to_dtype"](value, dtypes.of(self._a))
        return apply_inplace(self, TENSORS["filled_tensor"](self, value), REGISTRY["filled_tensor"])
    before_inplace(self, REGISTRY["filled"])
    if not isinstance(value, (bool, int, float, np.generic)):
        raise TypeFault(f"fill_(): argument 'value' (position 1) must be Number, not {type(value).__name__}")
    return apply_inplace(self, TENSORS["filled"](self, value), REGISTRY["filled"])


def zero_(self: Tensor) -> Tensor:
    """Zero everywhere."""
    if self._n is None and NAMESPACE["_watch"] is None:  # w.grad.zero_(), w.grad.data.zero_()
        a = self._a
        if type(a) is ndarray:
            a.fill(0)
            if self._b is not DATA:
                versions.bump(a)
        else:
            fresh = kernels.ONE - kernels.ONE if type(a) is F else a.dtype.type(0)  # the cheapest fresh 0
            versions.renew(self, fresh)
        return self
    return apply_inplace(self, TENSORS["zeroed"](self), REGISTRY["zeroed"])


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """One number on the diagonal."""
    if len(self._s) < 2:
        raise RuntimeFault("dimensions must larger than 1")
    if len(self._s) > 2 and len(set(self._s)) > 1:
        raise RuntimeFault("all dimensions of input must be of equal length")
    fill_(TENSORS["diagonal"](self, 0, 0, 1), fill_value)
    return self


_IN_PLACE_NODES = {
    "SqueezeBackward0": "SqueezeBackward3", "SqueezeBackward1": "SqueezeBackward4", "SqueezeBackward2": "SqueezeBackward5",
    "UnsqueezeBackward0": "UnsqueezeBackward1", "TransposeBackward0": "TransposeBackward1", "TBackward0": "TBackward1",
}  # fmt: skip
_renamed_rules: dict[Rule, Rule] = {}


def _renamed(node: Node) -> Node:
    """The node of a form in place: it does the same under another name. These rules save nothing."""
    rule = RULES[node[BW]]
    found = _renamed_rules.get(rule)
    if found is None:
        known = rule.op.node if isinstance(rule.op.node, str) else ""
        found = Rule(replace(rule.op, node=_IN_PLACE_NODES.get(known, known)), rule.names, rule.saved, rule.flavour)

        def backward(n: Node, g: Any) -> Any:
            return rule.keep(n, g)

        found.keep = found.release = found.freed = backward
        RULES[backward] = found
        _renamed_rules[rule] = found
    node[BW] = found.release
    return node


def _reshaped_inplace(name: str) -> Any:
    f = TENSORS[name]

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        before_inplace(self, REGISTRY.get(name))
        if name == "t" and len(self._s) > 2:
            raise RuntimeFault(f"t_() expects a tensor with <= 2 dimensions, but self is {len(self._s)}D")
        r = f(self, *args, **kwargs)
        self._a, self._s = r._a, r._s
        versions.bump(self._a)
        if NAMESPACE["grad_on"]:
            self._n = None if r._n is None else _renamed(r._n)
        return self

    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"{name}() of the tensor itself."
    return method


def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Another shape, with new storage where more elements are needed."""
    if self._n is not None:
        raise RuntimeFault("cannot resize variables that require grad")
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    flat = np.resize(self._array(), shape) if self._a.size else np.zeros(shape, self._a.dtype)
    self._a, self._s = flat, tuple(shape)
    return self


for _f in (copy_, fill_, zero_, fill_diagonal_, resize_):
    setattr(Tensor, _f.__name__, _f)
    TENSORS[_f.__name__] = _f
for _name in ("squeeze", "unsqueeze", "t", "transpose", "swapaxes", "swapdims"):
    setattr(Tensor, _name + "_", _reshaped_inplace(_name))
for _name in ("pow", "square", "float_power", "clamp", "lerp", "masked_fill", "scatter", "index_fill", "cumsum", "cumprod",
              "addmm", "addmv", "baddbmm", "div", "add", "sub"):  # fmt: skip
    setattr(Tensor, _name + "_", inplace(_name))


def _quick(name: str, ufunc: Any, symbol: Any) -> tuple[Any, Any]:
    """x += y and its kin where nothing is tracked and float32 meets float32: an optimizer written by hand."""
    slow = getattr(Tensor, name + "_")

    def operator(self: Tensor, other: Any) -> Tensor:
        tracking = NAMESPACE["grad_on"]
        if NAMESPACE["_watch"] is None and (self._n is None or not tracking):
            a = self._a
            kind = type(other)
            if kind is Tensor or isinstance(other, Tensor):
                if other._s != self._s or (tracking and other._n is not None):
                    return slow(self, other)  # type: ignore[no-any-return]
                b: Any = other._a
            elif kind is float or kind is int:
                b = other
            else:
                return slow(self, other)  # type: ignore[no-any-return]
            if type(a) is F:
                if type(b) is not ndarray:
                    fresh = symbol(a, b)
                    if type(fresh) is F:
                        renew(self, fresh)
                        return self
            elif type(a) is ndarray and a.dtype is F32 and 0 not in a.strides:
                if type(b) is not ndarray or (b.dtype is F32 and (a.base is None is b.base or not np.may_share_memory(a, b))):
                    ufunc(a, b, a)
                    if self._b is not DATA:
                        versions.bump(a)
                    return self
        return slow(self, other)  # type: ignore[no-any-return]

    def method(self: Tensor, other: Any, **options: Any) -> Tensor:
        return slow(self, other, **options) if options else operator(self, other)

    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"In-place form of {name}()."
    return method, operator


for _name, _symbol, _ufunc, _infix in (
    ("add", "iadd", np.add, operator.add), ("sub", "isub", np.subtract, operator.sub),
    ("mul", "imul", np.multiply, operator.mul), ("div", "itruediv", np.divide, operator.truediv),
):  # fmt: skip
    _method, _operator = _quick(_name, _ufunc, _infix)
    setattr(Tensor, _name + "_", _method)
    setattr(Tensor, f"__{_symbol}__", _operator)
for _name, _of in (("divide", "div"), ("multiply", "mul"), ("subtract", "sub"), ("true_divide", "div"), ("clip", "clamp"),
                   ("fix", "trunc"), ("greater", "gt"), ("less", "lt")):  # fmt: skip
    setattr(Tensor, _name, TENSORS[_of])
    setattr(Tensor, _name + "_", getattr(Tensor, _of + "_"))
    TENSORS[_name] = TENSORS[_of]
