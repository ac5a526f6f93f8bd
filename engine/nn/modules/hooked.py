"""The slow way through `Module.__call__`: forward and backward hooks, hooks on every module, and scope reports.

`Module.__call__` comes here only when a hook was registered or an observer watches. Knows no layer.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.autograd import observer
from engine.autograd.graph import RemovableHandle
from engine.nn.modules.passing import BackwardHook
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


# ---- methods of Module that register hooks on it alone -------------------------------------------------------


def _hook(self: Module, table: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    hooks: OrderedDict[int, Callable[..., Any]] = self.__dict__[table]
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    if "state_dict" not in table:
        self.__dict__["_plain"] = False
    return handle


def register_forward_pre_hook(
    self: Module, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
) -> RemovableHandle:
    """`hook(module, args) -> None | new args`, called before `forward`."""
    handle = self._hook("_forward_pre_hooks", hook, prepend)
    if with_kwargs:
        self._forward_pre_hooks_with_kwargs[handle.id] = True
    return handle


def register_forward_hook(
    self: Module,
    hook: Callable[..., Any],
    *,
    prepend: bool = False,
    with_kwargs: bool = False,
    always_call: bool = False,
) -> RemovableHandle:
    """`hook(module, args, output) -> None | new output`, called after `forward`."""
    handle = self._hook("_forward_hooks", hook, prepend)
    if with_kwargs:
        self._forward_hooks_with_kwargs[handle.id] = True
    if always_call:
        self._forward_hooks_always_called[handle.id] = True
    return handle


def register_full_backward_pre_hook(self: Module, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    """`hook(module, grad_output) -> None | new grad_output`, called before the module's backward."""
    return self._hook("_backward_pre_hooks", hook, prepend)


def register_full_backward_hook(self: Module, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    """`hook(module, grad_input, grad_output) -> None | new grad_input`, called after the module's backward."""
    self._choose_backward_hooks(full=True)
    return self._hook("_backward_hooks", hook, prepend)


def register_backward_hook(self: Module, hook: Callable[..., Any]) -> RemovableHandle:
    """The old backward hook: sees only the last node of the module. Prefer `register_full_backward_hook`."""
    self._choose_backward_hooks(full=False)
    return self._hook("_backward_hooks", hook)


def _choose_backward_hooks(self: Module, full: bool) -> None:
    if self._is_full_backward_hook is (not full):  # type: ignore[has-type]
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks on a "
            "single Module. Please use only one of them."
        )
    self._is_full_backward_hook = full


def _register_state_dict_hook(self: Module, hook: Callable[..., Any]) -> RemovableHandle:
    return self._hook("_state_dict_hooks", hook)


def register_state_dict_post_hook(self: Module, hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, state_dict, prefix, local_metadata) -> None`, called after `state_dict` is filled."""
    hook._from_public_api = True  # type: ignore[attr-defined]
    return self._hook("_state_dict_hooks", hook)


def register_state_dict_pre_hook(self: Module, hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, prefix, keep_vars) -> None`, called before `state_dict` is filled."""
    return self._hook("_state_dict_pre_hooks", hook)


def register_load_state_dict_pre_hook(self: Module, hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, state_dict, prefix, ...)`, called before this module's entries are copied in."""
    return self._hook("_load_state_dict_pre_hooks", lambda *args: hook(self, *args))


def register_load_state_dict_post_hook(self: Module, hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, incompatible_keys) -> None`, called after this module and all below were loaded."""
    return self._hook("_load_state_dict_post_hooks", hook)


# ---- the call ----------------------------------------------------------------------------------------------


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
