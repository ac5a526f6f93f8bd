"""One window: the numbers its tensors and nodes have, their names, and telling of them for the first time.

It decides neither when a window begins nor what an op says; see steps.py and recorder.py.

Note [Numbers]
    Objects are recognised by id() and held while the window lasts, so that no id is used twice. Parameters are
    held for good. See events.py for what a number tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import numpy as np

from engine.ops.registry import E0, META
from engine.tensor import Tensor
from engine.trace import events as ev
from engine.trace.encode import encode
from engine.trace.grid import Part
from engine.trace.names import Names
from engine.trace.payload import is_parameter, memory
from engine.trace.source import Position, Source
from engine.trace.wire import Wire

LIMITS: dict[str, int | float] = {
    "detail_steps": 3,  # the first steps, recorded whole whatever they weigh
    "detail_events": 20_000,  # further ones while the trace has fewer events
    "detail_bytes": 4_000_000,  # ... and fewer bytes than this
    "window_events": 60_000,  # one step larger than this is cut off, and says so
    "window_bytes": 24_000_000,
    "brief_values": 4_096,  # values of parameters that one `step` lists, over all of them
}
"""Counted, never timed: what is recorded must be a function of the program alone."""

Sites = tuple[Position | None, tuple[int, ...]]


class Window(Wire):
    """What is known of the step that is running, and of the parameters, which outlive it."""

    def __init__(
        self,
        emit: Callable[[bytes], object],
        source: Source,
        program: dict[str, Any] | None,
        limits: dict[str, int | float],
    ) -> None:
        super().__init__(emit)
        self.source = source
        self.names = Names(source, program)
        self.limits = {**LIMITS, **limits}
        self.steps = 0  # steps closed so far
        self.stopped = False
        self.params: dict[int, Tensor] = {}  # by id; held for good
        self.param_numbers: dict[int, int] = {}
        self.param_by_number: dict[int, Tensor] = {}
        self.param_names: dict[str, Tensor] = {}
        self.origins: dict[int, tuple[Tensor, Sites]] = {}  # leaves and where they were made
        self.origin_values = 0
        self.part: Part | None = None  # a block of one tensor that is wanted
        self.awake = True  # ops are taken down
        self.muted = False  # ... but not told
        self.clear()

    def clear(self) -> None:
        """A new window: every number but the parameters' is dealt anew."""
        self.cut = False
        self.lines: tuple[int, int] | None = None
        self.window_seq, self.window_bytes = self.seq, self.bytes
        self.numbers: dict[int, int] = {}  # by id of the tensor
        self.nodes: dict[int, int] = {}  # by id of the node
        self.leaf_nodes: dict[int, int] = {}  # by id of the leaf's node: the leaf
        self.reads: dict[int, tuple[int | None, ...]] = {}  # by node: the tensors it read
        self.ops: dict[int, str] = {}  # by node
        self.called: dict[int, str] = {}  # names so far
        self.values: dict[int, Any] = {}  # by parameter: its value as told last
        self.gradients: dict[int, Any] = {}  # by parameter: its .grad as told last
        self.shown: set[int] = set()
        self.kept: list[Any] = []
        self.aliases: dict[int, tuple[Tensor, bool]] | None = None
        self.next_leaf, self.next_result = 1, 2
        self.fresh: list[tuple[Tensor, str, Sites]] = []
        self.names.forget()

    # ---- telling ---------------------------------------------------------------------------------------------

    def _tell(self, kind: Callable[..., ev.Event], sites: Sites, **fields: Any) -> None:
        """Put one event of this window on the wire, unless the window is not told."""
        if self.muted or self.cut or self.stopped:
            return
        self._put(kind(seq=self.seq, at=sites[0], via=sites[1], **fields))
        limits = self.limits
        if (
            self.seq - self.window_seq > limits["window_events"]
            or self.bytes - self.window_bytes > limits["window_bytes"]
        ):
            events = self.seq - self.window_seq
            text = f"Step {self.steps} is too large to be recorded whole; it was cut off after {events} events."
            self._put(ev.Note(seq=self.seq, at=sites[0], via=sites[1], text=text, topic="machine"))
            self.cut_off()

    def cut_off(self) -> None:
        """The window has grown too large: nothing more of it is told."""
        self.cut = True
        self.awake = False

    def _sites(self, stack: list[FrameType]) -> Sites:
        """Where the program is: the innermost frame's expression, the lines of the frames around it."""
        if not stack:
            return (None, ())
        position = self.source.position
        at = position(stack[0].f_code, stack[0].f_lasti)
        via = tuple(p[0] for f in stack[1:] if (p := position(f.f_code, f.f_lasti)) is not None)
        if at is not None:
            first = min((at[0], *via))
            last = max((at[2], *via))
            lines = self.lines
            self.lines = (first, last) if lines is None else (min(first, lines[0]), max(last, lines[1]))
        return (at, via)

    def _array(self, number: int, value: Any, shape: Sequence[int], of: str = "value") -> ev.Array:
        """What the trace holds of a tensor: when a part of just this one is wanted, the part."""
        part = self.part
        if part is not None and part.tensor == number and part.of == of and len(part.ranges) == len(shape):
            whole = np.asarray(value)
            whole = whole.reshape(shape) if whole.size == math.prod(shape) else np.broadcast_to(whole, tuple(shape))
            return encode(part.cut(whole))
        return encode(value, shape)

    # ---- numbers and names -----------------------------------------------------------------------------------

    def _number(self, tensor: Tensor, stack: list[FrameType]) -> int:
        """The number of a tensor; introduces it when this window has not seen it."""
        known = self.numbers.get(id(tensor))
        if known is not None and (known % 4 or not tensor.requires_grad or known in self.shown):
            if known % 4 not in (1, 2) or not is_parameter(tensor):  # an input, or a result that asked for a
                # gradient only then, became a parameter: introduce it again
                if not self.called.get(known) and known % 4 == 0:
                    self._name_late(tensor, known, stack)
                return known
        return self._introduce(tensor, stack)

    def _name_late(self, tensor: Tensor, known: int, stack: list[FrameType]) -> None:
        """`net = Net().double()` changed its parameters before a variable led to them: they have a name by now."""
        name = self.names.of(tensor, stack)
        if name:
            self.called[known] = name
            self.param_names = {name if t is tensor else n: t for n, t in self.param_names.items()}
            self._tell(ev.Bind, self._sites(stack), tensor=known, name=name)

    def _introduce(self, tensor: Tensor, stack: list[FrameType], role: str = "", sites: Sites | None = None) -> int:
        """Tell of a tensor that no op of this window made; `sites` if it is not known where it was made."""
        node = tensor._n
        if node is not None and node[E0] is not None and id(node) in self.nodes:  # another handle of a known result
            self.kept.append(tensor)
            result = self.numbers[id(tensor)] = self.nodes[id(node)] - 1
            return result
        made = self.origins.get(id(tensor))
        sites = made[1] if made is not None else sites or self._sites(stack)
        grad = None
        name = ""
        if is_parameter(tensor):
            role = "parameter"
            found = self.param_numbers.get(id(tensor))
            if found is None:
                found = 4 * (len(self.param_numbers) + 1)
                self.params[id(tensor)] = tensor
                self.param_numbers[id(tensor)] = found
            self.param_by_number[found] = tensor
            leaf = tensor._n
            self.leaf_nodes[id(leaf)] = found
            self.kept.append(leaf)
            held = leaf[META]
            grad = None if held is None else self._array(found, held._a, held._s, "grad")
            self.values[found] = np.array(tensor._a)
            self.gradients[found] = None if held is None else np.array(held._a)
        else:
            owner = self._alias(tensor)
            if owner is not None:
                param, is_grad = owner
                if not is_grad:
                    self.kept.append(tensor)
                    found = self.numbers[id(tensor)] = self._number(param, stack)
                    return found
                role = "buffer"
                name = (self._name(param, stack) or f"tensor {self.param_numbers[id(param)]}") + ".grad"
            elif tensor._n is not None:
                role = "earlier"
            found = self.next_leaf
            self.next_leaf += 4
        name = name or self._name(tensor, stack)
        if role == "parameter":
            unnamed = f"parameter {found // 4}"
            if name:
                self.param_names.pop(unnamed, None)  # it had none in the step before
            self.param_names[name or unnamed] = tensor
        self.numbers[id(tensor)] = found
        self.kept.append(tensor)
        self.called[found] = name
        self.shown.add(found)
        self.aliases = None
        self._tell(
            ev.Leaf, sites, tensor=found, value=self._array(found, tensor._a, tensor._s), role=role or "input",
            requires_grad=tensor._n is not None, grad=grad, name=name,
        )  # fmt: skip
        return found

    def _introduce_before(self, tensor: Tensor, before: Any, stack: list[FrameType]) -> int:
        """A parameter that this window changes without having read it: its value was `before`."""
        now, tensor._a = tensor._a, before
        try:
            return self._introduce(tensor, stack)
        finally:
            tensor._a = now

    def _name(self, tensor: Tensor, stack: list[FrameType]) -> str:
        return self.called.get(self.numbers.get(id(tensor), -1)) or self.names.of(tensor, stack)

    def _alias(self, tensor: Tensor) -> tuple[Tensor, bool] | None:
        """The parameter whose values (`w.data`), or whose gradient (`w.grad`: True), this tensor is."""
        table = self.aliases
        if table is None:
            table = self.aliases = {}
            for param in self.params.values():
                if id(param) in self.numbers:
                    table[id(memory(param))] = (param, False)
                    held = param._n[META] if param._n is not None else None
                    if held is not None:
                        table[id(held)] = table[id(memory(held))] = (param, True)
        found = table.get(id(tensor)) or table.get(id(memory(tensor)))
        if found is None:
            return None
        owner: Tensor | None = found[0]
        if owner is not None and found[1]:
            owner = owner._n[META] if owner._n is not None else None
        return found if owner is not None and owner._s == tensor._s else None

    def _owner(self, gradient: Tensor) -> Tensor | None:
        """The parameter whose .grad this is."""
        if id(gradient) in self.params:
            return None
        base = memory(gradient)
        for param in self.params.values():
            leaf = param._n
            held = leaf[META] if leaf is not None and leaf[E0] is None else None
            if held is not None and (held is gradient or memory(held) is base):
                return param
        return None

    def _introduce_fresh(self, stack: list[FrameType]) -> None:
        """Tell of the tensors made since, now that names and requires_grad are settled."""
        if not self.fresh:
            return
        fresh, self.fresh = self.fresh, []
        self.names.forget()
        for tensor, role, sites in fresh:
            if id(tensor) in self.numbers:
                continue
            name = self.names.of(tensor, stack)
            if name or role == "parameter" or is_parameter(tensor):
                if not name and is_parameter(tensor):
                    continue  # half-built: it is told when used
                self._introduce(tensor, stack, role if role in ("buffer", "constant") else "", sites)

    def _look(self, stack: list[FrameType]) -> None:
        """Find out what the program has called its results since the last event."""
        called = self.called
        for name, tensor, frame in self.names.assigned(stack):
            found = self.numbers.get(id(tensor))
            if found is not None and not called.get(found):
                called[found] = name
                self._tell(ev.Bind, (self.names.place(name, frame), ()), tensor=found, name=name)

    def _bind_program(self) -> None:
        """The program's last assignments, when no event follows them."""
        if not self.awake:
            return
        for name in self.names.watched("<module>"):
            tensor = self.names.program.get(name)
            if isinstance(tensor, Tensor):
                found = self.numbers.get(id(tensor))
                if found is not None and not self.called.get(found):
                    self.called[found] = name
                    at = self.source.nearest("<module>", name, len(self.source.lines))
                    self._tell(ev.Bind, (at, ()), tensor=found, name=name)

    def _ready_to_tell(self, stack: list[FrameType]) -> None:
        self._introduce_fresh(stack)
        self._look(stack)
