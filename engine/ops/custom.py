"""Operations that no block can state: any number of inputs, several outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.ops import kernels
from engine.ops.registry import (
    BW,
    E1,
    LEAF_SEQ,
    META,
    NAMESPACE,
    REGISTRY,
    RULES,
    SAVED,
    Node,
    Op,
    Rule,
    caller,
    freed_function,
)  # fmt: skip


class Custom(Rule):
    """A rule whose gradients are computed by two functions rather than by formulas.

    A node of this kind holds in META a dict with `positions` (the inputs behind its edges), `shapes` (of all inputs)
    and whatever the functions need.
    """

    __slots__ = ("over_tensors",)

    def __init__(
        self,
        op: Op,
        arrays: Callable[[Node, Any], tuple[Any, ...]],
        tensors: Callable[[Node, Any], tuple[Any, ...]],
        saves: bool = False,
    ) -> None:
        super().__init__(op, (), (), "F")
        self.over_tensors = tensors
        if saves:
            self.saved = ("saved",)

        def keep(n: Node, g: Any) -> Any:
            results = arrays(n, g)
            return results[0] if n[E1] is None else results

        def release(n: Node, g: Any) -> Any:
            results = keep(n, g)
            if saves:
                n[BW] = self.freed
                del n[SAVED:]
            return results

        self.keep, self.release = keep, release
        self.freed = freed_function() if saves else keep
        for f in (self.keep, self.release, self.freed):
            RULES[f] = self


def link(rule: Custom, inputs: Sequence[Any], shape: kernels.Shape, meta: dict[str, Any], *saved: Any) -> Node | None:
    """A node of a custom rule over tensors, or None when no gradient is tracked."""
    if not NAMESPACE["grad_on"]:
        return None
    positions = tuple(i for i, t in enumerate(inputs) if getattr(t, "_n", None) is not None)
    if not positions:
        return None
    edges = [inputs[i]._n for i in positions]
    meta["positions"] = positions
    meta["shapes"] = tuple(getattr(t, "_s", ()) for t in inputs)
    return [
        NAMESPACE["seq"](), rule.release, edges[0], edges[1] if len(edges) > 1 else None,
        tuple(edges[2:]) if len(edges) > 2 else None, 0, None, shape, meta, *saved,
    ]  # fmt: skip


def record(name: str, doc: str, *, node: str, latex: str, inputs: Sequence[str] = ("tensors",), **more: Any) -> Op:
    """Register a hand-built operation: one with any number of inputs or several outputs."""
    o = Op(
        name=name, inputs=tuple(inputs), params={}, node=node, rules={}, partials={}, latex=latex, latex_partials={},
        doc=doc, source=more.get("source", f"https://pytorch.org/docs/stable/generated/torch.{name}.html"),
        samples=tuple(more.get("samples", ())), fails=tuple(more.get("fails", ())), family=caller(), promote="none",
        pointwise=False, view=more.get("view", False), aux=(), lazy=False, kernel=more.get("kernel", lambda *a: None),
        method=more.get("method", False), inplace=False, public=more.get("public", name), fast=False, condition=None,
        aliases=tuple(more.get("aliases", ())), keyword_only=frozenset(), forward=None, order=tuple(inputs), numbers=False, check=None, result=None,
    )  # fmt: skip
    REGISTRY[name] = o
    return o


class Bundle:
    """The gradient of a node with several outputs: one part an output, missing where nobody asked."""

    __slots__ = ("parts",)
    ndim = -1
    shape: Any = None

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Bundle) -> Bundle:
        parts = dict(self.parts)
        for i, g in other.parts.items():
            parts[i] = parts[i] + g if i in parts else g
        return Bundle(parts)


class _Port(Custom):
    """The rule of a port: the graph's stand-in for one output of a node with several. torch has no such node."""


def _to_bundle(n: Node, g: Any) -> tuple[Bundle]:
    return (Bundle({n[META]["index"]: g}),)


PORT = _Port(
    Op(
        "port", ("node",), {}, "Port", {}, {}, "", {}, "", "", (), (), "", "none", False, False, (), True, _to_bundle, False,
        False, "port", False, None, (), frozenset(), None, (), False, None, None,
    ),
    _to_bundle,
    _to_bundle,
)  # fmt: skip
PORT.flavour = "P"


def port(node: Node, index: int, shape: kernels.Shape) -> Node:
    """The node that output `index` of a several-output node carries."""
    # runs as soon as it is ready, before any real node
    return [LEAF_SEQ // 2 + NAMESPACE["seq"](), PORT.release, node, None, None, 0, None, shape,
            {"index": index, "positions": (0,), "shapes": (None,)}]  # fmt: skip
