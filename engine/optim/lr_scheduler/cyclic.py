"""Schedulers that come round again: CyclicLR, OneCycleLR (with momentum against the rate), warm restarts."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from engine.errors import ValueFault
from engine.optim.lr_scheduler.base import (
    LRScheduler,
    Rates,
    check_optimizer,
    function_state,
    per_group,
    write_rate,
)
from engine.optim.optimizer import Group, Optimizer, check

NO_MOMENTUM = "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"


class _Cycle(LRScheduler):
    """What CyclicLR and OneCycleLR share: momentum, or beta1, written along with the rate."""

    __module__ = "torch.optim.lr_scheduler"

    use_beta1: bool

    def _take_momentum(self, base: list[Any], top: list[Any], last_epoch: int) -> None:
        options = self.optimizer.defaults
        check("momentum" in options or "betas" in options, NO_MOMENTUM)
        self.use_beta1 = "betas" in options
        if last_epoch == -1:
            for low, high, group in zip(base, top, self.optimizer.param_groups, strict=True):
                self._write_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low

    def _write_momentum(self, group: Group, value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_Cycle):
    """Between base_lr and max_lr, up in step_size_up steps and down in step_size_down, over and over."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Any,
        max_lr: Any,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                write_rate(group, lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        known = ("triangular", "triangular2", "exp_range")
        check(mode in known or scale_fn is not None, "mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._init_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums = per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = per_group("max_momentum", optimizer, max_momentum)
            self._take_momentum(self.base_momentums, self.max_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_fn(self) -> None:
        if self._scale_fn_custom is not None:
            return
        functions: dict[str, Any] = {
            "triangular": _triangular,
            "triangular2": _triangular2,
            "exp_range": partial(_exp_range, self.gamma),
        }
        self._scale_fn_ref = functions[self.mode]
        self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"

    def scale_fn(self, x: float) -> float:
        f = self._scale_fn_ref if self._scale_fn_custom is None else self._scale_fn_custom
        return float(f(x))

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        at = cycle if self.scale_mode == "cycle" else self.last_epoch

        def between(low: float, high: float, start: float, sign: int) -> float:
            return start + sign * ((high - low) * height) * self.scale_fn(at)

        if self.cycle_momentum:
            limits = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, limits, strict=True):
                self._write_momentum(group, between(low, high, high, -1))
        return [between(low, high, low, 1) for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        custom = state.pop("_scale_fn_custom")
        return state | {"_scale_fn_custom": None if custom is None else function_state(custom)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        custom = state.pop("_scale_fn_custom")
        super().load_state_dict(state)
        if custom is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(custom)
        self._init_scale_fn()


def _triangular(x: float) -> float:
    return 1.0


def _triangular2(x: float) -> float:
    return float(1 / 2.0 ** (x - 1))


def _exp_range(gamma: float, x: float) -> float:
    return float(gamma**x)


class OneCycleLR(_Cycle):
    """Up to max_lr and down to almost nothing once, in total_steps steps."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        check(
            isinstance(pct_start, float) and 0 <= pct_start <= 1,
            f"Expected float between 0 and 1 pct_start, but got {pct_start}",
        )
        check(
            anneal_strategy in ("cos", "linear"),
            f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}",
        )
        self._anneal_func_type = anneal_strategy
        tops = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for top, group in zip(tops, optimizer.param_groups, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            top_momentum = per_group("max_momentum", optimizer, max_momentum)
            self._take_momentum(per_group("base_momentum", optimizer, base_momentum), top_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _anneal_func(self, start: float, end: float, pct: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * pct + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * pct) + 1)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        step, values = self.last_epoch, []
        if step > self.total_steps:
            raise ValueFault(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        pct = (step - start) / (phase["end_step"] - start)
        for group in self.optimizer.param_groups:
            values.append(self._anneal_func(group[phase["start_lr"]], group[phase["end_lr"]], pct))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._write_momentum(group, self._anneal_func(*ends, pct))
        return values


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        check(
            isinstance(total_steps, int) and total_steps > 0,
            f"Expected positive integer total_steps, but got {total_steps}",
        )
        return total_steps
    if epochs is None or steps_per_epoch is None:
        raise ValueFault("You must define either total_steps OR (epochs AND steps_per_epoch)")
    check(isinstance(epochs, int) and epochs > 0, f"Expected positive integer epochs, but got {epochs}")
    check(
        isinstance(steps_per_epoch, int) and steps_per_epoch > 0,
        f"Expected positive integer steps_per_epoch, but got {steps_per_epoch}",
    )
    return epochs * steps_per_epoch


def _phases(total: int, pct: float, three: bool) -> list[dict[str, Any]]:
    """The legs of the cycle: where each ends, and between which of the group's values it leads."""
    up = ("initial_lr", "max_lr", "max_momentum", "base_momentum")
    down = ("max_lr", "initial_lr", "base_momentum", "max_momentum")
    if three:
        legs = [
            (float(pct * total) - 1, *up),
            (float(2 * pct * total) - 2, *down),
            (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
        ]
    else:
        legs = [
            (float(pct * total) - 1, *up),
            (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"),
        ]
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    return [dict(zip(names, leg, strict=True)) for leg in legs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine down in T_0 epochs, then again from the top in T_mult times as many, and so on."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check(isinstance(T_0, int) and T_0 > 0, f"Expected positive integer T_0, but got {T_0}")
        check(isinstance(T_mult, int) and T_mult >= 1, f"Expected integer T_mult >= 1, but got {T_mult}")
        check(
            isinstance(eta_min, (float, int)),
            f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}",
        )
        self.T_0 = self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        low, height = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [low + (lr - low) * height / 2 for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to a given one, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            check(epoch >= 0, f"Expected non-negative epoch, but got {epoch}")
            if epoch < self.T_0:
                self.T_i, self.T_cur = self.T_0, epoch
            elif self.T_mult == 1:
                self.T_cur = epoch % self.T_0
            else:
                n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
                self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
                self.T_i = self.T_0 * self.T_mult**n
        self.last_epoch = math.floor(epoch)
        self._write(self.get_lr)
