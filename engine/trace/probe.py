"""Asks the graph of a step what its loss, or a prediction, would have been elsewhere.

It re-evaluates the forward ops that the recorder heard, with two numbers of the program replaced: two parameter
elements (the loss landscape), or two columns of an input (a decision boundary, where one grid row is one batch).
It runs no line of the program again, differentiates nothing and changes no tensor of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from engine.errors import EngineError, RuntimeFault
from engine.ops.registry import NAMESPACE, Op
from engine.tensor import Tensor
from engine.trace import events as ev
from engine.trace.encode import number
from engine.trace.grid import Probe

FIELD_OUTPUTS = 10  # values per grid point: classes


Call = tuple[Op, Sequence[Any], Sequence[Tensor], dict[str, Any]]


class Calls:
    """The forward ops of one step, in order."""

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.refusal = ""

    def hear(
        self, op: Op, inputs: Sequence[Any], outputs: Sequence[Tensor], params: dict[str, Any], inplace: bool
    ) -> None:
        """One op ran."""
        self.made.append((op, tuple(inputs), tuple(outputs), dict(params)))
        if inplace and not self.refusal:
            self.refusal = f"{op.name} changed a tensor in place; the step cannot be re-evaluated from its ops"

    def between(self, root: Tensor, given: Sequence[Tensor]) -> list[Call]:
        """The calls that lead from one of `given` to `root`, in order."""
        reached = {id(t) for t in given}
        forward: list[Call] = []
        for call in self.made:
            if any(id(t) in reached for t in call[1] if isinstance(t, Tensor)):
                reached.update(id(t) for t in call[2])
                forward.append(call)
        needed = {id(root)}
        chosen: list[Call] = []
        for call in reversed(forward):
            if any(id(t) in needed for t in call[2]):
                needed.update(id(t) for t in call[1] if isinstance(t, Tensor))
                chosen.append(call)
        return chosen[::-1]


def _evaluate(calls: Sequence[Call], root: Tensor, given: dict[int, Tensor]) -> Tensor:
    """The value of `root` when the tensors in `given` (by id) are other ones."""
    values = dict(given)
    for op, inputs, outputs, params in calls:
        assert op.call is not None
        made = op.call(*(values.get(id(t), t) if isinstance(t, Tensor) else t for t in inputs), **params)
        for old, new in zip(outputs, made if isinstance(made, tuple | list) else (made,), strict=True):
            values[id(old)] = new
    return values[id(root)]


def _replaced(tensor: Tensor, array: Any) -> Tensor:
    made: Tensor = NAMESPACE["new"](Tensor)
    made._a, made._s, made._n = array, array.shape, None
    return made


def evaluate(probe: Probe, calls: Calls, find: Callable[[int], Tensor | None]) -> Iterator[ev.Probe]:
    """One event per row of the grid, lowest y first.

    find    the tensor with a number of this window
    raises  RuntimeError with a hint when the step cannot answer
    """
    root, a, b = find(probe.root), find(probe.x.tensor), find(probe.y.tensor if probe.y else probe.x.tensor)
    if root is None or a is None or b is None:
        raise RuntimeFault("the step has no such tensor", hint="ask with the numbers its events carry")
    if calls.refusal:
        raise RuntimeFault(calls.refusal, hint="write x = x + 1 instead of x += 1 to see the landscape")
    path = calls.between(root, (a, b))
    if not path:
        raise RuntimeFault("the result does not depend on these tensors")
    xs = np.linspace(probe.x.low, probe.x.high, probe.points)
    ys = np.linspace(probe.y.low, probe.y.high, probe.points) if probe.y else np.zeros(1)
    row_of = _surface_row if probe.kind == "surface" else _field_row
    watched, before = NAMESPACE["_obs"], NAMESPACE["grad_on"]
    NAMESPACE["_obs"], NAMESPACE["grad_on"] = None, False
    try:
        for row, y in enumerate(ys):
            values = row_of(probe, path, root, (a, b), xs, float(y))
            yield ev.Probe(
                row=row, rows=len(ys), y=number(float(y)), x=tuple(number(float(x)) for x in xs), values=tuple(values)
            )
    finally:
        NAMESPACE["_obs"], NAMESPACE["grad_on"] = watched, before


def _surface_row(
    probe: Probe, path: Sequence[Call], root: Tensor, pair: tuple[Tensor, Tensor], xs: Any, y: float
) -> list[ev.Number]:
    first, second = pair
    values: list[ev.Number] = []
    for x in xs:
        arrays = {id(t): np.array(np.asarray(t._a).reshape(t._s)) for t in pair}
        for tensor, axis, value in ((first, probe.x, x), (second, probe.y, y)):
            if axis is None:
                continue
            if axis.index >= arrays[id(tensor)].size:
                raise RuntimeFault(f"the tensor has {arrays[id(tensor)].size} elements, no number {axis.index}")
            arrays[id(tensor)].reshape(-1)[axis.index] = value
        given = {id(t): _replaced(t, arrays[id(t)]) for t in pair}
        result = np.asarray(_evaluate(path, root, given)._a)
        if result.size != 1:
            raise RuntimeFault("a landscape needs a scalar loss")
        values.append(number(float(result.reshape(())[()])))
    return values


def _field_row(
    probe: Probe, path: Sequence[Call], root: Tensor, pair: tuple[Tensor, Tensor], xs: Any, y: float
) -> list[ev.Number]:
    source = pair[0]
    assert probe.y is not None  # Probe.check
    if len(source._s) != 2 or max(probe.x.index, probe.y.index) >= source._s[1] or source._s[1] != 2:
        raise RuntimeFault(f"a field needs an input of two columns, this one is {tuple(source._s)}")
    points = np.empty((len(xs), 2), np.asarray(source._a).dtype)
    points[:, probe.x.index] = xs
    points[:, probe.y.index] = y
    try:
        result = np.asarray(_evaluate(path, root, {id(source): _replaced(source, points)})._a)
    except EngineError as error:
        raise RuntimeFault(
            f"the prediction works for this batch only: {error}", hint="-1 instead of the batch size, say"
        ) from None
    if result.size % len(xs) or result.size > FIELD_OUTPUTS * len(xs):
        raise RuntimeFault("a field needs one prediction per row, of few values")
    return [number(float(v)) for v in result.reshape(-1)]
