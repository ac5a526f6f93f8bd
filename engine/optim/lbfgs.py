"""L-BFGS: quasi-Newton steps from a memory of past steps and gradients, with an optional line search.

It works on all parameters as one flat vector and calls the closure several times a step, so it has no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from engine.autograd import observer, versions
from engine.autograd.modes import enable_grad, no_grad
from engine.errors import RuntimeFault, TypeFault
from engine.optim.optimizer import Optimizer, check, check_lr, number
from engine.tensor import Tensor, wrap_array

Array = Any
Objective = Callable[[Any], tuple[float, Array]]  # step length -> (loss, gradient) there

WOLFE_DECREASE, WOLFE_CURVATURE = 1e-4, 0.9
LEAST_CURVATURE = 1e-10  # a pair of step and change of gradient below it is not remembered


class LBFGS(Optimizer):
    """w ← w + t d, where d is minus the gradient times an approximate inverse Hessian (two-loop recursion).

    source  https://pytorch.org/docs/stable/generated/torch.optim.LBFGS.html
    """

    __module__ = "torch.optim.lbfgs"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        check(len(self.param_groups) == 1, "LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    # ---- the flat vector ------------------------------------------------------------------------
    def _gradient(self) -> Array:
        pieces = [np.zeros(p.numel(), p._a.dtype) if p.grad is None else np.ravel(p.grad._a) for p in self._params]
        return np.concatenate(pieces)

    def _values(self) -> list[Array]:
        return [p._array().copy() for p in self._params]

    def _put(self, values: list[Array], terms: list[dict[str, Any]] | None = None) -> None:
        """Give the parameters new values, and tell the observer: each try of a line search is an update."""
        for i, (p, value) in enumerate(zip(self._params, values, strict=True)):
            w = p._array()
            before = w.copy() if observer.active is not None else None
            w[...] = value
            versions.bump(w)
            if observer.active is not None:
                observer.active.update(p, before, w.copy(), self, terms[i] if terms else {})
        if observer.watch is not None and observer.active is None:
            observer.watch.update(self._params[0], None, None, self, {})

    def _move(self, t: Any, d: Array) -> None:
        """Add t d to the parameters."""
        start, values, terms = 0, [], []
        for p in self._params:
            w = p._array()
            part = d[start : start + w.size].reshape(w.shape)
            start += w.size
            values.append(w + part * w.dtype.type(t))
            terms.append({"lr": float(number(self.param_groups[0]["lr"])), "t": float(t), "d": part.copy()})
        self._put(values, terms)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to max_iter iterations. closure clears the gradients, computes the loss and calls backward."""
        if closure is None:
            raise TypeFault("LBFGS.step() missing 1 required positional argument: 'closure'")
        with no_grad():
            return self._iterate(enable_grad()(closure))

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, most, tolerance = number(group["lr"]), group["max_iter"], group["tolerance_change"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss, evaluations = float(first_loss), 1
        state["func_evals"] += 1
        g = self._gradient()
        if np.abs(g).max() <= group["tolerance_grad"]:
            return first_loss
        memory = _Memory(state, group["history_size"])
        for n in range(1, most + 1):
            state["n_iter"] += 1
            first = state["n_iter"] == 1
            d = memory.direction(g, first)
            memory.previous, memory.last_loss = g.copy(), loss
            previous_loss = loss
            t = memory.t = min(1.0, 1.0 / np.abs(g).sum()) * lr if first else lr
            slope = g.dot(d)
            if slope > -tolerance:
                break
            used = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeFault("only 'strong_wolfe' is supported")
                start = self._values()

                def at(length: Any, d: Array = d, start: list[Array] = start) -> tuple[float, Array]:
                    self._move(length, d)
                    value = float(closure())
                    found = self._gradient()
                    self._put(start)
                    return value, found

                search = _LineSearch(at, t, d, loss, g, slope, group["max_eval"] - evaluations)
                loss, g, t, used = search.run()
                memory.t = t
                self._move(t, d)
            else:
                self._move(t, d)
                if n != most:
                    loss = float(closure())
                    g = self._gradient()
                    used = 1
            evaluations += used
            state["func_evals"] += used
            done = bool(np.abs(g).max() <= group["tolerance_grad"])
            small = bool(np.abs(d * t).max() <= tolerance) or abs(loss - previous_loss) < tolerance
            if n == most or evaluations >= group["max_eval"] or done or small:
                break
        memory.save(state)
        return first_loss


class _Memory:
    """The last pairs of steps and changes of the gradient, and the direction they give."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        def array(value: Any) -> Any:
            return value._a if isinstance(value, Tensor) else value

        self.size = size
        self.d, self.t = array(state.get("d")), array(state.get("t"))
        self.changes = [v._array() for v in state.get("old_dirs", [])]
        self.steps = [v._array() for v in state.get("old_stps", [])]
        self.ro = list(map(array, state.get("ro", [])))
        self.scale = array(state.get("H_diag", 1))
        self.previous, self.last_loss = array(state.get("prev_flat_grad")), state.get("prev_loss")
        self.al: list[Any] | None = list(map(array, state["al"])) if "al" in state else None

    def direction(self, g: Array, first: bool) -> Array:
        if first:
            self.changes, self.steps, self.ro, self.scale = [], [], [], 1
            self.d = -g
            return self.d
        y, s = g - self.previous, self.d * g.dtype.type(self.t)
        ys = y.dot(s)
        if ys > LEAST_CURVATURE:
            if len(self.changes) == self.size:
                for column in (self.changes, self.steps, self.ro):
                    column.pop(0)
            self.changes.append(y)
            self.steps.append(s)
            self.ro.append(1.0 / ys)
            self.scale = ys / y.dot(y)
        self.al = self.al or [None] * self.size
        q = -g
        for i in range(len(self.changes) - 1, -1, -1):
            self.al[i] = self.steps[i].dot(q) * self.ro[i]
            q -= self.changes[i] * self.al[i]
        self.d = q * g.dtype.type(self.scale)
        for i in range(len(self.changes)):
            back = self.changes[i].dot(self.d) * self.ro[i]
            self.d += self.steps[i] * (self.al[i] - back)
        return self.d

    def save(self, state: dict[str, Any]) -> None:
        def tensor(value: Any) -> Any:
            return wrap_array(value) if isinstance(value, (np.ndarray, np.generic)) else value

        if self.al is not None:
            state["al"] = list(map(tensor, self.al))
        state.update(
            d=tensor(self.d),
            t=tensor(self.t),
            old_dirs=list(map(tensor, self.changes)),
            old_stps=list(map(tensor, self.steps)),
            ro=list(map(tensor, self.ro)),
            H_diag=tensor(self.scale),
            prev_flat_grad=tensor(self.previous),
            prev_loss=self.last_loss,
        )


def interpolate(x1: Any, f1: Any, g1: Any, x2: Any, f2: Any, g2: Any, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two points with these slopes is lowest, kept within bounds."""
    low, high = bounds if bounds is not None else ((x1, x2) if x1 <= x2 else (x2, x1))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = np.sqrt(square)
    if x1 <= x2:
        place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        place = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(place, low), high)


class _LineSearch:
    """A step length that meets the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6)."""

    def __init__(self, at: Objective, t: Any, d: Array, f: Any, g: Array, slope: Any, most: int) -> None:
        self.at, self.d, self.t, self.most = at, d, t, most
        self.start = (0, f, g.copy(), slope)
        self.evaluations = 0

    def _try(self, t: Any) -> tuple[Any, Any, Array, Any]:
        f, g = self.at(t)
        self.evaluations += 1
        return t, f, g, g.dot(self.d)

    def _too_high(self, point: Any) -> bool:
        _, f, _, slope = self.start
        return bool(point[1] > f + WOLFE_DECREASE * point[0] * slope)

    def _flat(self, point: Any) -> bool:
        return bool(abs(point[3]) <= -WOLFE_CURVATURE * self.start[3])

    def run(self) -> tuple[Any, Array, Any, int]:
        bracket, done, steps = self._bracket()
        low = self._zoom(bracket, steps) if not done else 0
        t, f, g, _ = bracket[low]
        return f, g, t, self.evaluations

    def _bracket(self) -> tuple[list[Any], bool, int]:
        """Step out until the interval must contain a good point."""
        last, point, steps = self.start, self._try(self.t), 0
        while steps < self.most:
            if self._too_high(point) or (steps > 1 and point[1] >= last[1]):
                return [last, point], False, steps
            if self._flat(point):
                return [point], True, steps
            if point[3] >= 0:
                return [last, point], False, steps
            t = point[0]
            bounds = (t + 0.01 * (t - last[0]), t * 10)
            further = interpolate(last[0], last[1], last[3], t, point[1], point[3], bounds)
            last, point = point, self._try(further)
            steps += 1
        return [(0, *self.start[1:]), point], False, steps

    def _zoom(self, bracket: list[Any], steps: int) -> int:
        """Narrow the interval; returns which of its ends is the better one."""
        low, high = (0, 1) if bracket[0][1] <= bracket[-1][1] else (1, 0)
        widest, stuck = np.abs(self.d).max(), False
        while steps < self.most:
            ends = bracket[0][0], bracket[1][0]
            if abs(ends[1] - ends[0]) * widest < 1e-9:
                break
            t = interpolate(*_without_gradient(bracket[0]), *_without_gradient(bracket[1]))
            margin = 0.1 * (max(ends) - min(ends))
            if min(max(ends) - t, t - min(ends)) < margin:  # too near an end: once is allowed
                if stuck or t >= max(ends) or t <= min(ends):
                    near_top = abs(t - max(ends)) < abs(t - min(ends))
                    t = max(ends) - margin if near_top else min(ends) + margin
                    stuck = False
                else:
                    stuck = True
            else:
                stuck = False
            point = self._try(t)
            steps += 1
            if self._too_high(point) or point[1] >= bracket[low][1]:
                bracket[high] = point
                low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
                continue
            done = self._flat(point)
            if not done and point[3] * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = point
            if done:
                break
        return low


def _without_gradient(point: Any) -> tuple[Any, Any, Any]:
    t, f, _, slope = point
    return t, f, slope
