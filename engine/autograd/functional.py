"""Entry points of differentiation: backward, grad, jacobian, hessian and their kin."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from engine.autograd.nodes import array_of, revive
from engine.autograd.walk import run
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.registry import E0, NAMESPACE, TENSORS

Tensor = Any

NOTHING = "element 0 of tensors does not require grad and does not have a grad_fn"


def _as_tuple(x: Any) -> tuple[Any, ...]:
    if x is None:
        return ()
    return tuple(x) if isinstance(x, (list, tuple)) else (x,)


def _gradients(outputs: tuple[Tensor, ...], given: Any) -> list[Tensor | None]:
    """One gradient an output: given, or 1 for scalars."""
    tensor = NAMESPACE["Tensor"]
    if given is None:
        grads: tuple[Any, ...] = (None,) * len(outputs)
    else:
        grads = _as_tuple(given)
    if len(grads) != len(outputs):
        raise RuntimeFault(f"got {len(outputs)} tensors and {len(grads)} gradients")
    out: list[Any] = []
    for i, (o, g) in enumerate(zip(outputs, grads, strict=True)):
        if g is None:
            if o._n is None:
                out.append(None)
                continue
            if o._a.size != 1:
                raise RuntimeFault(
                    "grad can be implicitly created only for scalar outputs",
                    hint=f"reduce it first ({'loss.sum().backward()'} or .mean()), or pass a gradient of its shape: "
                    f"backward(torch.ones({', '.join(map(str, o._s))}))",
                )
            one = o._a.dtype.type(1.0)
            g = revive(kernels.box(one, o._s) if type(o._a) is ndarray else one, None, o._s)
        elif not isinstance(g, tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g._s != o._s:
            raise RuntimeFault(
                f"Mismatch in shape: grad_output[{i}] has a shape of torch.Size({list(g._s)}) and output[{i}] has a shape of "
                f"torch.Size({list(o._s)})."
            )
        elif g._a.dtype != o._a.dtype:
            g = TENSORS["cast"](g, o._a.dtype)
        out.append(g)
    return out


def _differentiate(
    outputs: tuple[Tensor, ...],
    given: Any,
    keep: bool,
    create_graph: bool,
    targets: dict[int, Any] | None,
    accumulating: bool,
) -> dict[int, Any]:
    grads = _gradients(outputs, given)
    for i, o in enumerate(outputs):
        if o._n is None:
            raise RuntimeFault(
                NOTHING.replace("element 0", f"element {i}"),
                hint="no input of this value was made with requires_grad=True, or it was detached (.data, .detach(), "
                ".item(), no_grad) on the way",
            )
    watch = NAMESPACE["_watch"]
    roots = [o._n for o in outputs]
    if watch is not None:
        for o, g in zip(outputs, grads, strict=True):
            watch.seed(o, o._n, array_of(g, o._s), keep, create_graph, None if targets is None else list(targets.values()))
    before = NAMESPACE["grad_on"]
    NAMESPACE["grad_on"] = create_graph
    anomaly = _nan_watch if NAMESPACE.get("anomaly_on", False) and NAMESPACE.get("anomaly_nan", True) else None
    try:
        return run(
            roots,
            [g if create_graph else g._a for g in grads],  # type: ignore[union-attr]
            keep=keep,
            create_graph=create_graph,
            targets=targets,
            accumulating=accumulating,
            anomaly=anomaly,
        )
    finally:
        NAMESPACE["grad_on"] = before


def _nan_watch(n: Any, results: Any) -> None:
    """Anomaly mode: raise where the first nan appears."""
    import numpy as np

    for i, x in enumerate(results):
        if x is None:
            continue
        a = getattr(x, "_a", x)
        if np.isnan(a).any():
            raise RuntimeFault(f"Function '{NAMESPACE['node_name'](n)}' returned nan values in its {i}th output.")


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Sum of gradients of `tensors` with respect to the leaves (or to `inputs`), added to their .grad."""
    outputs = _as_tuple(tensors)
    wanted = None
    if inputs is not None:
        chosen = _as_tuple(inputs)
        if not chosen:
            raise RuntimeFault("`inputs` argument to `backward()` cannot be empty.")
        for t in chosen:
            if t._n is None:
                raise RuntimeFault("One of the differentiated Tensors does not require grad")
        wanted = {id(t._n): t for t in chosen}
    keep = create_graph if retain_graph is None else retain_graph
    found = _differentiate(
        outputs, grad_tensors if grad_tensors is not None else grad_variables, keep, create_graph, wanted, True
    )
    if wanted is not None:
        for key, t in wanted.items():
            if t._n[E0] is not None and found.get(key) is not None:
                g = _result(found[key], t, create_graph)
                old = t.__dict__.get("_retained")
                t.__dict__["_retained"] = g if old is None else old + g


def _result(g: Any, t: Tensor, create_graph: bool) -> Tensor:
    if isinstance(g, NAMESPACE["Tensor"]):
        return g
    if type(g) is ndarray or kernels.numel(t._s) != 1:
        g = kernels.full(g, t._s)
        g = g.copy() if g.base is not None else g
        g = kernels.unbox(g)
    return revive(g, None, t._s)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Sum of gradients of `outputs` with respect to each of `inputs`, returned and not accumulated."""
    outs, ins = _as_tuple(outputs), _as_tuple(inputs)
    if not ins:
        raise ValueError("grad requires non-empty inputs.")
    for t in ins:
        if t._n is None:
            raise RuntimeFault(
                "One of the differentiated Tensors does not require grad", hint="call x.requires_grad_() before using x"
            )
    keep = create_graph if retain_graph is None else retain_graph
    found = _differentiate(outs, grad_outputs, keep, create_graph, {id(t._n): t for t in ins}, False)
    result: list[Tensor | None] = []
    for i, t in enumerate(ins):
        g = found.get(id(t._n))
        if g is None:
            if materialize_grads:
                result.append(TENSORS["zeros_like"](t))
                continue
            if not allow_unused:
                raise RuntimeFault(
                    f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                    "allow_unused=True if this is the desired behavior."
                )
            result.append(None)
        else:
            result.append(_result(g, t, create_graph))
    return tuple(result)


TENSORS["backward"] = backward


# ---- torch.autograd.functional ---------------------------------------------------------------------------------


def _enter(inputs: Any, create_graph: bool) -> tuple[bool, tuple[Tensor, ...]]:
    """Inputs as leaves of a graph of their own, or views of the caller's graph under create_graph."""
    single = not isinstance(inputs, (tuple, list))
    fresh = []
    for x in (inputs,) if single else inputs:
        if create_graph and x._n is not None:
            fresh.append(TENSORS["alias"](x))
        else:
            t = revive(x._a, None, x._s)
            t.requires_grad_()
            fresh.append(t)
    return single, tuple(fresh)


def _leave(x: Any, create_graph: bool) -> Any:
    if isinstance(x, tuple):
        return tuple(_leave(e, create_graph) for e in x)
    return x if create_graph else x.detach()


def _enabled(f: Any) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        before, NAMESPACE["grad_on"] = NAMESPACE["grad_on"], True
        try:
            return f(*args, **kwargs)
        finally:
            NAMESPACE["grad_on"] = before

    wrapper.__name__ = wrapper.__qualname__ = f.__name__
    wrapper.__doc__ = f.__doc__
    return wrapper


@_enabled
def jacobian(
    func: Any, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """All derivatives of func's outputs with respect to its inputs."""
    single_in, ins = _enter(inputs, create_graph)
    result = func(*ins)
    single_out = not isinstance(result, (tuple, list))
    outs = (result,) if single_out else tuple(result)
    rows = []
    for o in outs:
        parts: list[list[Tensor]] = [[] for _ in ins]
        flat = TENSORS["reshape"](o, -1)
        for i in range(flat._s[0]):
            gs: tuple[Any, ...] = (None,) * len(ins)
            if flat._n is not None:
                gs = grad(TENSORS["select"](flat, 0, i), ins, retain_graph=True, create_graph=create_graph, allow_unused=True)
            for k, (g, x) in enumerate(zip(gs, ins, strict=True)):
                parts[k].append(TENSORS["zeros_like"](x) if g is None else g)
        rows.append(
            tuple(
                TENSORS["reshape"](TENSORS["stack"](p, 0) if p else TENSORS["zeros_like"](x), (*o._s, *x._s))
                for p, x in zip(parts, ins, strict=True)
            )
        )
    table: Any = _leave(tuple(rows), create_graph)
    if single_in:
        table = tuple(r[0] for r in table)
    return table[0] if single_out else table


@_enabled
def hessian(
    func: Any, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """All second derivatives of a scalar function."""
    single, _ = _enter(inputs, create_graph)

    def first(*ins: Tensor) -> Any:
        out = func(*ins)
        if out._a.size != 1:
            raise RuntimeError(
                "The Tensor returned by the function given to hessian should contain a single element"
            )
        gs = grad(TENSORS["reshape"](out, ()), ins, create_graph=True, allow_unused=True)
        found = tuple(TENSORS["zeros_like"](x) if g is None else g for g, x in zip(gs, ins, strict=True))
        return found[0] if single else found

    return jacobian(first, inputs, create_graph)


@_enabled
def vjp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """func's value and v times its jacobian."""
    single, ins = _enter(inputs, create_graph)
    out = func(*ins)
    gs = grad(out, ins, v, create_graph=create_graph, allow_unused=True, materialize_grads=True)
    return _leave(out, create_graph), _leave(gs[0] if single else gs, create_graph)


@_enabled
def jvp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """func's value and its jacobian times v, by differentiating twice."""
    _, ins = _enter(inputs, create_graph)
    out = func(*ins)
    seed = TENSORS["zeros_like"](out).requires_grad_()
    gs = grad(out, ins, seed, create_graph=True, allow_unused=True, materialize_grads=True)
    vs = _as_tuple(v) if v is not None else tuple(TENSORS["ones_like"](x) for x in ins)
    (result,) = grad(gs, seed, vs, create_graph=create_graph, allow_unused=True, materialize_grads=True)
    return _leave(out, create_graph), _leave(result, create_graph)


@_enabled
def hvp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """func's value and its hessian times v."""
    single, ins = _enter(inputs, create_graph)
    out = func(*ins)
    first = grad(out, ins, create_graph=True, allow_unused=True, materialize_grads=True)
    gs = grad(first, ins, _as_tuple(v), create_graph=create_graph, allow_unused=True, materialize_grads=True)
    return _leave(out, create_graph), _leave(gs[0] if single else gs, create_graph)


vhp = hvp  # the hessian of a smooth function is symmetric
