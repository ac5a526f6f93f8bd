"""Asks PyTorch which input cells an op's output cells depend on, and how strongly: tests/golden/torch/origins.json.

Each case is an expression that is one node of the graph. Beside its Jacobians, as torch.autograd.functional.jacobian gives
them in float64, stands the trace that our engine writes of it, for tests/js/origins.test.js.

    python -m tests.parity.freeze_origins
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

import engine
from engine.ops.registry import REGISTRY
from engine.trace.run import run

SHAPES = {
    "x": (3, 4), "y": (3, 4), "w": (4, 2), "u": (4,), "c": (3, 1), "a": (2, 3, 4), "b": (2, 4, 2), "h": (2, 3), "p": (2,),
    "img": (2, 2, 5, 4), "wide": (2, 4, 4, 3), "k": (3, 2, 2, 3), "kg": (4, 2, 2, 2), "kb": (3,), "sig": (2, 2, 6), "k1": (3, 2, 2), "q": (3, 4),
}  # fmt: skip
SETUP = """idx = torch.tensor([[0, 1], [2, 3], [1, 1]])
rows = torch.tensor([2, 0])
target = torch.tensor([0, 3, 1])
mask = torch.tensor([[True, False, True, False], [False, True, True, False], [True, True, False, True]])
"""
CASES = [
    "x * y", "x + c", "u - x", "x / 3.0", "torch.sigmoid(x)", "x ** 2", "torch.where(mask, x, y)",
    "x.sum()", "x.sum(1)", "x.sum(0, keepdim=True)", "a.sum((0, 2))", "x.mean()", "x.mean(-1)", "a.mean((0, 1), keepdim=True)",
    "x.var(1)", "x.var()", "x.std(1)", "x.prod(1)", "x.logsumexp(1)", "x.norm()", "x.norm(dim=1)", "x.cumsum(1)", "x.cumprod(0)",
    "x.max()", "x.max(1)[0]", "x.max(0, keepdim=True)[0]", "x.min(-1)[0]", "x.amax(1)", "x.amin(0, keepdim=True)", "x.median(1)[0]",
    "x.sort(1)[0]", "x.topk(2, 1)[0]", "x.kthvalue(2, 0)[0]", "x.cummax(1)[0]",
    "x @ w", "x @ u", "u.dot(y[0])", "a.bmm(b)", "torch.addmm(p, x, w)", "torch.addmm(p, x, w, beta=0.5, alpha=2.0)", "torch.baddbmm(p, a, b)",
    "torch.addmv(c[:, 0], x, u)",
    "F.conv2d(img, k, kb)", "F.conv2d(img, k, kb, stride=2, padding=1)", "F.conv2d(wide, kg, None, padding=1, dilation=2, groups=2)", "F.conv1d(sig, k1)",
    "F.max_pool2d(img, 2)", "F.max_pool2d(img, 3, stride=2, padding=1)", "F.avg_pool2d(img, 2)", "F.avg_pool2d(img, 3, stride=2, padding=1)",
    "F.avg_pool2d(img, 3, stride=2, padding=1, count_include_pad=False)", "F.avg_pool2d(img, 3, stride=2, padding=1, ceil_mode=True)",
    "F.softmax(x, 1)", "F.softmax(x, 0)", "F.log_softmax(x, -1)",
    "torch.cat([x, y], 0)", "torch.cat([x, c, y], 1)", "torch.stack([x, y], 1)", "x.split(2, 1)[1]", "x.split([1, 3], 1)[1]", "x.chunk(2, 1)[0]", "a.unbind(1)[2]",
    "x[0]", "x[:, -2]", "x[:, 1:3]", "x[::2]", "x[rows]", "x[:, rows]", "x[rows, rows + 1]", "x[mask]", "x[None]", "x.gather(1, idx)",
    "x.index_select(1, rows)", "F.embedding(idx, q[:, :2].repeat(2, 1))",
    "x.reshape(2, 6)", "x.flatten()", "x.view(4, 3)", "x.unsqueeze(1)", "c.squeeze()", "x.t()", "a.transpose(0, 2)", "a.permute(2, 0, 1)",
    "u.expand(3, 4)", "c.expand(3, 5)", "u.repeat(2, 2)", "a.flip(0, 2)", "x.roll(1, 0)", "x.roll(5)", "x.tril()", "x.triu(1)", "F.pad(x, (1, 2))",
    "F.pad(x, (0, 1, 2, 0))", "torch.diag(x[:, :3])", "x.clone()", "x.double()",
    "F.mse_loss(x, y)", "F.mse_loss(x, y, reduction='sum')", "F.mse_loss(x, y, reduction='none')", "F.nll_loss(x, target)",
    "F.nll_loss(x, target, reduction='none')", "F.nll_loss(x, target, ignore_index=3)", "F.smooth_l1_loss(x, y)", "F.huber_loss(x, y, delta=0.5)",
    "F.binary_cross_entropy(q, q.detach() / 2 + 0.2)", "F.binary_cross_entropy_with_logits(x, y)",
    "F.layer_norm(x, (4,), u, y[1])", "F.batch_norm(img, None, None, p, p + 1, training=True)", "F.group_norm(wide, 2)", "F.glu(x, 1)",
]  # fmt: skip


def values(library: Any, name: str) -> Any:
    """Numbers without pattern: no ties, no zeros; q between 0 and 1."""
    size = 1
    for n in SHAPES[name]:
        size *= n
    start = sum(map(ord, name))
    numbers = [round(((start + 7 * i) * 37 % 101) / 51 - 0.97 + i / 1000, 3) for i in range(size)]
    if name == "q":
        numbers = [round(0.08 + abs(n) * 0.4, 3) for n in numbers]
    return library.tensor(numbers, dtype=library.float32).reshape(SHAPES[name])


def trace(expression: str) -> list[dict[str, Any]]:
    """What our recorder says of it; the gradient that comes in is 1, 2, 3 …"""
    used = [name for name in SHAPES if is_used(name, expression)]
    lines = [f"{n} = torch.tensor({values(engine, n).tolist()}, requires_grad=True)" for n in used]
    back = "r.backward((torch.arange(r.numel()) + 1.0).reshape(r.shape).to(r.dtype))"
    code = "\n".join(["import torch", "import torch.nn.functional as F", SETUP, *lines, f"r = {expression}", back, ""])
    out: list[bytes] = []
    run(code, emit=out.append)
    events = [json.loads(line) for line in b"".join(out).splitlines()]
    assert all(e["kind"] != "fail" for e in events), (expression, events[-1])
    plain = ("at", "via", "saved", "seq")
    return [{k: v for k, v in e.items() if k not in plain} for e in events if e["kind"] not in ("begin", "step", "print", "end")]


def is_used(name: str, expression: str) -> bool:
    words = "".join(c if c.isalnum() or c == "_" else " " for c in expression).split()
    return name in words


def dependence(expression: str) -> dict[str, Any]:
    """Per tensor of the expression: its Jacobian, (cells of the output) x (cells of the input), by torch."""
    used = [name for name in SHAPES if is_used(name, expression)]
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exec(SETUP, names)
    found = {}
    for name in used:
        rest = {n: values(torch, n).double() for n in used}

        def of(value: torch.Tensor, name: str = name, rest: dict[str, Any] = rest) -> torch.Tensor:
            result: torch.Tensor = eval(expression, {**names, **rest, name: value})
            return result.double()

        with torch.enable_grad():
            jacobian = torch.autograd.functional.jacobian(of, rest[name])
        rows = jacobian.reshape(-1, rest[name].numel())
        found[name] = [[[i, float(f"{v:.6g}")] for i, v in enumerate(row) if v] for row in rows.tolist()]
    return found


def main() -> None:
    path = Path(__file__).resolve().parent.parent / "golden/torch/origins.json"
    cases = []
    for expression in CASES:
        events = trace(expression)
        made = [e for e in events if e["kind"] == "forward" and e.get("node") is not None]
        flags = {e["op"]: REGISTRY[e["op"]].pointwise for e in made}
        jacobian = dependence(expression)
        cases.append({"expression": expression, "events": events, "elementwise": flags, "jacobian": jacobian})
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{text}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
