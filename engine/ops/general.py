"""The general path of elementwise operations: promotion, 0-dim categories, any number of inputs, parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.ops import kernels
from engine.ops.refusals import not_a_tensor, observe, op_error, shape_error
from engine.ops.registry import (
    ARRAYS,
    BW,
    META,
    NAMESPACE,
    RULES,
    SAVED,
    SHAPE,
    TENSORS,
    Node,
    Op,
    Rule,
    freed_function,
    names_in,
)  # fmt: skip


def operator_general(o: Op, args: tuple[Any, ...], params: dict[str, Any], out: Any = None) -> Any:
    """`general` behind Python's operators."""
    if not isinstance(args[1], (NAMESPACE["Tensor"], float, int, np.generic)):
        if type(args[1]) is not ndarray:
            return NotImplemented
        args = (args[0], TENSORS["as_tensor"](args[1]))
    return general(o, args, params, out)


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
            types = tuple(a._a.dtype if isinstance(a, tensor_class) else None for a in args)
            meta = (tuple(shapes), types, params, _converted(o, rule, args, arrays))
            r._n = [
                NAMESPACE["seq"](), rule.release, edges[0], edges[1] if len(edges) > 1 else None,
                tuple(edges[2:]) if len(edges) > 2 else None, 0, None, s, meta, *(kept[n] for n in rule.saved),
            ]  # fmt: skip
    if NAMESPACE["_obs"] is not None:
        observe(o, r, args, params)
    return r if out is None else NAMESPACE["store"](out, r)


def _converted(o: Op, rule: Rule, args: Sequence[Any], arrays: Sequence[Any]) -> tuple[tuple[str, Any], ...]:
    """What was saved in another dtype than given: the given payloads, so that a change of them is noticed."""
    tensor_class = NAMESPACE["Tensor"]
    return tuple(
        (n, a._a) for n, a, saved in zip(o.inputs, args, arrays, strict=True)
        if n in rule.saved and isinstance(a, tensor_class) and a._a.dtype != saved.dtype
    )  # fmt: skip


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
        shapes, types, params, _ = n[META]
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
