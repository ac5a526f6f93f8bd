"""The backward walk that can be asked for anything: observed, kept, of several roots, with a graph of its own."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy import ndarray

from engine.autograd import versions
from engine.autograd.backward import accumulate, tie_order
from engine.autograd.hooks import Hooked
from engine.autograd.nodes import (
    arguments_of,
    array_of,
    edges_of,
    environment,
    input_shape,
    local_derivative,
    positions_of,
    revive,
    seen_edge,
)  # fmt: skip
from engine.ops import kernels
from engine.ops.custom import PORT, Custom
from engine.ops.formulas import tensor_formula
from engine.ops.registry import BW, E0, META, NAMESPACE, RULES, SAVED, SEQ, SHAPE, TENSORS, Node, Rule


def run(
    roots: Sequence[Node],
    gradients: Sequence[Any],
    *,
    keep: bool,
    create_graph: bool,
    targets: dict[int, Any] | None = None,
    accumulating: bool = True,
    anomaly: Any = None,
) -> dict[int, Any]:
    """Backward from roots with their gradients (arrays, or Tensors under create_graph).

    targets       id(node) -> anything: the nodes whose gradient is wanted; None means all leaves
    accumulating  leaves add to their .grad (backward); otherwise gradients are only returned (grad)
    returns       id(node) -> gradient for every target that was reached
    """
    obs = NAMESPACE["_obs"]
    needed = None if targets is None else _needed(roots, targets)
    deps: dict[int, int] = {}
    todo: list[Node] = []
    seen: set[int] = set()
    for r in roots:
        deps[id(r)] = deps.get(id(r), 0) + 1
        if id(r) not in seen:
            seen.add(id(r))
            todo.append(r)
    while todo:
        n = todo.pop()
        if needed is not None and id(n) not in needed:
            continue
        for e in edges_of(n):
            deps[id(e)] = deps.get(id(e), 0) + 1
            if id(e) not in seen:
                seen.add(id(e))
                todo.append(e)
    sums: dict[int, Any] = {}
    heap: list[Node] = []
    leaves: list[Node] = []
    found: dict[int, Any] = {}
    freed: list[Node] = []
    last = versions.last_inplace[0]

    def send(e: Node, x: Any) -> None:
        if x is not None:
            h = sums.get(id(e))
            sums[id(e)] = x if h is None else h + x
        deps[id(e)] -= 1

    def settle(edges: Sequence[Node]) -> None:
        done = []
        for e in {id(e): e for e in edges}.values():
            if deps[id(e)] == 0 and (needed is None or id(e) in needed or id(e) in targets):  # type: ignore[operator]
                if e[E0] is None:
                    done.append(e)
                else:
                    heappush(heap, e)
        if done:
            leaves.extend(done[i] for i in reversed(tie_order(len(done))))

    for r, g in zip(roots, gradients, strict=True):
        send(r, g)
    settle(roots)
    while leaves or heap:
        n = leaves.pop() if leaves else heappop(heap)
        g = sums.pop(id(n), None)
        if n[E0] is None:
            if targets is not None and id(n) in targets and not accumulating:
                if g is not None and n[BW] is not None:
                    g = n[BW].before(n, g)
                found[id(n)] = g
            elif g is not None and (targets is None or id(n) in targets):
                _accumulate(n, g, create_graph, obs)
                found[id(n)] = g
            continue
        bw = n[BW]
        hooks = None
        if type(bw) is Hooked:
            hooks, bw = bw, bw.inner
            if g is not None:
                g = hooks.before(n, g)
        if targets is not None and id(n) in targets:
            found[id(n)] = g
        if needed is not None and id(n) not in needed:
            continue
        edges = edges_of(n)
        if g is None:
            for e in edges:
                send(e, None)
            settle(edges)
            continue
        if n[SEQ] > last:
            versions.check(n)
        rule = RULES[bw]
        if obs is not None and rule is not PORT:
            obs.ready(n, array_of(g, n[SHAPE]))
        results: Any
        if create_graph:
            results = apply_over_tensors(rule, n, g)
            if anomaly is not None:
                anomaly(n, results)
        else:
            results = rule.keep(n, g) if bw is not rule.freed else bw(n, g)
            if len(edges) == 1:
                results = (results,)
            if anomaly is not None:
                anomaly(n, results)
        if obs is not None and rule is not PORT:
            _report(obs, rule, n, edges, g, results)
        if hooks is not None:
            results = hooks.after(n, g, results)
        if not keep and rule.saved and bw is not rule.freed:
            free(n, rule)
            freed.append(n)
        for e, x in zip(edges, results, strict=True):
            send(e, x)
        settle(edges)
    if obs is not None and freed:
        obs.release(freed)
    return found


def free(n: Node, rule: Rule) -> None:
    """Drop what n saved; a second backward through it raises torch's error."""
    if type(n[BW]) is Hooked:
        n[BW].inner = rule.freed
    else:
        n[BW] = rule.freed
    for i in range(SAVED, len(n)):
        n[i] = None


def _needed(roots: Sequence[Node], targets: dict[int, Any]) -> set[int]:
    """The nodes that must run: those from which a target can be reached, other than only by being one."""
    needed: set[int] = set()
    state: dict[int, int] = {}
    stack: list[tuple[Node, bool]] = [(r, False) for r in roots]
    while stack:
        n, after = stack.pop()
        if after:
            if any(id(e) in needed or id(e) in targets for e in edges_of(n)):
                needed.add(id(n))
            continue
        if id(n) in state:
            continue
        state[id(n)] = 1
        stack.append((n, True))
        stack.extend((e, False) for e in edges_of(n) if id(e) not in state)
    return needed


def _accumulate(n: Node, g: Any, create_graph: bool, obs: Any) -> None:
    before = None
    if obs is not None and n[META] is not None:
        before = np.array(array_of(n[META]._a, n[SHAPE]))
    if create_graph:
        if n[BW] is not None:
            g = n[BW].before(n, g)
        t = n[META]
        n[META] = g if t is None else t + g
        if n[BW] is not None:
            n[BW].after(n, g)
    else:
        accumulate(n, g)
    if obs is not None:
        obs.accumulate(n, before, array_of(g, n[SHAPE]), array_of(n[META]._a, n[SHAPE]))


def _report(obs: Any, rule: Rule, n: Node, edges: Sequence[Node], g: Any, results: Sequence[Any]) -> None:
    """Tell the observer what each edge receives and how it came about."""
    upstream = array_of(g, n[SHAPE])
    for i, e, x in zip(positions_of(rule, n), edges, results, strict=True):
        if x is None:
            continue
        name = rule.op.inputs[i] if i < len(rule.op.inputs) else str(i)
        local = local_derivative(rule, name, n)
        shape = input_shape(rule, n, i, e)
        if shape is None:
            shape = np.shape(x._a if isinstance(x, NAMESPACE["Tensor"]) else x)
        result = array_of(x, shape)
        if local is None:
            obs.contribute(n, i, seen_edge(e), upstream, None, result, result, None)
            continue
        local = np.broadcast_to(local, n[SHAPE])
        axes = kernels.summed_axes(shape, n[SHAPE]) or None
        product = upstream * local if axes is not None else result
        obs.contribute(n, i, seen_edge(e), upstream, local, product, result, axes)


# ---- second order --------------------------------------------------------------------------------------------


def apply_over_tensors(rule: Rule, n: Node, g: Any) -> tuple[Any, ...]:
    """A node's gradients as Tensors with a graph of their own: the same formulas, over operations."""
    if isinstance(rule, Custom):
        if rule.saved and getattr(n[BW], "inner", n[BW]) is rule.freed:
            rule.freed(n, g)
        return rule.over_tensors(n, g)
    if n[BW] is rule.freed and rule.saved:
        rule.freed(n, g)
    if type(n[BW]) is Hooked and n[BW].inner is rule.freed and rule.saved:
        rule.freed(n, g)
    op = rule.op
    env = environment(rule, n)
    edge_of = dict(zip(rule.names, edges_of(n), strict=True))
    for name in rule.saved:
        payload = env[name]
        if name == "out":
            env[name] = revive(payload, n, n[SHAPE])
        elif name in op.inputs:
            i = op.inputs.index(name)
            e = edge_of.get(name)
            if type(payload) is ndarray:
                shape = payload.shape
            else:
                shape = input_shape(rule, n, i, e or []) if rule.flavour != "A" else n[SHAPE]
            if rule.flavour == "A" and e is None and type(payload) is ndarray and payload.ndim == 0:
                env[name] = float(payload)  # a Python constant
            else:
                env[name] = revive(payload, e, shape) if isinstance(payload, (ndarray, np.generic)) else payload
        elif isinstance(payload, (ndarray, np.generic)):
            env[name] = revive(payload, None, np.shape(payload))
    arguments = ["g", *arguments_of(rule)]
    results = []
    for name, i in zip(rule.names, rule.positions, strict=True):
        f = rule.locals_.get("tensor " + name)
        if f is None:
            f = rule.locals_["tensor " + name] = tensor_formula(op.rules[name], arguments)
        env["g"] = g
        x = f(**{k: env.get(k) for k in arguments})
        if op.pointwise:
            shape = input_shape(rule, n, i, edge_of[name])
            x = TENSORS["sum_to_size"](x, shape)
            if rule.flavour == "G":
                x = TENSORS["cast"](x, n[META][1][i])
        results.append(x)
    return tuple(results)
