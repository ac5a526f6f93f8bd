"""Hooks on nodes: what stands in a node's BW cell when it has some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.autograd.nodes import edges_of, input_shape, positions_of, revive
from engine.ops.kernels import full
from engine.ops.registry import BW, E0, E1, FOLDED, META, NAMESPACE, RULES, SHAPE, Node


class Hooked:
    """Stands in a node's BW cell when it has hooks: runs them around the real backward function."""

    __slots__ = ("inner", "tensor_hooks", "pre", "post", "retain", "dtype")

    def __init__(self, inner: Callable[..., Any] | None) -> None:
        self.inner: Any = inner
        self.tensor_hooks: dict[int, Callable[..., Any]] = {}
        self.pre: dict[int, Callable[..., Any]] = {}
        self.post: dict[int, Callable[..., Any]] = {}
        self.retain: Any = None  # weak reference to the tensor whose .grad is retained

    def before(self, n: Node, g: Any) -> Any:
        """Tensor hooks, then retain_grad, then node pre-hooks; each may replace the gradient."""
        tensor = NAMESPACE["Tensor"]
        was_tensor = isinstance(g, tensor)
        t = g if was_tensor else revive(full(np.asarray(g), n[SHAPE]).copy(), None, n[SHAPE])
        for hook in list(self.tensor_hooks.values()):
            result = hook(t)
            if result is not None:
                t = result
        owner = self.retain() if self.retain is not None else None
        if owner is not None:
            kept = owner.__dict__.get("_retained")
            owner.__dict__["_retained"] = (t if was_tensor else t.clone()) if kept is None else kept + t
        for hook in list(self.pre.values()):
            result = hook((t,))
            if result is not None:
                t = result if isinstance(result, tensor) else result[0]
        return t if was_tensor else t._a

    def after(self, n: Node, g: Any, results: Any = None) -> Any:
        """Node post-hooks: hook(grad_inputs, grad_outputs) may replace what is sent."""
        if not self.post:
            return results
        if n[E0] is None:
            for hook in list(self.post.values()):
                hook((), (revive(full(np.asarray(g), n[SHAPE]), None, n[SHAPE]),))
            return results
        rule = RULES[self.inner]
        tensor = NAMESPACE["Tensor"]
        arrays = not isinstance(g, tensor)
        width = len(n[META]["shapes"]) if rule.flavour in "FP" else len(rule.op.inputs)
        sent: list[Any] = [None] * width
        for i, e, x in zip(positions_of(rule, n), edges_of(n), results, strict=True):
            if x is not None:
                s = input_shape(rule, n, i, e) or np.shape(x)
                sent[i] = revive(full(np.asarray(x), s), None, s) if arrays else x
        up = revive(full(np.asarray(g), n[SHAPE]), None, n[SHAPE]) if arrays else g
        for hook in list(self.post.values()):
            result = hook(tuple(sent), (up,))
            if result is not None:
                sent = list(result) if isinstance(result, (tuple, list)) else [result]
        out = [sent[i] for i in positions_of(rule, n)]
        return tuple((x._a if arrays and x is not None else x) for x in out)

    def __call__(self, n: Node, g: Any) -> Any:
        """What run_fast calls."""
        g = self.before(n, g)
        inner = self.inner
        n[BW] = inner
        try:
            results = inner(n, g)
        finally:
            self.inner = n[BW]
            n[BW] = self
        if self.post:
            single = n[E1] is None
            results = self.after(n, g, (results,) if single else results)
            return results[0] if single else results
        return results


def hooked(n: Node) -> Hooked:
    """The node's hook holder, put in place if there is none yet."""
    if n[BW] in FOLDED:
        FOLDED[n[BW]](n)
    bw = n[BW]
    if type(bw) is not Hooked:
        bw = n[BW] = Hooked(bw)
    return bw
