"""Formulas of blocks made into Python: over arrays as text for generated code, over tensors as functions."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from engine.ops import kernels
from engine.ops.registry import ARRAYS, NAMESPACE, TENSORS

# Note [Compiled when first called]: compiling all blocks takes longer than NumPy's import, and a program calls a dozen
# of them. So a generated function starts as a stub; its first call makes the text, compiles it and puts the code in
# place of the stub's. It stays the same object to everybody who holds it, and later calls pay nothing.


def _stub(*args: Any, **kwargs: Any) -> Any:
    return _finish("key")(*args, **kwargs)  # type: ignore[name-defined]


_functions: dict[str, FunctionType] = {}
_pending: dict[str, tuple[Callable[[], str], str, str]] = {}
_lock = threading.RLock()


def define(source: Callable[[], str], name: str, where: str) -> Callable[..., Any]:
    """The function `name` of generated source, run against the shared namespace; the source is asked for when needed.

    Compiled under a file name of ours, so that a traceback says where the text came from.
    """
    key = f"{where} {name} {len(_functions)}"
    code = _stub.__code__
    constants = tuple(key if c == "key" else c for c in code.co_consts)
    code = code.replace(co_consts=constants, co_name=name, co_qualname=name)
    f = _functions[key] = FunctionType(code, NAMESPACE, name)
    _pending[key] = source, name, where
    return f


def _finish(key: str) -> FunctionType:
    """Compile the function that is pending under a key."""
    f = _functions[key]
    with _lock:
        if key in _pending:
            source, name, where = _pending[key]
            found: dict[str, Any] = {}
            exec(compile(source(), f"<compiled op {where}>", "exec"), NAMESPACE, found)
            made = found[name]
            f.__defaults__, f.__kwdefaults__, f.__code__ = made.__defaults__, made.__kwdefaults__, made.__code__
            del _pending[key]
    return f


NAMESPACE["_finish"] = _finish


def finished(f: Any) -> Any:
    """f itself, compiled if it, or what it wraps, was still to be."""
    code = getattr(getattr(f, "__wrapped__", f), "__code__", None)
    if code is not None and code.co_code == _stub.__code__.co_code:
        _finish(next(c for c in code.co_consts if c in _functions))
    return f


def pending() -> int:
    """How many functions have not been called yet."""
    return len(_pending)


def compile_all() -> None:
    """Compile whatever is still to be: for a process that others are forked from, and for the test of all blocks."""
    while _pending:
        _finish(next(iter(_pending)))


class _Constants(ast.NodeTransformer):
    """Replaces number literals next to operators by what is cheapest there: 0-d float32 arrays beside arrays, NumPy's
    numbers beside these."""

    def __init__(self, single: bool) -> None:
        self.single = single

    def _swap(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            key = ("_n_" if self.single else "_k_") + re.sub(r"\W", "_", repr(node.value))
            NAMESPACE[key] = np.float32(node.value) if self.single else kernels.const(float(node.value))
            return ast.Name(key, ast.Load())
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            node.left, node.right = self._swap(node.left), self._swap(node.right)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        self.generic_visit(node)
        node.comparators = [self._swap(c) for c in node.comparators]
        return node


class _Kernels(ast.NodeTransformer):
    """Prefixes vocabulary names, so that generated functions find array kernels in the shared namespace."""

    def __init__(self, local: set[str]) -> None:
        self.local = local

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id == "through":  # means something under create_graph only
            visited: ast.expr = self.visit(node.args[0])
            return visited
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self.local or node.id.startswith(("_k_", "_n_")):
            return node
        key = "k_" + node.id
        if key not in NAMESPACE:
            NAMESPACE[key] = ARRAYS[node.id] if node.id in ARRAYS else _late(node.id, key)
        return ast.Name(key, ast.Load())


def _late(name: str, key: str) -> Callable[..., Any]:
    """A kernel that a later block will define."""

    def resolve(*args: Any, **kwargs: Any) -> Any:
        kernel = NAMESPACE[key] = ARRAYS[name]
        return kernel(*args, **kwargs)

    return resolve


def arrays_formula(formula: str, local: set[str], flavour: str = "X") -> str:
    """A formula rewritten for generated array code."""
    tree = ast.parse(formula, mode="eval")
    if flavour in "SAB":
        tree = _Constants(flavour == "S").visit(tree)
    return ast.unparse(ast.fix_missing_locations(_Kernels(local).visit(tree)))


def tensor_formula(formula: str, arguments: Sequence[str]) -> Callable[..., Any]:
    """A formula as a function over Tensors, for backward under create_graph."""
    f: Callable[..., Any] = eval(
        compile(f"lambda {', '.join(arguments)}: {formula}", "<rule over tensors>", "eval"), TENSORS
    )
    return f
