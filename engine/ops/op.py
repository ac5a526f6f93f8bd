"""What an operation is, the registry of all of them, and the compiler that makes fast functions out of blocks.

A block states forward, derivative per input, torch's node name, LaTeX, samples and documentation. From it follow
the Tensor method, the function, `name_`, `out=`, the catalogue and the tests. The Tensor class lies above this
layer: generated code finds it in NAMESPACE, where engine/tensor.py puts it.

Note [Rules are formulas]
    A derivative rule is a string over the names of the inputs, `out`, `g`, the parameters, `<input>_shape`, and the
    vocabulary: the array kernels in ARRAYS or, under create_graph, the operations themselves in TENSORS. The same
    string is compiled against both, so second order costs nothing more to write; and which values a node has to
    save follows from the names its rules read.

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
import functools
import itertools
import re
import sys
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import EngineError, RuntimeFault, TypeFault
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

_MISSING = object()


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


def rules_of(name: str) -> dict[tuple[str, ...], Rule]:
    """A structured operation's rules, by the inputs that get a gradient."""
    return {rule.names: rule for rule in RULES.values() if rule.op is REGISTRY[name]}


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


# ---- declaring operations -----------------------------------------------------------------------------


def parse_signature(signature: str) -> tuple[str, list[tuple[str, Any]], int]:
    """`name(a, b=1, *, c=2)` as name, [(argument, default)], and how many of them may be positional."""
    name, _, rest = signature.partition("(")
    tree = ast.parse(f"def f({rest}: pass").body[0]
    assert isinstance(tree, ast.FunctionDef)
    a = tree.args
    out: list[tuple[str, Any]] = []
    defaults: list[Any] = [_MISSING] * (len(a.args) - len(a.defaults)) + [ast.literal_eval(d) for d in a.defaults]
    for arg, d in zip(a.args, defaults, strict=True):
        out.append((arg.arg, d))
    for arg, kd in zip(a.kwonlyargs, a.kw_defaults, strict=True):
        out.append((arg.arg, _MISSING if kd is None else ast.literal_eval(kd)))
    return name, out, len(a.args)


def op(
    signature: str,
    *,
    inputs: int | Sequence[str] = 1,
    forward: str | None = None,
    partials: dict[str, str] | None = None,
    vjps: dict[str, str] | None = None,
    quick: dict[str, str] | None = None,
    single: dict[str, str] | None = None,
    node: str | Callable[[dict[str, Any]], str] | None = None,
    latex: str = "",
    latex_partials: dict[str, str] | None = None,
    doc: str = "",
    source: str | None = None,
    samples: Sequence[Sample] | None = None,
    fails: Sequence[Failing] = (),
    promote: str = "same",
    view: bool = False,
    aux: Sequence[str] = (),
    lazy: bool = False,
    method: bool = True,
    inplace: bool | None = None,
    public: str | None = None,
    optional: Sequence[str] = (),
    result: str | None = None,
    general: Callable[..., Any] | None = None,
    fast: bool = True,
    condition: str | None = None,
    aliases: Sequence[str] = (),
    numbers: bool = True,
    check: Callable[[Sequence[Any]], None] | None = None,
) -> Any:
    """Declare an operation. Elementwise ones give `forward` and `partials`; structured ones decorate their kernel.

    inputs   how many leading arguments are tensors (or their names); the rest are parameters
    forward  the formula of the values, over array kernels
    partials per input, the local derivative; the gradient sent is g times it
    vjps     per input, the gradient sent, where it is not simply g times the local derivative
    quick    per input, a cheaper formula of the gradient sent, for arrays of one shape
    single   the same for single numbers; under "out" the formula of the value. A result is a new number, never an input's
    promote  "same": common dtype; "float": integers become the default float; "bool": the result is bool;
             "none": the kernel deals with dtypes itself
    lazy     the rules accept a gradient that is still to be broadcast
    public   torch's name, when it differs from the block's own (several blocks may serve one function)
    general  a kernel for what the formula `forward` cannot do: integers, refusals, mixed dtypes
    fast     False: always by the general path, whose node knows whether an input was a number
    condition  an input that keeps its own dtype
    numbers  False: torch takes tensors only here
    check    looks at the arguments before they are brought to one dtype
    optional structured only: inputs that may be None (a missing bias)
    """
    name, arguments, positional = parse_signature(signature)
    names = tuple(a for a, _ in arguments[:inputs]) if isinstance(inputs, int) else tuple(inputs)
    params = {a: d for a, d in arguments if a not in names}
    partials = partials or {}
    rules = dict(vjps or {})
    for n, p in partials.items():
        rules.setdefault(n, "g" if p == "1" else "-g" if p == "-1" else f"g * ({p})")
    rules = {n: rules[n] for n in names if n in rules}
    is_pointwise = forward is not None
    if samples is None:
        samples = default_samples(len(names)) if is_pointwise and not params else ()

    family = caller()

    def declare(kernel: Callable[..., Any]) -> Op:
        the_op = Op(
            name=name, inputs=names, params=params, node=node, rules=rules, partials=partials, latex=latex,
            latex_partials=latex_partials or {}, doc=doc or (kernel.__doc__ or "").strip(),
            source=source if source is not None else f"https://pytorch.org/docs/stable/generated/torch.{public or name}.html",
            samples=tuple(samples), fails=tuple(fails), family=family, promote=promote, pointwise=is_pointwise, view=view,
            aux=tuple(aux), lazy=lazy, kernel=kernel, method=method,
            inplace=(is_pointwise and promote != "bool") if inplace is None else inplace, public=public or name,
            fast=fast, condition=condition, aliases=tuple(aliases), forward=forward, result=result,
            order=tuple(a for a, _ in arguments), numbers=numbers, check=check,
            keyword_only=frozenset(a for a, _ in arguments[positional:]), optional=tuple(optional),
            quick={"A": quick or {}, "S": single or {}},
        )  # fmt: skip
        REGISTRY[name] = the_op
        ARRAYS.setdefault(name, kernel if the_op.order == (*names, *params) else _in_order(the_op, kernel))
        the_op.call = compile_pointwise(the_op) if forward is not None else compile_structured(the_op)
        TENSORS[name] = the_op.call
        for alias in the_op.aliases:
            TENSORS[alias] = the_op.call
        the_op.call = numpy_named(the_op.call)
        return the_op

    if forward is not None:
        code = compile(f"lambda {', '.join(a for a, _ in arguments)}: {forward}", f"<forward of {name}>", "eval")
        return declare(general or eval(code, ARRAYS))
    return declare


def caller() -> str:
    """The module that declares an operation: the family is the file that its block stands in."""
    return str(sys._getframe(2).f_globals["__name__"].rpartition(".")[2])


def default_samples(inputs: int) -> Sequence[Sample]:
    """The shared sets, for elementwise blocks that give none of their own."""
    from engine.ops.samples import PAIRS, UNARY  # they are made of Sample, so they stand above this module

    return {1: UNARY, 2: PAIRS}.get(inputs, ())


def composite(
    name: str | None = None,
    *,
    samples: Sequence[Sample] = (),
    fails: Sequence[Failing] = (),
    method: bool = True,
    aliases: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function made of several operations, so that the catalogue and the tests have it too."""

    def declare(f: Callable[..., Any]) -> Callable[..., Any]:
        key = name or f.__name__
        COMPOSITE_SAMPLES[key] = tuple(samples)
        COMPOSITE_FAILS[key] = tuple(fails)
        public = numpy_named(f)
        for n in (key, *aliases):
            COMPOSITES[n] = public
            TENSORS[n] = f
            if not method:
                METHODLESS.add(n)
        return f

    return declare


NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}
"""What torch calls by another name and takes by NumPy's too: x.argmax(axis=1), x.sum(1, keepdims=True)."""


def numpy_named(f: Callable[..., Any]) -> Callable[..., Any]:
    """f for programs: its arguments by NumPy's names as well. Rules and other operations call f itself."""
    code = f.__code__  # inspect.signature would take as long as compiling some blocks does
    known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    names = {theirs: ours for theirs, ours in NUMPY_NAMES.items() if ours in known and theirs not in known}
    if not names:
        return f

    @functools.wraps(f)
    def named(*args: Any, **kwargs: Any) -> Any:
        for theirs in kwargs.keys() & names.keys() if kwargs else ():
            kwargs[names[theirs]] = kwargs.pop(theirs)
        return f(*args, **kwargs)

    return named


# ---- generated code --------------------------------------------------------------------------------------


def _run(source: str, name: str, where: str) -> Callable[..., Any]:
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


def _local_names(o: Op) -> set[str]:
    names = {"g", "out", *o.inputs, *o.params, *o.aux}
    return names | {f"{n}_shape" for n in (*o.inputs, "out")}


_made: dict[tuple[str, tuple[str, ...], str], tuple[Rule, str]] = {}


def _make_rule(o: Op, names: tuple[str, ...], flavour: str) -> tuple[Rule, str]:
    """Generate the backward functions of one flavour, once; returns the rule and the name of its function."""
    found = _made.get((o.name, names, flavour))
    if found is not None and found[0].op is o:
        return found
    local = _local_names(o)
    used: set[str] = set()
    for n in names:
        used |= names_in(o.rules[n])
    saved = tuple(n for n in (*o.inputs, "out", *o.aux) if n in used)
    rule = Rule(o, names, saved, flavour)
    index = len(RULES)
    head: list[str] = []
    free: list[str] = []
    if flavour == "X":
        meta = [*o.params, *(f"{n}_shape" for n in o.inputs)]
        wanted = [m for m in meta if m in used]
        if "out_shape" in used:
            head.append("out_shape = n[7]")
        if wanted:
            if len(wanted) == len(meta):
                head.append(f"{', '.join(meta)}, = n[8]")
            else:
                head.append("m = n[8]")
                head += [f"{m} = m[{meta.index(m)}]" for m in wanted]
        if not o.lazy:
            head.append("s = n[7]")
            head.append("if type(g) is not ndarray: g = box(g, s)")
            head.append("elif g.shape != s: g = full(g, s)")
    elif flavour in "SA" and any(p in used for p in o.params):
        head.append(f"{tuple_of(list(o.params))} = n[8]".replace(",  =", ", ="))
    elif flavour == "B":
        head.append(f"{', '.join('s_' + n for n in o.inputs)}, = n[8]")
    for i, n in enumerate(saved):
        head.append(f"{n} = n[{9 + i}]")
        free.append(f"n[{9 + i}] = None")
    results = []
    for n in names:
        text = o.quick.get(flavour, {}).get(n) or o.rules[n]
        if flavour == "B":
            p = o.partials.get(n)
            if p == "1":
                results.append(f"unbroadcast(g, s_{n}, n[7])")
            elif p == "-1":
                results.append(f"-unbroadcast(g, s_{n}, n[7])")
            elif p is not None and text == f"g * ({p})":
                results.append(f"product_unbroadcast(g, {arrays_formula(p, local, flavour)}, s_{n}, n[7])")
            else:
                results.append(f"unbroadcast({arrays_formula(text, local, flavour)}, s_{n}, n[7])")
        else:
            results.append(arrays_formula(text, local, flavour))
    ret = ", ".join(results)
    keep_name, free_name = f"keep_{index}", f"bw_{index}"
    body = "\n    ".join([*head, f"return {ret}"])
    rule.keep = _run(f"def {keep_name}(n, g):\n    {body}", keep_name, o.name)
    if free:
        NAMESPACE[f"freed_{index}"] = rule.freed = freed_function()
        body = "\n    ".join([*head, f"n[1] = freed_{index}", *free, f"return {ret}"])
        rule.release = _run(f"def {free_name}(n, g):\n    {body}", free_name, o.name)
    else:
        rule.release = rule.freed = rule.keep
    NAMESPACE[free_name] = rule.release
    for f in (rule.release, rule.keep, rule.freed):
        RULES[f] = rule
    _made[o.name, names, flavour] = rule, free_name
    return rule, free_name


def freed_function() -> Callable[[Node, Any], Any]:
    """What takes a backward function's place once its values are gone."""

    def freed(n: Node, g: Any) -> Any:
        raise RuntimeFault(FREED_MESSAGE, hint=FREED_HINT)

    return freed


def _node_code(o: Op, flavour: str, indent: str, meta: str, active: Sequence[str]) -> str:
    """Nested ifs over which inputs have a node; each leaf builds the node that saves just what it must."""
    differentiable = [n for n in o.inputs if n in o.rules and n in active]
    renamed = {"out": "v"}

    def build(names: tuple[str, ...]) -> str:
        if not names:
            return "r._n = None"
        rule, bw = _make_rule(o, names, flavour)
        cells = [renamed.get(n, n) for n in rule.saved]
        edges = [f"n_{n}" for n in names]
        e1 = edges[1] if len(edges) > 1 else "None"
        rest = f"({', '.join(edges[2:])},)" if len(edges) > 2 else "None"
        return f"r._n = [seq(), {bw}, {edges[0]}, {e1}, {rest}, 0, None, s, {meta}{''.join(', ' + c for c in cells)}]"

    def branch(rest: list[str], chosen: tuple[str, ...], pad: str) -> list[str]:
        if not rest:
            return [pad + build(chosen)]
        n, *more = rest
        return [
            f"{pad}if n_{n} is None:",
            *branch(more, chosen, pad + "    "),
            f"{pad}else:",
            *branch(more, (*chosen, n), pad + "    "),
        ]

    if not differentiable:
        return f"{indent}r._n = None"
    none = " and ".join(f"n_{n} is None" for n in differentiable)
    if len(differentiable) == 1:
        n = differentiable[0]
        return f"{indent}if n_{n} is None or not grad_on: r._n = None\n{indent}else: {build((n,))}"
    return "\n".join(
        [f"{indent}if ({none}) or not grad_on: r._n = None", f"{indent}else:", *branch(differentiable, (), indent + "    ")]
    )


def compile_pointwise(o: Op, operator: bool = False) -> Callable[..., Any]:
    """The public function of an elementwise operation: fast paths for float32, everything else in `general`.

    operator: the same for Python's binary operators, which answer NotImplemented to what they do not know.
    """
    local = {*o.inputs, *o.params}
    assert o.forward is not None
    expr_s = arrays_formula(o.quick.get("S", {}).get("out") or o.forward, local, "S")
    expr_a = arrays_formula(o.forward, local, "A")
    NAMESPACE[f"OP_{o.name}"] = o
    tail = (
        f"    if _obs is not None: observe(OP_{o.name}, r, ARGS, {{}})\n"
        "    if out is not None: return store(out, r)\n"
        "    return r\n"
    )
    general = f"general(OP_{o.name}, ARGS, {{PARAMS}}, out)"
    fast = o.fast and o.condition is None
    if fast and len(o.inputs) == 1:
        (x,) = o.inputs
        given = "{" + ", ".join(f"{p!r}: {p}" for p in o.params) + "}"
        meta = "(" + tuple_of(list(o.params)) + ")" if o.params else "None"
        general = f"general(OP_{o.name}, (t,), {given}, out)"
        src = f"""
def {o.name}({_signature(o)}):
    t = {x}
    try: {x} = t._a
    except AttributeError: raise not_a_tensor(OP_{o.name}, (t,), 0) from None
    if type({x}) is F:
        r = new(Tensor); n_{x} = t._n
        r._a = v = {expr_s}
        r._s = s = t._s
{_node_code(o, "S", "        ", meta, o.inputs)}
    elif type({x}) is ndarray and {x}.dtype is F32:
        r = new(Tensor); n_{x} = t._n
        r._a = v = {expr_a}
        r._s = s = t._s
{_node_code(o, "A", "        ", meta, o.inputs)}
    else: return {general}
    if _obs is not None: observe(OP_{o.name}, r, (t,), {given})
    if out is not None: return store(out, r)
    return r
"""
    elif fast and len(o.inputs) == 2 and not o.params:
        x, y = o.inputs
        number = "k is float or k is int" if o.numbers else "False"
        src = f"""
def {o.name}({x}, {y}, *, out=None):
    t = {x}; u = {y}; k = type(u)
    if {number}:
        try: {x} = t._a
        except AttributeError: raise not_a_tensor(OP_{o.name}, (t, u), 0) from None
        if type({x}) is F:
            r = new(Tensor); n_{x} = t._n
            r._a = v = {expr_s}
            r._s = s = t._s
{_node_code(o, "S", "            ", "None", [x])}
        elif type({x}) is ndarray and {x}.dtype is F32:
            {y} = const(u)
            if {y} is None: {y} = make_const(u)
            r = new(Tensor); n_{x} = t._n
            r._a = v = {expr_a}
            r._s = s = t._s
{_node_code(o, "A", "            ", "None", [x])}
        else: return {general.replace("ARGS", "(t, u)").replace("PARAMS", "")}
    else:
        try: {x} = t._a; {y} = u._a
        except AttributeError: return {general.replace("ARGS", "(t, u)").replace("PARAMS", "")}
        s = t._s; so = u._s
        if s is so or s == so:
            if type({x}) is F and type({y}) is F:
                r = new(Tensor); n_{x} = t._n; n_{y} = u._n
                r._a = v = {expr_s}
                r._s = s
{_node_code(o, "S", "                ", "None", o.inputs)}
            elif type({x}) is ndarray and type({y}) is ndarray and {x}.dtype is F32 and {y}.dtype is F32:
                r = new(Tensor); n_{x} = t._n; n_{y} = u._n
                r._a = v = {expr_a}
                r._s = s
{_node_code(o, "A", "                ", "None", o.inputs)}
            else: return {general.replace("ARGS", "(t, u)").replace("PARAMS", "")}
        elif {x}.dtype is F32 and {y}.dtype is F32:
            try: v = {expr_a}
            except ValueError as e: raise shape_error(OP_{o.name}, (t, u), e) from None
            m = (s, so)
            if type({x}) is F or type({y}) is F:
                if type(v) is F: s = s if len(s) >= len(so) else so
                else:
                    k = len(s) - len(so)
                    if k > 0 and type({x}) is F: s = (1,) * k + so; v = v.reshape(s)
                    elif k < 0 and type({y}) is F: s = (1,) * -k + s; v = v.reshape(s)
                    else: s = v.shape
            else: s = v.shape
            r = new(Tensor); n_{x} = t._n; n_{y} = u._n
            r._a = v; r._s = s
{_node_code(o, "B", "            ", "m", o.inputs)}
        else: return {general.replace("ARGS", "(t, u)").replace("PARAMS", "")}
{tail.replace("ARGS", "(t, u)")}"""
    else:
        arguments = ", ".join(o.inputs)
        given = ", ".join(f"{p!r}: {p}" for p in o.params)
        src = f"""
def {o.name}({_signature(o)}):
    return general(OP_{o.name}, ({arguments},), {{{given}}}, out)
"""
    if operator:  # Python gives it two operands and no `out`
        src = src.replace(", *, out=None", "").replace("    if out is not None: return store(out, r)\n", "")
        src = src.replace("return general(", "return operator_general(").replace(", {}, out)", ", {})")
    return _run(src, o.name, o.name)


def operator_general(o: Op, args: tuple[Any, ...], params: dict[str, Any], out: Any = None) -> Any:
    """`general` behind Python's operators."""
    if not isinstance(args[1], (NAMESPACE["Tensor"], float, int, np.generic)):
        if type(args[1]) is not ndarray:
            return NotImplemented
        args = (args[0], TENSORS["as_tensor"](args[1]))
    return general(o, args, params, out)


def _in_order(o: Op, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel, which takes inputs first, as formulas call it: arguments in the order of the signature."""
    places = [o.order.index(a) for a in (*o.inputs, *o.params)]

    def ordered(*args: Any) -> Any:
        return kernel(*[args[i] for i in places])

    return ordered


def _signature(o: Op) -> str:
    """The arguments of a generated function, in the order of the block's signature, `out` the last."""
    parts = []
    star = False
    for p in o.order:
        if p in o.keyword_only and not star:
            parts.append("*")
            star = True
        d = None if p in o.optional else o.params.get(p, _MISSING)
        parts.append(p if d is _MISSING else f"{p}={d!r}")
    return ", ".join([*parts, *([] if star else ["*"]), "out=None"])


def compile_structured(o: Op) -> Callable[..., Any]:
    """The public function of a structured operation, around its array kernel."""
    NAMESPACE[f"OP_{o.name}"] = o
    NAMESPACE[f"K_{o.name}"] = o.kernel
    keys = [*o.inputs, *o.params]
    unpack, args = [], []
    for i, n in enumerate(o.inputs):
        unpack.append(f"    t_{n} = {n}")
        if n in o.optional:
            unpack.append(f"    if {n} is None: s_{n} = n_{n} = None")
            unpack.append(f"    else: {n} = payload_of(t_{n}, OP_{o.name}, {i}); s_{n} = t_{n}._s; n_{n} = t_{n}._n")
            args.append("t_" + n)
            continue
        unpack.append(f"    try: {n} = t_{n}._a; s_{n} = t_{n}._s; n_{n} = t_{n}._n")
        unpack.append(f"    except AttributeError: raise not_a_tensor(OP_{o.name}, ({tuple_of(['t_' + k for k in o.inputs[: i + 1]])}), {i}) from None")
        unpack.append(f"    if type({n}) is not ndarray: {n} = {'t_' + n + '._array()' if o.view else f'box({n}, s_{n})'}")
        args.append("t_" + n)
    given = ", ".join(f"{p!r}: {p}" for p in o.params)
    results = ", ".join(["v", *o.aux])
    meta = "(" + "".join(m + ", " for m in [*o.params, *(f"s_{n}" for n in o.inputs)]) + ")"
    unboxed = "" if o.view else "    if type(v) is ndarray and v.size == 1: v = v[ORIGIN[v.ndim]]\n"
    after = f"    link_view(r, t_{o.inputs[0]}, OP_{o.name}, {{{given}}})\n" if o.view else ""
    view_of = f"t_{o.inputs[0]}" if o.view else "None"
    if o.result is None:
        observed = f"    if _obs is not None: observe(OP_{o.name}, r, ({tuple_of(args)}), {{{given}}}, {view_of})\n"
        returned = observed + "    if out is not None: return store(out, r)\n    return r\n"
    else:
        NAMESPACE[f"RESULT_{o.name}"] = return_type(o.result, ("values", *o.aux))
        others = tuple_of([f"wrap_output({a})" for a in o.aux])
        returned = (
            f"    r = RESULT_{o.name}(r, {others})\n"
            f"    if _obs is not None: observe(OP_{o.name}, r[0], ({tuple_of(args)}), {{{given}}}, None, r)\n"
            "    if out is not None: return type(r)(*[store(d, x) for d, x in zip(out, r)])\n    return r\n"
        )
    src = f"""
def {o.name}({_signature(o)}):
{chr(10).join(unpack)}
    try: {results} = K_{o.name}({', '.join(keys)})
    except Exception as e: raise op_error(OP_{o.name}, ({tuple_of(args)}), {{{given}}}, e) from None
    r = new(Tensor)
    r._s = s = v.shape
{unboxed}    r._a = v
{_node_code(o, "X", "    ", meta, o.inputs)}
{after}{returned}"""
    return _run(src, o.name, o.name)


def return_type(name: str, fields: Sequence[str]) -> Any:
    """torch.return_types.<name>: a named tuple that prints itself as torch's."""
    found = RETURN_TYPES.get(name)
    if found is None:

        class Result(namedtuple(name, fields)):  # type: ignore[misc]
            __slots__ = ()
            __module__ = "torch.return_types"

            def __repr__(self) -> str:
                inner = ",\n".join(f"{f}={v!r}" for f, v in zip(self._fields, self, strict=True))
                return f"torch.return_types.{name}(\n{inner})"

        Result.__name__ = Result.__qualname__ = name
        found = RETURN_TYPES[name] = Result
    return found


RETURN_TYPES: dict[str, Any] = {}


def wrap_output(a: Any) -> Any:
    """A Tensor without history around a further output of a kernel."""
    r = object.__new__(NAMESPACE["Tensor"])
    r._s = a.shape
    r._a = kernels.unbox(a)
    r._n = None
    return r


def payload_of(tensor: Any, o: Op, position: int) -> Any:
    """The array of an optional input that was given."""
    try:
        payload = tensor._a
    except AttributeError:
        raise not_a_tensor(o, (None,) * position + (tensor,), position) from None
    return payload if type(payload) is ndarray else kernels.box(payload, tensor._s)


def tuple_of(items: Sequence[str]) -> str:
    """The inside of a tuple display."""
    return "".join(i + ", " for i in items)


# ---- the general path: promotion, 0-dim categories, any number of inputs, parameters ----------------------


def result_dtype(args: Sequence[Any]) -> dtypes.dtype:
    """torch's result type of tensors and numbers together."""
    tensor_class = NAMESPACE["Tensor"]
    dims = zero = numbers = None
    for a in args:
        if isinstance(a, tensor_class):
            d = dtypes.of(a._a)
            if a._s:
                dims = d if dims is None else dtypes.promote_types(dims, d)
            else:
                zero = d if zero is None else dtypes.promote_types(zero, d)
        elif a is not None:
            d = dtypes.of_number(a)
            numbers = d if numbers is None else dtypes.promote_types(numbers, d)
    return dtypes.combine(dims, zero, numbers)


def general(o: Op, args: tuple[Any, ...], params: dict[str, Any], out: Any = None) -> Any:
    """An elementwise operation on anything torch accepts."""
    tensor_class = NAMESPACE["Tensor"]
    for i, a in enumerate(args):
        if not isinstance(a, tensor_class) and (i == 0 or not isinstance(a, (bool, int, float, np.generic))):
            if not (i == 0 and any(isinstance(b, tensor_class) for b in args) and isinstance(a, (bool, int, float))):
                raise not_a_tensor(o, args, i)
        if i and not o.numbers and not isinstance(a, tensor_class):
            raise not_a_tensor(o, args, i)
    args = tuple(a.item() if isinstance(a, np.generic) else a for a in args)
    if o.check is not None:
        o.check(args)
    skip = o.inputs.index(o.condition) if o.condition is not None else -1
    compute = result_dtype([a for i, a in enumerate(args) if i != skip])
    if o.promote == "first":
        compute = dtypes.of(args[0]._a)
    if o.promote == "float" and not compute.is_floating_point:
        compute = dtypes.get_default_dtype()
    if o.promote == "bool" and len(args) == 1:
        compute = dtypes.of(args[0]._a)
    arrays, shapes = [], []
    whole: kernels.Shape | None = ()
    for i, a in enumerate(args):
        if isinstance(a, tensor_class):
            p = a._a
            if type(p) is not ndarray:
                p = np.array(p).reshape(a._s)
            arrays.append(p if p.dtype is compute.np or i == skip else p.astype(compute.np))
            shapes.append(a._s)
            fit = kernels.broadcast_shapes(whole or (), a._s)
            if fit is None:
                raise shape_error(o, args, RuntimeError())
            whole = fit
        else:
            arrays.append(np.array(a).astype(compute.np))
            shapes.append(())
    try:
        v = o.kernel(*arrays, *params.values())
    except Exception as e:
        raise op_error(o, args, params, e) from None
    v = np.asarray(v)
    if o.promote == "bool":
        v = v if v.dtype == bool else v.astype(bool)
    elif v.dtype != compute.np:
        v = v.astype(compute.np)
    r = NAMESPACE["new"](tensor_class)
    r._s = s = whole
    if type(v) is ndarray:
        if v.shape != s:
            v = np.broadcast_to(v, s).copy()
        if any(v is a for a in arrays) or v.base is not None:
            v = v.copy()
        v = v[kernels.ORIGIN[v.ndim]] if v.size == 1 else v
    r._a = v
    r._n = None
    if NAMESPACE["grad_on"] and o.rules:
        names = tuple(
            n for n, a in zip(o.inputs, args, strict=True) if n in o.rules and isinstance(a, tensor_class) and a._n is not None
        )
        if names:
            rule = _general_rule(o, names)
            edges = [args[i]._n for i in rule.positions]
            kept = {**dict(zip(o.inputs, arrays, strict=True)), "out": v}
            meta = (tuple(shapes), tuple(a._a.dtype if isinstance(a, tensor_class) else None for a in args), params)
            r._n = [
                NAMESPACE["seq"](), rule.release, edges[0], edges[1] if len(edges) > 1 else None,
                tuple(edges[2:]) if len(edges) > 2 else None, 0, None, s, meta, *(kept[n] for n in rule.saved),
            ]  # fmt: skip
    if NAMESPACE["_obs"] is not None:
        observe(o, r, args, params)
    return r if out is None else NAMESPACE["store"](out, r)


_general_rules: dict[tuple[str, tuple[str, ...]], Rule] = {}


def _general_rule(o: Op, names: tuple[str, ...]) -> Rule:
    """The rule for any shapes and dtypes, interpreted rather than compiled."""
    key = (o.name, names)
    found = _general_rules.get(key)
    if found is not None:
        return found
    local = [*o.inputs, "out", "g", *o.params, *(f"{n}_shape" for n in o.inputs)]
    used: set[str] = set()
    for n in names:
        used |= names_in(o.rules[n])
    rule = Rule(o, names, tuple(n for n in (*o.inputs, "out") if n in used), "G")
    formulas = [eval(compile(f"lambda {', '.join(local)}: {o.rules[n]}", "<rule>", "eval"), ARRAYS) for n in names]

    def keep(n: Node, g: Any) -> Any:
        shapes, types, params = n[META]
        env = dict.fromkeys(local)
        env.update(params)
        env.update(zip(rule.saved, n[SAVED:], strict=True))
        env.update((f"{k}_shape", s) for k, s in zip(o.inputs, shapes, strict=True))
        env["g"] = g
        results = []
        for i, f in zip(rule.positions, formulas, strict=True):
            x = kernels.unbroadcast(np.asarray(f(**env)), shapes[i], n[SHAPE])
            if x.dtype != types[i]:
                x = x.astype(types[i])
            results.append(x)
        return results[0] if len(results) == 1 else tuple(results)

    def release(n: Node, g: Any) -> Any:
        result = keep(n, g)
        if rule.saved:
            n[BW] = rule.freed
            del n[SAVED:]
        return result

    rule.keep, rule.release = keep, release
    rule.freed = freed_function() if rule.saved else keep
    for fn in (rule.keep, rule.release, rule.freed):
        RULES[fn] = rule
    _general_rules[key] = rule
    return rule


# ---- any number of inputs, several outputs -----------------------------------------------------------------


class Custom(Rule):
    """A rule whose gradients are computed by two functions rather than by formulas.

    A node of this kind holds in META a dict with `positions` (the inputs behind its edges), `shapes` (of all inputs)
    and whatever the functions need.
    """

    __slots__ = ("over_tensors",)

    def __init__(
        self,
        op: Op,
        arrays: Callable[[Node, Any], tuple[Any, ...]],
        tensors: Callable[[Node, Any], tuple[Any, ...]],
        saves: bool = False,
    ) -> None:
        super().__init__(op, (), (), "F")
        self.over_tensors = tensors
        if saves:
            self.saved = ("saved",)

        def keep(n: Node, g: Any) -> Any:
            results = arrays(n, g)
            return results[0] if n[E1] is None else results

        def release(n: Node, g: Any) -> Any:
            results = keep(n, g)
            if saves:
                n[BW] = self.freed
                del n[SAVED:]
            return results

        self.keep, self.release = keep, release
        self.freed = freed_function() if saves else keep
        for f in (self.keep, self.release, self.freed):
            RULES[f] = self


def link(rule: Custom, inputs: Sequence[Any], shape: kernels.Shape, meta: dict[str, Any], *saved: Any) -> Node | None:
    """A node of a custom rule over tensors, or None when no gradient is tracked."""
    if not NAMESPACE["grad_on"]:
        return None
    positions = tuple(i for i, t in enumerate(inputs) if getattr(t, "_n", None) is not None)
    if not positions:
        return None
    edges = [inputs[i]._n for i in positions]
    meta["positions"] = positions
    meta["shapes"] = tuple(getattr(t, "_s", ()) for t in inputs)
    return [
        NAMESPACE["seq"](), rule.release, edges[0], edges[1] if len(edges) > 1 else None,
        tuple(edges[2:]) if len(edges) > 2 else None, 0, None, shape, meta, *saved,
    ]  # fmt: skip


def record(name: str, doc: str, *, node: str, latex: str, inputs: Sequence[str] = ("tensors",), **more: Any) -> Op:
    """Register a hand-built operation: one with any number of inputs or several outputs."""
    o = Op(
        name=name, inputs=tuple(inputs), params={}, node=node, rules={}, partials={}, latex=latex, latex_partials={},
        doc=doc, source=more.get("source", f"https://pytorch.org/docs/stable/generated/torch.{name}.html"),
        samples=tuple(more.get("samples", ())), fails=tuple(more.get("fails", ())), family=caller(), promote="none",
        pointwise=False, view=more.get("view", False), aux=(), lazy=False, kernel=more.get("kernel", lambda *a: None),
        method=more.get("method", False), inplace=False, public=more.get("public", name), fast=False, condition=None,
        aliases=tuple(more.get("aliases", ())), keyword_only=frozenset(), forward=None, order=tuple(inputs), numbers=False, check=None, result=None,
    )  # fmt: skip
    REGISTRY[name] = o
    return o


class Bundle:
    """The gradient of a node with several outputs: one part an output, missing where nobody asked."""

    __slots__ = ("parts",)
    ndim = -1
    shape: Any = None

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Bundle) -> Bundle:
        parts = dict(self.parts)
        for i, g in other.parts.items():
            parts[i] = parts[i] + g if i in parts else g
        return Bundle(parts)


class _Port(Custom):
    """The rule of a port: the graph's stand-in for one output of a node with several. torch has no such node."""


def _to_bundle(n: Node, g: Any) -> tuple[Bundle]:
    return (Bundle({n[META]["index"]: g}),)


PORT = _Port(
    Op(
        "port", ("node",), {}, "Port", {}, {}, "", {}, "", "", (), (), "", "none", False, False, (), True, _to_bundle, False,
        False, "port", False, None, (), frozenset(), None, (), False, None, None,
    ),
    _to_bundle,
    _to_bundle,
)  # fmt: skip
PORT.flavour = "P"


def port(node: Node, index: int, shape: kernels.Shape) -> Node:
    """The node that output `index` of a several-output node carries."""
    # runs as soon as it is ready, before any real node
    return [LEAF_SEQ // 2 + NAMESPACE["seq"](), PORT.release, node, None, None, 0, None, shape,
            {"index": index, "positions": (0,), "shapes": (None,)}]  # fmt: skip


# ---- what generated code calls on its slow paths ------------------------------------------------------------


def type_name(value: Any) -> str:
    """How torch's argument parser names the type of a value."""
    return type(value).__name__


def not_a_tensor(o: Op, args: Sequence[Any], position: int) -> EngineError:
    """torch's complaint about an argument that is no tensor."""
    name = o.inputs[position]
    given = args[position]
    return TypeFault(f"{o.public}(): argument '{name}' (position {position + 1}) must be Tensor, not {type_name(given)}")


def shape_error(o: Op, args: Sequence[Any], cause: BaseException) -> EngineError:
    """torch's complaint about shapes that do not broadcast, with the ways out."""
    tensor_class = NAMESPACE["Tensor"]
    shapes = [a._s for a in args if isinstance(a, tensor_class)]
    whole: kernels.Shape = ()
    for s in shapes:
        fit = kernels.broadcast_shapes(whole, s)
        if fit is None:
            error: EngineError = _misfit(whole, s)
            break
        whole = fit
    else:
        error = RuntimeFault(str(cause))
    return failed(o, args, error)


def _misfit(a: kernels.Shape, b: kernels.Shape) -> EngineError:
    k = max(len(a), len(b))
    x, y = (1,) * (k - len(a)) + a, (1,) * (k - len(b)) + b
    axis = max(i for i in range(k) if x[i] != y[i] and x[i] != 1 and y[i] != 1)
    hints = []
    for first, second, what in ((a, b, "first"), (b, a, "second")):
        for d in range(len(first) + 1):
            tried = first[:d] + (1,) + first[d:]
            fit = kernels.broadcast_shapes(tried, second)
            if fit is not None and len(first) < 4:
                hints.append(f"unsqueeze({d}) on the {what} would make {tried} against {second} -> {fit}")
                break
    if len(a) == 2 and kernels.broadcast_shapes(a[::-1], b) is not None:
        hints.append(f".T on the first would make {a[::-1]} against {b} -> {kernels.broadcast_shapes(a[::-1], b)}")
    return RuntimeFault(
        f"The size of tensor a ({x[axis]}) must match the size of tensor b ({y[axis]}) at non-singleton dimension {axis}",
        hint="; or ".join(hints) or None,
    )


def op_error(o: Op, args: Sequence[Any], params: dict[str, Any], cause: BaseException) -> BaseException:
    """What an operation's kernel raised, told to the observer."""
    if not isinstance(cause, EngineError) and isinstance(cause, (ValueError, TypeError, IndexError)):
        cause = RuntimeFault(f"{o.public}: {cause}")
    return failed(o, args, cause)


def failed(o: Op, args: Sequence[Any], error: Any) -> Any:
    """Tell the observer which operation failed; returns the error for raising."""
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].fail_op(o, args, error)
    return error


def observe(
    o: Op, r: Any, args: Sequence[Any], params: dict[str, Any], view_of: Any = None, outputs: Any = None
) -> None:
    """Report a forward operation."""
    n = r._n
    rule = RULES.get(n[BW]) if n is not None else None
    NAMESPACE["_obs"].forward(
        o, n, args, (r,) if outputs is None else tuple(outputs), params, saved=rule.saved if rule is not None else (), view_of=view_of
    )


NAMESPACE.update(
    wrap_output=wrap_output, general=general, operator_general=operator_general, payload_of=payload_of, not_a_tensor=not_a_tensor, shape_error=shape_error, op_error=op_error, observe=observe
)
