"""What an operation and its rule are, and the tables of all of them. Compiles nothing.

The Tensor class lies above this layer: generated code finds it in NAMESPACE, where engine/tensor.py puts it.

Note [Layout of a node]
    A node is a flat list, the cheapest mutable record there is; deallocating a long chain of lists does not recurse.
    [SEQ, BW, E0, E1, REST, DEPS, GRAD, SHAPE, META, saved...]
    SEQ   falls with every node made, so that a heap of nodes gives the most recent first; leaves come before all
    BW    the backward function (node, gradient) -> gradient or tuple of gradients, which also frees what is saved
    E0.. the nodes this one sends gradients to: first, second, tuple of the rest
    DEPS  how many consumers have not reported yet (0 outside of backward)
    GRAD  the sum of what has been reported (None outside of backward)
    SHAPE of the output; META: parameters and input shapes.   A leaf has no E0; its cell META holds `.grad`.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from engine.errors import RuntimeFault
from engine.ops import kernels

SEQ, BW, E0, E1, REST, DEPS, GRAD, SHAPE, META, SAVED = range(10)
LEAF_SEQ = -(1 << 62)

Node = list[Any]

ARRAYS: dict[str, Any] = {}
TENSORS: dict[str, Any] = {}
NAMESPACE: dict[str, Any] = {
    "ndarray": ndarray,
    "F": np.float32,
    "F32": kernels.F32,
    "seq": itertools.count(0, -1).__next__,
    "new": object.__new__,
    "const": kernels._const_cache.get,
    "make_const": kernels.const,
    "box": kernels.box,
    "full": kernels.full,
    "ORIGIN": kernels.ORIGIN,
    "numel": kernels.numel,
    "unbroadcast": kernels.unbroadcast,
    "product_unbroadcast": kernels.product_unbroadcast,
    "grad_on": True,
    "_obs": None,
    "_watch": None,
    "Tensor": None,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One way to call an operation: inputs as specifications of tensors (see tests), parameters as values."""

    inputs: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failing:
    """A call that must raise torch's error class with torch's message."""

    inputs: tuple[Any, ...]
    params: dict[str, Any]
    error: type[Exception]
    message: str


@dataclass(eq=False)
class Op:
    """One operation: one block, one node in the graph."""

    name: str
    inputs: tuple[str, ...]
    params: dict[str, Any]
    node: str | Callable[[dict[str, Any]], str] | None
    rules: dict[str, str]  # input -> formula of the gradient sent to it
    partials: dict[str, str]  # input -> formula of the local derivative, elementwise operations only
    latex: str
    latex_partials: dict[str, str]
    doc: str
    source: str
    samples: Sequence[Sample]
    fails: Sequence[Failing]
    family: str
    promote: str
    pointwise: bool
    view: bool
    aux: tuple[str, ...]
    lazy: bool
    kernel: Callable[..., Any]
    method: bool
    inplace: bool
    public: str
    fast: bool
    condition: str | None  # an input that stays out of type promotion
    aliases: tuple[str, ...]
    keyword_only: frozenset[str]
    forward: str | None
    order: tuple[str, ...]  # all arguments as the caller gives them
    numbers: bool
    check: Callable[[Sequence[Any]], None] | None
    result: str | None  # the name of torch.return_types' tuple of value and aux outputs
    optional: tuple[str, ...] = ()  # inputs that may be None: they then get no edge, and rules read None
    quick: dict[str, dict[str, str]] = field(default_factory=dict)  # flavour -> input, or "out" -> a cheaper formula
    call: Callable[..., Any] | None = None

    def node_name(self, params: dict[str, Any]) -> str:
        """torch's name of the node this call makes."""
        if self.node is None:
            return self.name.capitalize() + "Backward0"
        return self.node if isinstance(self.node, str) else self.node(params)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


REGISTRY: dict[str, Op] = {}
COMPOSITES: dict[str, Callable[..., Any]] = {}
COMPOSITE_SAMPLES: dict[str, tuple[Sample, ...]] = {}
COMPOSITE_FAILS: dict[str, tuple[Failing, ...]] = {}
METHODLESS: set[str] = set()  # composites that are functions only

MISSING = object()


class Rule:
    """How one kind of node computes gradients: its operation, which inputs get one, and where its cells lie."""

    __slots__ = ("op", "positions", "names", "saved", "keep", "release", "freed", "flavour", "locals_")

    def __init__(self, op: Op, names: tuple[str, ...], saved: tuple[str, ...], flavour: str) -> None:
        self.op = op
        self.names = names  # the inputs that get a gradient, in the order of the edges
        self.positions = tuple(op.inputs.index(n) for n in names)
        self.saved = saved
        self.flavour = flavour  # "S" scalar, "A" equal shapes, "B" broadcast, "G" general, "X" structured
        self.keep: Callable[[Node, Any], Any]
        self.release: Callable[[Node, Any], Any]
        self.freed: Callable[[Node, Any], Any]
        self.locals_: dict[str, Callable[..., Any]] = {}


RULES: dict[Callable[..., Any], Rule] = {}
# backward function -> what makes several records of the one that stands for them, see Note [Two nodes, one record]
FOLDED: dict[Callable[..., Any], Callable[[Node], None]] = {}


FREED_MESSAGE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
    "saved tensors after calling backward."
)
FREED_HINT = "call .backward(retain_graph=True) the first time, or compute the loss anew before each backward"


def names_in(*formulas: str) -> set[str]:
    """The names a formula reads."""
    found: set[str] = set()
    for f in formulas:
        found |= {n.id for n in ast.walk(ast.parse(f, mode="eval")) if isinstance(n, ast.Name)}
    return found


def caller() -> str:
    """The module that declares an operation: the family is the file that its block stands in."""
    return str(sys._getframe(2).f_globals["__name__"].rpartition(".")[2])


def freed_function() -> Callable[[Node, Any], Any]:
    """What takes a backward function's place once its values are gone."""

    def freed(n: Node, g: Any) -> Any:
        raise RuntimeFault(FREED_MESSAGE, hint=FREED_HINT)

    return freed
