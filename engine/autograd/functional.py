"""Entry points of differentiation: backward, grad, jacobian, hessian and their kin."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from engine.autograd import backward as walk
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.op import E0, NAMESPACE, TENSORS

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
    out = []
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
            g = walk.revive(kernels.box(one, o._s) if type(o._a) is ndarray else one, None, o._s)
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
            watch.seed(o, o._n, walk._array(g, o._s), keep, create_graph, None if targets is None else list(targets.values()))
    before = NAMESPACE["grad_on"]
    NAMESPACE["grad_on"] = create_graph
    anomaly = _nan_watch if NAMESPACE.get("anomaly_on", False) and NAMESPACE.get("anomaly_nan", True) else None
    try:
        return walk.run(
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
    return walk.revive(g, None, t._s)


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
    for t in ins:
        g = found.get(id(t._n))
        if g is None:
            if materialize_grads:
                result.append(TENSORS["zeros_like"](t))
                continue
            if not allow_unused:
                raise RuntimeFault(
                    "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
                    "this is the desired behavior."
                )
            result.append(None)
        else:
            result.append(_result(g, t, create_graph))
    return tuple(result)


TENSORS["backward"] = backward
