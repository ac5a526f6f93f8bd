"""What all optimizers share: parameter groups, their state, the loop over parameters, state_dict, hooks, text.

An optimizer is a rule and a few declarations; everything else is here, once.

    begin      the state a parameter starts with, where that is not zeros
    slots      the names of the state arrays its rule reads and renews
    numbers    the rule's scalars for one step (bias corrections and the like)
    rule       (numbers, w, g, *state) -> (w, *state)

Note [Rules work on numbers and arrays]: a rule uses augmented assignment on what it renews: `w -= t` changes an
array in place and replaces a number. Its temporaries stay small, because the loop feeds large arrays by blocks.

Note [Terms]: an observer is told, for each update, everything from which `after` follows from `before`: the
group's options (betas as beta1, beta2; flags only if set, as 1), the step count, the gradient, the state after
the step, and those of the step's numbers that cannot be told from these.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import wraps
from itertools import chain
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy import ndarray

from engine.autograd import observer, versions
from engine.autograd.graph import RemovableHandle, add_hook
from engine.autograd.modes import enable_grad
from engine.creation import full_like, tensor
from engine.dtypes import TYPE_NAMES, float32
from engine.errors import NotImplementedFault, RuntimeFault, TypeFault, ValueFault, unsupported
from engine.ops.kernels import ORIGIN, unbox
from engine.ops.registry import E0, META
from engine.tensor import Tensor

Group = dict[str, Any]
Slots = tuple[str, ...]
Made = dict[Any, tuple[dict[str, Any], Any]]  # the numbers of a step, plain and cast, by what they depend on
Payload = Any  # an ndarray, or a NumPy number for a tensor of one element

BLOCK = 1 << 15  # elements a rule works on at once: its arrays stay in the cache
# Options that choose between torch's implementations of the same numbers: accepted, printed, otherwise ignored.
IMPLEMENTATION = ("foreach", "capturable", "differentiable", "fused")


class _Required:
    """Stands for an option that every parameter group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def check(holds: bool, message: str) -> None:
    """Refuse a hyperparameter with torch's sentence."""
    if not holds:
        raise ValueFault(message)


def check_lr(lr: Any) -> None:
    check(not isinstance(lr, Tensor) or lr.numel() == 1, "Tensor lr must be 1-element")
    check(bool(lr >= 0.0), f"Invalid learning rate: {lr}")


def check_betas(betas: Any) -> None:
    for i in (0, 1):
        check(bool(0.0 <= betas[i] < 1.0), f"Invalid beta parameter at index {i}: {betas[i]}")


def check_adam(lr: Any, eps: Any, betas: Any, weight_decay: Any) -> None:
    """What Adam and its relatives refuse, in torch's order."""
    check_lr(lr)
    check(bool(eps >= 0.0), f"Invalid epsilon value: {eps}")
    check_betas(betas)
    check(bool(weight_decay >= 0.0), f"Invalid weight_decay value: {weight_decay}")


def number(value: Any) -> Any:
    """A hyperparameter as a Python number; torch allows a tensor of one element."""
    return value.item() if isinstance(value, Tensor) else value


def _type_name(value: Any) -> str:
    """torch.typename."""
    if isinstance(value, Tensor):
        return f"torch.{TYPE_NAMES[value.dtype]}"
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class Optimizer:
    """Base of all optimizers, and of a program's own, which then give `step` themselves."""

    __module__ = "torch.optim.optimizer"

    counts = True  # the state holds the number of steps taken, "step"
    tells: Slots = ()  # which of its numbers an observer needs to follow the step
    shared = True  # parameters of one group with equal counts have equal numbers

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeFault(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + _type_name(params),
                hint="put it in a list",
            )
        self.defaults = defaults
        self._hooks: dict[str, OrderedDict[int, Any]] = defaultdict(OrderedDict)
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        groups = list(params)
        check(len(groups) > 0, "optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # ---- what a rule declares -------------------------------------------------------------------
    def begin(self, p: Tensor, group: Group) -> dict[str, float]:
        """The state arrays a parameter starts with: name and initial value."""
        return dict.fromkeys(self.slots(group), 0.0)

    def slots(self, group: Group) -> tuple[str, ...]:
        return ()

    def numbers(self, group: Group, state: dict[str, Any], t: int, fresh: bool) -> dict[str, Any]:
        """The scalars of step t (from 1): floats are cast to the parameter's dtype, flags are left alone."""
        raise NotImplementedFault("")

    @staticmethod
    def rule(c: Any, w: Payload, g: Payload, *state: Payload) -> tuple[Payload, ...]:
        raise NotImplementedFault("")

    # ---- the loop -------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. Returns what closure returned."""
        if type(self).rule is Optimizer.rule:
            raise NotImplementedFault("")
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if observer.watch is not None and observer.active is None:
            self._tell_in_brief(observer.watch)
        for group in self.param_groups:
            self.step_group(group)
        return loss

    def _tell_in_brief(self, watching: Any) -> None:
        """That a step is taken: once, for the first parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    watching.update(p, None, None, self, {})
                    return

    def step_group(self, group: Group) -> None:
        made: Made = {}
        slots = self.slots(group)
        arrays = []
        for p in group["params"]:
            grad = p.grad
            if grad is not None:
                self._update(p, grad, group, slots, made)
                if type(p._a) is ndarray:
                    arrays.append(p._a)
        versions.changed(arrays)

    def _update(self, p: Tensor, grad: Tensor, group: Group, slots: Slots, made: Made) -> None:
        """One parameter's step. The caller notes the new versions of arrays."""
        state = self.state[p] if slots else {}
        fresh = False
        try:
            tensors = [state[name] for name in slots]
        except KeyError:
            fresh = True
            self._prepare(p, group, state)
            tensors = [state[name] for name in slots]
        t = 0
        if self.counts:
            count = state["step"]
            t = int(count._a) + 1
            count._a = np.float32(t)
        w, g = p._a, grad._a
        kind = type(w)
        if type(g) is not kind:  # one of the two was boxed
            g = grad._array() if kind is ndarray else g[ORIGIN[g.ndim]]
        key = (t, fresh, kind, w.dtype)
        found = made.get(key) if self.shared else None
        if found is None:
            plain = self.numbers(group, state, t, fresh)
            found = made[key] = plain, _cast(plain, w.dtype, kind is ndarray)
        plain, c = found
        watching = observer.active
        before = w.copy() if watching is not None else None
        if kind is not ndarray:
            fresh_w, *renewed = self.rule(c, w, g, *[unbox(s._a) for s in tensors])
            for s, value in zip(tensors, renewed, strict=True):
                s._a = value
            versions.renew(p, fresh_w)
        else:
            state_arrays = [s._a if type(s._a) is ndarray else s._array() for s in tensors]
            if w.size <= BLOCK or not w.flags.c_contiguous:
                self.rule(c, w, g, *state_arrays)
            else:
                _in_blocks(self.rule, c, [w, g, *state_arrays])
        if watching is not None:
            after = {name: s._a.copy() for name, s in zip(slots, tensors, strict=True)}
            options = {name: group[name] for name in self.defaults}  # not what schedulers note in the group
            terms = _terms(options, {name: plain[name] for name in self.tells}, t, g.copy(), after)
            watching.update(p, before, p._a.copy(), self, terms)

    def _prepare(self, p: Tensor, group: Group, state: dict[str, Any]) -> None:
        """Give a parameter its first state, or what a changed option adds to it."""
        if self.counts and "step" not in state:
            state["step"] = tensor(0.0, dtype=float32)
        for name, value in self.begin(p, group).items():
            if name not in state:
                state[name] = full_like(p, value)

    # ---- torch's interface ----------------------------------------------------------------------
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients: to None, or to zeros kept in the same tensors."""
        if observer.active is not None:
            cleared = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
            if cleared:
                observer.active.zero(cleared, "none" if set_to_none else "zero")
        elif observer.watch is not None:
            observer.watch.zero(self.param_groups[0]["params"][:1], "none" if set_to_none else "zero")
        for group in self.param_groups:
            for p in group["params"]:
                n = p._n
                leaf = n is not None and n[E0] is None
                grad = n[META] if leaf else p.grad
                if grad is None:
                    continue
                if not set_to_none:
                    _fill_with_zeros(grad)
                elif leaf:
                    n[META] = None  # past the property, which would tell the observer of each one
                else:
                    p.grad = None

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with options of their own; what the group does not say, the defaults say."""
        if not isinstance(param_group, dict):
            raise TypeFault(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeFault(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        named = [p for p in params if isinstance(p, tuple)]
        param_group["params"] = params = [p[1] if isinstance(p, tuple) else p for p in params]
        if named:
            check(
                len(named) == len(params),
                "all optimizer params should be with/without names. Some param names are missing",
            )
            param_group["param_names"] = [name for name, _ in named]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeFault(f"optimizer can only optimize Tensors, but one of the params is {_type_name(p)}")
            check(bool(p.is_leaf or p.retains_grad), "can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            check(
                default is not required or name in param_group,
                f"parameter group didn't specify a value of required optimization parameter {name}",
            )
            param_group.setdefault(name, default)
        if param_group.get("differentiable"):
            raise unsupported("differentiable=True", "write the step out: w = w - lr * grad with create_graph=True")
        self._check_overlap(param_group)
        self.param_groups.append(param_group)

    def _check_overlap(self, param_group: Group) -> None:
        ids = {id(p) for p in param_group["params"]}
        if len(ids) != len(param_group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an "
                "error; see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=4,
            )
        named = "param_names" in param_group
        for group in self.param_groups:
            check(
                named == ("param_names" in group),
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'with' if named else 'without'} names to the optimizer",
            )
            check(
                ids.isdisjoint(map(id, group["params"])),
                "some parameters appear in more than one parameter group",
            )

    def state_dict(self) -> dict[str, Any]:
        """State and options, with parameters named by their place."""
        for hook in list(self._hooks["state_dict_pre"].values()):
            hook(self)
        places: dict[int, int] = {}
        packed, start = [], 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                places.setdefault(id(p), i)
            options = {name: value for name, value in group.items() if name != "params"}
            packed.append(options | {"params": [places[id(p)] for p in group["params"]]})
            start += len(group["params"])
        state = {places[id(p)] if isinstance(p, Tensor) else p: s for p, s in self.state.items()}
        result = {"state": state, "param_groups": packed}
        for hook in list(self._hooks["state_dict_post"].values()):
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, here or from another optimizer over equal groups."""
        state_dict = state_dict.copy()
        for hook in list(self._hooks["load_state_dict_pre"].values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = deepcopy(state_dict["param_groups"])
        check(len(saved) == len(self.param_groups), "loaded state dict has a different number of parameter groups")
        check(
            all(len(a["params"]) == len(b["params"]) for a, b in zip(self.param_groups, saved, strict=True)),
            "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
        )
        ids = chain.from_iterable(group["params"] for group in saved)
        params = dict(zip(ids, chain.from_iterable(g["params"] for g in self.param_groups), strict=True))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            state[params.get(key, key)] = _cast_state(params[key], value) if key in params else value
        for mine, new in zip(self.param_groups, saved, strict=True):
            new["params"] = mine["params"]
            if "param_names" in mine:
                new.setdefault("param_names", mine["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in list(self._hooks["load_state_dict_post"].values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("_hooks", defaultdict(OrderedDict))

    def __repr__(self) -> str:
        groups = []
        for i, group in enumerate(self.param_groups):
            lines = [f"Parameter Group {i}", *(f"    {n}: {group[n]}" for n in sorted(group) if n != "params")]
            groups.append("\n".join(lines) + "\n")
        return f"{type(self).__name__} (\n" + "\n".join(groups) + ")"

    # ---- hooks ----------------------------------------------------------------------------------
    def _register(self, when: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks[when]
        handle = add_hook(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(optimizer, args, kwargs) before each step; may return other (args, kwargs)."""
        self._hook_step()
        return self._register("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(optimizer, args, kwargs) after each step."""
        self._hook_step()
        return self._register("step_post", hook)

    def _hook_step(self) -> None:
        """Let this one optimizer's step call hooks; those without any pay nothing."""
        if getattr(self.step, "hooked", False):
            return
        step = self.step

        @wraps(step)  # keeps what a scheduler has marked it with
        def hooked(*args: Any, **kwargs: Any) -> Any:
            given = (self, *args)
            for hook in list(self._hooks["step_pre"].values()):
                changed = hook(self, given, kwargs)
                if changed is not None:
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeFault(
                            f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                        )
                    given, kwargs = changed
            result = step(*given[1:], **kwargs)
            for hook in list(self._hooks["step_post"].values()):
                hook(self, given, kwargs)
            return result

        hooked.hooked = True  # type: ignore[attr-defined]
        self.step = hooked  # type: ignore[method-assign]

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        return self._register("load_state_dict_post", hook, prepend)


# ---- payloads -------------------------------------------------------------------------------------
def _cast(numbers: dict[str, Any], dtype: Any, arrays: bool) -> Any:
    """Floats as the operands that are cheapest beside the payload: 0-d arrays beside arrays (Note in kernels)."""
    convert = (lambda v: np.array(v, dtype)) if arrays else dtype.type
    return SimpleNamespace(**{k: convert(v) if type(v) is float else v for k, v in numbers.items()})


def _fill_with_zeros(grad: Tensor) -> None:
    grad._n = None  # torch: detach_()
    a = grad._a
    if type(a) is ndarray:
        a.fill(0)
        versions.bump(a)
    else:
        fresh = a.dtype.type(0)
        versions.renew(grad, fresh)


def put(old: Payload, new: Payload) -> Payload:
    """Renew state to a value computed apart: in place in an array, as the new number otherwise."""
    if type(old) is ndarray:
        old[...] = new
        return old
    return new[()]


def _in_blocks(rule: Callable[..., Any], c: Any, arrays: list[Any]) -> None:
    flat = [a.reshape(-1) for a in arrays]
    for start in range(0, flat[0].size, BLOCK):
        rule(c, *[a[start : start + BLOCK] for a in flat])


def _terms(options: Group, told: dict[str, Any], t: int, grad: Payload, state: dict[str, Payload]) -> dict[str, Any]:
    """See Note [Terms]."""
    terms: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, tuple):
            terms.update({f"{name.removesuffix('s')}{i}": float(v) for i, v in enumerate(value, 1)})
        elif name in IMPLEMENTATION or value is False or not isinstance(value, (int, float, Tensor)):
            continue
        else:
            terms[name] = float(number(value))
    terms.update(told)
    if t:
        terms["step"] = t
    return terms | {"grad": grad} | state


def _cast_state(p: Tensor, value: Any, name: str | None = None) -> Any:
    """Loaded state in the parameter's dtype, copied; the step count stays as it is."""
    if isinstance(value, Tensor):
        return value.clone() if name == "step" or not p.is_floating_point() else value.to(p.dtype).clone()
    if isinstance(value, dict):
        return {k: _cast_state(p, v, k) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple, set)):
        return type(value)(_cast_state(p, v) for v in value)
    return value
