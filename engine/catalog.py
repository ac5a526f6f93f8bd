"""The catalogue of what the engine can do, derived from the op registry: for the op page, the API and the editor.

JSON-able data only. It runs no op and holds no tensor; everything above engine.trace needs nothing else of the engine.

    latex            formula of the value; `{input}` and other names in braces stand for the call's own
    derivatives      per input that gets a gradient: the local derivative (elementwise) or the gradient sent (`g` is
                     the incoming one), as the engine's formula and, where there is one, as LaTeX
    nodes            torch's names of the node a call makes, most common first; [] when it makes none
    family           the file whose block or function it is
    composite        made of several ops, each with its own node
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import engine
import engine.nn
from engine.ops.formulas import finished
from engine.ops.registry import COMPOSITES, REGISTRY, Op, Sample

LETTERS = {"input": "x", "other": "y", "tensor1": "u", "tensor2": "v", "target": "t", "weight": "W", "bias": "b",
           "exponent": "n", "mat2": "B", "self": "x", "out": "z"}  # fmt: skip
"""How an input is called in a formula that stands alone."""

INTEGERS = frozenset({"indices", "index"})  # inputs whose samples are written as floats and mean integers
INTERNAL = frozenset({"in_place"})  # parameters that torch's function has not

Entry = dict[str, Any]


@functools.cache
def catalog() -> dict[str, Entry]:
    """Every op and composite by name, in alphabetical order."""
    entries = {name: _entry(o) for name, o in REGISTRY.items()}
    for name, f in COMPOSITES.items():
        entries.setdefault(name, _composite(name, f))
    return dict(sorted(entries.items()))


PLACES = (
    ("torch", engine), ("torch.nn", engine.nn), ("torch.nn.functional", engine.nn.functional),
    ("torch.nn.init", engine.nn.init), ("torch.optim", engine.optim), ("torch.optim.lr_scheduler", engine.optim.lr_scheduler),
    ("torch.utils.data", engine.utils.data), ("Tensor", engine.Tensor),
)  # fmt: skip
"""Where a program finds names: what it writes before the dot, and what holds them."""


@functools.cache
def names() -> list[dict[str, str]]:
    """Every public name a program may write.

    Each with `place`, `name`, `kind` (class, function, property), `signature` and `doc`.
    """
    found = []
    for place, holder in PLACES:
        for name in dir(holder):
            if name.startswith("_") or not hasattr(holder, name):
                continue
            value = inspect.getattr_static(holder, name)
            if inspect.ismodule(value):
                continue
            kind = "class" if inspect.isclass(value) else "property" if isinstance(value, property) else "function"
            if kind == "function" and not callable(getattr(holder, name)):
                kind = "property"
            call = _called_as(name, value, kind)
            found.append({"place": place, "name": name, "kind": kind, "signature": call, "doc": _first(name, value)})
    return found


def _called_as(name: str, value: Any, kind: str) -> str:
    """How a call is written; "" for what is not called."""
    if kind == "property":
        return ""
    entry = catalog().get(name)
    if entry is not None and kind == "function":
        return str(entry["signature"])
    try:
        text = str(inspect.signature(finished(value)))
    except (TypeError, ValueError):
        return f"{name}(...)"
    text = re.sub(r":\s*[^,=()]+(?=[,)=]|\s=)|\s*->.*$|\bself,\s*|\(self\)", "", text)
    return name + text.replace(" = ", "=").replace("= ", "=")


def _first(name: str, value: Any) -> str:
    """The first paragraph of its description; "" when it has none."""
    text = inspect.cleandoc(getattr(value, "__doc__", None) or catalog().get(name, {}).get("doc", ""))
    return re.split(r"\n\s*\n", text)[0].replace("\n", " ")[:300] if not isinstance(value, (int, float, str)) else ""


def read(latex: str, names: Iterable[str]) -> str:
    """A formula with letters in place of `{input}`, `{other}` …: for where there is no call to take names from."""
    for name in names:
        latex = latex.replace("{" + name + "}", "{" + LETTERS.get(name, _roman(name)) + "}")
    return latex


def _roman(name: str) -> str:
    return name if len(name) == 1 else r"\mathrm{" + name.replace("_", r"\_") + "}"


def _entry(o: Op) -> Entry:
    return {
        "name": o.name,
        "public": o.public,
        "family": o.family,
        "composite": False,
        "signature": signature(o),
        "doc": o.doc,
        "latex": o.latex,
        "formula": read(o.latex, (*o.inputs, *o.params)),
        "inputs": list(o.inputs),
        "params": {name: _default(value) for name, value in o.params.items() if name not in INTERNAL},
        "derivatives": [_derivative(o, name) for name in o.inputs if name in o.rules],
        "elementwise": o.pointwise,
        "view": o.view,
        "nodes": nodes(o),
        "method": bool(o.method),
        "inplace": bool(o.inplace),
        "source": o.source,
        "example": example(o),
    }


def _derivative(o: Op, name: str) -> Entry:
    local = o.partials.get(name)
    latex = o.latex_partials.get(name, "")
    formula = read(latex, (*o.inputs, *o.params))
    return {"input": name, "local": local, "sent": o.rules[name], "latex": latex, "formula": formula}


def _composite(name: str, f: Any) -> Entry:
    try:
        signature_ = f"{name}{inspect.signature(finished(f))}"
    except (TypeError, ValueError):
        signature_ = f"{name}(...)"
    signature_ = re.sub(r":\s*'?[\w.\[\], |]+'?(?=[,)=]|\s=)|\s*->.*$", "", signature_).replace(" = ", "=")
    found = name in vars(engine)
    return {
        "name": name, "public": name, "family": f.__module__.rpartition(".")[2], "composite": True, "signature": signature_,
        "doc": inspect.cleandoc(f.__doc__ or ""), "latex": "", "formula": "", "inputs": [], "params": {},
        "derivatives": [], "elementwise": False, "view": False, "nodes": [], "inplace": False,
        "method": hasattr(engine.Tensor, name),
        "source": f"https://pytorch.org/docs/stable/generated/torch.{name}.html" if found else "", "example": "",
    }  # fmt: skip


def signature(o: Op) -> str:
    """As one would declare it."""
    parts = [*o.inputs]
    for name, value in o.params.items():
        if name in INTERNAL:
            continue
        default = _default(value)
        parts.append(name if _required(value) else f"{name}={default!r}")
    return f"{o.public}({', '.join(parts)})"


def _required(value: Any) -> bool:
    return type(value) is object


def _default(value: Any) -> Any:
    """A parameter's default as JSON; None also for one that must be given."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, (tuple, list)):
        return [_default(v) for v in value]
    return None if _required(value) else str(value)


def nodes(o: Op) -> list[str]:
    """torch's names of the node, over the calls its samples make."""
    if not o.rules:
        return []
    defaults = {k: None if _required(v) else v for k, v in o.params.items()}
    found: dict[str, None] = {}
    for given in (*(s.params for s in o.samples), {}):
        try:
            found[o.node_name({**defaults, **given})] = None
        except (TypeError, KeyError, ValueError, AttributeError):  # the name depends on what this call lacks
            continue
    return list(found)


def example(o: Op) -> str:
    """A short program that calls the op and goes back through it, from its first plain sample; "" without one."""
    for sample in o.samples if not o.public.endswith("_") else ():  # a leaf cannot be changed in place
        text = _program(o, sample)
        if text:
            return text
    return ""


def _program(o: Op, sample: Sample) -> str:
    lines = ["import torch", ""]
    names: list[str] = []
    for name, given in zip(o.inputs, sample.inputs, strict=False):
        letter = LETTERS.get(name, name)
        if not _plain(given):
            return ""
        if name in INTEGERS:
            given = _integers(given)
        tracked = _floating(given) and "no_derivative" not in o.rules.get(name, "no_derivative")
        lines.append(f"{letter} = torch.tensor({given!r}{', requires_grad=True' if tracked else ''})")
        names.append(letter)
    if not names:
        return ""
    if not all(_plain(v) or v is None or isinstance(v, (str, bool, tuple)) for v in sample.params.values()):
        return ""
    call = _called(o, names, sample.params)
    if not call:
        return ""
    lines += ["", f"out = {call}", "print(out)"]
    if any("requires_grad" in line for line in lines):
        lines += ["out.sum().backward()"]
        lines += [f"print({n}.grad)" for n, line in zip(names, lines[2:], strict=False) if "requires_grad" in line]
    return "\n".join(lines) + "\n"


def _called(o: Op, names: list[str], params: dict[str, Any]) -> str:
    """The call as a program writes it, wherever torch keeps the function; "" when it takes no such call."""
    options = [f"{k}={v!r}" for k, v in params.items()]
    if o.public == "embedding":  # torch asks for the indices first
        names = names[::-1]
    functional = getattr(getattr(engine, "nn", None), "functional", None)
    places = ((engine, "torch."), (functional, "torch.nn.functional."), (engine.Tensor, f"{names[0]}."))
    for holder, prefix in places:
        f = getattr(holder, o.public, None)
        if not callable(f):
            continue
        given = names[1:] if holder is engine.Tensor else names
        takes: Mapping[str, inspect.Parameter] = {}
        try:
            takes = inspect.signature(finished(f)).parameters
            inspect.signature(finished(f)).bind(*names, **params)
        except (TypeError, ValueError):
            named = _by_name(o, names, takes) if holder is functional and set(params) <= set(takes) else []
            if named:
                return f"{prefix}{o.public}({', '.join([*named, *options])})"
            continue
        if holder is functional and "running_mean" in takes:  # in another order than the block's
            given = _by_name(o, names, takes)
        return f"{prefix}{o.public}({', '.join([*given, *options])})"
    return ""


def _by_name(o: Op, names: list[str], takes: Mapping[str, inspect.Parameter]) -> list[str]:
    """The inputs after the first by name, None for what else must be given, and what the block does by default."""
    first, *others = zip(o.inputs, names, strict=False)
    given = dict(others)
    if not set(given) <= set(takes):
        return []
    required = [k for k, p in takes.items() if p.default is p.empty and k != first[0] and k not in given]
    if any(k in o.params for k in required):
        return []
    differing = {k: v for k, v in o.params.items() if k in takes and not _required(v) and v != takes[k].default}
    pairs = {**dict.fromkeys(required), **differing}
    return [first[1], *(f"{k}={v}" for k, v in given.items()), *(f"{k}={v!r}" for k, v in pairs.items())]


def _plain(value: Any) -> bool:
    """Finite numbers, or nested lists of them: what torch.tensor takes as it is printed."""
    if isinstance(value, list):
        return bool(value) and all(_plain(v) for v in value)
    return isinstance(value, (int, float)) and value - value == 0


def _integers(value: Any) -> Any:
    return [_integers(v) for v in value] if isinstance(value, list) else int(value)


def _floating(value: Any) -> bool:
    return any(_floating(v) for v in value) if isinstance(value, list) else isinstance(value, float)
