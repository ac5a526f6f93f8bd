"""Asks a torch (the real one, or ours) what a line of tests/parity/nn.txt gives; knows neither of them by name.

A line is code, then ` ## ` and its inputs as expressions: `f(3, 4, 1)` normal numbers of that shape (the last number
seeds them), `u(...)` numbers in [0, 1), anything else literal. `⏎` stands for a line break. The code leaves its
answer in `r`: a text, a tensor, or a list of tensors. Floating point inputs require a gradient.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

NET = """
class N(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 3)
        self.b = nn.Sequential(nn.ReLU(), nn.Linear(3, 1))
        self.register_buffer("buf", torch.ones(2))
        self.register_buffer("np_", torch.ones(2), persistent=False)
        self.p = nn.Parameter(torch.zeros(2))
        self.k = 3
    def forward(self, x):
        return self.b(self.a(x))
m = N()
"""


def normals(*shape: int) -> Any:
    """Normal float32 numbers; the last argument seeds them."""
    return np.random.RandomState(shape[-1]).randn(*shape[:-1]).astype(np.float32)


def units(*shape: int) -> Any:
    """Float32 numbers in [0, 1); the last argument seeds them."""
    return np.random.RandomState(shape[-1]).rand(*shape[:-1]).astype(np.float32)


NAMES = {"f": normals, "u": units, "np": np, "nan": math.nan, "inf": math.inf}


def chain(tensor: Any) -> str:
    """The graph behind a tensor as text: node names, shared nodes as #number, leaves as `leaf`."""
    seen: dict[Any, int] = {}
    alive = []

    def walk(node: Any) -> str:
        if node is None:
            return "-"
        name = node.name().split("::")[-1]
        if "AccumulateGrad" in name:
            return "leaf"
        if node in seen:
            return f"#{seen[node]}"
        seen[node] = len(seen)
        alive.append(node)
        below = [walk(next_node) for next_node, _ in node.next_functions]
        while below and below[-1] == "-":  # torch lists edges of missing biases
            below.pop()
        return f"{name}({', '.join(below)})"

    return walk(tensor.grad_fn) if tensor.requires_grad else "no graph"


def rounded(tensor: Any) -> dict[str, Any]:
    """A tensor as shape, dtype and numbers of six digits."""
    flat = np.array(tensor.detach().tolist(), dtype=float).reshape(-1)
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype),
        "values": [float(f"{v:.6g}") if math.isfinite(v) else str(v) for v in flat],
    }


def _inputs(text: str, torch: Any) -> dict[str, Any]:
    given = eval(f"dict({text})", NAMES) if text else {}
    tensors = {}
    for name, value in given.items():
        a = np.asarray(value)
        if a.dtype == np.float64 and not isinstance(value, np.ndarray):
            a = a.astype(np.float32)
        t = torch.tensor(a.tolist(), dtype=getattr(torch, str(a.dtype)))
        tensors[name] = t.requires_grad_() if a.dtype.kind == "f" else t
    return tensors


def _gradients(torch: Any, results: list[Any], leaves: list[tuple[str, Any]]) -> dict[str, Any]:
    """First and second derivatives of a weighted sum of the results."""
    total: Any = 0
    for i, result in enumerate(results):
        if result.requires_grad:
            weights = np.cos(np.arange(math.prod(result.shape)) + i) + 1.5
            weight = torch.tensor(weights.reshape(tuple(result.shape)).tolist(), dtype=result.dtype)
            total = total + (result * weight).sum()
    variables = [v for _, v in leaves]
    names = [k for k, _ in leaves]
    first = torch.autograd.grad(total, variables, create_graph=True, allow_unused=True)
    out = {"first": {k: None if g is None else rounded(g) for k, g in zip(names, first, strict=True)}}
    squares = [(g * g).sum() for g in first if g is not None and g.requires_grad]
    if squares:
        try:
            second = torch.autograd.grad(sum(squares), variables, allow_unused=True)
            out["second"] = {k: None if g is None else rounded(g) for k, g in zip(names, second, strict=True)}
        except (RuntimeError, NotImplementedError) as e:
            out["second"] = {"error": str(e).split("\n")[0]}
    return out


def answer(line: str, torch: Any, nn: Any, functional: Any) -> dict[str, Any]:
    """What this torch says to one line: values, graph, gradients, warnings, or the error."""
    code, _, text = line.partition(" ## ")
    code = code.replace("⏎", "\n")
    torch.manual_seed(0)
    names = {"torch": torch, "nn": nn, "F": functional, "np": np, **_inputs(text, torch)}
    leaves = [(k, v) for k, v in names.items() if isinstance(v, torch.Tensor) and v.requires_grad]
    if code.startswith("@net "):
        code = NET + code[5:]
    said: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(code, names)
        except Exception as e:
            kind = type(e).__name__
            said["error"] = [kind, str(e)]
        else:
            result = names.get("r")
            if isinstance(result, str):
                said["text"] = result
            results = [x for x in (result if isinstance(result, (tuple, list)) else [result]) if isinstance(x, torch.Tensor)]
            if results:
                said["values"] = [rounded(x) for x in results]
                said["graph"] = [chain(x) for x in results]
                for name, value in list(names.items()):
                    if isinstance(value, nn.Module):
                        leaves += [(f"{name}.{k}", p) for k, p in value.named_parameters() if p.requires_grad]
                if any(x.requires_grad for x in results) and leaves:
                    try:
                        said["gradients"] = _gradients(torch, results, leaves)
                    except RuntimeError as e:
                        said["gradients"] = {"error": str(e).split("\n")[0]}
    said["warnings"] = [str(w.message).split(" (Triggered")[0] for w in caught]
    return said
