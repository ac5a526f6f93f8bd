"""Gradients seen passing the inputs and outputs of a module: what full backward hooks hang on."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


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
