"""The learner's text: where an instruction stands, what an expression is assigned to, which loops surround a line.

Static: it parses and compiles, runs nothing and knows no tensor. Lines count from 1, columns from 0 in characters.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType

FILENAME = "<program>"

Position = tuple[int, int, int, int]

Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Source:
    """One program text. `tree` is None when it does not parse; everything static is then empty.

    assigned   range of a right-hand side -> (name, range of the target)
    targets    name of the function ("<module>" outside) -> {name: [range of each assignment to it]}
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.tree: ast.Module | None = None
        self.assigned: dict[Position, tuple[str, Position]] = {}
        self.targets: dict[str, dict[str, list[Position]]] = {}
        self._loops: list[tuple[int, int, tuple[str, ...]]] = []
        self._ascii = text.isascii()
        self._tables: dict[CodeType, list[tuple[int | None, int | None, int | None, int | None]]] = {}
        self._positions: dict[tuple[CodeType, int], Position | None] = {}
        try:
            self.tree = ast.parse(text, FILENAME)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        self._read(self.tree, "<module>")
        self._loops.sort()

    # ---- positions -------------------------------------------------------------------------------------------

    def position(self, code: CodeType, lasti: int) -> Position | None:
        """Range of the expression whose instruction is at `lasti`."""
        key = (code, lasti)
        try:
            return self._positions[key]
        except KeyError:
            pass
        table = self._tables.get(code)
        if table is None:
            table = self._tables[code] = list(code.co_positions())
        n = lasti // 2
        found: Position | None = None
        if 0 <= n < len(table):
            line, end_line, column, end_column = table[n]
            if line is not None:
                if end_line is None or column is None or end_column is None:
                    found = self._whole(line)
                else:
                    found = (line, self._chars(line, column), end_line, self._chars(end_line, end_column))
        self._positions[key] = found
        return found

    def _whole(self, line: int) -> Position:
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return (line, len(text) - len(text.lstrip()), line, len(text.rstrip()))

    def _chars(self, line: int, column: int) -> int:
        """A column in UTF-8 bytes, as CPython counts, in characters."""
        if self._ascii or not 0 < line <= len(self.lines):
            return column
        return len(self.lines[line - 1].encode()[:column].decode("utf-8", "replace"))

    def range(self, node: ast.expr | ast.stmt) -> Position:
        """Where an AST node stands."""
        end_line = node.end_lineno or node.lineno
        end = node.end_col_offset or node.col_offset
        return (node.lineno, self._chars(node.lineno, node.col_offset), end_line, self._chars(end_line, end))

    # ---- names and loops -------------------------------------------------------------------------------------

    def _read(self, node: ast.AST, scope: str) -> None:
        """Collect assignments and loops; iterative, as deeply nested text would end the recursion."""
        todo: list[tuple[ast.AST, str]] = [(node, scope)]
        while todo:
            node, scope = todo.pop()
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                arguments = node.args
                scope = node.name
                for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                    self._target(scope, argument.arg, self._argument(argument))
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(target, node.value, scope)
            elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value is not None:
                value: ast.AST = node if isinstance(node, ast.AugAssign) else node.value
                self._assign(node.target, value, scope)
            elif isinstance(node, ast.NamedExpr):
                self._assign(node.target, node.value, scope)
            elif isinstance(node, (ast.For, ast.AsyncFor)):
                names = tuple(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
                last = node.body[-1]
                self._loops.append((node.lineno, last.end_lineno or last.lineno, names))
                self._unpack(node.target, scope)
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                self._unpack(node.optional_vars, scope)
            todo.extend((child, scope) for child in ast.iter_child_nodes(node))

    def _argument(self, argument: ast.arg) -> Position:
        line, column = argument.lineno, self._chars(argument.lineno, argument.col_offset)
        return (line, column, line, column + len(argument.arg))

    def _target(self, scope: str, name: str, at: Position) -> None:
        self.targets.setdefault(scope, {}).setdefault(name, []).append(at)

    def _unpack(self, target: ast.expr, scope: str) -> None:
        for n in ast.walk(target):
            if isinstance(n, ast.Name):
                self._target(scope, n.id, self.range(n))

    def _assign(self, target: ast.expr, value: ast.AST, scope: str) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                for one, part in zip(target.elts, value.elts, strict=True):
                    self._assign(one, part, scope)
            else:
                self._unpack(target, scope)
            return
        name = dotted(target)
        if name is None or not isinstance(value, (ast.expr, ast.stmt)):
            return
        at = self.range(target)
        self._target(scope, name, at)
        self.assigned.setdefault(self.range(value), (name, at))

    def loops(self, line: int) -> Iterator[str]:
        """The targets of the `for` statements around a line, outermost first."""
        for first, last, names in self._loops:
            if first <= line <= last:
                yield from names

    def nearest(self, scope: str, name: str, line: int) -> Position | None:
        """The assignment to `name` that a reader at `line` would look at: the last one not below it."""
        places = self.targets.get(scope, {}).get(name)
        if not places:
            return None
        above = [p for p in places if p[0] <= line]
        return max(above) if above else max(places)


def dotted(target: ast.expr) -> str | None:
    """`x`, `self.w`, `net.fc.bias` as text; None for anything else."""
    parts: list[str] = []
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    if not isinstance(target, ast.Name):
        return None
    return ".".join([target.id, *reversed(parts)])
