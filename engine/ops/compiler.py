"""Makes fast functions out of blocks: the public function of an operation and the backward functions of its nodes.

See Note [Rules are formulas] in op.py, Note [Layout of a node] in registry.py.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

from numpy import ndarray

from engine.ops import kernels
from engine.ops.formulas import arrays_formula, define, finished
from engine.ops.general import general, operator_general
from engine.ops.refusals import not_a_tensor, observe, op_error, shape_error
from engine.ops.registry import MISSING, NAMESPACE, REGISTRY, RULES, TENSORS, Op, Rule, freed_function, names_in


def _local_names(o: Op) -> set[str]:
    names = {"g", "out", *o.inputs, *o.params, *o.aux}
    return names | {f"{n}_shape" for n in (*o.inputs, "out")}


_made: dict[tuple[str, tuple[str, ...], str], tuple[Rule, str]] = {}


def _make_rule(o: Op, names: tuple[str, ...], flavour: str) -> tuple[Rule, str]:
    """Generate the backward functions of one flavour, once; returns the rule and the name of its function."""
    found = _made.get((o.name, names, flavour))
    if found is not None and found[0].op is o:
        return found
    used: set[str] = set()
    for n in names:
        used |= names_in(o.rules[n])
    saved = tuple(n for n in (*o.inputs, "out", *o.aux) if n in used)
    rule = Rule(o, names, saved, flavour)
    index = len(RULES)
    keep_name, free_name = f"keep_{index}", f"bw_{index}"
    rule.keep = define(lambda: _rule_source(rule, keep_name, used, ""), keep_name, o.name)
    if saved:
        NAMESPACE[f"freed_{index}"] = rule.freed = freed_function()
        rule.release = define(lambda: _rule_source(rule, free_name, used, f"freed_{index}"), free_name, o.name)
    else:
        rule.release = rule.freed = rule.keep
    NAMESPACE[free_name] = rule.release
    for f in (rule.release, rule.keep, rule.freed):
        RULES[f] = rule
    _made[o.name, names, flavour] = rule, free_name
    return rule, free_name


def rules_of(name: str) -> dict[tuple[str, ...], Rule]:
    """A structured operation's rules, by the inputs that get a gradient."""
    finished(TENSORS[name])
    return {rule.names: rule for rule in RULES.values() if rule.op is REGISTRY[name]}


def _rule_source(rule: Rule, name: str, used: set[str], freed: str) -> str:
    """The text of a backward function; with `freed`, of one that lets go of what was saved."""
    o, flavour, saved = rule.op, rule.flavour, rule.saved
    local = _local_names(o)
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
    for n in rule.names:
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
    release = [f"n[1] = {freed}", *free] if freed else []
    body = "\n    ".join([*head, *release, f"return {', '.join(results)}"])
    return f"def {name}(n, g):\n    {body}"


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
    NAMESPACE[f"OP_{o.name}"] = o
    return define(lambda: _pointwise_source(o, operator), o.name, o.name)


def _pointwise_source(o: Op, operator: bool) -> str:
    local = {*o.inputs, *o.params}
    assert o.forward is not None
    expr_s = arrays_formula(o.quick.get("S", {}).get("out") or o.forward, local, "S")
    expr_a = arrays_formula(o.forward, local, "A")
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
            if not so: pass
            elif not s: s = so
            elif type({x}) is F or type({y}) is F:
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
    return src


def _signature(o: Op) -> str:
    """The arguments of a generated function, in the order of the block's signature, `out` the last."""
    parts = []
    star = False
    for p in o.order:
        if p in o.keyword_only and not star:
            parts.append("*")
            star = True
        d = None if p in o.optional else o.params.get(p, MISSING)
        parts.append(p if d is MISSING else f"{p}={d!r}")
    return ", ".join([*parts, *([] if star else ["*"]), "out=None"])


def compile_structured(o: Op) -> Callable[..., Any]:
    """The public function of a structured operation, around its array kernel."""
    NAMESPACE[f"OP_{o.name}"] = o
    NAMESPACE[f"K_{o.name}"] = o.kernel
    return define(lambda: _structured_source(o), o.name, o.name)


def _structured_source(o: Op) -> str:
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
    return src


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


NAMESPACE.update(
    wrap_output=wrap_output, general=general, operator_general=operator_general, payload_of=payload_of, not_a_tensor=not_a_tensor, shape_error=shape_error, op_error=op_error, observe=observe
)
