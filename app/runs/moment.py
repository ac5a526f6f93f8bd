"""A moment of a trace: the state after some of its events, and exact values of a tensor in it.

Pure functions of bytes; they take tens of milliseconds for a long trace and are called in a thread.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from app.errors import Problem
from engine.trace.encode import decode, encode
from engine.trace.events import BINARY_LIMIT
from engine.trace.replay import Replay

Part = int | slice

ASIDE = tuple(b'{"kind":"%s"' % kind for kind in (b"print", b"figure", b"note", b"end"))


def state_after(lines: bytes | bytearray, last: int | None) -> dict[str, Any]:
    """The state once line number `last` of `lines` has happened; None: once all have."""
    replay = Replay()
    events = bytes(lines).splitlines()
    if last is None:  # what is only said after the last step would begin another, empty one
        last = next((k for k in range(len(events) - 1, -1, -1) if not events[k].startswith(ASIDE)), -1)
    for line in events[: last + 1]:
        replay.fold(msgspec.json.decode(line))
    return replay.state


def parse_slice(text: str) -> tuple[Part, ...]:
    """`0, 1:3, :` as NumPy reads it; whole numbers and ranges only."""
    parts: list[Part] = []
    for piece in text.split(","):
        piece = piece.strip()
        if re.fullmatch(r"-?\d{1,9}", piece):
            parts.append(int(piece))
        elif re.fullmatch(r"(-?\d{1,9})?:(-?\d{1,9})?(:-?\d{1,9})?", piece):
            numbers = [int(n) if n else None for n in piece.split(":")]
            if len(numbers) == 3 and numbers[2] == 0:
                raise Problem("invalid", "a slice's step cannot be 0")
            parts.append(slice(*numbers))
        else:
            raise Problem("invalid", f"slice: {piece[:40]!r} is no index and no range", hint="0,1:3,:")
    if len(parts) > 8:
        raise Problem("invalid", "slice: at most 8 axes")
    return tuple(parts)


class TooLarge(Exception):
    """Only statistics of the tensor travelled: a slice of it is to be had by running the step again."""

    def __init__(self, shape: list[int], stats: dict[str, Any]) -> None:
        super().__init__(shape)
        self.shape, self.stats = shape, stats


def ranges(part: str, shape: list[int]) -> tuple[tuple[int, int], ...]:
    """A slice of a large tensor as from and to per axis, small enough to travel. Raises Problem."""
    parts = parse_slice(part) if part else ()
    if len(parts) > len(shape):
        raise Problem("invalid", f"slice: the tensor has {len(shape)} axes, not {len(parts)}")
    found: list[tuple[int, int]] = []
    for size, piece in zip(shape, (*parts, *[slice(None)] * (len(shape) - len(parts))), strict=True):
        if isinstance(piece, int):
            at = piece + size if piece < 0 else piece
            if not 0 <= at < size:
                raise Problem("invalid", f"slice: index {piece} is out of bounds for an axis of {size}")
            found.append((at, at + 1))
        else:
            low, high, step = piece.indices(size)
            if step != 1:
                raise Problem("invalid", "slices of a tensor this large have no step", hint="0:64,0:64")
            found.append((low, max(low, high)))
    if math.prod(high - low for low, high in found) > BINARY_LIMIT:
        raise Problem("invalid", f"at most {BINARY_LIMIT:,} values of it at a time", hint="slice=0:64,0:64")
    return tuple(found)


def values(
    state: dict[str, Any], number: int, *, part: str = "", of: str = "value", cut: list[int] | None = None
) -> dict[str, Any]:
    """A tensor's value or gradient, or a slice of it. Raises TooLarge.

    cut  the shape of the whole tensor, when the state holds just the slice
    """
    tensor = state["tensors"].get(str(number))
    if tensor is None:
        known = ", ".join(list(state["tensors"])[:20])
        raise Problem("not-found", f"there is no tensor {number} at this moment", hint=f"there are {known}")
    array = tensor[of] if of == "value" or tensor["op"] is None else tensor["flow"]
    out = {"tensor": number, "name": tensor["name"], "of": of, "shape": tensor["shape"], "slice": part, "data": None}
    if array is None:
        return out
    whole: npt.NDArray[Any] | None = decode(array)
    if whole is None:
        raise TooLarge(array["shape"], array["stats"])
    if cut is not None:
        drop = tuple(0 if isinstance(piece, int) else slice(None) for piece in (parse_slice(part) if part else ()))
        return {**out, "shape": cut, "data": encode(np.asarray(whole[drop]))}
    try:
        chosen = whole[parse_slice(part)] if part else whole
    except IndexError as error:
        raise Problem("invalid", f"slice: {error}") from None
    return {**out, "data": encode(np.asarray(chosen))}
