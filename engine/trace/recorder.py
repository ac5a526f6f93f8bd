"""Turns what the engine reports into events. Knows numbers, lines and windows; knows no HTTP, no file, no process.

Note [Awake and asleep]
    A window is recorded awake (every event), or slept through (only its `step`). Awake, the recorder is the engine's
    observer. Asleep, it hears of backward passes, updates and zeroing only, and the engine runs at full speed;
    between a step's update and the next differentiable forward op it listens to ops as well, because that op
    begins the next step.

    The first window is always lived through awake, if need be without telling (muted): it is where parameters get
    their numbers and names, so that step k has the same ones whether recorded in passing or on demand.

Note [Between steps]
    After an update, ops that no gradient flows through may belong to this step (`b -= lr * b.grad`) or to the next
    (preparing its batch). They wait: a further update, zeroing, backward or print takes them into this step, the
    first differentiable op into the next.

Note [By hand]
    A program that calls no backward but changes tensors in place inside a `for` loop trains by hand. Its steps are
    the loop's iterations: an op in another iteration than the last change begins the next step.

Note [Numbers]
    Objects are recognised by id() and held while the window lasts, so that no id is used twice. Parameters are
    held for good. See events.py for what a number tells.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import Any

import msgspec
import numpy as np

from engine.autograd import observer
from engine.ops.op import BW, E0, META, NAMESPACE, SHAPE
from engine.tensor import Tensor
from engine.trace import events as ev
from engine.trace.encode import brief, encode, number
from engine.trace.grid import Probe, parse_probe
from engine.trace.names import Names, frames
from engine.trace.probe import Calls, evaluate
from engine.trace.source import Position, Source
from engine.trace.verify import stretched

FLUSH_SECONDS = 0.016  # one frame of a screen
FLUSH_BYTES = 32_768

LIMITS: dict[str, int | float] = {
    "detail_steps": 3,  # the first steps, recorded whole whatever they weigh
    "detail_events": 20_000,  # further ones while the trace has fewer events
    "detail_bytes": 4_000_000,  # ... and fewer bytes than this
    "window_events": 60_000,  # one step larger than this is cut off, and says so
    "window_bytes": 24_000_000,
    "brief_values": 4_096,  # values of parameters that one `step` lists, over all of them
}
"""Counted, never timed: what is recorded must be a function of the program alone."""

LISTED = 20  # steps whose parameters are listed whatever they weigh
WAITING = 4_000  # ops between two steps that are kept back before they are taken into the earlier one
ORIGINS = 1_000_000  # values of the leaves that are held to remember where they were made
ADDED = frozenset({"affine", "addmm", "addbmm", "baddbmm", "addmv"})  # matrix products that stretch what they add

Sites = tuple[Position | None, tuple[int, ...]]


class Stop(BaseException):
    """The steps asked for are recorded; the program need not go on. BaseException: programs rarely catch it."""


class Recorder:
    """An engine.autograd.observer.Observer that emits events as JSON lines.

    emit     takes whole lines as bytes; called at most every 16 ms while events come, and by `flush`
    program  the variables of the program, where names are looked up
    detail   the steps to record whole; empty: the first ones, as `limits` allow
    """

    def __init__(
        self,
        emit: Callable[[bytes], object],
        source: Source,
        program: dict[str, Any] | None = None,
        *,
        seed: int = 0,
        detail: Iterable[int] = (),
        limits: dict[str, int | float] | None = None,
        engine: str = "",
        run: str = "",
        probe: str = "",
    ) -> None:
        self.source = source
        self.names = Names(source, program)
        self.asked = tuple(sorted(set(detail)))
        self.given = dict(limits or {})
        self.limits = {**LIMITS, **self.given}
        self._emit = emit
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []
        self._held = 0
        self._flushed = time.perf_counter()
        self._begin = ev.Begin(
            seq=0, schema=ev.SCHEMA, engine=engine, source=source.text, seed=seed, detail=self.asked, limits=self.given,
            run=run, probe=probe,
        )  # fmt: skip
        self.probe = parse_probe(probe) if probe else None
        self.calls = Calls()
        self.seq = 0  # events told so far
        self.bytes = 0
        self.steps = 0  # steps closed so far
        self.stopped = False
        self.params: dict[int, Tensor] = {}  # by id; held for good
        self.param_numbers: dict[int, int] = {}
        self.param_by_number: dict[int, Tensor] = {}
        self.param_names: dict[str, Tensor] = {}
        self.origins: dict[int, tuple[Tensor, Sites]] = {}  # leaves and where they were made
        self.origin_values = 0
        self.loss_names: dict[Position | None, str] = {}  # by where backward is called
        self.weighed = (0, 1)  # how many parameters there were when they were weighed; list every n-th step
        self.over = False  # the program has ended
        self.failed: tuple[BaseException, str, tuple[int, ...]] | None = None
        self.target: Tensor | None = None  # what the op about to run changes in place
        self.rebinds = False  # this program trains by making new parameters rather than by changing them
        self.dozing = False  # asleep, and told of ops only to notice the next step
        self.by_hand = False  # see Note [By hand]
        self.hand_loop: dict[str, int | float | str] | None = None  # the iteration of the last change by hand
        self._open()
        self.awake = self.recorded = True  # Note [Awake and asleep]: the first window always is

    # ---- life ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Tell the first event and start listening."""
        self._put(self._begin)
        self.flush()  # who waits for the run sees at once that it began
        self._listen()

    def finish(self, fail: Callable[[], ev.Fail] | None = None) -> None:
        """The program is over: close its last step, tell what it failed with, stop listening."""
        self.over = True
        observer.install(None)
        if not self.stopped:
            self._take_waiting()
            stack: list[FrameType] = []
            if self.awake:
                self._introduce_fresh(stack)
            self._bind_program()
            if (self.used or not self.steps) and self.probe is None:
                self._close()
            if fail is not None:
                self._put(msgspec.structs.replace(fail(), seq=self.seq))
        self.flush()

    def _listen(self) -> None:
        """Install the observer that this moment needs."""
        self.dozing = False
        if self.stopped:
            observer.install(None)
        elif self.awake or ((self.closing or self.rebinds) and self._wakes(self.steps + 1)):
            observer.install(self)
        else:
            observer.install(self, brief=True)
            if self.closing or (self.rebinds and self.backed) or self.by_hand:
                # only the next differentiable op is of interest: modules and backward stay fast
                NAMESPACE["_obs"] = self
                self.dozing = not self.rebinds and not self.by_hand

    def _wakes(self, step: int) -> bool:
        """Is this step to be recorded in full?"""
        if self.asked:
            return step in self.asked
        limits = self.limits
        if step < limits["detail_steps"]:
            return True
        return self.seq < limits["detail_events"] and self.bytes < limits["detail_bytes"]

    def _open(self) -> None:
        """A new window: every number but the parameters' is dealt anew."""
        self.awake = self.recorded = self._wakes(self.steps)
        self.muted = bool(self.asked) and (self.steps not in self.asked or self.probe is not None)
        self.calls = Calls()
        self.cut = False
        self.used = False  # something happened that makes this a step
        self.backed = False  # a backward pass ran
        self.closing = False  # ... and then something was updated or zeroed
        self.loss: ev.Number | None = None
        self.root: Tensor | None = None
        self.loop: dict[str, int | float | str] = {}
        self.grads: dict[str, ev.Array | None] | None = None
        self.lines: tuple[int, int] | None = None
        self.window_seq, self.window_bytes = self.seq, self.bytes
        self.numbers: dict[int, int] = {}  # by id of the tensor
        self.nodes: dict[int, int] = {}  # by id of the node
        self.leaf_nodes: dict[int, int] = {}  # by id of the leaf's node: the leaf
        self.reads: dict[int, tuple[int | None, ...]] = {}  # by node: the tensors it read
        self.called: dict[int, str] = {}  # names so far
        self.values: dict[int, Any] = {}  # by parameter: its value as told last
        self.gradients: dict[int, Any] = {}  # by parameter: its .grad as told last
        self.shown: set[int] = set()
        self.kept: list[Any] = []
        self.consts: list[float] = []
        self.aliases: dict[int, tuple[Tensor, bool]] | None = None
        self.cleared: set[int] = set()  # parameters zeroed since the last backward
        self.running = 0  # the node that is ready and has sent nothing yet
        self.ops: dict[int, str] = {}  # by node
        self.updated = 0  # id of the parameter updated last, until an op runs
        self.next_leaf, self.next_result = 1, 2
        self.fresh: list[tuple[Tensor, str, Sites]] = []
        self.waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.scopes: list[str] = []
        self.at_backward: Sites = (None, ())
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
            self.cut = True
            self.awake = False
            self._listen()

    def _put(self, event: ev.Event) -> None:
        line = self._encode(event)
        self.seq += 1
        self._lines.append(line)
        size = len(line) + 1
        self.bytes += size
        self._held += size
        if self._held >= FLUSH_BYTES or time.perf_counter() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand over all lines so far."""
        if self._lines:
            text = b"\n".join(self._lines) + b"\n"
            self._lines.clear()
            self._held = 0
            self._emit(text)
        self._flushed = time.perf_counter()

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

    # ---- numbers and names -----------------------------------------------------------------------------------

    def _number(self, tensor: Tensor, stack: list[FrameType]) -> int:
        """The number of a tensor; introduces it when this window has not seen it."""
        known = self.numbers.get(id(tensor))
        if known is not None and (known % 4 or not tensor.requires_grad or known in self.shown):
            if known % 4 != 1 or not _is_parameter(tensor):  # an input became a parameter: introduce it again
                return known
        return self._introduce(tensor, stack)

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
        if _is_parameter(tensor):
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
            grad = None if held is None else encode(held._a, held._s)
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
            self.param_names[name or f"parameter {found // 4}"] = tensor
        self.numbers[id(tensor)] = found
        self.kept.append(tensor)
        self.called[found] = name
        self.shown.add(found)
        self.aliases = None
        self._tell(
            ev.Leaf, sites, tensor=found, value=encode(tensor._a, tensor._s), role=role or "input",
            requires_grad=tensor._n is not None, grad=grad, name=name,
        )  # fmt: skip
        return found

    def _name(self, tensor: Tensor, stack: list[FrameType]) -> str:
        return self.called.get(self.numbers.get(id(tensor), -1)) or self.names.of(tensor, stack)

    def _alias(self, tensor: Tensor) -> tuple[Tensor, bool] | None:
        """The parameter whose values (`w.data`), or whose gradient (`w.grad`: True), this tensor is."""
        table = self.aliases
        if table is None:
            table = self.aliases = {}
            for param in self.params.values():
                if id(param) in self.numbers:
                    table[id(_memory(param))] = (param, False)
                    held = param._n[META] if param._n is not None else None
                    if held is not None:
                        table[id(held)] = table[id(_memory(held))] = (param, True)
        found = table.get(id(tensor)) or table.get(id(_memory(tensor)))
        if found is None:
            return None
        owner: Tensor | None = found[0]
        if owner is not None and found[1]:
            owner = owner._n[META] if owner._n is not None else None
        return found if owner is not None and owner._s == tensor._s else None

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
            if name or role == "parameter" or _is_parameter(tensor):
                if not name and _is_parameter(tensor):
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

    # ---- steps -----------------------------------------------------------------------------------------------

    def _take_waiting(self) -> None:
        """What waits belongs to this step."""
        waiting, self.waiting = self.waiting, []
        if self.awake:
            for call, arguments in waiting:
                call(*arguments)

    def _turn(self) -> None:
        """A differentiable op after an update: this step is over, the next begins."""
        waiting, self.waiting = self.waiting, []
        scopes = self.scopes
        self._close()
        self._open()
        self.used = True
        self.scopes = scopes
        self._listen()
        if self.awake:
            for call, arguments in waiting:
                call(*arguments)

    def _close(self) -> None:
        """Tell the step in brief."""
        if self.awake:
            self._tell_changed_values()
        if self.hand_loop is not None:
            self.loss = self._loss_by_hand()
            self.hand_loop = None
        listed = self._lists_parameters()
        if self.grads is None:
            self.grads = self._brief_grads() if listed else {}
        told = not self.asked or self.steps in self.asked
        if told and not self.stopped:
            name = self._loss_name()
            if self.lines is None and self.at_backward[0] is not None:
                self.lines = (self.at_backward[0][0], self.at_backward[0][2])
            self._put(
                ev.Step(
                    seq=self.seq, index=self.steps, loss=self.loss, loss_name=name, loop=self.loop,
                    params=self._brief_params() if listed or self.over else {}, grads=self.grads,
                    window=self.recorded and not self.muted, lines=self.lines,
                )
            )  # fmt: skip
        self.steps += 1
        if self.asked and self.steps > self.asked[-1]:
            self.stopped = True
            observer.install(None)
            raise Stop

    def _loss_name(self) -> str:
        """What the program calls what backward started from; asleep, what it did at the same line before."""
        if self.root is None:
            return "loss" if self.loss is not None else ""
        at = self.at_backward[0]
        name = self.called.get(self.numbers.get(id(self.root), -1), "") or self.loss_names.get(at, "")
        if not name:
            name = self.loss_names[at] = self.names.of(self.root, [])
        elif self.awake:
            self.loss_names[at] = name
        return name

    def _lists_parameters(self) -> bool:
        """Whether this step's brief lists parameters and gradients.

        Always while they are few. Of a large model every n-th step does, so that listing costs no more than a few
        values a step on average; besides the first ones, and those recorded in full.
        """
        if self.recorded or self.steps < LISTED or not self.param_names:
            return True
        if len(self.param_names) != self.weighed[0]:
            sizes = [math.prod(t._s) for t in self.param_names.values()]
            weight = sum(2 * min(size, 64) + size // 250 for size in sizes)
            self.weighed = len(sizes), max(1, min(100, weight // 12))
        return self.steps % self.weighed[1] == 0

    def _current(self) -> dict[str, Tensor]:
        """The parameters by name, as many as a `step` lists."""
        found: dict[str, Tensor] = {}
        values = 0
        for name, tensor in self.param_names.items():
            values += min(math.prod(tensor._s), 64)
            if values > self.limits["brief_values"]:
                break
            found[name] = tensor
        return found

    def _brief_params(self) -> dict[str, ev.Array]:
        return {name: brief(tensor._a, tensor._s) for name, tensor in self._current().items()}

    def _brief_grads(self) -> dict[str, ev.Array | None]:
        result: dict[str, ev.Array | None] = {}
        for name, tensor in self._current().items():
            leaf = tensor._n
            if leaf is not None and leaf[E0] is None:
                held = leaf[META]
                result[name] = None if held is None else brief(held._a, held._s)
        return result

    def _changed_by_hand(self, target: Tensor) -> None:
        """Note [By hand]: a tensor was changed in place and no backward has ever run."""
        stack = frames()
        loop = self._loop_variables(stack)
        if loop:
            self.by_hand = self.used = True
            self.hand_loop = self.loop = loop
            name = self.names.of(target, stack) if self.awake else ""
            if name:
                self.param_names[name] = target

    def _loss_by_hand(self) -> ev.Number | None:
        """What the program itself calls `loss`, there being no backward to tell."""
        loss = self.names.program.get("loss")
        if isinstance(loss, Tensor) and math.prod(loss._s) == 1:
            return number(np.asarray(loss._a).reshape(()).item())
        return number(loss) if type(loss) is float else None

    def _adopt(self) -> bool:
        """`w = (w - lr * w.grad).detach().requires_grad_()`: a parameter's name stands for a new tensor.

        It takes over the old one's number: to the program it is the same parameter, updated.
        """
        program = self.names.program
        found = False
        for name, old in list(self.param_names.items()):
            now = program.get(name, old)
            if now is old or not isinstance(now, Tensor) or not _is_parameter(now) or now._s != old._s:
                continue
            if id(now) in self.param_numbers:
                continue
            found = True
            if self.grads is None:
                self.grads = self._brief_grads()
            known = self.param_numbers.pop(id(old))
            self.params.pop(id(old))
            self.params[id(now)], self.param_numbers[id(now)], self.param_names[name] = now, known, now
            self.param_by_number[known] = now
            if self.awake and known in self.shown:
                self.values[known] = np.array(now._a)
                at = self.source.nearest("<module>", name, len(self.source.lines))
                self._tell(
                    ev.Update, (at, ()), tensor=known, before=encode(old._a, old._s), after=encode(now._a, now._s),
                    terms={k: _term(v, old._s) for k, v in self._terms_by_hand(old, old._a, now._a).items()},
                )  # fmt: skip
        return found

    def _changed(self) -> None:
        """Something was updated or zeroed."""
        self.used = True
        if self.backed:
            if self.grads is None and self._lists_parameters():
                self.grads = self._brief_grads()
            if not self.closing:
                self.closing = True
                self._listen()

    # ---- the observer: forward -------------------------------------------------------------------------------

    def leaf(self, tensor: Tensor, role: str) -> None:
        if self.dozing:
            return
        if self.closing:
            self._wait(self._take_leaf, (tensor, role, self._sites(frames())))
        elif self.awake:
            self._take_leaf(tensor, role, self._sites(frames()))

    def _take_leaf(self, tensor: Tensor, role: str, sites: Sites) -> None:
        self.used = True
        self.fresh.append((tensor, role, sites))
        size = math.prod(tensor._s) + 100
        if self.origin_values + size <= ORIGINS:
            self.origin_values += size
            self.origins[id(tensor)] = (tensor, sites)
        if len(self.fresh) > 2_000:
            self._introduce_fresh(frames())

    def _wait(self, call: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.waiting.append((call, arguments))
        if len(self.waiting) > WAITING:
            self._take_waiting()

    def enter(self, module: Any, name: str) -> None:
        if not (self.awake or self.closing):
            return
        stack = frames()
        own = name
        outer = self.scopes[-1] if self.scopes else ""
        if outer and own:
            path = f"{outer}.{own}"
        else:
            path = self.names.of(module, stack) or type(module).__name__
        self.scopes.append(path)
        sites = self._sites(stack)
        if self.closing:
            self._wait(self._take_enter, (path, type(module).__name__, sites, None))
        else:
            self._take_enter(path, type(module).__name__, sites, stack)

    def _take_enter(self, path: str, kind: str, sites: Sites, stack: list[FrameType] | None) -> None:
        self.used = True
        if stack is not None:
            self._ready_to_tell(stack)
        self._tell(ev.Enter, sites, scope=path, type=kind)

    def exit(self, module: Any, output: Any) -> None:
        path = self.scopes.pop() if self.scopes else ""
        if not (self.awake or self.closing) or not path:
            return
        stack = frames()
        sites = self._sites(stack)
        if self.closing:
            self._wait(self._take_exit, (path, type(module).__name__, output, sites, None))
        else:
            self._take_exit(path, type(module).__name__, output, sites, stack)

    def _take_exit(
        self, path: str, kind: str, output: Any, sites: Sites, stack: list[FrameType] | None
    ) -> None:
        if stack is not None:
            self._ready_to_tell(stack)
        known = self.numbers.get(id(output)) if isinstance(output, Tensor) else None
        self._tell(ev.Exit, sites, scope=path, type=kind, tensor=known)

    def forward(
        self,
        op: Any,
        node: Any,
        inputs: Sequence[Any],
        outputs: Sequence[Tensor],
        params: dict[str, Any],
        *,
        saved: Sequence[str] = (),
        view_of: Tensor | None = None,
        inplace: bool = False,
    ) -> None:
        target, self.target = self.target, None
        if self.dozing and node is None:
            return
        if self.hand_loop is not None and self._loop_variables(frames()) != self.hand_loop:
            self._turn()
        if target is not None:
            if not self.backed and target._n is None:
                self._changed_by_hand(target)
            known = target.__dict__.get("_data_of") is not None or self._owner(target) is not None
            if _is_parameter(target) or known:
                return  # `update` or `zero` will tell
        if self.closing:
            if node is None:
                stack = frames()
                here = (self._sites(stack), self.scopes[-1] if self.scopes else "")
                self._wait(self._take_forward, (op, node, inputs, outputs, params, saved, view_of, target, here))
                return
            self._turn()
        elif self.backed and node is not None and self._adopt():
            self.rebinds = True
            self._turn()
        if self.awake:
            stack = frames()
            self._ready_to_tell(stack)
            here = (self._sites(stack), self.scopes[-1] if self.scopes else "")
            self._take_forward(op, node, inputs, outputs, params, saved, view_of, target, here, stack)

    def _take_forward(
        self,
        op: Any,
        node: Any,
        inputs: Sequence[Any],
        outputs: Sequence[Tensor],
        params: dict[str, Any],
        saved: Sequence[str],
        view_of: Tensor | None,
        target: Tensor | None,
        here: tuple[Sites, str],
        stack: list[FrameType] | None = None,
    ) -> None:
        self.used = True
        if self.probe is not None:
            self.calls.hear(op, inputs, outputs, params, target is not None)
        stack = stack if stack is not None else []
        sites, scope = here
        first = outputs[0]
        stretches = op.pointwise or op.name in ADDED
        names = op.inputs
        out_shape = first._s
        read: list[ev.Input] = []
        numbers: list[int | None] = []
        tensors: dict[str, int] = {}
        for n, given in enumerate(inputs):
            name = names[n] if n < len(names) else f"{names[-1] if names else 'input'}[{n}]"
            if isinstance(given, Tensor):
                known = self.numbers.get(id(given))
                if known is None or (known % 4 == 1 and _is_parameter(given)) or known not in self.shown:
                    known = self._introduce(given, stack, "", sites)
                shape = given._s
                wide = None
                may = stretches and (op.pointwise or n == 0) and op.name != "where"
                if may and shape != out_shape and len(shape) <= len(out_shape):
                    wide = ev.Broadcast(shape, out_shape, stretched(shape, out_shape))
                read.append(ev.Input(name, known, None, wide))
                tensors[name] = known
                numbers.append(known)
            elif given is not None:
                read.append(ev.Input(name, None, _constant(given)))
                numbers.append(None)
                if node is None and self.backed and type(given) in (int, float):
                    self.consts.append(float(given))
            else:
                numbers.append(None)
        results: list[ev.Output] = []
        key = self.next_result
        for index, tensor in enumerate(outputs):
            made = self.next_result
            self.next_result += 4
            self.numbers[id(tensor)] = made
            self.shown.add(made)
            self.kept.append(tensor)
            results.append(ev.Output(made, encode(tensor._a, tensor._s), tensor._n is not None, index))
        if target is not None:  # the same tensor, another value: a new number
            self.called[key] = self.called.get(self.numbers.get(id(target), -1), "")
            self.numbers[id(target)] = key
            self.kept.append(target)
        number_of_node = None
        grad_fn = None
        if node is not None:
            number_of_node = key + 1
            self.nodes[id(node)] = number_of_node
            self.kept.append(node)
            if len(outputs) > 1:  # each output of several has a node of its own, which only passes on
                for tensor in outputs:
                    if tensor._n is not None:
                        self.nodes[id(tensor._n)] = number_of_node
                        self.kept.append(tensor._n)
            self.reads[number_of_node] = tuple(numbers)
            self.ops[number_of_node] = op.name
            grad_fn = op.node_name(params)
        tensors["out"] = key
        kept = tuple(ev.Saved(name, tensors[name]) for name in saved if name in tensors)
        viewed = None if view_of is None else self.numbers.get(id(view_of))
        self._tell(
            ev.Forward, sites, op=op.name, inputs=tuple(read), outputs=tuple(results), node=number_of_node,
            grad_fn=grad_fn, params={k: _plain(v) for k, v in params.items()}, saved=kept, scope=scope,
            view_of=viewed, inplace=target is not None,
        )  # fmt: skip

    # ---- the observer: backward ------------------------------------------------------------------------------

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
            self.loss = number(np.asarray(root._a).reshape(()).item() if root._a.dtype != np.float32 else _one(root._a))
        if not self.awake:
            if self.rebinds:
                self._listen()
            return
        self._ready_to_tell(stack)
        at = self._number(root, stack)
        if self.probe is not None and self.steps == self.probe.step:
            self._answer(self.probe)
        self._tell(
            ev.Seed, sites, root=at, grad=encode(_payload(gradient), root._s), node=self.nodes.get(id(node)),
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

    def _loop_variables(self, stack: list[FrameType]) -> dict[str, int | float | str]:
        """The targets of the `for` statements around the running lines, outermost first."""
        found: dict[str, int | float | str] = {}
        for frame in reversed(stack):
            for name in self.source.loops(frame.f_lineno):
                value = frame.f_locals.get(name)
                if isinstance(value, np.generic):
                    value = value.item()
                if isinstance(value, str):
                    found[name] = value[:80]
                elif isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
                    found[name] = value
        return found

    def ready(self, node: Any, gradient: Any) -> None:
        known = self.nodes.get(id(node)) if self.awake else None
        if known is not None:
            self.running = known
            several = bool(node[SHAPE]) and isinstance(node[SHAPE][0], tuple)  # then the outputs' gradients in a row
            self._note_hooks(node, self.called.get(known - 1, ""))
            self._tell(
                ev.Ready, self.at_backward, node=known, grad=encode(gradient, None if several else node[SHAPE]),
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
            local=None if local is None else encode(_like(local, upstream)), product=encode(product) if axes else None,
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
                ev.Accumulate, self.at_backward, tensor=known, delta=encode(delta), after=encode(after),
                before=None if before is None else encode(before),
            )  # fmt: skip

    def release(self, nodes: Sequence[Any]) -> None:
        if self.awake:
            known = tuple(self.nodes[id(n)] for n in nodes if id(n) in self.nodes)
            if known:
                self._tell(ev.Release, self.at_backward, nodes=known)

    # ---- the observer: changes -------------------------------------------------------------------------------

    def is_gradient(self, tensor: Tensor) -> bool:
        """Whether the tensor is a known parameter's .grad, or shares its memory."""
        return self._owner(tensor) is not None

    def _owner(self, gradient: Tensor) -> Tensor | None:
        """The parameter whose .grad this is."""
        if id(gradient) in self.params:
            return None
        memory = _memory(gradient)
        for param in self.params.values():
            leaf = param._n
            held = leaf[META] if leaf is not None and leaf[E0] is None else None
            if held is not None and (held is gradient or _memory(held) is memory):
                return param
        return None

    def zero(self, tensors: Iterable[Tensor], to: str) -> None:
        owners = []
        for tensor in tensors:
            owner = None if _is_parameter(tensor) else self._owner(tensor)
            owners.append(tensor if owner is None else owner)
        fresh = [t for t in owners if id(t) not in self.cleared]  # an optimizer's zero_grad tells first of all, then
        if not fresh:  # each of them of itself
            return
        self.cleared.update(map(id, fresh))
        self._take_waiting()
        if self.awake:
            stack = frames()
            sites = self._sites(stack)
            self._ready_to_tell(stack)
            known = tuple(self.numbers[id(t)] for t in fresh if self.numbers.get(id(t)) in self.shown)
            for number_ in known:
                self.gradients[number_] = None
            if known:
                self._tell(ev.Zero, sites, tensors=known, to=to)
            self.aliases = None
        self._changed()

    def update(self, tensor: Tensor, before: Any, after: Any, optimizer: Any, terms: dict[str, Any]) -> None:
        if self.waiting:
            self._take_waiting()
        if self.awake and before is not None and not self._repeated(tensor, before, after):
            self._take_update(tensor, before, after, optimizer, terms)
        if _is_parameter(tensor):
            self._changed()

    def _repeated(self, tensor: Tensor, before: Any, after: Any) -> bool:
        """The second half of `w.data -= …`, which subtracts in place and then assigns what it has."""
        return id(tensor) == self.updated and bool(np.array_equal(before, after, equal_nan=True))

    def _take_update(self, tensor: Tensor, before: Any, after: Any, optimizer: Any, terms: dict[str, Any]) -> None:
        if any(t is tensor for t, _, _ in self.fresh):
            return  # it is still being made
        self.updated = id(tensor)
        stack = frames(3)
        sites = self._sites(stack)
        known = self.numbers.get(id(tensor))
        if known is None or known not in self.shown:
            if not _is_parameter(tensor) and self._alias(tensor) is None:
                return  # neither a parameter nor seen before: its new value is told when it is used
            self._ready_to_tell(stack)
            known = self._introduce_before(tensor, before, stack)
        else:
            self._ready_to_tell(stack)
        self._tell_changed_gradient(tensor, known, sites)
        before = self.values.get(known, before)
        if np.shape(before) == np.shape(after) and np.array_equal(before, after, equal_nan=True) and optimizer is None:
            return
        self.values[known] = np.array(after)
        if optimizer is None:
            terms = self._terms_by_hand(tensor, before, after)
        shape = tensor._s
        told = {key: found for key, value in terms.items() if (found := _term(value, shape)) is not None}
        self._tell(
            ev.Update, sites, tensor=known, before=encode(before, shape), after=encode(after, shape),
            optimizer=None if optimizer is None else type(optimizer).__name__, terms=told,
        )  # fmt: skip
        self.aliases = None

    def _tell_changed_gradient(self, tensor: Tensor, known: int, sites: Sites) -> None:
        """The program changed a .grad itself, by clipping it, say: told as what was added to it."""
        leaf = tensor._n
        held = leaf[META] if leaf is not None and leaf[E0] is None else None
        told = self.gradients.get(known)
        if held is None or told is None:
            return
        now = np.array(held._a).reshape(held._s)
        told = np.asarray(told).reshape(held._s)
        if not np.array_equal(told, now, equal_nan=True):
            self.gradients[known] = now
            name = self.called.get(known) or f"tensor {known}"
            self._tell(ev.Note, sites, text=f"The program itself changed the gradient of {name}.", topic="gradient")
            self._tell(
                ev.Accumulate, sites, tensor=known, delta=encode(now - told), after=encode(now), before=encode(told)
            )  # fmt: skip

    def _tell_changed_values(self) -> None:
        """Parameters that changed and nobody said so: inside LBFGS, or through .numpy()."""
        for known, told in list(self.values.items()):
            tensor = self.param_by_number.get(known)
            if tensor is None or np.shape(told) != np.shape(tensor._a):
                continue
            now = np.array(tensor._a)
            if not np.array_equal(told, now, equal_nan=True):
                self.values[known] = now
                shape = tensor._s
                self._tell(
                    ev.Update, self.at_backward, tensor=known, before=encode(told, shape), after=encode(now, shape)
                )  # fmt: skip

    def _introduce_before(self, tensor: Tensor, before: Any, stack: list[FrameType]) -> int:
        """A parameter that this window changes without having read it: its value was `before`."""
        now, tensor._a = tensor._a, before
        try:
            return self._introduce(tensor, stack)
        finally:
            tensor._a = now

    def _terms_by_hand(self, tensor: Tensor, before: Any, after: Any) -> dict[str, Any]:
        """`w -= lr * w.grad`: which of the constants just used is the learning rate."""
        leaf = tensor._n
        held = leaf[META] if leaf is not None and leaf[E0] is None else None
        if held is None:
            return {}
        grad = np.asarray(held._a, np.float64)
        old, new = np.asarray(before, np.float64), np.asarray(after, np.float64)
        with np.errstate(all="ignore"):
            for constant in dict.fromkeys(reversed(self.consts)):
                for rate in (constant, -constant):
                    guess = old - rate * grad
                    near = np.abs(guess - new) <= 1e-6 * np.abs(rate * grad) + 2e-7 * np.abs(new) + 1e-30
                    same = np.isfinite(guess) & near | (guess == new) | (np.isnan(guess) & np.isnan(new))
                    if same.all() and np.any(grad != 0):
                        return {"lr": rate, "grad": held._a}
        return {"grad": held._a}

    def refused(self, error: BaseException) -> tuple[str, tuple[int, ...]]:
        """The op that raised `error` and the tensors that show it: its inputs, or in backward its output."""
        if self.failed is not None and self.failed[0] is error:
            return self.failed[1], self.failed[2]
        if self.running and self.backed and not self.closing:
            return self.ops[self.running], (self.running - 1,)
        return "", ()

    def fail_op(self, op: Any, inputs: Sequence[Any], error: BaseException) -> None:
        self._take_waiting()
        if not self.awake:
            self.failed = (error, op.name, ())
            return
        stack = frames()
        self._ready_to_tell(stack)
        known = tuple(self._number(t, stack) for t in inputs if isinstance(t, Tensor) and hasattr(t, "_a"))
        self.failed = (error, op.name, known)

    # ---- the program's output --------------------------------------------------------------------------------

    def print(self, text: str, stream: str = "stdout") -> None:
        """The program wrote `text`."""
        self._take_waiting()
        stack = frames()
        if self.awake and not self.cut:
            self._ready_to_tell(stack)
        if self.muted or self.stopped:
            return
        sites = self._sites(stack)
        self._put(ev.Print(seq=self.seq, at=sites[0], via=sites[1], text=text, stream=stream))  # type: ignore[arg-type]
        self.flush()


def _is_parameter(tensor: Tensor) -> bool:
    """A leaf that requires grad."""
    leaf = tensor._n
    return leaf is not None and leaf[E0] is None


def _memory(tensor: Tensor) -> Any:
    """The object that owns the tensor's values."""
    payload = tensor._a
    if type(payload) is np.ndarray:
        while type(payload.base) is np.ndarray:
            payload = payload.base
    return payload


def _like(local: Any, upstream: Any) -> Any:
    """A local derivative in the dtype of what it is multiplied with: a constant comes as float64."""
    kind = getattr(upstream, "dtype", None)
    return local if kind is None or kind == np.asarray(local).dtype else np.asarray(local).astype(kind)


def _payload(value: Any) -> Any:
    return value._a if isinstance(value, Tensor) else value


def _one(value: Any) -> Any:
    return value if type(value) is np.float32 else np.asarray(value).reshape(())[()]


def _term(value: Any, shape: tuple[int, ...]) -> ev.Number | ev.Array | None:
    """What an update read: numbers as numbers, state and gradients as arrays in the parameter's shape."""
    value = _payload(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return encode(value, shape if value.size == math.prod(shape) else None)
    return number(value) if isinstance(value, (bool, int, float)) else None


def _constant(value: Any) -> ev.Number | str:
    if isinstance(value, (bool, int, float, np.generic)):
        return number(value)
    return str(value)[:80]


def _plain(value: Any) -> Any:
    """A parameter of a call as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, np.generic)):
        return number(value)
    if isinstance(value, (tuple, list)) and len(value) <= 64:
        return [_plain(v) for v in value]
    if isinstance(value, Tensor):
        return f"tensor{tuple(value._s)}"
    return str(value)[:80]
