"""Reads a formula: which names, operators and functions it may use, what it looks like in LaTeX and as a program.

It evaluates nothing. What is not in the tables below is refused with its column; there is no getattr anywhere.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

from app.errors import Problem
from engine.trace.hints import typed

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_OPS = 100

BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.MatMult: "matmul"}
COMPARE = {ast.Gt: "gt", ast.GtE: "ge", ast.Lt: "lt", ast.LtE: "le", ast.Eq: "eq", ast.NotEq: "ne"}

TORCH = (
    "abs", "acos", "asin", "atan", "atan2", "ceil", "clamp", "cos", "cosh", "dot", "erf", "exp", "expm1", "floor",
    "log", "log10", "log1p", "log2", "logsumexp", "matmul", "max", "maximum", "mean", "min", "minimum", "mm", "mul",
    "mv", "norm", "pow", "prod", "reciprocal", "relu", "reshape", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh",
    "softmax", "log_softmax", "sqrt", "square", "std", "squeeze", "sub", "add", "div", "neg", "sum", "t", "tan",
    "tanh", "transpose", "trunc", "unsqueeze", "var", "where", "amax", "amin", "cumsum",
)  # fmt: skip
FUNCTIONAL = ("elu", "gelu", "leaky_relu", "silu", "softplus", "hardtanh", "mish")
FUNCTIONS = {name: f"torch.{name}" for name in TORCH} | {name: f"torch.nn.functional.{name}" for name in FUNCTIONAL}
"""name in a formula -> how a program calls it. The name is also the registry's."""

METHODS = frozenset(TORCH)
ATTRIBUTES = {"T": "t", "mT": "transpose"}
KEYWORDS = frozenset(
    ("dim", "keepdim", "min", "max", "negative_slope", "alpha", "beta", "threshold", "unbiased", "correction", "p",
     "exponent", "approximate", "axis", "dim0", "dim1", "other")
)  # fmt: skip
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
RESERVED = frozenset(FUNCTIONS) | {"torch", "out"}

LATEX_FUNCTIONS = {
    "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh", "cosh": r"\cosh", "tanh": r"\tanh",
    "exp": r"\exp", "log": r"\ln", "sigmoid": r"\sigma", "sum": r"\sum", "max": r"\max", "min": r"\min",
}  # fmt: skip
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda_",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)


def refuse(node: ast.AST | int, detail: str, hint: str = "") -> Problem:
    """The problem, with the columns it is about."""
    start = node if isinstance(node, int) else getattr(node, "col_offset", 0)
    end = start + 1 if isinstance(node, int) else getattr(node, "end_col_offset", None) or start + 1
    return Problem("expression", f"column {start + 1}: {detail}", hint=hint, column=start, end_column=end)


def near(name: str, known: Iterator[str] | frozenset[str] | dict[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"did you mean {close[0]}?" if close else "see /ops for all there are"


@lru_cache(1024)
def parse(text: str) -> ast.expr:
    """The tree, once every node of it is allowed; nobody may change it. Columns count characters."""
    if len(text) > MAX_LENGTH:
        raise refuse(MAX_LENGTH, f"a formula ends at {MAX_LENGTH} characters, this one has {len(text)}")
    if not text.strip():
        raise refuse(0, "there is nothing to evaluate", hint="for example (x*w + b - y)**2")
    if "\n" in text.strip() or not text.isascii():
        odd = next((k for k, c in enumerate(text) if not c.isascii() or c == "\n"), 0)
        raise refuse(odd, f"{text[odd]!r} cannot stand here", hint=_odd_hint(text[odd]))
    stripped = text.lstrip()
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        column = max(0, (error.offset or 1) - 1) + len(text) - len(stripped)
        raise refuse(
            min(column, len(text)), (error.msg or "invalid syntax").split(". ")[0], _syntax_hint(text)
        ) from None
    except (RecursionError, MemoryError, ValueError):
        raise refuse(0, "the formula is nested too deeply") from None
    if indent := len(text) - len(stripped):
        for node in ast.walk(tree):
            if hasattr(node, "col_offset"):
                node.col_offset += indent
                node.end_col_offset = (node.end_col_offset or 0) + indent  # type: ignore[attr-defined]
    count = [0]
    _check(tree, 0, count)
    return tree


def _odd_hint(character: str) -> str:
    if instead := typed(character):
        return f"type {instead} instead"
    if character == "√":
        return "sqrt(x)"
    if character.isalpha():
        return "names are made of the letters a to z, digits and _: w, x1, loss"
    return "names, numbers, + - * / ** @, functions, on one line"


def _syntax_hint(text: str) -> str:
    if "^" in text:
        return "a power is **"
    if "|" in text:
        return "write |x| as abs(x)"
    if text.rstrip()[-1:] in "+-*/@(,":
        return "something is missing at the end"
    if text.count("(") != text.count(")"):
        return "each ( needs a ), and each ) a ("
    if match := re.search(r"\b([A-Za-z_]\w*) +[A-Za-z0-9(]", text):
        return f"{match[1]}(x)" if match[1] in FUNCTIONS else "a product needs *"
    if "=" in text:
        return "write the right-hand side alone"
    if re.search(r"\d[A-Za-z(]", text):
        return "a product needs *"
    return ""


def _check(node: ast.expr, depth: int, count: list[int]) -> None:
    """Refuses everything that is not in the tables."""
    if depth > MAX_DEPTH:
        raise refuse(node, f"more than {MAX_DEPTH} levels deep")
    children: list[ast.expr]
    match node:
        case ast.Constant(value=bool() | int() | float()):
            if isinstance(node.value, int) and abs(node.value) > 10**15:
                raise refuse(node, "this number is too large for a float32")
            return
        case ast.Name():
            if node.id in FUNCTIONS:
                raise refuse(node, f"{node.id} is a function", hint=f"{node.id}(x)")
            if node.id.startswith("_") or len(node.id) > 40:
                raise refuse(node, f"{node.id[:40]} is not a name for a tensor")
            return
        case ast.BinOp():
            if type(node.op) not in BINARY:
                raise refuse(node, f"{_sign(node.op)} is not supported", hint=_sign_hint(node.op))
            children = [node.left, node.right]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            children = [node.operand]
        case ast.Compare():
            if len(node.ops) != 1 or type(node.ops[0]) not in COMPARE:
                raise refuse(node, "only one comparison at a time", hint="where(x > 0, a, b)")
            children = [node.left, *node.comparators]
        case ast.Attribute():
            if node.attr not in ATTRIBUTES:
                raise refuse(node, f".{node.attr} is not supported", hint=f"there are .{', .'.join(ATTRIBUTES)}")
            children = [node.value]
        case ast.Call():
            children = _check_call(node)
        case _:
            raise refuse(
                node, f"{_what(node)} cannot stand in a formula", hint="names, numbers, + - * / ** @, functions"
            )
    count[0] += 1
    if count[0] > MAX_OPS:
        raise refuse(node, f"more than {MAX_OPS} operations")
    for child in children:
        _check(child, depth + 1, count)


def _check_call(node: ast.Call) -> list[ast.expr]:
    match node.func:
        case ast.Name(id=name):
            if name not in FUNCTIONS:
                raise refuse(node.func, f"there is no function {name[:40]}", hint=near(name, FUNCTIONS))
            children = list(node.args)
        case ast.Attribute(value=ast.Name(id="torch"), attr=name):
            if name not in FUNCTIONS:
                raise refuse(node.func, f"there is no function torch.{name[:40]}", hint=near(name, FUNCTIONS))
            children = list(node.args)
        case ast.Attribute(value=ast.Name(id="np" | "math" | "F" | "nn" as library), attr=name):
            hint = f"write {name[:40]}(x)" if name in FUNCTIONS else near(name, FUNCTIONS)
            raise refuse(node.func, f"{library}.{name[:40]} is not known here", hint=hint)
        case ast.Attribute(attr="backward"):
            raise refuse(node.func, "there is no method backward", hint="gradients come without being asked")
        case ast.Attribute(value=value, attr=name):
            if name not in METHODS:
                raise refuse(node.func, f"there is no method {name[:40]}", hint=near(name, METHODS))
            children = [value, *node.args]
        case _:
            raise refuse(node.func, "only functions can be called")
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            raise refuse(argument, "arguments are written one by one")
    for keyword in node.keywords:
        if keyword.arg not in KEYWORDS:
            raise refuse(keyword, f"there is no argument {str(keyword.arg)[:40]}")
        constant_of(keyword.value)
    return [child for child in children if not _is_plain(child)]


def _is_plain(node: ast.expr) -> bool:
    """A tuple of whole numbers, as reshape((2, 3)) takes it."""
    return isinstance(node, ast.Tuple | ast.List) and constant_of(node) is not None


def constant_of(node: ast.expr) -> Any:
    """The value of an argument that is no tensor: a number, a truth value, a tuple of whole numbers."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise refuse(node, "this has to be a number or a tuple of numbers") from None
    plain = value if isinstance(value, tuple | list) else (value,)
    if len(plain) > 8 or not all(isinstance(one, bool | int | float) or one is None or one == "tanh" for one in plain):
        raise refuse(node, "this has to be a number or a tuple of numbers")
    if any(isinstance(one, int) and abs(one) > 10**9 for one in plain):
        raise refuse(node, "this number is too large")
    return tuple(value) if isinstance(value, list) else value


def _sign(op: ast.operator) -> str:
    return {ast.FloorDiv: "//", ast.Mod: "%", ast.BitXor: "^", ast.BitAnd: "&", ast.BitOr: "|"}.get(type(op), "this")


def _sign_hint(op: ast.operator) -> str:
    return "a power is **" if isinstance(op, ast.BitXor) else "there are + - * / ** @"


def _what(node: ast.expr) -> str:
    return {
        ast.Subscript: "an index", ast.Lambda: "a lambda", ast.IfExp: "if/else", ast.BoolOp: "and/or",
        ast.List: "a list",
        ast.ListComp: "a comprehension", ast.Tuple: "a tuple", ast.NamedExpr: ":=", ast.JoinedStr: "a text",
    }.get(type(node), "a text" if isinstance(node, ast.Constant) else "this")  # fmt: skip


@lru_cache(1024)
def names(tree: ast.expr) -> tuple[str, ...]:
    """The tensors it names, in the order in which they are evaluated."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    library = {
        id(node.value) for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "torch"
    }  # fmt: skip
    found = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.Name) and id(node) not in called | library and node.id not in CONSTANTS
    ]  # fmt: skip
    found.sort(key=lambda node: node.col_offset)
    return tuple(dict.fromkeys(node.id for node in found))


# -- LaTeX


@lru_cache(1024)
def latex(tree: ast.expr) -> str:
    return _tex(tree, 0)


_LEVEL = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.MatMult: 2, ast.Div: 4, ast.Pow: 4}


def _tex(node: ast.expr, around: int) -> str:
    """`around`: how strongly the neighbours bind; parentheses where they bind more."""
    match node:
        case ast.Constant():
            return f"{node.value:g}" if isinstance(node.value, float) else str(node.value)
        case ast.Name():
            return _tex_name(node.id)
        case ast.UnaryOp():
            sign = "-" if isinstance(node.op, ast.USub) else ""
            return _paren(sign + _tex(node.operand, 3), around > 1)
        case ast.BinOp(op=ast.Div()):
            return rf"\frac{{{_tex(node.left, 0)}}}{{{_tex(node.right, 0)}}}"
        case ast.BinOp(op=ast.Pow()):
            base = node.left
            fraction = isinstance(base, ast.BinOp) and isinstance(base.op, ast.Div | ast.Pow)
            call = isinstance(base, ast.Call)
            inner = _paren(_tex(base, 0), True) if fraction or call else _tex(base, 5)
            return f"{inner}^{{{_tex(node.right, 0)}}}"
        case ast.BinOp():
            level = _LEVEL[type(node.op)]
            sign = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: r" \cdot ", ast.MatMult: r"\, "}[type(node.op)]
            right = level + 1 if isinstance(node.op, ast.Sub) else level
            return _paren(_tex(node.left, level) + sign + _tex(node.right, right), around > level)
        case ast.Compare():
            sign = {"gt": ">", "ge": r"\ge", "lt": "<", "le": r"\le", "eq": "=", "ne": r"\ne"}[
                COMPARE[type(node.ops[0])]
            ]
            return _paren(f"{_tex(node.left, 1)} {sign} {_tex(node.comparators[0], 1)}", around > 0)
        case ast.Attribute():
            return _tex(node.value, 5) + r"^{\top}"
        case ast.Call():
            return _tex_call(node)
    return ""


def _tex_call(node: ast.Call) -> str:
    name, arguments = call_of(node)
    inside = ", ".join(_tex(one, 0) for one in arguments)
    if name in ("sqrt", "abs", "exp", "square", "t") and len(arguments) == 1:
        return {
            "sqrt": rf"\sqrt{{{inside}}}",
            "abs": rf"\left|{inside}\right|",
            "exp": f"e^{{{inside}}}",
            "square": _paren(inside, True) + "^{2}",
            "t": _paren(inside, not isinstance(arguments[0], ast.Name)) + r"^{\top}",
        }[name]
    known = LATEX_FUNCTIONS.get(name, rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}")
    return known + _paren(inside, True)


def _tex_name(name: str) -> str:
    base, _, sub = name.partition("_")
    match = re.fullmatch(r"([A-Za-z]+?)(\d+)", base)
    if match and not sub:
        base, sub = match[1], match[2]
    shown = f"\\{base}" if base in GREEK or base == "pi" else base if len(base) == 1 else rf"\mathit{{{base}}}"
    return f"{shown}_{{{sub.replace('_', ',')}}}" if sub else shown


def _paren(text: str, needed: bool) -> str:
    return rf"\left({text}\right)" if needed else text


def call_of(node: ast.Call) -> tuple[str, list[ast.expr]]:
    """(function's name, arguments with the object of a method first)."""
    match node.func:
        case ast.Name(id=name):
            return name, node.args
        case ast.Attribute(value=ast.Name(id="torch"), attr=name):
            return name, node.args
        case ast.Attribute(value=value, attr=name):
            return name, [value, *node.args]
    raise refuse(node, "only functions can be called")


# -- a program


class _Qualify(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name):
            node.func = ast.copy_location(ast.parse(FUNCTIONS[node.func.id], mode="eval").body, node.func)
        return node


@lru_cache(1024)
def _statement(tree: ast.expr) -> tuple[str, tuple[str, ...]]:
    """(the formula as a program writes it, constants of `math` it needs)."""
    needed = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and one.id in CONSTANTS}
    return ast.unparse(_Qualify().visit(deepcopy(tree))), tuple(sorted(needed))


def program(text: str, inputs: dict[str, Any], *, backward: bool = True, total: bool = False) -> str:
    """The formula as a script that a learner could have written. total: it has several elements, sum them first."""
    tree = parse(text)
    used = names(tree)
    statement, constants = _statement(tree)
    lines = ["import math"] if constants else []
    lines += ["import torch", ""]
    lines += [f"{name} = math.{name}" for name in constants]
    for name in used:
        flag = ", requires_grad=True" if inputs[name]["requires_grad"] else ""
        value = re.sub(r'"?(-?)(NaN|Infinity)"?', _special, json.dumps(_as_floats(inputs[name]["value"])))
        lines.append(f"{name} = torch.tensor({value}{flag})")
    result = "result" if "out" in used else "out"
    lines += ["", f"{result} = {statement}", f"print({result})"]
    if backward and any(inputs[name]["requires_grad"] for name in used):
        lines.append(f"{result}.sum().backward()" if total else f"{result}.backward()")
    return "\n".join(lines) + "\n"


def _as_floats(value: Any) -> Any:
    """Whole numbers written with a point: a tensor of integers could not require a gradient."""
    if isinstance(value, list):
        return [_as_floats(one) for one in value]
    return float(value) if isinstance(value, int) else value


def _special(match: re.Match[str]) -> str:
    return f"{match[1]}float('{'nan' if match[2] == 'NaN' else 'inf'}')"
