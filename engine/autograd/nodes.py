"""What a node holds: its edges, the shapes of its inputs, what its formulas read. Walks nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import float32 as F

from engine.ops import kernels
from engine.ops.custom import PORT, Bundle
from engine.ops.kernels import full
from engine.ops.registry import (
    ARRAYS,
    BW,
    E0,
    E1,
    FOLDED,
    META,
    NAMESPACE,
    REST,
    RULES,
    SAVED,
    SHAPE,
    Node,
    Rule,
)  # fmt: skip

new = object.__new__


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


def positions_of(rule: Rule, n: Node) -> tuple[int, ...]:
    """Which inputs the edges of n belong to."""
    found: tuple[int, ...] = n[META]["positions"] if rule.flavour in "FP" else rule.positions
    return found


def array_of(g: Any, shape: Any) -> Any:
    """The real array of a gradient, whatever form it has; parts of several outputs in a row."""
    if type(g) is Bundle:
        parts = [array_of(g.parts[i], shape[i]) if i in g.parts else np.zeros(shape[i], F) for i in range(len(shape))]
        return np.concatenate([p.ravel() for p in parts])
    if isinstance(g, NAMESPACE["Tensor"]):
        g = g._a
    return full(np.asarray(g), shape)


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
        arguments = arguments_of(rule)
        f = rule.locals_[name] = eval(f"lambda {', '.join(arguments)}: {formula}", ARRAYS)
    env = environment(rule, n)
    given = {k: env.get(k) for k in arguments_of(rule)}
    try:
        return np.asarray(f(**given))
    except ZeroDivisionError:  # `x / 0`: Python's own numbers know no infinity
        return np.asarray(f(**{k: np.float64(v) if type(v) in (int, float) else v for k, v in given.items()}))
    except TypeError:  # the partial reads a value the rule does not save
        return None


def arguments_of(rule: Rule) -> list[str]:
    o = rule.op
    shapes = [f"{i}_shape" for i in o.inputs]
    return [*o.inputs, "out", *o.params, *o.aux, *shapes, "out_shape"]


def revive(payload: Any, node: Node | None, shape: kernels.Shape) -> Any:
    """A Tensor again, from what a node saved."""
    t = new(NAMESPACE["Tensor"])
    t._a = payload
    t._n = node
    t._s = shape
    return t
