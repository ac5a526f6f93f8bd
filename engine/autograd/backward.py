"""The backward walk as it mostly is: plain `loss.backward()`, in torch's order, as fast as can be.

Not the derivative rules (engine/ops) and not the user's entry points (engine/autograd/functional.py).

Note [Order]
    A node runs when all its consumers have reported; among the ready ones the most recently made comes first; a
    leaf accumulates before anything else runs, after all contributions of the node that completed it.
    torch: Engine::evaluate_function, ReadyQueue; AccumulateGrad has the highest sequence number.

`run_fast` is for when nobody watches, nothing is kept, no second order is wanted. walk.py serves the rest and gives the
same bits, because it calls the same array rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush, heappushpop
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from engine.autograd import versions
from engine.autograd.nodes import cells_of, edges_of
from engine.ops import kernels
from engine.ops.kernels import full
from engine.ops.registry import BW, DEPS, E0, GRAD, META, NAMESPACE, SHAPE, Node

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
                if e is e2 or e is k or e2 is k:
                    n = _settle((e, e2, k), heap, leaves)  # type: ignore[assignment]
                    if n is None:
                        break
                    continue
                d = k[5] - 1
                k[5] = d
                if d == 0:
                    if k[2] is None:
                        leaves.append(k)
                    else:
                        heappush(heap, k)
                d = e2[5] - 1
                e2[5] = d
                if d == 0:
                    if e2[2] is None:
                        leaves.append(e2)
                    else:
                        heappush(heap, e2)
                d = e[5] - 1
                e[5] = d
                if d == 0:
                    if e[2] is None:
                        n = e
                        continue
                    heappush(heap, e)
                if leaves:
                    n = leaves.pop()
                elif heap:
                    n = heappop(heap)
                else:
                    break
                continue
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
