"""When a step begins and ends, what is recorded of it, and what its `step` event says.

It knows windows and the engine's observer switch; what single ops, backward and updates say stands in recorder.py.

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
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import msgspec
import numpy as np

from engine.autograd import observer
from engine.ops.registry import E0, META, NAMESPACE
from engine.tensor import Tensor
from engine.trace import events as ev
from engine.trace.encode import brief, encode, number
from engine.trace.grid import Part, Probe, parse_question
from engine.trace.names import frames
from engine.trace.payload import is_parameter, term
from engine.trace.probe import Calls
from engine.trace.source import Position, Source
from engine.trace.window import Sites, Window

LISTED = 20  # steps whose parameters are listed whatever they weigh
WAITING = 4_000  # ops between two steps that are kept back before they are taken into the earlier one


class Stop(BaseException):
    """The steps asked for are recorded; the program need not go on. BaseException: programs rarely catch it."""


class Steps(Window):
    """The life of a recording, step by step.

    emit     takes whole lines as bytes; called at most every 16 ms while events come, and by `flush`
    program  the variables of the program, where names are looked up
    detail   the steps to record whole; empty: the first ones, as `limits` allow
    probe    JSON of a grid.Probe: only its answer is told; or of a grid.Part: told in the place of the tensor
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
        super().__init__(emit, source, program, limits or {})
        self.asked = tuple(sorted(set(detail)))
        self._begin = ev.Begin(
            seq=0, schema=ev.SCHEMA, engine=engine, source=source.text, seed=seed, detail=self.asked,
            limits=dict(limits or {}), run=run, probe=probe,
        )  # fmt: skip
        question = parse_question(probe) if probe else None
        self.probe = question if isinstance(question, Probe) else None
        self.part = question if isinstance(question, Part) else None
        self.loss_names: dict[Position | None, str] = {}  # by where backward is called
        self.weighed = (0, 1)  # how many parameters there were when they were weighed; list every n-th step
        self.over = False  # the program has ended
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
        me: Any = self  # the methods that an observer has are recorder.py's
        self.dozing = False
        if self.stopped:
            observer.install(None)
        elif self.awake or ((self.closing or self.rebinds) and self._wakes(self.steps + 1)):
            observer.install(me)
        else:
            observer.install(me, brief=True)
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
        """The next window begins."""
        self.clear()
        self.awake = self.recorded = self._wakes(self.steps)
        self.muted = bool(self.asked) and (self.steps not in self.asked or self.probe is not None)
        self.calls = Calls()
        self.used = False  # something happened that makes this a step
        self.backed = False  # a backward pass ran
        self.closing = False  # ... and then something was updated or zeroed
        self.loss: ev.Number | None = None
        self.root: Tensor | None = None
        self.loop: dict[str, int | float | str] = {}
        self.grads: dict[str, ev.Array | None] | None = None
        self.consts: list[float] = []  # of ops without a gradient, since backward: one may be a learning rate
        self.cleared: set[int] = set()  # parameters zeroed since the last backward
        self.running = 0  # the node that is ready and has sent nothing yet
        self.updated = 0  # id of the parameter updated last, until an op runs
        self.waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.scopes: list[str] = []
        self.at_backward: Sites = (None, ())

    def cut_off(self) -> None:
        super().cut_off()
        self._listen()

    # ---- where one step ends and the next begins ---------------------------------------------------------------

    def _wait(self, call: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.waiting.append((call, arguments))
        if len(self.waiting) > WAITING:
            self._take_waiting()

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

    def _changed(self) -> None:
        """Something was updated or zeroed."""
        self.used = True
        if self.backed:
            if self.grads is None and self._lists_parameters():
                self.grads = self._brief_grads()
            if not self.closing:
                self.closing = True
                self._listen()

    def _adopt(self) -> bool:
        """`w = (w - lr * w.grad).detach().requires_grad_()`: a parameter's name stands for a new tensor.

        It takes over the old one's number: to the program it is the same parameter, updated.
        """
        program = self.names.program
        found = False
        for name, old in list(self.param_names.items()):
            now = program.get(name, old)
            if now is old or not isinstance(now, Tensor) or not is_parameter(now) or now._s != old._s:
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
                    ev.Update, (at, ()), tensor=known, before=encode(old._a, old._s), after=self._array(known, now._a, now._s),
                    terms={k: term(v, old._s) for k, v in self._terms_by_hand(old, old._a, now._a).items()},
                )  # fmt: skip
        return found

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
                    ev.Update, self.at_backward, tensor=known, before=encode(told, shape), after=self._array(known, now, shape)
                )  # fmt: skip

    # ---- the step in brief -------------------------------------------------------------------------------------

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
