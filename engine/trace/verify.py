"""The trace checks itself: re-derives what events claim, from other events and NumPy, without the engine.

    ready       = the sum of the contributions to its node, and of the seed at the root
    contribute  product = upstream · local; result = product summed over the axes, in the input's shape
    accumulate  delta = the sum of the contributions to the leaf; after = before + delta
    update      before = the value so far; after follows from the terms by the optimizer's rule (rules.py)
    step        loss = the root's value, params = the values after the step
    windows     a tensor is introduced before it is used; numbers are of the right kind; nodes are released once

Findings are sentences for a person, each beginning with the event's number. An empty list: nothing is wrong.
What travelled as statistics only cannot be re-derived and is passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.trace import events as ev
from engine.trace import rules
from engine.trace.encode import decode

Values = npt.NDArray[Any]

RELATIVE = 2e-5  # float32 sums of up to some thousand terms, in another order than the engine's
MOST = 50  # findings


def verify(events: Iterable[ev.AnyEvent]) -> list[str]:
    """Everything the trace says that does not follow; at most 50 sentences."""
    check = _Check()
    for event in events:
        check.take(event)
        if len(check.found) >= MOST:
            check.found.append("and perhaps more")
            break
    check.close()
    return check.found


class _Check:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.n = -1
        self.event: ev.AnyEvent | None = None
        self.ended = False
        self.seeding = False
        self.excused = ""  # topic of the note just before: a hook, or the program, changed what follows
        self.steps = 0
        self.grads: dict[int, Values | None] = {}
        self.open_window()

    def open_window(self) -> None:
        self.tensors: dict[int, Values | None] = {}  # value so far; None: not known exactly
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.names: dict[int, str] = {}
        self.nodes: dict[int, ev.Forward] = {}
        self.released: set[int] = set()
        self.grads = {}
        self.closed = False
        self.root: int | None = None
        self.loss: Values | None = None
        self.open_pass()

    def open_pass(self) -> None:
        """A backward pass begins: nothing has been sent yet."""
        self.upstream: dict[int, Values | None] = {}  # by node: its complete gradient
        self.sent: dict[int, list[Values | None]] = {}  # by node: what was sent to it
        self.sent_to: dict[int, list[Values | None]] = {}  # by tensor
        self.arrived: dict[int, list[Values | None]] = {}  # by leaf tensor

    def say(self, sentence: str) -> None:
        event = self.event
        kind = type(event).__name__.lower() if event is not None else "?"
        line = f", line {event.at[0]}" if event is not None and event.at else ""
        self.found.append(f"event {self.n} ({kind}{line}): {sentence}")

    def called(self, tensor: int) -> str:
        name = self.names.get(tensor)
        return f"tensor {tensor} ({name})" if name else f"tensor {tensor}"

    def take(self, event: ev.AnyEvent) -> None:
        self.n += 1
        self.event = event
        if event.seq not in (-1, self.n):
            self.say(f"has seq {event.seq}")
        if self.ended:
            self.say("comes after the end")
        if (self.n == 0) != isinstance(event, ev.Begin):
            self.say("begin must be the first event and no other")
        if self.closed and not isinstance(event, (ev.Fail, ev.End)):
            self.open_window()
        method = getattr(self, "_" + type(event).__name__.lower(), None)
        if method is not None:
            method(event)
        self.seeding = isinstance(event, ev.Seed)
        self.excused = event.topic if isinstance(event, ev.Note) else ""

    def close(self) -> None:
        if self.n < 0:
            self.found.append("the trace is empty")

    # ---- windows -----------------------------------------------------------------------------------------------

    def known(self, tensor: int, what: str) -> None:
        if tensor not in self.shapes:
            self.say(f"{what} tensor {tensor}, which the window has not introduced")

    def introduce(self, tensor: int, array: ev.Array, *, kinds: tuple[int, ...]) -> None:
        if tensor % 4 not in kinds:
            self.say(f"number {tensor} is of the wrong kind (remainder {tensor % 4}, expected {kinds})")
        self.shapes[tensor] = tuple(array.shape)
        self.tensors[tensor] = decode(array)
        chosen = sum(x is not None for x in (array.data, array.b64, array.preview))
        if chosen != 1:
            self.say(f"{self.called(tensor)}: exactly one of data, b64 and preview must be set")
        if array.data is not None and len(array.data) != math.prod(array.shape):
            self.say(f"{self.called(tensor)}: {len(array.data)} values for shape {tuple(array.shape)}")

    def _begin(self, e: ev.Begin) -> None:
        if e.schema != ev.SCHEMA:
            self.say(f"schema {e.schema} is not {ev.SCHEMA}")

    def _leaf(self, e: ev.Leaf) -> None:
        self.introduce(e.tensor, e.value, kinds=(0,) if e.role == "parameter" else (1,))
        if (e.role == "parameter") and not e.requires_grad:
            self.say(f"tensor {e.tensor} is a parameter and does not require grad")
        self.grads[e.tensor] = None if e.grad is None else decode(e.grad)
        self.names[e.tensor] = e.name

    def _bind(self, e: ev.Bind) -> None:
        self.known(e.tensor, "names")
        self.names[e.tensor] = e.name

    def _exit(self, e: ev.Exit) -> None:
        if e.tensor is not None:
            self.known(e.tensor, "returns")

    def _forward(self, e: ev.Forward) -> None:
        if not e.outputs:
            self.say("has no output")
            return
        out = tuple(e.outputs[0].value.shape)
        for given in e.inputs:
            if given.tensor is None:
                continue
            self.known(given.tensor, f"reads as {given.name}")
            b = given.broadcast
            if b is None or given.tensor not in self.shapes:
                continue
            if tuple(b.source) != self.shapes[given.tensor]:
                shape = self.shapes[given.tensor]
                self.say(f"broadcasts {self.called(given.tensor)} from {b.source}, but it is {shape}")
            if tuple(b.target) != out:
                self.say(f"broadcasts to {b.target}, but the result is {out}")
            elif tuple(b.axes) != stretched(tuple(b.source), out):
                self.say(f"from {b.source} to {b.target} repeats along {stretched(b.source, out)}, not {b.axes}")
        for o in e.outputs:
            if o.tensor in self.shapes:
                self.say(f"makes tensor {o.tensor} a second time")
            self.introduce(o.tensor, o.value, kinds=(2,))
        if e.node is not None:
            if e.node % 4 != 3 or e.node != e.outputs[0].tensor + 1:
                self.say(f"node {e.node} should be {e.outputs[0].tensor + 1}, its first output's number plus one")
            self.nodes[e.node] = e
        if (e.node is None) != (e.grad_fn is None):
            self.say("has only one of node and grad_fn")
        if e.view_of is not None:
            self.known(e.view_of, "is a view of")

    def _step(self, e: ev.Step) -> None:
        if e.window:
            if e.loss is not None and self.loss is not None and self.loss.size == 1:
                told = np.asarray(_float(e.loss))
                self.compare(told, self.loss.reshape(()), "loss", "the value backward started from")
            for tensor, value in self.tensors.items():
                name = self.names.get(tensor, "")
                if tensor % 4 == 0 and name in e.params and value is not None:
                    brief = decode(e.params[name])
                    if brief is not None and list(self.names.values()).count(name) == 1:
                        self.compare(brief, value, f"params[{name!r}]", "its value after the last update")
        self.steps += 1
        self.closed = True

    def _end(self, e: ev.End) -> None:
        self.ended = True
        if e.steps and e.steps != self.steps:
            self.say(f"counts {e.steps} steps, there are {self.steps}")

    # ---- backward ----------------------------------------------------------------------------------------------

    def _seed(self, e: ev.Seed) -> None:
        self.known(e.root, "starts at")
        if not self.seeding:
            self.open_pass()
        self.root = e.root
        if math.prod(self.shapes.get(e.root, (0,))) == 1:
            self.loss = self.tensors.get(e.root)
        grad = decode(e.grad)
        if e.node is not None:
            self.sent.setdefault(e.node, []).append(grad)
        else:
            self.arrived.setdefault(e.root, []).append(grad)

    def _ready(self, e: ev.Ready) -> None:
        if e.node not in self.nodes:
            self.say(f"node {e.node} was made in no event of this window")
        if e.node in self.upstream:
            self.say(f"node {e.node} is ready a second time in one backward pass")
        grad = decode(e.grad)
        self.upstream[e.node] = grad
        parts = self.sent.get(e.node)
        made = self.nodes.get(e.node)
        if not parts:
            self.say(f"node {e.node} is ready although nothing was sent to it")
        elif made is not None and len(made.outputs) > 1:
            self.several(made, grad)
        elif self.excused != "hook":
            self.sum(parts, grad, f"the gradient of node {e.node}")
        shape = self.shapes.get(e.tensor) if e.tensor is not None else None
        if shape is not None and tuple(e.grad.shape) != shape:
            self.say(f"gradient of shape {tuple(e.grad.shape)} for {self.called(e.tensor or 0)} of shape {shape}")

    def _contribute(self, e: ev.Contribute) -> None:
        node = self.nodes.get(e.node)
        if e.node not in self.upstream:
            self.say(f"node {e.node} sends before it is ready")
        if e.node in self.released:
            self.say(f"node {e.node} sends although it was released")
        if node is not None and not 0 <= e.index < len(node.inputs):
            self.say(f"node {e.node} has no input {e.index}")
        result = decode(e.result)
        if e.to is not None:
            self.sent.setdefault(e.to, []).append(result)
            self.sent_to.setdefault(e.tensor or 0, []).append(result)
        elif e.tensor is not None:
            self.arrived.setdefault(e.tensor, []).append(result)
        if e.tensor is not None:
            self.known(e.tensor, "goes to")
            shape = self.shapes.get(e.tensor)
            if shape is not None and tuple(e.result.shape) != shape:
                self.say(f"result of shape {tuple(e.result.shape)} for {self.called(e.tensor)} of shape {shape}")
        product = decode(e.product) if e.product is not None else result
        if e.product is None and e.axes:
            self.say(f"sums axes {e.axes} and does not show the product")
        if e.product is not None and product is not None and result is not None:
            summed = product.astype(np.float64).sum(axis=tuple(e.axes))
            if summed.size != result.size:
                self.say(f"summing {tuple(e.product.shape)} over {e.axes} does not give {tuple(e.result.shape)}")
            else:
                scale = _scale(product) * max(1.0, math.sqrt(product.size / max(1, result.size)))
                self.compare(result, summed.reshape(result.shape), "the result", "the product summed", scale)
        upstream = self.upstream.get(e.node)
        local = decode(e.local) if e.local is not None else None
        if local is not None and upstream is not None and product is not None:
            with np.errstate(all="ignore"):
                made = upstream.astype(np.float64) * local.astype(np.float64)
            # 0 · inf is NaN here, where a rule that selects (where, relu) sends a clean 0
            made = np.where(np.isnan(made) & ~np.isnan(np.broadcast_to(upstream, made.shape)), np.nan, made)
            if made.shape != product.shape:
                try:
                    made = np.broadcast_to(made, product.shape)
                except ValueError:
                    self.say(f"upstream {upstream.shape} times local {local.shape} is not {product.shape}")
                    return
            self.compare(product, made, "the product", "upstream times local", _scale(product))

    def _accumulate(self, e: ev.Accumulate) -> None:
        self.known(e.tensor, "adds to")
        delta, after = decode(e.delta), decode(e.after)
        before = None if e.before is None else decode(e.before)
        parts = self.arrived.pop(e.tensor, None)
        if not parts:
            if self.excused != "gradient":
                self.say(f"nothing was sent to {self.called(e.tensor)}")
        elif self.excused != "hook":
            self.sum(parts, delta, f"what {self.called(e.tensor)} receives")
        if e.before is None:
            if self.grads.get(e.tensor) is not None:
                self.say(f"{self.called(e.tensor)} had a gradient before")
            self.compare(after, delta, "after", "delta, there being no gradient before")
        else:
            had = self.grads.get(e.tensor)
            if had is not None:
                self.compare(before, had, "before", "the gradient so far")
            if before is not None and delta is not None:
                total = before.astype(np.float64) + delta
                self.compare(after, total, "after", "before plus delta", max(_scale(before), _scale(delta)))
        self.grads[e.tensor] = after

    def _release(self, e: ev.Release) -> None:
        for node in e.nodes:
            if node not in self.nodes:
                self.say(f"node {node} was made in no event of this window")
            self.released.add(node)

    # ---- changes -----------------------------------------------------------------------------------------------

    def _zero(self, e: ev.Zero) -> None:
        for tensor in e.tensors:
            self.known(tensor, "clears")
            self.grads[tensor] = None if e.to == "none" else np.zeros(self.shapes.get(tensor, ()))

    def _update(self, e: ev.Update) -> None:
        self.known(e.tensor, "changes")
        before, after = decode(e.before), decode(e.after)
        had = self.tensors.get(e.tensor)
        if had is not None:
            self.compare(before, had, "before", f"the value of {self.called(e.tensor)} so far")
        grad = e.terms.get("grad")
        known = self.grads.get(e.tensor)
        if isinstance(grad, ev.Array) and known is not None:
            self.compare(decode(grad), known, "terms.grad", f"the gradient of {self.called(e.tensor)}")
        if before is not None and after is not None:
            terms = {k: decode(v) if isinstance(v, ev.Array) else _value(v) for k, v in e.terms.items()}
            expected = rules.apply(e.optimizer, before, terms)
            if expected is not None:
                change = expected - before.astype(np.float64)
                scale = max(_scale(before), _scale(change)) * 1e-2 + _scale(change)
                self.compare(after, expected, "after", f"what {e.optimizer or 'lr · grad'} makes of the terms", scale)
        self.tensors[e.tensor] = after

    # ---- numbers -----------------------------------------------------------------------------------------------

    def several(self, made: ev.Forward, grad: Values | None) -> None:
        """A node with several outputs: its gradient is theirs in a row, nothing sent being zeros."""
        row: list[Values] = []
        outputs = [o for o in made.outputs if o.requires_grad]  # max(dim) has indices besides
        for o in outputs:
            parts = self.sent_to.get(o.tensor, [])
            if any(p is None for p in parts):
                return
            size = math.prod(o.value.shape)
            row.append(sum((p.astype(np.float64).ravel() for p in parts if p is not None), np.zeros(size)))
        if grad is not None and self.root not in {o.tensor for o in outputs}:
            total = np.concatenate(row)
            self.compare(grad.ravel(), total, f"the gradient of node {made.node}", "what its outputs received")

    def sum(self, parts: list[Values | None], total: Values | None, what: str) -> None:
        known = [p for p in parts if p is not None]
        if total is None or len(known) != len(parts):
            return
        with np.errstate(all="ignore"):
            added = np.asarray(sum(p.astype(np.float64) for p in known))
        self.compare(total, added, what, f"the sum of its {len(parts)} contributions", max(map(_scale, known)))

    def compare(self, told: Any, derived: Any, what: str, source: str, scale: float = 0.0) -> None:
        """Say so when `told` is not `derived` within rounding; both may be None (not known)."""
        if told is None or derived is None:
            return
        a, b = np.asarray(told, np.float64), np.asarray(derived, np.float64)
        if a.shape != b.shape:
            self.say(f"{what} has shape {a.shape}, {source} has {b.shape}")
            return
        if a.size == 0:
            return
        half = getattr(told, "dtype", None) == np.float16
        relative = 5e-3 if half else RELATIVE
        size = max(scale, _scale(b))
        with np.errstate(all="ignore"):
            wrong = ~((np.abs(a - b) <= relative * size + 1e-37) | (a == b) | (np.isnan(a) & np.isnan(b)))
        # what overflows float32 is infinite there and large here
        wrong &= ~(np.isinf(a) & (np.abs(b) > 3.4e38) & (np.sign(a) == np.sign(b)))
        wrong &= ~(np.isnan(a) & (np.abs(b) > 3.4e38))
        if wrong.any():
            at = int(np.flatnonzero(wrong.ravel())[0])
            place = f"[{at}]" if a.size > 1 else ""
            self.say(f"{what}{place} is {a.ravel()[at]:.9g}, {source} is {b.ravel()[at]:.9g}")


def stretched(source: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of `target` along which `source` is repeated."""
    lead = len(target) - len(source)
    return tuple(n for n, size in enumerate(target) if n < lead or (source[n - lead] == 1 and size != 1))


def _scale(a: Values | None) -> float:
    """The largest finite magnitude: what rounding errors are relative to."""
    if a is None or a.size == 0:
        return 0.0
    wide = np.abs(a.astype(np.float64))
    wide = wide[np.isfinite(wide)]
    return float(wide.max()) if wide.size else 0.0


def _float(value: ev.Number) -> float:
    return float(value)


def _value(value: Any) -> Any:
    """A term as a number, a flag or a word."""
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value
