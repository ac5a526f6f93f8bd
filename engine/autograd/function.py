"""torch.autograd.Function: operations the user differentiates by hand. Not the engine's own operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from engine.autograd.nodes import revive
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.custom import Bundle, Custom, link, port, record
from engine.ops.registry import META, NAMESPACE, SHAPE, TENSORS, Node

Tensor = Any


class FunctionCtx:
    """What forward leaves for backward."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._plain: set[int] = set()
        self._materialize = True
        self._freed = False

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward; they are freed with the graph."""
        self._saved = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Forward-mode differentiation is not part of the engine; kept so that scripts run."""

    def mark_dirty(self, *tensors: Any) -> None:
        """These inputs were changed in place."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """These outputs carry no gradient."""
        self._plain |= {id(t) for t in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """False: a missing gradient comes as None, not as zeros."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What save_for_backward kept."""
        if self._freed:
            from engine.ops.registry import FREED_HINT, FREED_MESSAGE

            raise RuntimeFault(FREED_MESSAGE, hint=FREED_HINT)
        for t, v in zip(self._saved, getattr(self, "_versions", ()), strict=False):
            if t is not None and t._version != v:
                from engine.autograd.versions import modified

                raise modified(t._a, t._n, v, t._version)
        return tuple(revive(t._a, t._n if n is None else n, t._s) if n is not None else t
                     for t, n in zip(self._saved, self._nodes, strict=True))  # fmt: skip

    _nodes: tuple[Any, ...] = ()


class Function:
    """Subclass with static forward(ctx, ...) and backward(ctx, *grads); call through apply()."""

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The values."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> Any:
        """With forward(*inputs) that takes no ctx: what backward needs."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradient of each input."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with "
            "static forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward outside of the graph and note backward as one node."""
        tensor = NAMESPACE["Tensor"]
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, tensor) and a._n is not None for a in args)
        before = NAMESPACE["grad_on"]
        watching = NAMESPACE["_obs"]
        NAMESPACE["grad_on"] = False
        NAMESPACE["_obs"] = None  # one node in the graph, whatever forward computes inside
        try:
            if cls.setup_context is not Function.setup_context:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args, **kwargs)
        finally:
            NAMESPACE["grad_on"] = before
            NAMESPACE["_obs"] = watching
        single = not isinstance(result, tuple)
        outputs = [result] if single else list(result)
        fresh: list[Any] = []
        for o in outputs:
            if isinstance(o, tensor):
                dirty = any(o is d for d in ctx._dirty)
                fresh.append(o if dirty else revive(o._a, None, o._s))
            else:
                fresh.append(o)
        rule = _rule_of(cls)
        tensors = [o for o in fresh if isinstance(o, tensor)]
        several = not single
        shape: Any = tuple(o._s if isinstance(o, tensor) else () for o in fresh) if several else (tensors[0]._s if tensors else ())
        node = link(rule, args, shape, {"ctx": ctx, "several": several, "name": cls.__name__ + "Backward",
                                        "types": [o._a.dtype if isinstance(o, tensor) else None for o in fresh]})  # fmt: skip
        if node is not None:
            for i, (o, original) in enumerate(zip(fresh, outputs, strict=True)):
                if isinstance(o, tensor) and id(original) not in ctx._plain and o._a.dtype.kind in "fV":
                    o._n = port(node, i, o._s) if several else node
        nodes = []
        for s in ctx._saved:
            own = next((f._n for f, o in zip(fresh, outputs, strict=True) if o is s and s is not None), None)
            nodes.append(own)
        ctx._nodes = tuple(nodes)
        ctx._versions = tuple(None if s is None else s._version for s in ctx._saved)  # type: ignore[attr-defined]
        if watching is not None:
            watching.forward(rule.op, node, tuple(args), tuple(tensors), {}, saved=("saved",))
        return fresh[0] if single else tuple(fresh)


_rules: dict[type, Custom] = {}


def _rule_of(cls: type) -> Custom:
    rule = _rules.get(cls)
    if rule is None:
        o = record(
            cls.__name__, (cls.__doc__ or "A function of the user's own.").strip(), node=cls.__name__ + "Backward",
            latex=rf"\operatorname{{{cls.__name__}}}", inputs=("input",),
        )  # fmt: skip
        from engine.ops.registry import REGISTRY

        REGISTRY.pop(cls.__name__, None)  # it is the program's, not the catalogue's
        rule = _rules[cls] = Custom(o, _arrays(cls), _tensors(cls))
    return rule


def _call(cls: Any, n: Node, parts: list[Any]) -> list[Any]:
    """backward() of the user, its results checked and picked by edge."""
    meta = n[META]
    ctx = meta["ctx"]
    found = cls.backward(ctx, *parts)
    results = list(found) if isinstance(found, (tuple, list)) else [found]
    width = len(meta["shapes"])
    if len(results) > width and all(r is None for r in results[width:]):
        results = results[:width]
    if len(results) != width:
        raise RuntimeFault(
            f"function {cls.__name__}Backward returned an incorrect number of gradients (expected {width}, got {len(results)})"
        )
    out = []
    for i in meta["positions"]:
        r = results[i]
        if r is not None:
            if not isinstance(r, NAMESPACE["Tensor"]):
                raise TypeError(f"expected Variable or None (got {type(r).__name__})")
            if r._s != meta["shapes"][i]:
                if kernels.broadcast_shapes(meta["shapes"][i], r._s) != r._s:
                    raise RuntimeFault(
                        f"Function {cls.__name__}Backward returned an invalid gradient at index {i} - got {list(r._s)} but expected "
                        f"shape compatible with {list(meta['shapes'][i])}"
                    )
                r = TENSORS["sum_to_size"](r, meta["shapes"][i])
        out.append(r)
    return out


def _incoming(n: Node, g: Any, lift: Callable[[Any, Any, Any], Any]) -> list[Any]:
    meta = n[META]
    if not meta["several"]:
        return [lift(g, n[SHAPE], meta["types"][0])]
    out: list[Any] = []
    for i, s in enumerate(n[SHAPE]):
        part = g.parts.get(i) if isinstance(g, Bundle) else g
        if part is not None:
            out.append(lift(part, s, None))
        elif meta["ctx"]._materialize and meta["types"][i] is not None:
            out.append(revive(np.zeros(s, meta["types"][i]), None, s))
        else:
            out.append(None)
    return out


def _arrays(cls: type) -> Callable[[Node, Any], tuple[Any, ...]]:
    def run(n: Node, g: Any) -> tuple[Any, ...]:
        def lift(part: Any, s: Any, _: Any) -> Any:
            a = kernels.full(np.asarray(part), s)
            return revive(kernels.unbox(a), None, s)

        before = NAMESPACE["grad_on"]
        watching, NAMESPACE["_obs"] = NAMESPACE["_obs"], None
        NAMESPACE["grad_on"] = False
        try:
            results = _call(cls, n, _incoming(n, g, lift))
        finally:
            NAMESPACE["grad_on"] = before
            NAMESPACE["_obs"] = watching
        return tuple(None if r is None else (r._a if type(r._a) is ndarray or not r._s else r._array()) for r in results)

    return run


def _tensors(cls: type) -> Callable[[Node, Any], tuple[Any, ...]]:
    def run(n: Node, g: Any) -> tuple[Any, ...]:
        return tuple(_call(cls, n, _incoming(n, g, lambda part, s, _: part)))

    return run


def once_differentiable(f: Any) -> Any:
    """backward() that is not itself differentiated."""

    def wrapper(ctx: Any, *args: Any) -> Any:
        before = NAMESPACE["grad_on"]
        NAMESPACE["grad_on"] = False
        try:
            return f(ctx, *args)
        finally:
            NAMESPACE["grad_on"] = before

    return wrapper
