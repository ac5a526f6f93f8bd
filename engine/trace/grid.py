"""The question put to a step: which tensor is wanted over which grid, or which part of a tensor too large to travel whole.
It answers nothing (engine/trace/probe.py and the recorder do) and imports nothing of the engine, so that the service can
check a question before it starts a program.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec
import numpy.typing as npt

POINTS_LIMIT = 81  # per side: what a picture of a few hundred pixels can show


class Axis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of the grid: element `index` (row-major) of tensor `tensor`, or column `index` of an input."""

    tensor: int
    index: int
    low: float
    high: float


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to ask.

    step    the step whose graph is asked, as its backward pass begins
    root    number of the tensor wanted: the loss (surface), a prediction (field)
    y       None: along x alone, one row
    kind    surface: both axes are single elements; field: both are columns of one (N, 2) input
    points  per side
    """

    step: int
    root: int
    x: Axis
    y: Axis | None = None
    kind: Literal["surface", "field"] = "surface"
    points: int = 33

    def check(self) -> None:
        """Raises ValueError, with a sentence, for what no step could answer."""
        if not 2 <= self.points <= POINTS_LIMIT:
            raise ValueError(f"points must be between 2 and {POINTS_LIMIT}, not {self.points}")
        sides = [("x", self.x)] if self.y is None else [("x", self.x), ("y", self.y)]
        if self.step < 0 or any(axis.index < 0 for _, axis in sides):
            raise ValueError("step and index count from 0")
        for name, axis in sides:
            if not (math.isfinite(axis.low) and math.isfinite(axis.high) and axis.low < axis.high):
                raise ValueError(f"{name}.low must be a number below {name}.high")
        if self.kind == "field" and (self.y is None or self.x.tensor != self.y.tensor or self.x.index == self.y.index):
            raise ValueError("a field needs two different columns of one input")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block of one tensor: in the step's events it stands where the whole tensor would.

    tensor  its number in the step
    ranges  from and to (excluded), one pair per axis
    """

    tensor: int
    of: Literal["value", "grad"]
    ranges: tuple[tuple[int, int], ...]

    def check(self) -> None:
        """Raises ValueError when it is no block."""
        if self.tensor < 0 or any(not 0 <= low <= high for low, high in self.ranges):
            raise ValueError("a range goes up from 0 or more")

    def cut(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array[tuple(slice(low, high) for low, high in self.ranges)]


def parse_question(text: str | bytes) -> Probe | Part:
    """From its JSON. Raises ValueError with what is wrong."""
    try:
        question: Probe | Part
        if "ranges" in msgspec.json.decode(text, type=dict[str, Any]):
            question = msgspec.json.decode(text, type=Part)
        else:
            question = msgspec.json.decode(text, type=Probe)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    question.check()
    return question
