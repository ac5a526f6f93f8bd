"""The backward walk: from roots to leaves in torch's order, once fast and once with everything that can be asked of it.

Not the derivative rules (engine/ops) and not the user's entry points (engine/autograd/functional.py).

Note [Order]
    A node runs when all its consumers have reported; among the ready ones the most recently made comes first; a
    leaf accumulates before anything else runs, after all contributions of the node that completed it.
    torch: Engine::evaluate_function, ReadyQueue; AccumulateGrad has the highest sequence number.

`run_fast` serves plain `loss.backward()`: nobody watches, nothing is kept, no second order. `run` serves the rest and
gives the same bits, because it calls the same array rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush, heappushpop
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from engine.autograd import versions
from engine.ops import kernels
from engine.ops.kernels import F, full  # type: ignore[attr-defined]
from engine.ops.op import (
    ARRAYS,
    BW,
    DEPS,
    E0,
    E1,
    FOLDED,
    GRAD,
    META,
    NAMESPACE,
    PORT,
    REST,
    RULES,
    SAVED,
    SEQ,
    SHAPE,
    TENSORS,
    Bundle,
    Custom,
    Node,
    Rule,
    tensor_formula,
)  # fmt: skip

new = object.__new__


def accumulate(n: Node, g: Any) -> None:
    """Add array gradient g to the .grad of leaf n."""
    if n[BW] is not None:
        g = n[BW].before(n, g)
    t = n[META]
    s = n[SHAPE]
    if t is None:
        if type(g) is ndarray:
            if g.shape != s:
                g = full(g, s)
            elif g.base is not None or getrefcount(g) > 3:
                g = g.copy()
        elif s and kernels.numel(s) != 1:
            g = kernels.box(g, s)
        tensor = NAMESPACE["Tensor"]
        t = n[META] = new(tensor)
        t._a = g
        t._n = None
        t._s = s
    else:
        add_to(t, g, s)
    if n[BW] is not None:
        n[BW].after(n, g)


def add_to(t: Any, g: Any, s: kernels.Shape) -> None:
    """t += g on arrays, where g may be lazily broadcast."""
    a = t._a
    if t._n is not None:
        t._a = a + g if type(a) is not ndarray else a + full(g, s)
        t._n = None
    elif type(a) is ndarray:
        np.add(a, g, a)
    else:
        versions.renew(t, a + g if type(g) is not ndarray or g.ndim == 0 else kernels.unbox(a + g))


def run_fast(root: Node, g: Any) -> None:
    """Backward from one root, freeing saved values on the way."""
    if root[E0] is None:
        accumulate(root, g)
        return
    # pass 1: how many consumers each node has; the counter lies on the node
    todo: list[Node] = []
    n = root
    while True:
        e = n[3]
        if e is not None:
            d = e[5]
            e[5] = d + 1
            if d == 0 and e[2] is not None:
                todo.append(e)
            e = n[4]
            if e is not None:
                for k in e:
                    d = k[5]
                    k[5] = d + 1
                    if d == 0 and k[2] is not None:
                        todo.append(k)
        e = n[2]
        d = e[5]
        e[5] = d + 1
        if d == 0 and e[2] is not None:
            n = e
        elif todo:
            n = todo.pop()
        else:
            break
    # pass 2: run every node once all its consumers have run
    tensor = NAMESPACE["Tensor"]
    last = versions.last_inplace[0]
    heap: list[Node] = []
    leaves: list[Node] = []
    n = root
    n[6] = g
    h = x = y = z = k = None  # type: ignore[assignment]
    try:
        while True:
            g = n[6]
            n[6] = None
            e = n[2]
            if e is None:  # a leaf; the common cases of `accumulate`, in line
                if n[1] is None and g is not None:
                    t = n[8]
                    if t is None:
                        s = n[7]
                        if type(g) is ndarray:
                            if g.shape != s:
                                g = full(g, s)
                            elif g.base is not None or getrefcount(g) > 2:
                                g = g.copy()
                        elif s and s != (1,) and kernels.numel(s) != 1:
                            g = kernels.box(g, s)
                        t = n[8] = new(tensor)
                        t._a = g
                        t._n = t._twin = None
                        t._s = s
                    else:
                        add_to(t, g, n[7])
                elif g is not None:
                    accumulate(n, g)
                if leaves:
                    n = leaves.pop()
                elif heap:
                    n = heappop(heap)
                else:
                    break
                continue
            if n[0] > last:
                versions.check(n)
            e2 = n[3]
            if e2 is None and g is not None:  # one edge
                g = n[1](n, g)
                h = e[6]
                if h is None:
                    e[6] = g
                elif g is not None:
                    e[6] = h + g
                    h = None
                d = e[5] - 1
                e[5] = d
                if d == 0:
                    n = e if not heap or e[2] is None else heappushpop(heap, e)
                elif heap:
                    n = heappop(heap)
                else:
                    break
                continue
            rest = n[4]
            if rest is None and g is not None:  # two
                x, y = n[1](n, g)
                h = e[6]
                if h is None:
                    e[6] = x
                elif x is not None:
                    e[6] = h + x
                h = e2[6]
                if h is None:
                    e2[6] = y
                elif y is not None:
                    e2[6] = h + y
                g = x = y = h = None  # so that the leaf's ownership test sees true reference counts
                d = e2[5] - 1
                e2[5] = d
                if d == 0:
                    d = e[5] - 1
                    e[5] = d
                    if d == 0:
                        if e[2] is None:
                            if e2[2] is None:
                                leaves.append(e2)
                            else:
                                heappush(heap, e2)
                            n = e
                        elif e2[2] is None:
                            heappush(heap, e)
                            n = e2
                        elif e[0] < e2[0]:
                            n = heappushpop(heap, e) if heap else e
                            heappush(heap, e2)
                        else:
                            n = heappushpop(heap, e2) if heap else e2
                            heappush(heap, e)
                    else:
                        n = e2 if not heap or e2[2] is None else heappushpop(heap, e2)
                    continue
                d = e[5] - 1
                e[5] = d
                if d == 0:
                    n = e if not heap or e[2] is None else heappushpop(heap, e)
                elif heap:
                    n = heappop(heap)
                else:
                    break
                continue
            if g is None:
                n = _skip(n, heap, leaves)  # type: ignore[assignment]
            elif len(rest) == 1:  # three
                k = rest[0]
                x, y, z = n[1](n, g)
                h = e[6]
                if h is None:
                    e[6] = x
                elif x is not None:
                    e[6] = h + x
                h = e2[6]
                if h is None:
                    e2[6] = y
                elif y is not None:
                    e2[6] = h + y
                h = k[6]
                if h is None:
                    k[6] = z
                elif z is not None:
                    k[6] = h + z
                g = x = y = z = h = None
                n = _settle((e, e2, k), heap, leaves)  # type: ignore[assignment]
            else:
                edges = (e, e2, *rest)
                results = n[1](n, g)
                g = None
                for k, x in zip(edges, results, strict=True):
                    h = k[6]
                    if h is None:
                        k[6] = x
                    elif x is not None:
                        k[6] = h + x
                x = h = results = None
                n = _settle(edges, heap, leaves)  # type: ignore[assignment]
            if n is None:
                break
    except BaseException:
        reset(root)
        raise


def _settle(edges: Sequence[Node], heap: list[Node], leaves: list[Node]) -> Node | None:
    """Count one report to each edge; returns the node to run next."""
    done: list[Node] = []
    for k in edges:
        d = k[DEPS] - 1
        k[DEPS] = d
        if d == 0:
            if k[E0] is None:
                done.append(k)
            else:
                heappush(heap, k)
    if len(done) > 3:
        leaves.extend(done[i] for i in reversed(tie_order(len(done))))
    elif done:  # up to three come out in the order they went in
        done.reverse()
        leaves.extend(done)
    if leaves:
        return leaves.pop()
    return heappop(heap) if heap else None


def _skip(n: Node, heap: list[Node], leaves: list[Node]) -> Node | None:
    """A node that nobody sent a gradient to sends none either."""
    return _settle(cells_of(n), heap, leaves)


def tie_order(count: int) -> list[int]:
    """The order in which torch runs `count` leaves made ready by one node.

    They are equal in its priority queue, whose order among equals is libstdc++'s binary heap: first in, first out for
    up to three, a fixed shuffle beyond.
    """
    heap: list[int] = list(range(count))  # pushing equals never moves anything up
    order = []
    while heap:
        order.append(heap[0])
        value = heap.pop()
        size = len(heap)
        if not size:
            break
        hole = child = 0
        while child < (size - 1) // 2:
            child = 2 * (child + 1)  # equal children: libstdc++ takes the right one
            heap[hole] = heap[child]
            hole = child
        if size % 2 == 0 and child == (size - 2) // 2:
            child = 2 * child + 1
            heap[hole] = heap[child]
            hole = child
        heap[hole] = value
    return order


def edges_of(n: Node) -> tuple[Node, ...]:
    """The nodes n sends gradients to."""
    if n[E0] is None:
        return ()
    if n[BW] in FOLDED:
        FOLDED[n[BW]](n)
    return cells_of(n)


def cells_of(n: Node) -> tuple[Node, ...]:
    """The nodes in n's edge cells, as the fast walk sees them: a record that stands for several stays as it is."""
    if n[E1] is None:
        return (n[E0],)
    return (n[E0], n[E1]) if n[REST] is None else (n[E0], n[E1], *n[REST])


def reset(root: Node) -> None:
    """Clear counters and half-way gradients after a backward that raised."""
    seen = {id(root)}
    todo = [root]
    while todo:
        n = todo.pop()
        n[DEPS] = 0
        n[GRAD] = None
        for e in edges_of(n):
            if id(e) not in seen:
                seen.add(id(e))
                todo.append(e)


# ---- the walk that can be asked for anything ---------------------------------------------------------------


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
            obs.ready(n, _array(g, n[SHAPE]))
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


def positions_of(rule: Rule, n: Node) -> tuple[int, ...]:
    """Which inputs the edges of n belong to."""
    found: tuple[int, ...] = n[META]["positions"] if rule.flavour in "FP" else rule.positions
    return found


def _array(g: Any, shape: Any) -> Any:
    """The real array of a gradient, whatever form it has; parts of several outputs in a row."""
    if type(g) is Bundle:
        parts = [_array(g.parts[i], shape[i]) if i in g.parts else np.zeros(shape[i], F) for i in range(len(shape))]
        return np.concatenate([p.ravel() for p in parts])
    if isinstance(g, NAMESPACE["Tensor"]):
        g = g._a
    return full(np.asarray(g), shape)


def _accumulate(n: Node, g: Any, create_graph: bool, obs: Any) -> None:
    before = None
    if obs is not None and n[META] is not None:
        before = np.array(_array(n[META]._a, n[SHAPE]))
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
        obs.accumulate(n, before, _array(g, n[SHAPE]), _array(n[META]._a, n[SHAPE]))


def _report(obs: Any, rule: Rule, n: Node, edges: Sequence[Node], g: Any, results: Sequence[Any]) -> None:
    """Tell the observer what each edge receives and how it came about."""
    upstream = _array(g, n[SHAPE])
    for i, e, x in zip(positions_of(rule, n), edges, results, strict=True):
        if x is None:
            continue
        name = rule.op.inputs[i] if i < len(rule.op.inputs) else str(i)
        local = local_derivative(rule, name, n)
        shape = input_shape(rule, n, i, e)
        if shape is None:
            shape = np.shape(x._a if isinstance(x, NAMESPACE["Tensor"]) else x)
        result = _array(x, shape)
        if local is None:
            obs.contribute(n, i, seen_edge(e), upstream, None, result, result, None)
            continue
        local = np.broadcast_to(local, n[SHAPE])
        axes = kernels.summed_axes(shape, n[SHAPE]) or None
        product = upstream * local if axes is not None else result
        obs.contribute(n, i, seen_edge(e), upstream, local, product, result, axes)


def seen_edge(e: Node) -> Node:
    """The node the user sees behind an edge: a port stands for the node whose output it is."""
    rule = RULES.get(getattr(e[BW], "inner", e[BW]))  # type: ignore[arg-type]
    return e[E0] if e[E0] is not None and rule is PORT else e


def input_shape(rule: Rule, n: Node, position: int, edge: Node) -> kernels.Shape | None:
    """The shape of a node's input, from whatever the node's flavour stores."""
    flavour = rule.flavour
    if flavour in "FP":
        return n[META]["shapes"][position]  # type: ignore[no-any-return]
    if flavour in "SA":
        shape: kernels.Shape = n[SHAPE]
        return shape
    if flavour == "B":
        return n[META][position]  # type: ignore[no-any-return]
    if flavour == "G":
        return n[META][0][position]  # type: ignore[no-any-return]
    if flavour == "X":
        return n[META][len(rule.op.params) + position]  # type: ignore[no-any-return]
    return edge[SHAPE]  # type: ignore[no-any-return]


def environment(rule: Rule, n: Node) -> dict[str, Any]:
    """What a node's formulas can read: saved arrays, parameters and shapes."""
    edges_of(n)  # unfolds it
    env: dict[str, Any] = dict(zip(rule.saved, n[SAVED:], strict=False))
    env["out_shape"] = n[SHAPE]
    if rule.flavour in "FP":
        return {**env, **n[META]}
    op = rule.op
    if rule.flavour == "X":
        env.update(zip([*op.params, *(f"{i}_shape" for i in op.inputs)], n[META], strict=True))
    elif rule.flavour == "G":
        env.update(n[META][2])
        env.update((f"{i}_shape", s) for i, s in zip(op.inputs, n[META][0], strict=True))
    elif rule.flavour == "B":
        env.update((f"{i}_shape", s) for i, s in zip(op.inputs, n[META], strict=True))
    elif n[META]:
        env.update(zip(op.params, n[META], strict=True))
    return env


def local_derivative(rule: Rule, name: str, n: Node) -> Any:
    """The local derivative of an elementwise operation, as an array; None for structured ones."""
    formula = rule.op.partials.get(name)
    if formula is None:
        return None
    if formula in ("1", "-1"):
        return np.float32(formula)
    f = rule.locals_.get(name)
    if f is None:
        arguments = _arguments(rule)
        f = rule.locals_[name] = eval(f"lambda {', '.join(arguments)}: {formula}", ARRAYS)
    env = environment(rule, n)
    given = {k: env.get(k) for k in _arguments(rule)}
    try:
        return np.asarray(f(**given))
    except ZeroDivisionError:  # `x / 0`: Python's own numbers know no infinity
        return np.asarray(f(**{k: np.float64(v) if type(v) in (int, float) else v for k, v in given.items()}))
    except TypeError:  # the partial reads a value the rule does not save
        return None


def _arguments(rule: Rule) -> list[str]:
    o = rule.op
    shapes = [f"{i}_shape" for i in o.inputs]
    return [*o.inputs, "out", *o.params, *o.aux, *shapes, "out_shape"]


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
    arguments = ["g", *_arguments(rule)]
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


def revive(payload: Any, node: Node | None, shape: kernels.Shape) -> Any:
    """A Tensor again, from what a node saved."""
    t = new(NAMESPACE["Tensor"])
    t._a = payload
    t._n = node
    t._s = shape
    return t


# ---- hooks -------------------------------------------------------------------------------------------------------


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


__all__ = ["Hooked", "accumulate", "edges_of", "free", "hooked", "reset", "run", "run_fast", "tie_order", "F"]
