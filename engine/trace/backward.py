"""Turns what the engine reports of a backward pass into events: the part of the recorder between seed and release."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine.autograd import observer
from engine.ops.registry import BW, SHAPE
from engine.tensor import Tensor
from engine.trace import events as ev
from engine.trace.encode import encode, number
from engine.trace.grid import Probe
from engine.trace.names import frames
from engine.trace.payload import like, one, payload
from engine.trace.probe import evaluate
from engine.trace.steps import Steps, Stop
from engine.trace.verify import stretched

ADDED = frozenset({"affine", "addmm", "addbmm", "baddbmm", "addmv"})  # matrix products that stretch what they add


class Backward(Steps):
    """What an engine.autograd.observer.Observer is told on the way back."""

    def seed(
        self,
        root: Tensor,
        node: Any,
        gradient: Any,
        retain_graph: bool,
        create_graph: bool,
        inputs: Sequence[Tensor] | None,
    ) -> None:
        self._take_waiting()
        self.used = self.backed = True
        self.by_hand = False
        self.hand_loop = None
        self.cleared.clear()
        self.running = 0
        stack = frames()
        sites = self.at_backward = self._sites(stack)
        self.loop = self._loop_variables(stack)
        self.root = root
        if math.prod(root._s) == 1:
            self.loss = number(np.asarray(root._a).reshape(()).item() if root._a.dtype != np.float32 else one(root._a))
        if not self.awake:
            if self.rebinds:
                self._listen()
            return
        self._ready_to_tell(stack)
        at = self._number(root, stack)
        if self.probe is not None and self.steps == self.probe.step:
            self._answer(self.probe)
        self._tell(
            ev.Seed, sites, root=at, grad=self._array(at, payload(gradient), root._s, "grad"), node=self.nodes.get(id(node)),
            retain_graph=retain_graph, create_graph=create_graph,
        )  # fmt: skip

    def _answer(self, probe: Probe) -> None:
        """What the step would have given elsewhere; then the run is over."""
        by_number = {number: held for held in self.kept if (number := self.numbers.get(id(held))) is not None}
        for row in evaluate(probe, self.calls, by_number.get):
            self._put(msgspec.structs.replace(row, seq=self.seq))
        self.stopped = True
        observer.install(None)
        raise Stop

    def ready(self, node: Any, gradient: Any) -> None:
        known = self.nodes.get(id(node)) if self.awake else None
        if known is not None:
            self.running = known
            shape = node[SHAPE]
            several = bool(shape) and isinstance(shape[0], tuple)  # then the outputs' gradients in a row
            if several and len(shape) == 1:
                several, shape = False, shape[0]
            self._note_hooks(node, self.called.get(known - 1, ""))
            part = self.part is not None and not several
            self._tell(
                ev.Ready, self.at_backward, node=known,
                grad=self._array(known - 1, gradient, shape, "grad") if part else encode(gradient, None if several else shape),
                tensor=None if several else known - 1,
            )  # fmt: skip

    def _note_hooks(self, node: Any, name: str) -> None:
        """Hooks may replace a gradient: say so, as it is then not the sum of what was sent."""
        hooks = node[BW]
        if getattr(hooks, "tensor_hooks", None) or getattr(hooks, "pre", None):
            text = f"A hook was given the gradient {f'of {name} ' if name else ''}and may change it."
            self._tell(ev.Note, self.at_backward, text=text, topic="hook")

    def contribute(
        self,
        node: Any,
        index: int,
        edge: Any,
        upstream: Any,
        local: Any,
        product: Any,
        result: Any,
        axes: tuple[int, ...] | None,
    ) -> None:
        known = self.nodes.get(id(node)) if self.awake else None
        if known is None:
            return
        reads = self.reads[known]
        self.running = 0
        to = self.nodes.get(id(edge))
        tensor = reads[index] if index < len(reads) else None
        if axes is None and index == 0 and self.ops[known] in ADDED and np.shape(result) != np.shape(upstream):
            added = stretched(tuple(np.shape(result)), tuple(np.shape(upstream)))
            if np.allclose(upstream.sum(added).reshape(result.shape), result, 1e-4, 1e-6):  # else beta is not 1
                product, axes = upstream, added
        if tensor is None and to is None:
            tensor = self.leaf_nodes.get(id(edge))
        self._tell(
            ev.Contribute, self.at_backward, node=known, index=index, result=encode(result), tensor=tensor, to=to,
            local=None if local is None else encode(like(local, upstream)), product=encode(product) if axes else None,
            axes=tuple(axes) if axes else (),
        )  # fmt: skip

    def accumulate(self, leaf_node: Any, before: Any, delta: Any, after: Any) -> None:
        if not self.awake:
            return
        self.aliases = None
        known = self.leaf_nodes.get(id(leaf_node))
        if known is not None:
            self._note_hooks(leaf_node, self.called.get(known, ""))
            self.gradients[known] = np.array(after)
            if leaf_node[BW] is not None:
                delta = after if before is None else np.asarray(after) - np.asarray(before)
            self._tell(
                ev.Accumulate, self.at_backward, tensor=known, delta=encode(delta),
                after=encode(after) if self.part is None else self._array(known, after, np.shape(after), "grad"),
                before=None if before is None else encode(before),
            )  # fmt: skip

    def release(self, nodes: Sequence[Any]) -> None:
        if self.awake:
            known = tuple(self.nodes[id(n)] for n in nodes if id(n) in self.nodes)
            if known:
                self._tell(ev.Release, self.at_backward, nodes=known)
