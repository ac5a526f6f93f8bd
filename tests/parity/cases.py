"""What is asked of PyTorch and of the engine alike: every block's samples, in every dtype they make sense in.

One function, `answer`, runs a case with either library and says what came of it: values, dtypes, gradients, second
derivatives, the chain of nodes, or the error. It imports neither; the blocks come from engine's registry, so that
a new block is a new set of cases.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.ops.registry import COMPOSITE_FAILS, COMPOSITE_SAMPLES, REGISTRY, Sample
from engine.ops.samples import Layout, Number
from tests.parity.calls import CALLS
from tests.parity.known import excused

Lib = Any

FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "uint8")
TOLERANCE = {"float32": 2e-5, "float64": 1e-9, "float16": 4e-3, "bfloat16": 4e-2}


@dataclass(frozen=True)
class Case:
    """One call: the public function, its inputs by name in order, its parameters, the dtype of floating or integer inputs."""

    key: str
    public: str
    names: tuple[str, ...]
    order: tuple[str, ...]
    sample: Sample
    dtype: str
    constant: frozenset[str] = frozenset()  # inputs no gradient is asked for, because no rule gives one

    @property
    def block(self) -> str:
        """The block or, with parentheses, the composite function."""
        return self.key.split("/")[0]


def flat(value: Any) -> Iterator[Any]:
    """The numbers of nested sequences."""
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from flat(v)
    else:
        yield value


def kind_of(spec: Any) -> str:
    """float, int or bool: what a specification's numbers are; "none" for what is no tensor."""
    if isinstance(spec, Number) or spec is None:
        return "none"
    numbers = list(flat(spec.value if isinstance(spec, Layout) else spec))
    if any(isinstance(n, float) for n in numbers) or not numbers:
        return "float"
    return "bool" if all(isinstance(n, bool) for n in numbers) else "int"


def listed(spec: Any) -> Any:
    """Tuples as lists: torch.tensor reads both, but only lists of one kind."""
    return [listed(v) for v in spec] if isinstance(spec, (list, tuple)) else spec


def build(lib: Lib, spec: Any, dtype: str, requires_grad: bool) -> Any:
    """The tensor (or number) a specification means."""
    if spec is None:
        return None
    if isinstance(spec, Number):
        return spec.value
    value = spec.value if isinstance(spec, Layout) else spec
    kind = kind_of(spec)
    if kind == "float":
        wanted = dtype if dtype in FLOATS else "float32"
    elif kind == "int":
        wanted = dtype if dtype in INTEGERS else "int64"
    else:
        wanted = "bool"
    t = lib.tensor(listed(value), dtype=getattr(lib, wanted))
    if isinstance(spec, Layout):
        t = t.t().contiguous().t() if spec.how == "transposed" else lib.stack([t, t], -1)[..., 0]
    if requires_grad and kind == "float":
        t = t.detach()
        t.requires_grad_()
    return t


def cases() -> Iterator[Case]:
    """All of them. Where a block has inputs without a derivative, one case asks for a gradient all the same."""
    for name, o in REGISTRY.items():
        constant = frozenset(o.inputs) - frozenset(o.rules) if o.rules else frozenset()
        for i, s in enumerate(o.samples):
            for d in dtypes_of(s):
                yield Case(f"{name}/{i}/{d}", o.public, o.inputs, o.order, s, d, constant)
        for i, f in enumerate(o.fails):
            yield Case(f"{name}/fail{i}/float32", o.public, o.inputs, o.order, Sample(f.inputs, f.params), "float32")
        floating = {n: s for s in o.samples for n, x in zip(o.inputs, s.inputs, strict=False) if n in constant and kind_of(x) == "float"}
        for n, s in floating.items():
            yield Case(f"{name}/tracked_{n}/float32", o.public, o.inputs, o.order, s, "float32", constant - {n})
    for name, samples in COMPOSITE_SAMPLES.items():
        for i, s in enumerate(samples):
            for d in dtypes_of(s):
                yield Case(f"{name}()/{i}/{d}", name, (), (), s, d)
        for i, f in enumerate(COMPOSITE_FAILS[name]):
            yield Case(f"{name}()/fail{i}/float32", name, (), (), Sample(f.inputs, f.params), "float32")


def dtypes_of(s: Sample) -> tuple[str, ...]:
    """The dtypes a sample is run in."""
    specs = [*s.inputs, *(list(s.params["tensors"]) if "tensors" in s.params else [])]
    kinds = {kind_of(x) for x in specs}
    if "float" in kinds:
        return FLOATS
    return INTEGERS if "int" in kinds else ("bool",)


def find(lib: Lib, public: str) -> Callable[..., Any] | None:
    """The function a public name means in a library."""
    if public == "outer_" or not public:
        return None
    for place in (lib, lib.nn.functional, lib.linalg, lib.Tensor):
        target: Any = place
        try:
            for part in public.split("."):
                target = getattr(target, part)
        except (AttributeError, NotImplementedError):
            continue
        if callable(target):
            return target  # type: ignore[no-any-return]
    return None


def call(lib: Lib, f: Callable[..., Any], case: Case, tensors: list[Any]) -> Any:
    """Inputs and parameters by position where the block's order is torch's, else by name."""
    params = dict(case.sample.params)
    if "tensors" in params:
        return f(tensors, **{k: v for k, v in params.items() if k != "tensors"})
    if not case.names:
        return f(*tensors, **params)
    given = dict(zip(case.names, tensors, strict=False))
    everything = {**given, **params}
    leading = case.order[: len(given)] == case.names[: len(given)]
    first, *others = case.names
    tries: list[Callable[[], Any]] = [
        (lambda: f(*tensors, **params)) if leading else (lambda: f(given[first], **{k: given[k] for k in others if k in given}, **params)),
        lambda: f(*[everything[k] for k in case.order if k in everything]),
    ]
    try:
        return tries[0]()
    except TypeError as by_name:
        if not params:
            raise
        try:
            return tries[1]()
        except TypeError:
            raise by_name from None


def seed_for(lib: Lib, out: Any) -> Any:
    """A gradient without symmetries."""
    n = out.numel()
    values = [math.cos(1.7 * i + 0.3) for i in range(n)]
    return lib.tensor(values, dtype=out.dtype).reshape(out.shape)


def chain(out: Any, depth: int = 4) -> list[Any]:
    """Names of the nodes behind a tensor, to a depth."""
    f = out.grad_fn
    if f is None:
        return []

    def walk(node: Any, left: int) -> Any:
        if node is None:
            return None
        name = type(node).__name__
        if left == 0 or not node.next_functions:
            return name
        return [name, *[walk(g, left - 1) for g, _ in node.next_functions]]

    return walk(f, depth)  # type: ignore[no-any-return]


def plain(t: Any) -> Any:
    """A tensor as shape, dtype and numbers that JSON can hold."""
    if t is None:
        return None
    if not hasattr(t, "dtype"):
        return {"python": t}
    wide = t.detach().double() if t.dtype.is_floating_point else t.detach()
    try:
        numbers = wide.reshape(-1).tolist()
    except RuntimeError:  # torch's zeros without storage
        numbers = [0.0] * t.numel()
    values = [repr(v) if isinstance(v, float) and not math.isfinite(v) else v for v in numbers]
    return {"shape": list(t.shape), "dtype": str(t.dtype).removeprefix("torch."), "values": values}


def answer(lib: Lib, case: Case) -> dict[str, Any]:
    """What a library makes of a case."""
    spelled = CALLS.get(case.block)
    f = None if spelled else find(lib, case.public)
    if f is None and spelled is None:
        return {"absent": case.public}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        specs = list(case.sample.params.get("tensors", ())) or list(case.sample.inputs)
        try:
            tensors = [
                build(lib, s, case.dtype, i >= len(case.names) or case.names[i] not in case.constant)
                for i, s in enumerate(specs)
            ]
            result = spelled(lib, tensors, case.sample.params) if spelled else call(lib, f, case, tensors)
        except Exception as e:
            return {"error": torch_class(e), "message": str(e).split("\n")[0]}
        outs = list(result) if isinstance(result, tuple) else [result]
        found: dict[str, Any] = {"outputs": [plain(o) for o in outs]}
        first = next((o for o in outs if getattr(o, "grad_fn", None) is not None), None)
        if first is None or not hasattr(first, "numel"):
            return found
        found["chain"] = chain(first)
        wanted = [t for t in tensors if hasattr(t, "requires_grad") and t.requires_grad]
        try:
            seed = seed_for(lib, first)
            once = lib.autograd.grad(first, wanted, seed, retain_graph=True, allow_unused=True)
            found["grads"] = [plain(g) for g in once]
            gs = lib.autograd.grad(first, wanted, seed, create_graph=True, allow_unused=True)
            tracked = [plain(g) for g in gs]
            if any(unlike(x, y, 1) for x, y in zip(found["grads"], tracked, strict=True)):
                found["tracked"] = tracked  # under create_graph other rules run here: they may not differ
            if case.dtype == "float64":
                live = [g for g in gs if g is not None and g.requires_grad]
                if live:
                    total = sum((g * seed_for(lib, g)).sum() for g in live)
                    second = lib.autograd.grad(total, wanted, allow_unused=True)
                    found["second"] = [plain(g) for g in second]
        except Exception as e:
            found["backward"] = {"error": torch_class(e), "message": str(e).split("\n")[0]}
        return found


def torch_class(e: BaseException) -> str:
    """The error's class, by the name a learner sees."""
    return type(e).__name__


PARTS = ("forward", "gradient", "second", "error")


def asked(theirs: dict[str, Any]) -> tuple[str, ...]:
    """Which parts of an answer there are to compare."""
    if "error" in theirs:
        return ("error",)
    found = ["forward"]
    found += [part for part, name in (("gradient", "grads"), ("second", "second")) if name in theirs]
    return tuple(found + ["error"] if "backward" in theirs else found)


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, str]:
    """Where two answers differ: part -> in words.

    forward   values, dtypes, shapes, the chain of nodes
    gradient  of every input;  second: its derivatives, in float64
    error     class and message, of the call or of its derivative
    """
    if "absent" in ours:
        return {"forward": f"no {ours['absent']} here"}
    if "error" in theirs or "error" in ours:
        a, b = (f"{x.get('error')}: {x.get('message')}" for x in (theirs, ours))
        return {} if a == b else {"error": f"{a} / {b}"}
    said: dict[str, str] = {}
    for part, name in (("forward", "outputs"), ("gradient", "grads"), ("gradient", "tracked"), ("second", "second")):
        a, b = (x.get(name, x.get("grads") if name == "tracked" else None) for x in (theirs, ours))
        if part == "second":
            if "backward" in theirs:
                continue
            a, b = ([zero_as_none(x) for x in v or ()] for v in (a, b))
            if not any(a) and not any(b):
                continue
        if a is None and b is None:
            continue
        if a is None or b is None or len(a) != len(b):
            said[part] = f"{a and len(a)} / {b and len(b)}"
            continue
        words = [unlike(x, y, 20 if part == "second" else 1) for x, y in zip(a, b, strict=True)]
        if any(words) and part not in said:
            said[part] = "; ".join(f"{name}[{i}]: {word}" for i, word in enumerate(words) if word)
    if theirs.get("chain") != ours.get("chain"):
        chains = f"chain {theirs.get('chain')} / {ours.get('chain')}"
        said["forward"] = "; ".join(w for w in (said.get("forward"), chains) if w)
    refusals = [x and f"{x['error']}: {x['message']}" for x in (theirs.get("backward"), ours.get("backward"))]
    if refusals[0] != refusals[1]:
        said["error"] = f"backward {refusals[0]} / {refusals[1]}"
    return said


def unexplained(case: Case, theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, str]:
    """Differences that are not known, and known ones that are none any more."""
    if "absent" in theirs:
        return {}
    found, known = differences(theirs, ours), excused(case.key)
    gone = {part: f"no longer different, remove it from known.py: {why}" for part, why in known.items() if part not in found}
    return gone | {part: words for part, words in found.items() if part not in known}


def zero_as_none(x: Any) -> Any:
    """A second derivative of nothing but zeros and one that does not exist are the same to a learner."""
    return None if x is not None and all(abs(float(v)) < 1e-12 for v in x["values"]) else x


def unlike(x: Any, y: Any, slack: float) -> str | None:
    """How two plain tensors differ, or None."""
    if x is None or y is None:
        return None if x is y else f"{x} / {y}"
    if "python" in x or "python" in y:
        return None if x == y else f"{x} / {y}"
    if x["shape"] != y["shape"] or x["dtype"] != y["dtype"]:
        return f"{x['shape']} {x['dtype']} / {y['shape']} {y['dtype']}"
    limit = TOLERANCE.get(x["dtype"], 0) * slack
    scale = max((abs(float(v)) for v in x["values"] if math.isfinite(float(v))), default=0.0)
    for i, (p, q) in enumerate(zip(x["values"], y["values"], strict=True)):
        p, q = float(p), float(q)
        if (math.isnan(p) and math.isnan(q)) or p == q:
            continue
        if not abs(p - q) <= limit * max(abs(p), min(1.0, scale), 1e-3):
            return f"at {i}: {p!r} / {q!r}"
    return None
