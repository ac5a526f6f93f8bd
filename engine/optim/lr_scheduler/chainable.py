"""Schedulers whose next rate follows from the present one: steps, powers, lines, half a cosine, functions."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from engine.errors import TypeFault
from engine.optim.lr_scheduler.base import LRScheduler, Rates, function_state, rates
from engine.optim.optimizer import Optimizer, check


class _ByFunction(LRScheduler):
    """What LambdaLR and MultiplicativeLR share: a function of the epoch for each group."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        self.optimizer = optimizer
        groups = len(optimizer.param_groups)
        if isinstance(lr_lambda, (list, tuple)):
            check(len(lr_lambda) == groups, f"Expected {groups} lr_lambdas, but got {len(lr_lambda)}")
            self.lr_lambdas: list[Callable[[int], float]] = list(lr_lambda)
        else:
            self.lr_lambdas = [lr_lambda] * groups
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state.pop("lr_lambdas")
        return state | {"lr_lambdas": [function_state(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, state in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=False):
            if state is not None:
                function.__dict__.update(state)


class LambdaLR(_ByFunction):
    """Initial rate times f(epoch)."""

    __module__ = "torch.optim.lr_scheduler"

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_ByFunction):
    """Present rate times f(epoch)."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        for function in lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda]:
            if not callable(function):
                raise TypeFault(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now = rates(self.optimizer)
        if self._is_initial:
            return now
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, now, strict=True)]


class StepLR(LRScheduler):
    """Times gamma every step_size epochs."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now = rates(self.optimizer)
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return now
        return [lr * self.gamma for lr in now]

    def _get_closed_form_lr(self) -> Rates:
        return [lr * self.gamma ** (self.last_epoch // self.step_size) for lr in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Times gamma at each milestone."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now = rates(self.optimizer)
        if self.last_epoch not in self.milestones:
            return now
        return [lr * self.gamma ** self.milestones[self.last_epoch] for lr in now]

    def _get_closed_form_lr(self) -> Rates:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [lr * self.gamma**passed for lr in self.base_lrs]


class ConstantLR(LRScheduler):
    """Times factor for the first total_iters epochs."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        check(
            not (factor > 1.0 or factor < 0),
            "Constant multiplicative factor expected to be between 0 and 1.",
        )
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now = rates(self.optimizer)
        if self.last_epoch == 0:
            return [lr * self.factor for lr in now]
        if self.last_epoch != self.total_iters:
            return now
        return [lr * (1.0 / self.factor) for lr in now]

    def _get_closed_form_lr(self) -> Rates:
        over = self.last_epoch >= self.total_iters
        return [lr * (self.factor + over * (1 - self.factor)) for lr in self.base_lrs]


class LinearLR(LRScheduler):
    """A line from start_factor to end_factor over total_iters epochs."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check(
            not (start_factor > 1.0 or start_factor <= 0),
            "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.",
        )
        check(
            not (end_factor > 1.0 or end_factor < 0),
            "Ending multiplicative factor expected to be between 0 and 1.",
        )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now = rates(self.optimizer)
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in now]
        if self._is_initial or self.last_epoch > self.total_iters:
            return now
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1.0 + rise / before) for lr in now]

    def _get_closed_form_lr(self) -> Rates:
        rise = self.end_factor - self.start_factor
        part = rise * min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * (self.start_factor + part) for lr in self.base_lrs]


class ExponentialLR(LRScheduler):
    """Times gamma every epoch."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now = rates(self.optimizer)
        return now if self._is_initial else [lr * self.gamma for lr in now]

    def _get_closed_form_lr(self) -> Rates:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]


class PolynomialLR(LRScheduler):
    """Initial rate times (1 - epoch / total_iters)^power."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now = rates(self.optimizer)
        if self._is_initial or self.last_epoch > self.total_iters:
            return now
        left = (1.0 - self.last_epoch / self.total_iters) / (1.0 - (self.last_epoch - 1) / self.total_iters)
        factor = left**self.power
        return [lr * factor for lr in now]

    def _get_closed_form_lr(self) -> Rates:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * left**self.power for lr in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial rate to eta_min in T_max epochs, and back."""

    __module__ = "torch.optim.lr_scheduler"

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        self._warn_outside_step()
        now, epoch, low = rates(self.optimizer), self.last_epoch, self.eta_min
        if self._is_initial:
            return now
        if self._step_count == 1 and epoch > 0:
            return [low + (lr - low) * (1 + math.cos(epoch * math.pi / self.T_max)) / 2 for lr in self.base_lrs]
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the rate is eta_min: no ratio leads away from it
            rise = 1 - math.cos(math.pi / self.T_max)
            return [lr + (base - low) * rise / 2 for lr, base in zip(now, self.base_lrs, strict=True)]
        ratio = (1 + math.cos(math.pi * epoch / self.T_max)) / (1 + math.cos(math.pi * (epoch - 1) / self.T_max))
        return [ratio * (lr - low) + low for lr in now]

    def _get_closed_form_lr(self) -> Rates:
        low, height = self.eta_min, 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [low + (lr - low) * height / 2 for lr in self.base_lrs]
