"""The slow way through `Module.__call__`: forward and backward hooks, hooks on every module, and scope reports.

`Module.__call__` comes here only when a hook was registered or an observer watches. Knows no layer.
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.autograd import observer
from engine.autograd.graph import RemovableHandle
from engine.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

Hooks = OrderedDict[int, Callable[..., Any]]

FORWARD_PRE: Hooks = OrderedDict()
FORWARD: Hooks = OrderedDict()
BACKWARD_PRE: Hooks = OrderedDict()
BACKWARD: Hooks = OrderedDict()
WITH_KWARGS: set[int] = set()
ALWAYS: set[int] = set()
EVERY_MODULE: list[str] = []  # one entry per kind of hook ever registered on all modules; empty = the fast call
ACTIVE: list[Module] = []  # modules whose forward is running while an observer watches, outermost first


def _register(table: Hooks, hook: Callable[..., Any]) -> RemovableHandle:
    handle = RemovableHandle(table)
    table[handle.id] = hook
    EVERY_MODULE.append("hook")
    return handle


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, args)` before the forward of every module."""
    return _register(FORWARD_PRE, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """`hook(module, args, output)` after the forward of every module."""
    handle = _register(FORWARD, hook)
    if with_kwargs:
        WITH_KWARGS.add(handle.id)
    if always_call:
        ALWAYS.add(handle.id)
    return handle


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, grad_output)` before the backward of every module."""
    return _register(BACKWARD_PRE, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, grad_input, grad_output)` after the backward of every module."""
    return _register(BACKWARD, hook)


def scope_name(module: Module) -> str:
    """The dotted path of `module` below the innermost running module that contains it; "" for an outermost one."""
    for outer in reversed(ACTIVE):
        for path, candidate in outer.named_modules():
            if candidate is module and path:
                return path
    return ""


def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run `module.forward` between its hooks; report the scope when an observer watches."""
    watching = observer.active
    if watching is None:
        return _call_with_hooks(module, args, kwargs)
    watching.enter(module, scope_name(module))
    ACTIVE.append(module)
    output = None
    try:
        output = _call_with_hooks(module, args, kwargs)
        return output
    finally:
        ACTIVE.pop()
        watching.exit(module, output)


def _call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if module._plain and not EVERY_MODULE:
        return module.forward(*args, **kwargs)
    done: set[int] = set()
    result: list[Any] = [None]
    try:
        return _run(module, args, kwargs, done, result)
    except Exception:
        _call_always(module, args, kwargs, done, result)
        raise


def _run(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], done: set[int], held: list[Any]
) -> Any:
    for number, hook in (*FORWARD_PRE.items(), *module._forward_pre_hooks.items()):
        if number in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {changed}."
                    )
                args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)

    full = list(BACKWARD.values())
    old: list[Callable[..., Any]] = []
    (full if module._is_full_backward_hook else old).extend(module._backward_hooks.values())
    before = [*BACKWARD_PRE.values(), *module._backward_pre_hooks.values()]
    around = BackwardHook(module, full, before) if full or before else None
    if around is not None:
        args = around.wrap_inputs(args)

    result = held[0] = module.forward(*args, **kwargs)

    for number, hook in (*FORWARD.items(), *module._forward_hooks.items()):
        if number in ALWAYS or number in module._forward_hooks_always_called:
            done.add(number)
        if number in WITH_KWARGS or number in module._forward_hooks_with_kwargs:
            changed = hook(module, args, kwargs, result)
        else:
            changed = hook(module, args, result)
        if changed is not None:
            result = held[0] = changed

    if around is not None:
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                f"but received {type(result)}",
                stacklevel=4,
            )
        result = around.wrap_outputs(result)
    if old:
        _hook_last_node(module, old, result)
    return result


def _call_always(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], done: set[int], held: list[Any]
) -> None:
    """After an error, run the `always_call` hooks that have not run; what they raise is only warned about."""
    for number, hook in (*FORWARD.items(), *module._forward_hooks.items()):
        ours = number in module._forward_hooks_always_called
        if number in done or not (ours or number in ALWAYS):
            continue
        try:
            if number in module._forward_hooks_with_kwargs:
                changed = hook(module, args, kwargs, held[0])
            else:
                changed = hook(module, args, held[0])
            if changed is not None:
                held[0] = changed
        except Exception as problem:
            whose = "module" if ours else "global module"
            warnings.warn(
                f"{whose} forward hook with ``always_call=True`` raised an exception "
                f"that was silenced as another error was raised in forward: {problem}",
                stacklevel=4,
            )


def _hook_last_node(module: Module, hooks: list[Callable[..., Any]], result: Any) -> None:
    """The old backward hook hangs on the node that made the (first) output."""
    while not isinstance(result, Tensor):
        result = next(iter(result.values())) if isinstance(result, dict) else result[0]
    node = result.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(lambda grad_in, grad_out, hook=hook: hook(module, grad_in, grad_out))


@functools.cache
def _identity() -> Any:
    """The node put on a module's inputs and outputs so that gradients can be seen, and replaced, passing."""
    from engine.autograd.function import Function

    class BackwardHookFunction(Function):
        @staticmethod
        def forward(ctx: Any, passing: Callable[..., Any], *args: Tensor) -> Any:
            ctx.passing = passing
            ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
            out = tuple(arg.detach() for arg in args)
            return out if len(out) > 1 else out[0]

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return (None, *ctx.passing(grads))

    return BackwardHookFunction


class BackwardHook:
    """Collects the gradients at a module's outputs and inputs and calls its full backward hooks."""

    def __init__(self, module: Module, hooks: list[Callable[..., Any]], pre_hooks: list[Callable[..., Any]]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.n_inputs = -1
        self.inputs_seen = False  # whether a node stands behind the inputs

    @staticmethod
    def _wrap(values: tuple[Any, ...], places: list[int], passing: Callable[..., Any]) -> tuple[Any, ...]:
        """`values` with every tensor passed through one identity node."""
        made = _identity().apply(passing, *[values[i] for i in places])
        out = list(values)
        for place, tensor in zip(places, made if isinstance(made, tuple) else (made,), strict=True):
            out[place] = tensor
        return tuple(out)

    def wrap_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Before forward: a node behind the inputs, whose gradients are the module's grad_input."""
        places = [i for i, arg in enumerate(args) if isinstance(arg, Tensor)]
        self.n_inputs = len(args)
        if not any(args[i].requires_grad for i in places):
            return args
        self.inputs_seen = True

        def passing(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            if self.grad_outputs is None:
                return grads
            sent = self._spread(places, grads, self.n_inputs)
            for hook in self.hooks:
                sent = self._replaced(hook(self.module, sent, self.grad_outputs), sent, "grad_input", "")
            self.grad_outputs = None
            return tuple(sent[i] for i in places)

        return self._wrap(args, places, passing)

    def wrap_outputs(self, output: Any) -> Any:
        """After forward: a node in front of the outputs, whose incoming gradients are grad_output."""
        single = not isinstance(output, tuple)
        values = (output,) if single else output
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not any(values[i].requires_grad for i in places):
            return output

        def passing(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            self.grad_outputs = self._spread(places, grads, len(values))
            for hook in self.pre_hooks:
                changed = hook(self.module, self.grad_outputs)
                self.grad_outputs = self._replaced(changed, self.grad_outputs, "grad_output", " pre")
            sent = tuple(self.grad_outputs[i] for i in places)
            if not self.inputs_seen and self.hooks:
                self._without_inputs()
            return sent

        values = self._wrap(values, places, passing)
        return values[0] if single else values

    @staticmethod
    def _replaced(changed: Any, before: tuple[Any, ...], what: str, kind: str) -> tuple[Any, ...]:
        """What a hook returned instead, if anything; torch's complaint when their number differs."""
        if changed is None:
            return before
        after = changed if isinstance(changed, tuple) else (changed,)
        if len(after) != len(before):
            raise RuntimeError(
                f"Backward{kind} hook returned an invalid number of {what}, "
                f"got {len(after)}, but expected {len(before)}"
            )
        return after

    def _without_inputs(self) -> None:
        """No input asked for a gradient: the hooks run at the outputs, with None for every input."""
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module."
            "register_full_backward_hook for more details.",
            stacklevel=5,
        )
        grad_inputs = tuple(None for _ in range(self.n_inputs))
        for hook in self.hooks:
            changed = hook(self.module, grad_inputs, self.grad_outputs)
            if changed is not None and not (isinstance(changed, tuple) and all(el is None for el in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires "
                    "gradient should always return None or None for all gradients."
                )
        self.grad_outputs = None

    @staticmethod
    def _spread(places: list[int], grads: tuple[Any, ...], length: int) -> tuple[Any, ...]:
        spread: list[Any] = [None] * length
        for place, grad in zip(places, grads, strict=True):
            spread[place] = grad
        return tuple(spread)
