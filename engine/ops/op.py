"""How an operation is declared: a block states forward, derivative per input, node name, LaTeX, samples and documentation.

From it follow the Tensor method, the function, `name_`, `out=`, the catalogue and the tests. What a family file needs
besides can be had from here too.

Note [Rules are formulas]
    A derivative rule is a string over the names of the inputs, `out`, `g`, the parameters, `<input>_shape`, and the
    vocabulary: the array kernels in ARRAYS or, under create_graph, the operations themselves in TENSORS. The same
    string is compiled against both, so second order costs nothing more to write; and which values a node has to
    save follows from the names its rules read.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from typing import Any

from engine.ops.compiler import (
    compile_pointwise,
    compile_structured,
    return_type,
    rules_of,
)  # fmt: skip
from engine.ops.custom import (
    Bundle,
    Custom,
    link,
    port,
    record,
)  # fmt: skip
from engine.ops.general import (
    general,
)  # fmt: skip
from engine.ops.refusals import (
    broadcast_fault,
    failed,
    observe,
    shape_error,
    type_name,
)  # fmt: skip
from engine.ops.registry import (
    ARRAYS,
    BW,
    COMPOSITE_FAILS,
    COMPOSITE_SAMPLES,
    COMPOSITES,
    DEPS,
    E0,
    E1,
    FOLDED,
    GRAD,
    META,
    METHODLESS,
    MISSING,
    NAMESPACE,
    REGISTRY,
    REST,
    RULES,
    SAVED,
    SEQ,
    SHAPE,
    TENSORS,
    Failing,
    Node,
    Op,
    Sample,
    caller,
    freed_function,
)  # fmt: skip


def parse_signature(signature: str) -> tuple[str, list[tuple[str, Any]], int]:
    """`name(a, b=1, *, c=2)` as name, [(argument, default)], and how many of them may be positional."""
    name, _, rest = signature.partition("(")
    tree = ast.parse(f"def f({rest}: pass").body[0]
    assert isinstance(tree, ast.FunctionDef)
    a = tree.args
    out: list[tuple[str, Any]] = []
    defaults: list[Any] = [MISSING] * (len(a.args) - len(a.defaults)) + [ast.literal_eval(d) for d in a.defaults]
    for arg, d in zip(a.args, defaults, strict=True):
        out.append((arg.arg, d))
    for arg, kd in zip(a.kwonlyargs, a.kw_defaults, strict=True):
        out.append((arg.arg, MISSING if kd is None else ast.literal_eval(kd)))
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
        the_op.call = numpy_named(the_op.call, the_op.order)
        return the_op

    if forward is not None:
        code = compile(f"lambda {', '.join(a for a, _ in arguments)}: {forward}", f"<forward of {name}>", "eval")
        return declare(general or eval(code, ARRAYS))
    return declare


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
        code = f.__code__  # inspect.signature would take as long as compiling some blocks does
        public = numpy_named(f, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        for n in (key, *aliases):
            COMPOSITES[n] = public
            TENSORS[n] = f
            if not method:
                METHODLESS.add(n)
        return f

    return declare


NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}
"""What torch calls by another name and takes by NumPy's too: x.argmax(axis=1), x.sum(1, keepdims=True)."""


def numpy_named(f: Callable[..., Any], known: Sequence[str]) -> Callable[..., Any]:
    """f for programs: its arguments `known` by NumPy's names as well. Rules and other operations call f itself."""
    names = {theirs: ours for theirs, ours in NUMPY_NAMES.items() if ours in known and theirs not in known}
    if not names:
        return f

    @functools.wraps(f)
    def named(*args: Any, **kwargs: Any) -> Any:
        for theirs in kwargs.keys() & names.keys() if kwargs else ():
            kwargs[names[theirs]] = kwargs.pop(theirs)
        return f(*args, **kwargs)

    return named


def _in_order(o: Op, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel, which takes inputs first, as formulas call it: arguments in the order of the signature."""
    places = [o.order.index(a) for a in (*o.inputs, *o.params)]

    def ordered(*args: Any) -> Any:
        return kernel(*[args[i] for i in places])

    return ordered


__all__ = [  # what family files use
    "ARRAYS", "BW", "Bundle", "Custom", "DEPS", "E0", "E1", "FOLDED", "Failing", "GRAD", "META", "NAMESPACE",
    "Node", "REGISTRY", "REST", "RULES", "SAVED", "SEQ", "SHAPE", "Sample", "TENSORS", "broadcast_fault",
    "composite", "failed", "freed_function", "general", "link", "observe", "op", "port", "record", "return_type",
    "rules_of", "shape_error", "type_name",
]  # fmt: skip
