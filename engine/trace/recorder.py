"""Turns what the engine reports into events: one method per thing an observer is told.

The backward pass, steps, windows, numbers and lines lie below (backward.py, steps.py, window.py, wire.py); it knows no
HTTP, no file, no process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any

import numpy as np

from engine.inplace import place_of
from engine.ops.registry import E0, META, REGISTRY
from engine.tensor import Tensor
from engine.trace import events as ev
from engine.trace.backward import ADDED, Backward
from engine.trace.encode import encode
from engine.trace.names import frames
from engine.trace.payload import constant, is_parameter, plain, term
from engine.trace.verify import stretched
from engine.trace.window import Sites

ORIGINS = 1_000_000  # values of the leaves that are held to remember where they were made


class Recorder(Backward):
    """An engine.autograd.observer.Observer that emits events as JSON lines."""

    failed: tuple[BaseException, str, tuple[int, ...]] | None = None
    target: Tensor | None = None  # what the op about to run changes in place

    # ---- forward ---------------------------------------------------------------------------------------------

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
            if is_parameter(target) or known:
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
                if known is None or (known % 4 in (1, 2) and is_parameter(given)) or known not in self.shown:
                    known = self._introduce(given, stack, "", sites)
                elif known % 4 == 2 and given._b and given._n is not None and id(given._n) not in self.nodes:
                    known = self._walk_again(given, known, here)
                shape = given._s
                wide = None
                may = stretches and (op.pointwise or n == 0) and op.name != "where"
                if may and shape != out_shape and len(shape) <= len(out_shape):
                    wide = ev.Broadcast(shape, out_shape, stretched(shape, out_shape))
                read.append(ev.Input(name, known, None, wide))
                tensors[name] = known
                numbers.append(known)
            elif given is not None:
                read.append(ev.Input(name, None, constant(given)))
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
            value = encode(tensor._a, tensor._s) if self.part is None else self._array(made, tensor._a, tensor._s)
            results.append(ev.Output(made, value, tensor._n is not None, index))
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
            grad_fn=grad_fn, params={k: plain(v) for k, v in params.items()}, saved=kept, scope=scope,
            view_of=viewed, inplace=target is not None,
        )  # fmt: skip

    def _walk_again(self, view: Tensor, known: int, here: tuple[Sites, str]) -> int:
        """A view whose base was changed in place has a new node, made while nobody watched: tell of it when it is used.

        returns  the number of the view's present value
        """
        base, op, node = view._b[0], REGISTRY["as_strided"], view._n
        params = dict(zip(("size", "stride", "storage_offset"), place_of(view, base), strict=True))
        sites, scope = here
        at = self._number(base, [])
        key = self.next_result
        self.next_result += 4
        self.nodes[id(node)] = key + 1
        self.reads[key + 1] = (at,)
        self.ops[key + 1] = op.name
        self.kept.append(node)
        self.shown.add(key)
        self._tell(
            ev.Forward, sites, op=op.name, inputs=(ev.Input(op.inputs[0], at),), node=key + 1, scope=scope,
            outputs=(ev.Output(key, encode(view._array()), True),), grad_fn=op.node_name(params), view_of=at,
            params={k: plain(v) for k, v in params.items()},
        )  # fmt: skip
        self.numbers[id(view)] = key
        name = self.called.get(known, "")
        if name:
            self.called[key] = name
            self._tell(ev.Bind, sites, tensor=key, name=name)
        return key

    # ---- changes ---------------------------------------------------------------------------------------------

    def is_gradient(self, tensor: Tensor) -> bool:
        """Whether the tensor is a known parameter's .grad, or shares its memory."""
        return self._owner(tensor) is not None

    def zero(self, tensors: Iterable[Tensor], to: str) -> None:
        owners = []
        for tensor in tensors:
            owner = None if is_parameter(tensor) else self._owner(tensor)
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
        if is_parameter(tensor):
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
            if not is_parameter(tensor) and self._alias(tensor) is None:
                return  # neither a parameter nor seen before: its new value is told when it is used
            self._ready_to_tell(stack)
            known = self._introduce_before(tensor, before, stack)
        else:
            self._ready_to_tell(stack)
        self._tell_changed_gradient(tensor, known, sites)
        before = self.values.get(known, before)
        self.values[known] = np.array(after)
        if optimizer is None:
            terms = self._terms_by_hand(tensor, before, after)
        shape = tensor._s
        told = {key: found for key, value in terms.items() if (found := term(value, shape)) is not None}
        self._tell(
            ev.Update, sites, tensor=known, before=encode(before, shape), after=self._array(known, after, shape),
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
                ev.Accumulate, sites, tensor=known, delta=encode(now - told), before=encode(told),
                after=self._array(known, now, now.shape, "grad"),
            )  # fmt: skip

    # ---- failing and printing --------------------------------------------------------------------------------

    def refused(self, error: BaseException) -> tuple[str, tuple[int, ...]]:
        """The op that raised `error` and the tensors that show it: its inputs, or in backward its output."""
        if self.failed is not None and self.failed[0] is error:
            return self.failed[1], self.failed[2]
        if self.running and self.backed and not self.closing:
            return self.ops[self.running], (self.running - 1,)
        return "", ()

    def fail_op(self, op: Any, inputs: Sequence[Any], error: BaseException) -> None:
        name = op.name if op is not None else ""
        self._take_waiting()
        if not self.awake:
            self.failed = (error, name, ())
            return
        stack = frames()
        self._ready_to_tell(stack)
        known = tuple(self._number(t, stack) for t in inputs if isinstance(t, Tensor) and hasattr(t, "_a"))
        self.failed = (error, name, known)

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
