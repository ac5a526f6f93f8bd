"""What the program calls its tensors and modules: looked up in its variables, never guessed from values.

It reads frames and globals of the running program; it decides nothing about events.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from engine.tensor import Tensor
from engine.trace.payload import is_parameter
from engine.trace.source import FILENAME, Position, Source

MODULE = "<module>"
DEPTH = 3  # containers in containers
MOST = 20_000  # objects looked at in one survey


def frames(skip: int = 2) -> list[FrameType]:
    """The program's own frames on the stack, innermost first."""
    found = []
    frame: FrameType | None = sys._getframe(skip)
    while frame is not None:
        if frame.f_code.co_filename == FILENAME:
            found.append(frame)
        frame = frame.f_back
    return found


def variables(frame: FrameType) -> dict[str, Any]:
    """A frame's own variables, by name."""
    return frame.f_locals


class Names:
    """Names of objects, as the program would write them: `w`, `params[2]`, `net.fc1.weight`."""

    def __init__(self, source: Source, program: dict[str, Any] | None = None) -> None:
        self.source = source
        self.program = program if program is not None else {}
        self._watched: dict[str, tuple[str, ...]] = {}
        self._survey: dict[int, str] | None = None
        self._surveyed: tuple[int, ...] = ()

    def forget(self) -> None:
        """The program has moved on: survey its containers anew when next asked."""
        self._survey = None

    def watched(self, function: str) -> tuple[str, ...]:
        """The variables that are assigned in a function ("<module>" outside of any)."""
        found = self._watched.get(function)
        if found is None:
            names = self.source.targets.get(function, {})
            found = self._watched[function] = tuple(n for n in names if "." not in n)
        return found

    def assigned(self, stack: list[FrameType]) -> Iterator[tuple[str, Any, FrameType]]:
        """(name, tensor, frame) of every variable that the text of a frame assigns, innermost frame first."""
        for frame in stack:
            names = self.watched(frame.f_code.co_name)
            if not names:
                continue
            values = frame.f_locals
            for name in names:
                value = values.get(name)
                if isinstance(value, Tensor):
                    yield name, value, frame

    def place(self, name: str, frame: FrameType) -> Position | None:
        """Where the frame's text assigns to `name`."""
        return self.source.nearest(frame.f_code.co_name, name, frame.f_lineno)

    def of(self, thing: Any, stack: list[FrameType]) -> str:
        """The name of a tensor or module; "" when no variable leads to it."""
        for name, value in self.program.items():  # before locals: a function calls its argument x, whatever it is
            if value is thing and not name.startswith("__"):
                return name
        for frame in stack:
            for name, value in frame.f_locals.items():
                if value is thing and not name.startswith("__") and name != "self":
                    return name
        if self._survey is None or (id(thing) not in self._survey and self._is_news(thing, stack)):
            self._survey = {}
            self._surveyed = self._extent(stack)
            for frame in stack:
                if frame.f_code.co_name != MODULE:
                    self._walk(frame.f_locals, self._survey)
            self._walk(self.program, self._survey)
        return self._survey.get(id(thing), "")

    def _extent(self, stack: list[FrameType]) -> tuple[int, ...]:
        """How many variables there are, and where: it grows when the program makes its model."""
        return (len(self.program), *(len(frame.f_locals) for frame in stack))

    def _is_news(self, thing: Any, stack: list[FrameType]) -> bool:
        """A parameter that the survey does not know because it was made while its module was: worth another survey."""
        return isinstance(thing, Tensor) and is_parameter(thing) and self._extent(stack) != self._surveyed

    def _walk(self, values: dict[str, Any], found: dict[int, str]) -> None:
        """Name everything reachable from these variables through modules, containers and the program's own classes."""
        todo: list[tuple[str, Any, int]] = [
            (name, value, 0) for name, value in values.items() if not name.startswith("__") and name != "self"
        ]
        seen: set[int] = set()
        for prefix, thing, depth in todo:  # grows while it runs: breadth first, so that short names win
            if len(seen) > MOST:
                return
            if isinstance(thing, Tensor):
                found.setdefault(id(thing), prefix)
                continue
            inside: Iterator[tuple[str, Any]]
            if hasattr(type(thing), "named_parameters"):  # a Module
                if id(thing) in seen:
                    continue
                for path, module in thing.named_modules():
                    found.setdefault(id(module), f"{prefix}.{path}" if path else prefix)
                named = [*thing.named_parameters(), *thing.named_buffers()]
                for path, tensor in named:
                    found.setdefault(id(tensor), f"{prefix}.{path}")
                inside = iter(())
            elif isinstance(thing, (list, tuple)) and len(thing) <= 2_000:
                inside = ((f"{prefix}[{n}]", part) for n, part in enumerate(thing))
            elif isinstance(thing, dict) and len(thing) <= 2_000:
                inside = ((f"{prefix}[{key!r}]", part) for key, part in list(thing.items()))
            elif type(thing).__module__ == "__main__" and not isinstance(thing, type):
                inside = ((f"{prefix}.{key}", part) for key, part in list(getattr(thing, "__dict__", {}).items()))
            else:
                continue
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if depth < DEPTH + 1:
                todo.extend((name, part, depth + 1) for name, part in inside)
