"""How two traces differ, in sentences: structure exactly, numbers within a tolerance.

For golden traces (what did my change do?) and for explaining a lost determinism. It knows JSON, no engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from engine.trace.encode import decode, number
from engine.trace.events import Event

RELATIVE = 1e-6
ABSOLUTE = 1e-7  # products that should be zero differ by rounding between BLAS builds

IGNORED = frozenset({"seconds", "engine", "run"})  # they say when and with what, not what happened


def diff(
    left: Iterable[Event | dict[str, Any]],
    right: Iterable[Event | dict[str, Any]],
    *,
    relative: float = RELATIVE,
    absolute: float = ABSOLUTE,
    most: int = 20,
) -> list[str]:
    """Sentences, at most `most`; empty when the traces say the same."""
    found: list[str] = []
    a, b = [_plain(e) for e in left], [_plain(e) for e in right]
    for n, (x, y) in enumerate(zip(a, b, strict=False)):
        where = f"event {n} ({x['kind']}{_line(x)})"
        if x["kind"] != y["kind"]:
            found.append(f"event {n}: {x['kind']}{_line(x)} on the left, {y['kind']}{_line(y)} on the right")
            return found
        _compare(x, y, where, found, relative, absolute)
        if len(found) >= most:
            return [*found[:most], "and more"]
    if len(a) != len(b):
        longer, n = ("left", len(b)) if len(a) > len(b) else ("right", len(a))
        rest = (a if longer == "left" else b)[n]
        found.append(f"{len(a)} events on the left, {len(b)} on the right; the {longer} goes on with {rest['kind']}")
    return found


def _plain(event: Event | dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = event if isinstance(event, dict) else msgspec.json.decode(msgspec.json.encode(event))
    return plain


def _line(event: dict[str, Any]) -> str:
    return f", line {event['at'][0]}" if event.get("at") else ""


def _compare(x: Any, y: Any, where: str, found: list[str], relative: float, absolute: float) -> None:
    if isinstance(x, dict) and isinstance(y, dict):
        if "shape" in x and "dtype" in x and "shape" in y and "dtype" in y:
            _arrays(x, y, where, found, relative, absolute)
            return
        for key in sorted({*x, *y} - IGNORED):
            if key not in x or key not in y:
                side, value = ("left", x.get(key)) if key in x else ("right", y.get(key))
                found.append(f"{where}: {key} = {_short(value)} only on the {side}")
            else:
                _compare(x[key], y[key], f"{where} {key}", found, relative, absolute)
    elif isinstance(x, Sequence) and isinstance(y, Sequence) and not isinstance(x, str) and not isinstance(y, str):
        if len(x) != len(y):
            found.append(f"{where}: {len(x)} entries on the left, {len(y)} on the right")
        for n, (v, w) in enumerate(zip(x, y, strict=False)):
            _compare(v, w, f"{where}[{n}]", found, relative, absolute)
    elif isinstance(x, float) or isinstance(y, float):
        if not _near(x, y, relative, absolute):
            found.append(f"{where}: {x} on the left, {y} on the right")
    elif x != y:
        found.append(f"{where}: {_short(x)} on the left, {_short(y)} on the right")


def _arrays(
    x: dict[str, Any], y: dict[str, Any], where: str, found: list[str], relative: float, absolute: float
) -> None:
    if list(x["shape"]) != list(y["shape"]) or x["dtype"] != y["dtype"]:
        left, right = (f"{a['dtype']}{tuple(a['shape'])}" for a in (x, y))
        found.append(f"{where}: {left} on the left, {right} on the right")
        return
    a, b = decode(x), decode(y)
    if a is None or b is None:
        if (a is None) != (b is None):
            found.append(f"{where}: whole on one side, statistics on the other")
            return
        for key in ("preview", "stats"):
            _compare(x.get(key), y.get(key), f"{where} {key}", found, max(relative, 1e-5), absolute)
        return
    scale = max((abs(float(v)) for v in a.ravel() if math.isfinite(float(v))), default=0.0)
    for n, (v, w) in enumerate(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)):
        # a sum of n terms may cancel: its error is relative to the terms, so to the array's largest value
        if not _near(v, w, relative, max(absolute, relative * scale)):
            told = number(a.ravel()[n]), number(b.ravel()[n])
            found.append(f"{where}[{n}]: {told[0]} on the left, {told[1]} on the right")
            return


def _near(x: Any, y: Any, relative: float, absolute: float) -> bool:
    if isinstance(x, str) or isinstance(y, str) or x is None or y is None:
        return bool(x == y)
    if x == y or (x != x and y != y):
        return True
    return math.isclose(x, y, rel_tol=relative, abs_tol=absolute)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
