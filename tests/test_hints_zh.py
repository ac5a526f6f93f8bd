"""Every hint, ending and refusal of the engine and the service has a Chinese sentence in static/js/i18n/hints.zh.json.

The texts are collected from the sources: a place `{}` stands for whatever is computed. What parses as Python is code,
and code stays code.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("engine", "app")
SPEAKERS = {"Ending": (1, 2), "unsupported": (1,), "Problem": (1,), "refuse": (1, 2), "RunnerUnavailable": (0, 1),
            "_end": (2,), "_cancel": (1,), "_refuse": (0,), "remark": (0,), "TimeLimit": (0,)}  # fmt: skip
"""Callable -> those of its positional arguments that are sentences of ours; `hint=` counts in every call."""
TABLES = ("INSTEAD", "ABSENT", "BOX_HINTS", "IMPORT_HINTS", "PROBLEMS")
"""Module constants whose values are hints."""
OWN_ERRORS = "engine/trace/probe.py"
"""Raises errors that torch has not: their messages are ours."""

DATA = {
    "{} {}": "print statements and findings of the validator, put together from sentences that are collected themselves",
    "can't start new thread": "part of Python's message, by which the hint is chosen",
    "0,1:3,:": "a slice as it is typed",
    "0:64,0:64": "a slice as it is typed",
    "slice=0:64,0:64": "a slice as it is typed",
}
"""Texts that are no sentences -> why not."""

INNER = {
    "seconds",     "a space", "a mark", "first", "second", "'{}' or '{}'", "'{}' or '{}' or '{}'", "an index", "a lambda", "a list",
    "a comprehension", "a tuple", "a text", "this",
}  # fmt: skip
"""Words of the table that fill a place of a sentence."""


class Module:
    """One file: its constants, its functions and the classes in which nothing is looked up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.tree = ast.parse(path.read_text())
        self.constants: dict[str, ast.expr] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.constants[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self.constants[node.target.id] = node.value
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node


MODULES = [Module(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FUNCTIONS = {name: (module, node) for module in MODULES for name, node in module.functions.items()}
CONSTANTS = {name: (module, node) for module in MODULES for name, node in module.constants.items()}


class Texts:
    """Templates an expression can become: [] when it is data from elsewhere."""

    def __init__(self, module: Module, function: ast.FunctionDef | None) -> None:
        self.module, self.function = module, function
        self.busy: set[str] = set()
        self.inner: list[tuple[str, int]] = []

    def all(self, node: ast.expr | None) -> list[tuple[str, int]]:
        """With the words that fill a place of a sentence: they are told too. A single word may be a name."""
        self.inner = []
        whole = self.of(node)
        return [text for text in whole + self.inner if text[0]]

    def of(self, node: ast.expr | None) -> list[tuple[str, int]]:
        match node:
            case ast.Constant(value=str(text)):
                return [(text, node.lineno)]
            case ast.JoinedStr():
                parts = ["{}" if isinstance(v, ast.FormattedValue) else str(v.value) for v in node.values]  # type: ignore[attr-defined]
                for value in node.values:
                    if isinstance(value, ast.FormattedValue):
                        self.inner += [text for text in self.of(value.value) if " " in text[0].strip("{} ")]
                return [("".join(parts), node.lineno)]
            case ast.IfExp():
                return self.of(node.body) + self.of(node.orelse)
            case ast.BoolOp():
                return [text for value in node.values for text in self.of(value)]
            case ast.BinOp(op=ast.Add()):
                both = product(self.of(node.left) or [("{}", 0)], self.of(node.right) or [("{}", 0)])
                return [(left[0] + right[0], node.lineno) for left, right in both]
            case ast.Lambda():
                return self.of(node.body)
            case ast.Name():
                return self._named(node.id)
            case ast.Attribute(attr=attr) if attr in CONSTANTS and attr.isupper():
                module, value = CONSTANTS[attr]
                return Texts(module, None).all(value)
            case ast.Tuple() | ast.List():
                return [text for value in node.elts for text in self.of(value)]
            case ast.Dict():
                return [text for value in node.values for text in self.of(value)]
            case ast.Subscript(value=value):
                return self.of(value)
            case ast.Call():
                return self._called(node)
        return []

    def _named(self, name: str) -> list[tuple[str, int]]:
        if name in self.busy:
            return []
        self.busy.add(name)
        found = []
        for node in ast.walk(self.function) if self.function else ():
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    names = target.elts if isinstance(target, ast.Tuple) else [target]
                    if any(isinstance(n, ast.Name) and n.id == name for n in names):
                        found += self._part(target, node.value, name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
                found += self.of(node.value)
            elif (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append"
                  and isinstance(node.func.value, ast.Name) and node.func.value.id == name):  # fmt: skip
                found += self.of(node.args[0])
        if not found and name in self.module.constants:
            found = self.of(self.module.constants[name])
        elif not found and name.isupper() and name in CONSTANTS:
            module, value = CONSTANTS[name]
            found = Texts(module, None).all(value)
        self.busy.discard(name)
        return found

    def _part(self, target: ast.expr, value: ast.expr, name: str) -> list[tuple[str, int]]:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            return self.of(value.elts[[getattr(e, "id", "") for e in target.elts].index(name)])
        return self.of(value)

    def _called(self, node: ast.Call) -> list[tuple[str, int]]:
        match node.func:
            case ast.Attribute(value=value, attr="join" | "get" | "strip" | "format"):
                arguments = {"join": node.args, "get": node.args[1:]}.get(node.func.attr, [])
                own = [] if node.func.attr == "join" else self.of(value)
                return own + [text for a in arguments for text in self.of(a)]
            case ast.Attribute(attr="fromkeys"):
                return self.of(node.args[1])
            case ast.Name(id=name) if name in FUNCTIONS:
                own = self.module.functions.get(name)
                return returned(self.module, own) if own else returned(*FUNCTIONS[name])
        return []


OPEN: set[ast.FunctionDef] = set()
"""Whose results are being collected: a function may call itself."""


def returned(module: Module, function: ast.FunctionDef) -> list[tuple[str, int]]:
    if function in OPEN:
        return []
    OPEN.add(function)
    texts = Texts(module, function)
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
    found = [text for value in values for text in texts.all(value)]
    OPEN.discard(function)
    return found


def functions_of(
    tree: ast.AST, inside: ast.FunctionDef | None = None
) -> Iterator[tuple[ast.AST, ast.FunctionDef | None]]:
    for node in ast.iter_child_nodes(tree):
        yield node, inside
        yield from functions_of(node, node if isinstance(node, ast.FunctionDef) else inside)


def collect() -> dict[str, str]:
    """Template -> `file:line` of the first place that says it."""
    found: dict[str, str] = {}
    for module in MODULES:
        said: list[tuple[str, int]] = []
        for node, function in functions_of(module.tree):
            texts = Texts(module, function)
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                for keyword in node.keywords:
                    if (keyword.arg == "hint" and name != "dict") or (keyword.arg == "text" and name == "Note"):
                        said += [(t, node.lineno) for t, _ in texts.all(keyword.value)]
                places = (0,) if module.name == OWN_ERRORS and name == "RuntimeFault" else SPEAKERS.get(name, ())
                if node.args and isinstance(node.args[0], ast.Constant | ast.JoinedStr):
                    said += [text for text in texts.all(node.args[0]) if text[0].endswith("supported by Backstep")]
                for place in places:
                    if place < len(node.args):
                        said += [(t, node.args[place].lineno) for t, _ in texts.all(node.args[place])]
            elif (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Attribute)
                and node.targets[0].attr in ("hint", "refusal")
            ):
                said += [(t, node.lineno) for t, _ in texts.all(node.value)]
            elif isinstance(node, ast.FunctionDef) and (
                node.name == "hint" or node.name.endswith(("_hint", "near_miss"))
            ):
                said += returned(module, node)
        for name in TABLES:
            if name in module.constants:
                said += Texts(module, None).all(module.constants[name])
        for text, line in said:
            found.setdefault(text, f"{module.name}:{line}")
    return found


TABLE: dict[str, str] = json.loads((ROOT / "static/js/i18n/hints.zh.json").read_text())
PLACE = re.compile(r"\{\w*\}")


def plain(sentence: str) -> str:
    return PLACE.sub("{}", sentence)


def is_code(text: str) -> bool:
    try:
        ast.parse(PLACE.sub("a", text))
    except SyntaxError:
        return False
    return " " not in text or text.startswith("import ") or not text.replace(" ", "").isalpha()


FOUND = {plain(text): place for text, place in collect().items()}
KNOWN = {plain(sentence) for sentence in TABLE}


def test_the_collector_sees_every_kind_of_text() -> None:
    """One text per way in which a hint is written in the sources."""
    for text in (
        "x.detach().numpy()",  # hint="..."
        "valid indices are {} to {}",  # an f-string, with an alternative
        "did you mean {}?",  # returned by a function
        "x @ W.T would be ({}, {}) @ ({}, {}) -> ({}, {})",  # appended to a list that is joined
        "use a dense tensor",  # a table's
        "call .backward(retain_graph=True) the first time, or compute the loss anew before each backward",  # a constant
        "The program was stopped after {} seconds{}.",  # an ending
        " of its own, {} by the clock: the machine was busy",  # chosen inside a sentence
        "nobody can answer input() here; write the value into the program: x = 3.0",  # error.hint = ...
        "{} programs wait already",  # a refusal
    ):
        assert text in FOUND, text


def test_every_hint_has_a_chinese_sentence() -> None:
    missing = [
        f"{place}: {text}" for text, place in FOUND.items() if text not in KNOWN | DATA.keys() and not is_code(text)
    ]
    assert not missing, "without a line in static/js/i18n/hints.zh.json:\n" + "\n".join(missing)


def test_the_table_has_no_sentence_that_nobody_says() -> None:
    assert sorted(KNOWN - FOUND.keys() - INNER) == []
    assert sorted(INNER - KNOWN) == []
    assert sorted(DATA.keys() - FOUND.keys()) == []


def test_both_languages_have_the_same_places() -> None:
    unlike = [s for s, zh in TABLE.items() if not set(PLACE.findall(zh)) <= set(PLACE.findall(s))]
    assert not unlike
    dropped = {s: lost for s, zh in TABLE.items() if (lost := set(PLACE.findall(s)) - set(PLACE.findall(zh)) - {"{s}"})}
    assert not dropped, "{s} alone, English's plural, may go"


def test_code_is_the_same_in_both_languages() -> None:
    """Calls, names with dots and numbers of a sentence stand in its translation too."""
    for sentence, chinese in TABLE.items():
        for code in re.findall(r"\b(?:torch|nn|np|x|y|loss)\.[\w.]+\(?|\w+=\w+", sentence):
            assert code.rstrip(".") in chinese, sentence
