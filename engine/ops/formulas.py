"""Formulas of blocks made into Python: over arrays as text for generated code, over tensors as functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.ops import kernels
from engine.ops.registry import ARRAYS, NAMESPACE, TENSORS


def define(source: str, name: str, where: str) -> Callable[..., Any]:
    """Execute generated source against the shared namespace and give back the function `name`.

    Compiled under a file name of ours, so that a traceback says where the text came from.
    """
    found: dict[str, Any] = {}
    exec(compile(source, f"<compiled op {where}>", "exec"), NAMESPACE, found)
    f: Callable[..., Any] = found[name]
    return f


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
