"""Graph nodes as the user sees them: `t.grad_fn`, made on demand around the engine's flat records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.autograd.hooks import hooked
from engine.autograd.nodes import edges_of, environment
from engine.errors import AttributeFault, RuntimeFault
from engine.ops.custom import PORT
from engine.ops.registry import BW, E0, FREED_MESSAGE, META, NAMESPACE, RULES, Node, Rule
from engine.ops.registry import Node as Record


def rule_of(n: Record) -> Rule:
    """The rule a node runs by, under hooks and also after its values were freed."""
    return RULES[getattr(n[BW], "inner", n[BW])]  # type: ignore[index]


def name_of(n: Record) -> str:
    """torch's name of a node."""
    if n[E0] is None:
        return "AccumulateGrad"
    rule = rule_of(n)
    if rule is PORT:
        return name_of(n[E0])
    o = rule.op
    if rule.flavour == "F" and "name" in n[META]:
        return str(n[META]["name"])
    if isinstance(o.node, str):
        return o.node
    if rule.flavour == "X":
        return o.node_name(dict(zip(o.params, n[META], strict=False)))
    if rule.flavour == "G":
        return o.node_name({**n[META][2], "tensors": sum(t is not None for t in n[META][1])})
    return o.node_name(dict(zip(o.params, n[META] or (), strict=False)))


NAMESPACE["node_name"] = name_of

_counter = [0]


class RemovableHandle:
    """Takes a hook off again."""

    __module__ = "torch.utils.hooks"

    def __init__(self, hooks: dict[int, Any]) -> None:
        self._hooks = hooks
        _counter[0] += 1
        self.id = _counter[0]

    def remove(self) -> None:
        """Take the hook off."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def add_hook(hooks: dict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
    """Put a hook into a table; the handle takes it out."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


class GraphNode:
    """A node of the graph. Two are equal when they stand for the same record."""

    __slots__ = ("_node", "__weakref__")

    def __init__(self, node: Record) -> None:
        self._node = node

    def name(self) -> str:
        """torch's name, e.g. MulBackward0; C++ nodes without a derivative formula carry their namespace."""
        name = name_of(self._node)
        return "torch::autograd::" + name if name in ("AccumulateGrad", "CopySlices", "CopyBackwards") else name

    @property
    def next_functions(self) -> tuple[tuple[GraphNode | None, int], ...]:
        """Per input, the node it came from and which of its outputs; None where no gradient flows."""
        n = self._node
        if n[E0] is None:
            return ()
        rule = rule_of(n)
        if rule.flavour == "F":
            edges = dict(zip(n[META]["positions"], edges_of(n), strict=True))
            if rule.op.name == "copy_slices":  # torch: what made the new value is inside; its other edges go on from here
                made = edges.get(1)
                others: tuple[Any, ...] = () if made is None else GraphNode(made).next_functions[1:]
                others = others or ((None, 0),)
                return (_entry(edges.get(0)), *others)
            width = len(n[META]["shapes"])
            return tuple(_entry(edges.get(i)) for i in range(width))
        found: list[tuple[GraphNode | None, int]] = []
        where = dict(zip(rule.positions, edges_of(n), strict=True))
        if rule.op.node == "NotImplemented":
            return tuple(_entry(e) for e in edges_of(n))
        # a block that serves numbers and tensors by two nodes; `None in` would ask NumPy, to which None is float64
        if rule.flavour == "G" and callable(rule.op.node) and any(t is None for t in n[META][1]):
            return tuple(_entry(e) for e in edges_of(n))
        differentiable = [i for i, x in enumerate(rule.op.inputs) if x in rule.op.rules] or list(rule.positions)
        for i in differentiable:
            e = where.get(i)
            found.append(_entry(e))
        if rule.op.name in ("clamp_min_tensor", "clamp_max_tensor"):  # torch's node has a place for the other limit
            found.append(_entry(None))
        return tuple(found)

    @property
    def metadata(self) -> dict[str, Any]:
        """A dict of the user's own."""
        table: dict[str, Any] = _metadata.setdefault(id(self._node), (self._node, {}))[1]
        return table

    @property
    def variable(self) -> Any:
        """The leaf tensor of an AccumulateGrad node."""
        if self._node[E0] is not None:
            raise AttributeFault(f"'{self.name()}' object has no attribute 'variable'")
        owner = self._node[9]() if len(self._node) > 9 else None
        return owner

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(grad_inputs, grad_outputs) after the node has run; it may return other grad_inputs."""
        return add_hook(hooked(self._node).post, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(grad_outputs) before the node runs; it may return other grad_outputs."""
        return add_hook(hooked(self._node).pre, hook)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            return self._saved(name[7:])
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _saved(self, name: str) -> Any:
        from engine.autograd.nodes import revive

        n = self._node
        edges_of(n)  # unfolds it
        rule = rule_of(n)
        key = {"self": rule.op.inputs[0] if rule.op.inputs else "", "result": "out"}.get(name, name)
        if getattr(n[BW], "inner", n[BW]) is rule.freed and key in rule.saved:
            raise RuntimeFault(FREED_MESSAGE)
        env = environment(rule, n)
        if key not in env:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '_saved_{name}'")
        value = env[key]
        if key in rule.saved and hasattr(value, "dtype"):
            import numpy as np

            e = n if key == "out" else dict(zip(rule.names, edges_of(n), strict=True)).get(key)
            return revive(value, e, np.shape(value) or n[7])
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GraphNode) and other._node is self._node

    def __hash__(self) -> int:
        return id(self._node)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {hex(id(self._node))}>"


_metadata: dict[int, tuple[Record, dict[str, Any]]] = {}
_classes: dict[str, type[GraphNode]] = {}


def _entry(e: Node | None) -> tuple[GraphNode | None, int]:
    """An edge as next_functions shows it: the node and which of its outputs."""
    if e is None:
        return (None, 0)
    return (wrap(e), e[META]["index"] if e[E0] is not None and rule_of(e) is PORT else 0)


def wrap(n: Node) -> GraphNode:
    """The user's object for a node, of a class named as torch names it."""
    if n[E0] is not None and rule_of(n) is PORT:
        n = n[E0]
    name = name_of(n)
    if name == "Invalid":  # a view that may not be used any more
        raise RuntimeFault(n[META]["message"])
    cls = _classes.get(name)
    if cls is None:
        cls = _classes[name] = type(name, (GraphNode,), {"__slots__": ()})
    return cls(n)
