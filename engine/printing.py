"""Tensors as text, to the character as PyTorch prints them. Pure: arrays and words in, text out.

`format_tensor` is what `Tensor.__repr__` calls; this file knows no Tensor. `set_printoptions` changes OPTIONS.
source: https://github.com/pytorch/pytorch/blob/v2.13.0/torch/_tensor_str.py
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import dtypes

Array = NDArray[Any]

# Beyond these a table of numbers is easier to read as 1.2345e-06 (torch: _Formatter).
WIDEST_RATIO, LARGEST, SMALLEST = 1000.0, 1.0e8, 1.0e-4


@dataclass
class Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


OPTIONS = Options()
PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=math.inf),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors print; what is left out stays, except sci_mode, which goes back to automatic."""
    chosen = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    start = asdict(PROFILES[profile]) if profile in PROFILES else {}
    for name, value in chosen.items():
        if value is None:
            value = start.get(name)
        if value is not None:
            setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    return asdict(OPTIONS)


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """`set_printoptions` for the duration of a with block."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


# ---- one element ----------------------------------------------------------------------------------
class Style:
    """How the elements of one tensor are written: chosen once from all the values that will be shown."""

    def __init__(self, shown: Array) -> None:
        self.width = 1
        self.floating = shown.dtype.kind == "f"
        self.whole, self.scientific = True, False
        if not self.floating:
            self.width = max((len(str(v)) for v in shown.ravel().tolist()), default=1)
            return
        values = shown.ravel().astype(np.float64)
        values = values[np.isfinite(values) & (values != 0)]
        if not values.size:
            return
        self.whole = bool((values == np.ceil(values)).all())
        sizes = np.abs(values)
        largest, smallest = float(sizes.max()), float(sizes.min())
        with np.errstate(over="ignore"):
            ratio = np.float64(largest) / smallest
        automatic = bool(ratio > WIDEST_RATIO or largest > LARGEST or smallest < SMALLEST)
        self.scientific = automatic if OPTIONS.sci_mode is None else OPTIONS.sci_mode
        texts = map(self._digits, values.tolist())
        self.width = max(map(len, texts)) + (self.whole and not self.scientific)  # the dot of `1.`
        self.width = max(self.width, 1)

    def _digits(self, value: float) -> str:
        if self.scientific:
            return f"{value:.{OPTIONS.precision}e}"
        return f"{value:.0f}" if self.whole else f"{value:.{OPTIONS.precision}f}"

    def write(self, value: Any) -> str:
        if not self.floating:
            return str(value).rjust(self.width)
        text = self._digits(value)
        if self.whole and not self.scientific and math.isfinite(value):
            text += "."
        return text.rjust(self.width)


# ---- nested brackets ------------------------------------------------------------------------------
def _edges(array: Array) -> Array:
    """The elements a summary shows, as an array of fewer rows and columns."""
    n = OPTIONS.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * n:
            keep = np.r_[0:n, size - n : size]
            array = np.take(array, keep, axis)
    return array


def _row(values: Array, indent: int, summarize: bool, style: Style) -> str:
    n = OPTIONS.edgeitems
    per_line = max(1, math.floor((OPTIONS.linewidth - indent) / (style.width + 2)))
    if summarize and not n:
        texts = ["..."]
    elif summarize and len(values) > 2 * n:
        head, tail = values[:n].tolist(), values[-n:].tolist()
        texts = [*map(style.write, head), " ...", *map(style.write, tail)]
    else:
        texts = [style.write(v) for v in values.tolist()]
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _brackets(array: Array, indent: int, summarize: bool, style: Style) -> str:
    if array.ndim == 0:
        return style.write(array.item())
    if array.ndim == 1:
        return _row(array, indent, summarize, style)
    n, size = OPTIONS.edgeitems, len(array)
    shortened = summarize and size > 2 * n
    places = [*range(n), *range(size - n, size)] if shortened else range(size)
    slices = [_brackets(array[i], indent + 1, summarize, style) for i in places]
    if shortened:
        slices.insert(n, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(slices) + "]"


def format_values(array: Array, indent: int = 0) -> str:
    """The elements alone, between brackets; `indent` columns are already taken on the first line."""
    if array.size == 0:
        return "[]"
    summarize = array.size > OPTIONS.threshold
    return _brackets(array, indent, summarize, Style(_edges(array) if summarize else array))


# ---- the whole ------------------------------------------------------------------------------------
def format_tensor(
    array: Array,
    dtype: str,
    *,
    default_dtype: str = "torch.float32",
    requires_grad: bool = False,
    grad_fn: str | None = None,
    name: str = "tensor",
) -> str:
    """The text of a tensor.

    array      its elements, any shape
    dtype      torch's name of its dtype, "torch.float32"
    grad_fn    the name of its node, "MulBackward0", if it has one
    name       "tensor"; a subclass prints its own name
    """
    if dtype == "torch.bfloat16":
        array = array.astype(np.float32)  # NumPy cannot format it
    prefix = name + "("
    indent = len(prefix)
    suffixes = []
    if array.size == 0:
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
        if dtype != default_dtype:
            suffixes.append(f"dtype={dtype}")
    else:
        if not OPTIONS.edgeitems:
            suffixes.append(f"size={array.shape}")
        if dtype not in (default_dtype, "torch.int64", "torch.bool"):
            suffixes.append(f"dtype={dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + format_values(array, indent)
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > OPTIONS.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def tensor_str(t: Any) -> str:
    """The text of a Tensor, or of a Parameter inside it; of a subclass under its own name."""
    node = t.grad_fn
    kind = type(t).__name__
    return format_tensor(
        np.asarray(t._a).reshape(t._s),
        repr(t.dtype),
        default_dtype=repr(dtypes.get_default_dtype()),
        requires_grad=t.requires_grad,
        grad_fn=None if node is None else node.name().rsplit("::", 1)[-1],
        name="tensor" if kind in ("Tensor", "Parameter") else kind,
    )
