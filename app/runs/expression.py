"""Evaluates a formula forwards and backwards without a process of its own: an allowlisted tree over the op registry.

Functions are found by name in the registry, never by getattr; sizes are checked before an op runs. What is watched
becomes a graph (graph.py). The only file of app/ that sees engine objects.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from app.errors import Problem
from app.runs import formula
from app.runs.broadcast import explain, result_of
from app.runs.formula import refuse
from app.runs.graph import SYMBOLS, Graph, edge, graph_of, node
from engine.autograd.observer import install
from engine.errors import EngineError
from engine.ops.registry import TENSORS
from engine.trace.encode import encode as encode_any

ARITHMETIC = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
}  # fmt: skip
MAX_ELEMENTS = 4096
make_tensor: Callable[..., Any] = TENSORS["tensor"]
DEFAULTS = (2.0, -3.0, 10.0, 0.5, -1.5, 4.0, 0.25, -2.0)
"""Values of names nobody gave a value, in the order in which they are met."""


def given(inputs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each input as {"value", "requires_grad"}; refuses what is no rectangle of numbers."""
    out = {}
    for name, value in inputs.items():
        if not name.isidentifier() or name in formula.RESERVED or name.startswith("_"):
            raise Problem("expression", f"an input cannot be called {name[:40]!r}", hint="a letter, say x")
        wanted = True
        if isinstance(value, dict):
            value, wanted = value["value"], value.get("requires_grad", True)
        try:
            array = np.asarray(_numbers(value), dtype=np.float32)
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise Problem("expression", f"input {name}: rows of equal length, numbers only") from None
        if array.size > MAX_ELEMENTS or array.ndim > 8:
            raise Problem("expression", f"input {name} has {array.size} elements; at most {MAX_ELEMENTS}")
        out[name] = {"value": _told(value), "requires_grad": bool(wanted)}
    return out


def _numbers(value: Any, depth: int = 0) -> Any:
    """Texts and truth values are no numbers, though NumPy would take them; NaN and infinities come as texts."""
    if isinstance(value, list):
        if depth > 8:
            raise ValueError
        return [_numbers(one, depth + 1) for one in value]
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


def encode(value: Any, shape: Sequence[int] = ()) -> Any:
    """As in a trace; scalars, nearly all there is here, take the short way."""
    if len(shape) == 0 and isinstance(value, np.ndarray) and value.dtype == np.float32:
        value = value.reshape(-1)[0]
    return encode_any(value, shape)


def _told(value: Any) -> Any:
    """As JSON can hold it."""
    if isinstance(value, list):
        return [_told(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


class Watch:
    """An engine.autograd.observer.Observer that keeps nodes and edges."""

    def __init__(self) -> None:
        self.target: Any = None
        self.at: ast.AST | None = None
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []
        self.known: dict[int, dict[str, Any]] = {}  # id(tensor) -> its node here
        self.made: dict[int, tuple[dict[str, Any], list[dict[str, Any] | None]]] = {}  # id(graph node) -> edges
        self.leaves: dict[int, dict[str, Any]] = {}  # id(leaf's graph node) -> its node here
        self.alive: list[Any] = []  # ids are recycled once an object is gone
        self.order: list[int] = []

    def add_leaf(self, tensor: Any, name: str) -> None:
        one = node(
            len(self.nodes), "leaf", label=name, name=name, shape=tensor._s, value=encode(tensor._a, tensor._s),
            requires_grad=tensor._n is not None,
        )  # fmt: skip
        self._keep(tensor, one)
        if tensor._n is not None:
            self.leaves[id(tensor._n)] = one

    def _keep(self, tensor: Any, one: dict[str, Any]) -> None:
        self.nodes.append(one)
        self.known[id(tensor)] = one
        self.alive.append(tensor)

    def forward(
        self,
        op: Any,
        node_: Any,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        params: dict[str, Any],
        *,
        saved: Sequence[str] = (),
        view_of: Any = None,
        inplace: bool = False,
    ) -> None:
        where = None if self.at is None else _place(self.at)
        name = op.node_name(params) if node_ is not None else None
        extra = {k: v for k, v in params.items() if v is not None and v is not False}
        sources: list[tuple[int, str, dict[str, Any]]] = []
        for index, value in enumerate(inputs):
            called = op.inputs[index] if index < len(op.inputs) else f"input{index}"
            if value is None:
                continue
            source = self.known.get(id(value))
            if source is None:
                number = value if isinstance(value, int | float | np.generic) else None
                text = f"{number:g}" if number is not None else "tensor"
                shown = encode(np.float32(number)) if number is not None else encode(value._a, value._s)
                source = node(len(self.nodes), "constant", label=text, value=shown)
                self.nodes.append(source)
                self.alive.append(value)
                if number is None:
                    self.known[id(value)] = source
            sources.append((index, called, source))
        results = []
        for tensor in outputs:
            value = encode(tensor._a, tensor._s)
            one = node(
                len(self.nodes), "op", label=SYMBOLS.get(op.name, op.public), op=op.name, grad_fn=name,
                shape=tensor._s, dtype=value.dtype, value=value,
                requires_grad=tensor._n is not None, at=where, params=extra,
                latex=op.latex, latex_partials=op.latex_partials,
            )  # fmt: skip
            self._keep(tensor, one)
            results.append(one)
        first = results[0]
        lines: list[dict[str, Any] | None] = [None] * len(inputs)
        for index, called, source in sources:
            wide = None
            shape, goal = tuple(source["shape"]), tuple(first["shape"])
            if op.pointwise and shape != goal and source["kind"] != "constant":
                summed = explain([shape, goal])["summed"][0]
                wide = {"source": shape, "target": goal, "axes": summed}
            lines[index] = edge(source["id"], first["id"], index, called, shape=shape, broadcast=wide)
            self.edges.append(lines[index])  # type: ignore[arg-type]
        if node_ is not None:
            self.made[id(node_)] = first, lines
            self.alive.append(node_)

    def leaf(self, tensor: Any, role: str) -> None:
        pass

    def seed(self, root: Any, node_: Any, gradient: Any, *_: Any) -> None:
        self.known[id(root)]["grad"] = encode(gradient, root._s)

    def ready(self, node_: Any, gradient: Any) -> None:
        if (made := self.made.get(id(node_))) is not None:
            made[0]["grad"] = encode(gradient, made[0]["shape"])
            self.order.append(made[0]["id"])

    def contribute(
        self, node_: Any, index: int, edge_: Any, upstream: Any, local: Any, product: Any, result: Any, axes: Any
    ) -> None:
        if (made := self.made.get(id(node_))) is None or index >= len(made[1]) or (line := made[1][index]) is None:
            return
        line["contribution"] = encode(result, line["shape"])
        line["local"] = None if local is None else encode(local, np.shape(local))
        if axes:
            line["axes"] = tuple(axes)
            line["product"] = encode(product, np.shape(product))

    def accumulate(self, leaf_node: Any, before: Any, delta: Any, after: Any) -> None:
        if (one := self.leaves.get(id(leaf_node))) is not None:
            one["grad"] = encode(after, one["shape"])

    def release(self, nodes: Sequence[Any]) -> None:
        pass

    def zero(self, tensors: Iterable[Any], to: str) -> None:
        pass

    def update(self, tensor: Any, before: Any, after: Any, optimizer: Any, terms: dict[str, Any]) -> None:
        pass

    def enter(self, module: Any, name: str) -> None:
        pass

    def exit(self, module: Any, output: Any) -> None:
        pass

    def fail_op(self, op: Any, inputs: Sequence[Any], error: BaseException) -> None:
        pass


def _place(at: ast.AST) -> tuple[int, int, int, int]:
    return 1, at.col_offset, 1, at.end_col_offset or at.col_offset + 1  # type: ignore[attr-defined]


class Evaluator:
    """Walks one tree. Tensors for names nobody gave a value are made when they are first met."""

    def __init__(self, inputs: dict[str, dict[str, Any]], watch: Watch) -> None:
        self.inputs, self.watch = dict(inputs), watch
        self.tensors: dict[str, Any] = {}
        self.invented: list[str] = []

    def value(self, one: ast.expr, *, beside: Any = None) -> Any:
        match one:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return formula.CONSTANTS[name] if name in formula.CONSTANTS else self._tensor(name, beside)
            case ast.UnaryOp():
                operand = self.value(one.operand)
                if isinstance(one.op, ast.UAdd):
                    return operand
                return -operand if isinstance(operand, float) else self._call(one, "neg", operand)
            case ast.BinOp(op=ast.MatMult()):
                left = self.value(one.left, beside=())
                right = self.value(one.right, beside=left)
                return self._call(one, "matmul", left, right)
            case ast.BinOp():
                return self._binary(one, formula.BINARY[type(one.op)], self.value(one.left), self.value(one.right))
            case ast.Compare():
                left, right = self.value(one.left), self.value(one.comparators[0])
                return self._call(one, formula.COMPARE[type(one.ops[0])], left, right)
            case ast.Attribute():
                value = self.value(one.value)
                return self._call(one, "t", value) if one.attr == "T" else self._call(one, "transpose", value, -2, -1)
            case ast.Call():
                name, arguments = formula.call_of(one)
                values = [self._argument(argument, first=k == 0) for k, argument in enumerate(arguments)]
                named = {str(k.arg): formula.constant_of(k.value) for k in one.keywords}
                return self._call(one, name, *values, **named)
        raise refuse(one, "this cannot be evaluated")

    def _argument(self, one: ast.expr, *, first: bool) -> Any:
        """Numbers keep being whole: sum(x, 0), reshape(x, (2, 3))."""
        if not first and isinstance(one, ast.Constant | ast.Tuple | ast.List):
            return formula.constant_of(one)
        if not first and isinstance(one, ast.UnaryOp) and isinstance(one.operand, ast.Constant):
            return formula.constant_of(one)
        return self.value(one)

    def _binary(self, one: ast.expr, name: str, left: Any, right: Any) -> Any:
        if isinstance(left, float) and isinstance(right, float):
            try:
                result: float = ARITHMETIC[name](left, right)
                return float(result)
            except (ZeroDivisionError, OverflowError, TypeError) as error:
                raise refuse(one, str(error)) from None
        return self._call(one, name, left, right)

    def _tensor(self, name: str, beside: Any) -> Any:
        if name not in self.tensors:
            if name not in self.inputs:
                self.inputs[name] = {"value": self._invent(beside), "requires_grad": True}
                self.invented.append(name)
            wanted = self.inputs[name]
            array = np.asarray(_numbers(wanted["value"]), dtype=np.float32)
            tensor = make_tensor(array, requires_grad=wanted["requires_grad"])
            self.tensors[name] = tensor
            self.watch.add_leaf(tensor, name)
        return self.tensors[name]

    def _invent(self, beside: Any) -> Any:
        """A scalar; beside @ a small matrix that fits."""
        if beside is None:
            return DEFAULTS[len(self.invented) % len(DEFAULTS)]
        rows = beside._s[-1] if beside != () and hasattr(beside, "_s") and beside._s else 2
        columns = 3 if beside == () else 2
        if rows * columns > MAX_ELEMENTS:
            return 1.0
        return [[round(0.5 * (r - c) + 0.5, 2) for c in range(columns)] for r in range(rows)]

    def _call(self, one: ast.expr, name: str, *values: Any, **named: Any) -> Any:
        if not any(hasattr(value, "_s") for value in values):
            raise refuse(one, f"{name} needs a tensor", hint="give at least one name, say x")
        self._fits(one, name, values)
        self.watch.at = one
        try:
            with np.errstate(all="ignore"):
                result = TENSORS[name](*values, **named)
        except KeyError:
            raise refuse(one, f"{name} is not supported here") from None
        except EngineError as error:
            raise self._explained(one, values, error) from None
        except (TypeError, ValueError, IndexError, RuntimeError, AttributeError, ArithmeticError) as error:
            if missing := re.search(r"missing \d+ required positional arguments?: (.*)", str(error)):
                first = "-1" if missing[1].startswith("'dim'") else "..."
                raise refuse(one, f"{name} also needs {missing[1]}", hint=f"{name}(x, {first})") from None
            raise refuse(one, str(error)[:300]) from None
        if not hasattr(result, "_s"):
            raise refuse(one, f"{name} gives several results here", hint=f"try a{name}, which gives one")
        if math.prod(result._s) > MAX_ELEMENTS:
            raise refuse(one, f"the result would have {math.prod(result._s)} elements; at most {MAX_ELEMENTS}")
        return result

    def _fits(self, one: ast.expr, name: str, values: Sequence[Any]) -> None:
        """The size of the result is known before it is computed."""
        shapes = [tuple(value._s) for value in values if hasattr(value, "_s")]
        if len(shapes) < 2 or not any(shapes):
            return
        if name in ("matmul", "mm", "mv", "dot"):
            rows = shapes[0][-2] if len(shapes[0]) > 1 else 1
            columns = shapes[1][-1] if len(shapes[1]) > 1 else 1
            batch = result_of([shapes[0][:-2], shapes[1][:-2]])
            size = rows * columns * math.prod(batch or ())
        else:
            size = math.prod(result_of(shapes) or ())
        if size > MAX_ELEMENTS:
            raise refuse(one, f"the result would have {size} elements; at most {MAX_ELEMENTS}")

    def _explained(self, one: ast.expr, values: Sequence[Any], error: EngineError) -> Problem:
        problem = refuse(one, str(error), error.hint or "")
        problem.extra["shapes"] = [list(value._s) for value in values if hasattr(value, "_s")]
        return problem


def evaluate(text: str, inputs: dict[str, Any], *, backward: bool = True) -> Graph:
    """The graph of a formula with values and, if wanted, gradients. Raises Problem with the column."""
    tree = formula.parse(text)
    watch = Watch()
    walk = Evaluator(given(inputs), watch)
    unused = [name for name in inputs if name not in formula.names(tree)]
    if unused:
        raise Problem(
            "expression",
            f"the formula does not use {', '.join(unused)[:80]}",
            hint=f"it uses {', '.join(formula.names(tree)) or 'no names'}",
        )
    before = install(watch)
    seed = None
    try:
        result = walk.value(tree)
        if not hasattr(result, "_s"):
            raise refuse(tree, "there is no tensor in this formula", hint="give a name, say x*2")
        if backward and result._n is not None:
            seed = "1" if math.prod(result._s) == 1 else "ones"
            with np.errstate(all="ignore"):
                result.backward(TENSORS["ones_like"](result))
    except ArithmeticError as error:
        raise refuse(tree, f"the derivative cannot be computed: {error}") from None
    except RecursionError:
        raise refuse(tree, "the formula is nested too deeply") from None
    finally:
        install(before)
    out = watch.known[id(result)]
    return graph_of(
        watch.nodes,
        watch.edges,
        expression=text,
        inputs=walk.inputs,
        invented=walk.invented,
        root=out["id"],
        result=out["value"],
        seed=seed,
        order=watch.order,
        latex=formula.latex(tree),
        program=formula.program(text, walk.inputs, backward=backward, total=seed == "ones"),
    )


def plain(graph: Graph) -> Graph:
    """Without structs, as drawing.py reads it."""
    out: Graph = msgspec.to_builtins(graph)
    return out


def script(text: str, inputs: dict[str, Any]) -> str:
    """The formula as a program, with a value for every name."""
    return str(evaluate(text, inputs)["program"])
