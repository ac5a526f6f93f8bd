"""The one seam through which the engine can be watched: what it does, told in engine objects.

It knows no ids, no JSON, no files and no web. While nobody watches, the price is one flag test per operation.
An observer must not change what it is given; arrays it wants to keep it copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from engine.ops.registry import NAMESPACE

# A Tensor, a graph node and an Op are `Any` here because the classes lie above this layer.
Tensor = Any
Node = Any
Array = Any


class Observer(Protocol):
    """What the engine calls, in the order in which things happen.

    target is set to the tensor that an operation in place is about to change, just before its `forward`.
    """

    target: Tensor | None

    def forward(
        self,
        op: Any,
        node: Node | None,
        inputs: Sequence[Any],
        outputs: Sequence[Tensor],
        params: dict[str, Any],
        *,
        saved: Sequence[str] = (),
        view_of: Tensor | None = None,
        inplace: bool = False,
    ) -> None:
        """An operation ran. inputs are Tensors or Python numbers; node is None when no gradient is tracked."""

    def leaf(self, tensor: Tensor, role: str) -> None:
        """A tensor was made from outside data: by a factory, by tensor(), or as a Parameter."""

    def seed(
        self,
        root: Tensor,
        node: Node,
        gradient: Array,
        retain_graph: bool,
        create_graph: bool,
        inputs: Sequence[Tensor] | None,
    ) -> None:
        """A backward pass starts at root with this gradient."""

    def ready(self, node: Node, gradient: Array) -> None:
        """Every consumer of node has reported; gradient is the sum of what they sent."""

    def contribute(
        self,
        node: Node,
        index: int,
        edge: Node,
        upstream: Array,
        local: Array | None,
        product: Array,
        result: Array,
        axes: tuple[int, ...] | None,
    ) -> None:
        """What node sends through input `index` to edge.

        local is the local derivative (elementwise operations only); product is before, result after
        broadcasting is undone; axes are those that were summed, None when nothing was.
        """

    def accumulate(self, leaf_node: Node, before: Array | None, delta: Array, after: Array) -> None:
        """A leaf's .grad changed from before (None: there was none) by delta to after."""

    def release(self, nodes: Sequence[Node]) -> None:
        """The saved tensors of these nodes were freed. Once per backward call."""

    def zero(self, tensors: Iterable[Tensor], to: str) -> None:
        """The gradients of these tensors were cleared; to is "none" or "zero"."""

    def update(
        self, tensor: Tensor, before: Array, after: Array, optimizer: Any | None, terms: dict[str, Any]
    ) -> None:
        """A tensor's values changed outside the graph: an optimizer step, `w.data = ...`, `w -= ...` under no_grad."""

    def enter(self, module: Any, name: str) -> None:
        """A module's forward begins."""

    def exit(self, module: Any, output: Any) -> None:
        """A module's forward is over."""

    def fail_op(self, op: Any, inputs: Sequence[Any], error: BaseException) -> None:
        """An operation raised, e.g. because shapes do not fit."""


active: Observer | None = None
"""Told everything; operations and the backward walk read it as NAMESPACE["_obs"]."""

watch: Observer | None = None
"""Told `seed`, `zero` and `update`, whether it watches in full (then it is `active` too) or only in brief.

In brief, `update` comes with None for values and no terms: it says only that the tensor changed."""


def install(observer: Observer | None, *, brief: bool = False) -> Observer | None:
    """Make `observer` the one that watches (None: nobody does). Returns the one it replaces.

    brief   it hears of `seed`, `zero` and `update` only: operations and backward run unobserved, at full speed
    """
    global active, watch
    before, watch = watch, observer
    active = None if brief else observer
    NAMESPACE["_obs"] = active
    NAMESPACE["_watch"] = watch
    return before
