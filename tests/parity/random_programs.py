"""Random straight-line programs of 5 to 20 ops, run by PyTorch and by the engine, and compared.

Needs an installed torch, so it belongs to `make parity`, never to `make test`. A program is text: what fails
is printed as a script that can be pasted into either. It is grown against torch itself, one line at a time,
so every op is drawn to fit the shapes at hand, and now and then deliberately not to fit: then class and
message of the error are compared.

    python -m tests.parity.random_programs --programs 500 --seed 1
"""

from __future__ import annotations

import argparse
import importlib
import math
import random
import re
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

SHAPES: tuple[tuple[int, ...], ...] = (
    (), (1,), (3,), (4,), (2, 3), (3, 1), (1, 3), (3, 3), (3, 4), (4, 2), (2, 3, 4), (1, 3, 1), (2, 1, 4), (0,), (2, 0),
)  # fmt: skip
VALUES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -1.5, 3.25, 0.1, -0.7, 1e-3)

# Templates over the names of tensors at hand: {a} any float tensor, {b} another, {d} a dim, {i} an int tensor's dim.
# Ops whose derivative is chaotic near their inputs' singularities are composed with something that tames them.
UNARY = (
    "-{a}", "{a}.abs()", "{a}.exp().clamp(max=50.)", "torch.log({a}.abs() + 1)", "{a}.sin()", "{a}.cos()", "{a}.tanh()",
    "torch.sigmoid({a})", "torch.relu({a})", "{a} ** 2", "{a} ** 3", "({a}.abs() + 0.5) ** 0.5", "{a}.square()",
    "({a} * {a} + 1).sqrt()", "({a} * {a} + 1).rsqrt()", "1 / ({a}.abs() + 1)", "{a}.clamp(-1, 1)", "{a}.clamp(min=0.)",
    "{a} * 2", "3 - {a}", "{a} / 4", "0.5 * {a}", "{a} + 1", "2 ** {a}.clamp(-3, 3)", "{a}.expm1().clamp(max=20.)",
    "torch.log1p({a}.abs())", "{a}.atan()", "{a}.sinh().clamp(-9, 9)", "torch.erf({a})", "{a}.sign() * {a}",
    "{a}.round()", "{a}.floor() + {a}", "torch.where({a} > 0, {a}, {a} * 0.1)", "{a}.masked_fill({a} < 0, 0.25)",
    "F.gelu({a})", "F.silu({a})", "F.softplus({a})", "F.leaky_relu({a}, 0.1)", "F.elu({a})", "{a}.detach() * {a}",
    "{a}.clone()", "{a}.nan_to_num()", "torch.lerp({a}, {a} * 2, 0.3)", "{a}.reciprocal().clamp(-4, 4)",
)  # fmt: skip
BINARY = (
    "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / ({b}.abs() + 1)", "torch.maximum({a}, {b})", "torch.minimum({a}, {b})",
    "torch.add({a}, {b}, alpha=2)", "torch.where({a} > {b}, {a}, {b})", "torch.addcmul({a}, {a}, {b}, value=0.5)",
    "({a}.abs() + 1) ** ({b}.clamp(-2, 2))", "torch.atan2({a}, {b}.abs() + 1)", "{a} @ {b}", "torch.matmul({a}, {b})",
    "torch.cat([{a}, {b}], {d})", "torch.stack([{a}, {b}], {d})", "torch.lerp({a}, {b}, 0.25)", "torch.outer({a}, {b})",
    "torch.mm({a}, {b})", "F.mse_loss({a}, {b})", "torch.dot({a}, {b})",
)  # fmt: skip
REDUCE = (
    "{a}.sum()", "{a}.mean()", "{a}.sum({d})", "{a}.sum({d}, keepdim=True)", "{a}.mean({d})", "{a}.mean({d}, keepdim=True)",
    "{a}.var()", "{a}.std({d})", "{a}.var({d}, unbiased=False)", "{a}.prod()", "{a}.prod({d})", "{a}.max()", "{a}.min()",
    "{a}.max({d}).values", "{a}.min({d})[0]", "{a}.amax({d})", "{a}.norm()", "{a}.norm(dim={d})", "torch.logsumexp({a}, {d})",
    "{a}.cumsum({d})", "{a}.cumprod({d})", "torch.softmax({a}, {d})", "torch.log_softmax({a}, {d})", "{a}.median()",
    "{a}.sort({d}).values", "{a}.argmax({d})", "{a}.topk(1, {d}).values", "{a}.sum({d}, dtype=torch.float64)",
)  # fmt: skip
SHAPING = (
    "{a}.reshape(-1)", "{a}.flatten()", "{a}.t()", "{a}.T", "{a}.unsqueeze({d})", "{a}.squeeze()", "{a}.squeeze({d})",
    "{a}.transpose({d}, 0)", "{a}.transpose(-1, {d})", "{a}[0]", "{a}[..., 0]", "{a}[1:]", "{a}[:, 1]", "{a}[None]", "{a}[::2]",
    "{a}[-1]", "{a}.flip(0)", "{a}.roll(1, {d})", "{a}.expand(2, *{a}.shape)", "{a}.repeat(2, 1)", "{a}.view(-1, 1)",
    "{a}.permute(*range({a}.dim() - 1, -1, -1))", "torch.tril({a})", "torch.triu({a}, 1)", "{a}.diagonal()", "torch.diag({a})",
    "{a}.split(2, {d})[0]", "{a}.chunk(2, {d})[-1]", "{a}.unbind({d})[0]", "{a}.narrow({d}, 0, 1)", "{a}.index_select({d}, torch.tensor([0, 0]))",
    "{a}[torch.tensor([0, 0])]", "{a}[{a} > 0]", "{a}.gather({d}, torch.zeros_like({a}, dtype=torch.long))", "{a}.movedim(0, {d})",
    "{a}.broadcast_to(2, *{a}.shape)", "{a}.contiguous()", "{a}.double()", "{a}.float()", "{a}.view({a}.shape)",
)  # fmt: skip
INPLACE = (
    "{c}.mul_(2)", "{c}.add_({b})", "{c}[0] = 0.5", "{c} += 1", "{c}.clamp_(-1, 1)", "{c}.zero_()", "{c}[..., 0] *= 3",
    "{c}.copy_({b})", "{c}.neg_()", "{c}[{c} > 0] = 0.1", "{c}.sub_({b}, alpha=0.5)", "{c}.tanh_()", "{c}.fill_(0.3)",
)  # fmt: skip
# functions of nn.functional and tensors of other dtypes; {n} is an integer tensor
WIDE = (
    "F.l1_loss({a}, {b})", "F.smooth_l1_loss({a}, {b})", "F.huber_loss({a}, {b}, delta=0.5)", "F.mse_loss({a}, {b}, reduction='sum')",
    "F.binary_cross_entropy_with_logits({a}, {b}.sigmoid())", "F.binary_cross_entropy({a}.sigmoid(), {b}.sigmoid().detach())",
    "F.cross_entropy({a}, torch.zeros({a}.shape[0], dtype=torch.long))", "F.nll_loss(F.log_softmax({a}, -1), torch.ones({a}.shape[0], dtype=torch.long))",
    "F.kl_div(F.log_softmax({a}, -1), F.softmax({b}, -1), reduction='batchmean')", "F.cosine_similarity({a}, {b}, dim={d})",
    "F.layer_norm({a}, {a}.shape[-1:])", "F.normalize({a}, dim={d})", "F.hinge_embedding_loss({a}, {b}.sign())", "F.pad({a}, (1, 2))",
    "F.batch_norm({a}, None, None, training=True)", "F.max_pool1d({a}, 2)", "F.avg_pool1d({a}, 2)", "F.adaptive_avg_pool1d({a}, 1)",
    "F.conv1d({a}, {b})", "F.linear({a}, {b})", "F.hardtanh({a})", "F.softsign({a})", "F.mish({a})", "F.selu({a})", "F.relu6({a})",
    "F.logsigmoid({a})", "F.tanhshrink({a})", "F.softshrink({a})", "F.hardshrink({a})", "F.celu({a})", "F.hardswish({a})", "F.glu({a}, {d})",
    "torch.einsum('ij,jk->ik', {a}, {b})", "torch.einsum('i,j->ij', {a}, {b})", "torch.einsum('...i->...', {a})", "torch.einsum('ij->ji', {a})",
    "torch.cat([{a}, ({b} > 0)], {d})", "torch.cat([{a}, {b}.long()], {d})", "torch.where({a} > 0, {a}, {b}.double())", "{a} * ({b} > 0)",
    "{a} + {b}.long()", "{a}.long() * {b}", "({a} > {b}).float() * {a}", "({a} > 0).sum() * {a}", "{a}.masked_select({b} > 0)", "{a}.detach()",
    "({a} > 0).any() + {a}", "{a}.argmax() + {a}", "{a}[torch.tensor([True])]", "{a}.to(torch.float64) * {b}", "{a}.half().float()",
    "torch.addmm({b}, {a}, {a})", "torch.baddbmm({b}, {a}, {a})", "torch.bmm({a}, {b})", "torch.mv({a}, {b})", "{a}.addcdiv({a}, {b}.abs() + 1)",
    "torch.scatter_add({a}, {d}, torch.zeros_like({a}, dtype=torch.long), {a})", "{a}.diff(dim={d})", "{a}.tile(2)", "{a}.unflatten({d}, (1, -1))",
    "{a}.amin({d}, keepdim=True)", "{a}.logcumsumexp({d})", "{a}.cummax({d}).values", "torch.linalg.norm({a})", "{a}.trace()", "{a}.nansum()",
    "torch.autograd.grad({a}.sum(), {a}, create_graph=True)[0] * {a}",
)  # fmt: skip
# what stands alone: modes, flags, second passes
STATEMENTS = (
    "with torch.no_grad(): {c} += 1", "with torch.no_grad(): z = {a} * 2", "{c}.detach().mul_(2)", "{c}.requires_grad_(False)",
    "{c}.retain_grad()", "{a}.sum().backward(retain_graph=True)", "{a}.backward()", "{c}.data.mul_(2)", "{c}.masked_fill_({c} > 0, 1.0)",
    "{c}.index_fill_(0, torch.tensor([0]), 2.0)", "{c}.div_({b})", "{c}.pow_(2)", "{c}.mul_({b}.double())", "{c}.t_()", "{c}.squeeze_()",
    "{c}[0] = {b}", "{c}[:, 0] = {b}", "{c}[1:] += {b}", "{c}.view(-1)[0] = 3.0", "{c}.add_(1).mul_(2)", "{c}.requires_grad_()",
)  # fmt: skip
SECOND = (
    "g = torch.autograd.grad({r}, {x}, create_graph=True, allow_unused=True)[0]\nh = None if g is None else (g * g).sum()\n"
    "if h is not None and h.requires_grad: h.backward()",
    "{r}.backward(retain_graph=True)\n{r}.backward()", "{r}.backward()\n{r}.backward()",
)  # fmt: skip


def _literal(shape: tuple[int, ...], draw: random.Random) -> str:
    """A nested list of `shape` as text."""
    if not shape:
        return repr(draw.choice(VALUES))
    return "[" + ", ".join(_literal(shape[1:], draw) for _ in range(shape[0])) + "]"


def _namespace(torch: ModuleType) -> dict[str, Any]:
    return {"torch": torch, "F": importlib.import_module(torch.__name__ + ".nn.functional")}


def _attempt(act: Callable[[], Any]) -> BaseException | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            act()
        except Exception as error:  # whatever torch raises is the answer
            return error
    return None


def grow(draw: random.Random, torch: ModuleType, *, wide: bool = False) -> list[str]:
    """The lines of one program. It is executed by torch while it grows; its last line may be one that fails.

    wide  also losses, layers, other dtypes, modes and second derivatives
    """
    scope = _namespace(torch)
    lines: list[str] = []
    names: list[str] = []

    def add(line: str, name: str | None = None) -> bool:
        failed = _attempt(lambda: exec(line, scope))
        lines.append(line)
        if failed is None and name is not None:
            made = scope[name]
            if isinstance(made, torch.Tensor) and made.dtype.is_floating_point and made.numel() < 200:
                if made.numel() == 0 or float(made.detach().abs().max()) < 1e4:
                    names.append(name)
        return failed is None

    for index in range(draw.randint(1, 3)):
        shape = draw.choice(SHAPES)
        grad = ", requires_grad=True" if draw.random() < 0.8 else ""
        dtype = ", dtype=torch.float64" if draw.random() < 0.15 else ""
        empty = 0 in shape
        value = f"torch.zeros({shape}{dtype}{grad})" if empty else f"torch.tensor({_literal(shape, draw)}{dtype}{grad})"
        add(f"x{index} = {value}", f"x{index}")
    leaves = list(names)
    for index in range(draw.randint(5, 20)):
        weights = (5, 6, 3, 4, 1, 6, 1) if wide else (5, 6, 3, 4, 1, 0, 0)
        family = draw.choices((UNARY, BINARY, REDUCE, SHAPING, INPLACE, WIDE, STATEMENTS), weights)[0]
        a, b = draw.choice(names), draw.choice(names[-4:])
        dims = max(1, scope[a].dim())
        d = draw.randint(-dims, dims - 1) if draw.random() < 0.97 else dims + 1
        if family is INPLACE or family is STATEMENTS:
            made = [n for n in names if n not in leaves] or names
            if not add(draw.choice(family).format(a=a, b=b, c=draw.choice(made))):
                if family is INPLACE or draw.random() < 0.3:
                    return lines
                lines.pop()
            continue
        if not add(f"y{index} = " + draw.choice(family).format(a=a, b=b, d=d), f"y{index}"):
            if draw.random() < 0.1:
                return lines
            lines.pop()
    made = [n for n in names if n not in leaves and scope[n].requires_grad]
    if made:
        last = made[-1]
        root = last if scope[last].dim() == 0 and draw.random() < 0.5 else f"{last}.sum()"
        if wide and draw.random() < 0.5:
            for line in draw.choice(SECOND).format(r=root, x=draw.choice(leaves)).split("\n"):
                if not add(line):
                    break
        else:
            add(f"{root}.backward()")
    return lines


def _close(expected: Any, got: Any) -> bool:
    if isinstance(expected, float) and isinstance(got, float):
        if math.isnan(expected) or math.isnan(got):
            return math.isnan(expected) and math.isnan(got)
        return expected == got or abs(expected - got) <= 2e-4 * max(1e-2, abs(expected))
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(_close, expected, got))
    return bool(expected == got)


def _describe(value: Any) -> tuple[str, str, Any]:
    """(dtype and shape, node name, values) of a tensor."""
    node = type(value.grad_fn).__name__ if value.grad_fn is not None else "-"
    if hasattr(value.grad_fn, "name"):
        node = value.grad_fn.name()
    flags = f"requires_grad={value.requires_grad} leaf={value.is_leaf}"
    return f"{value.dtype} {tuple(value.shape)} {flags}", node, value.detach().tolist()


def _message(error: BaseException) -> str:
    """The message without what differs by build: addresses and torch's own source positions."""
    return re.sub(r"0x[0-9a-f]+", "0x", str(error)).split("\nException raised from")[0].strip()


# where the engine answers otherwise and is known to: the beginning of a difference's words (a regular expression), and why
KNOWN: dict[str, str] = {
    r"`.*baddbmm": "baddbmm: operands that do not fit are refused in other words",
    r"`.*addmm": "addmm: of several things wrong with the operands another one is told first",
    r"`.*max_pool1d": "max_pool1d: empty input is refused in other words, or not at all",
    r"`.*index_fill_": "index_fill_: a 0-dim tensor is refused",
    r"`.*\[1:\] \+= .*(?s:.)*single memory location": "x[1:] += x: operands that overlap in part are not looked for",
    r"after .*(reciprocal|atan2).* = ": "selu(-0.0) is 0.0; -0.0 in torch",
}
# what the comparison does not look at
UNSEEN = (
    "A piece of split(), chunk() or unbind() whose base was changed in place: torch refuses to use it, the engine to look at its node "
    "or to go back through it.",
    "The nodes of views after a change under no_grad(), of .data or of .detach(): torch makes them anew (AsStridedBackward0), the engine keeps them.",
)  # fmt: skip


def known(found: str) -> bool:
    """Whether a difference is one of those listed."""
    return any(re.match(pattern, found) for pattern in KNOWN)


def answer(lines: list[str], lib: ModuleType) -> dict[str, Any]:
    """What a library says to a program: after each line the tensors that are new or changed, or the error; the gradients."""
    scope = _namespace(lib)
    steps: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    for line in lines:
        error = _attempt(lambda line=line: exec(line, scope))
        if error is not None:
            steps.append({"error": [type(error).__name__, _message(error)]})
            break
        step: dict[str, Any] = {}
        for name in [n for n in scope if re.fullmatch(r"[xy]\d+", n)]:
            value = scope[name]
            if not isinstance(value, lib.Tensor):
                continue
            refused = _attempt(lambda value=value: value.grad_fn)  # one of several views whose base was changed
            seen = ("refused", _message(refused), None) if refused is not None else _describe(value)
            if not _equal(last.get(name), seen):
                step[name] = last[name] = list(seen)
        steps.append(step)
    grads = {}
    for name in [n for n in scope if n.startswith("x")]:
        grad = scope[name].grad
        grads[name] = None if grad is None else [list(grad.shape), grad.tolist()]
    return {"steps": steps, "grads": grads}


def _equal(old: Any, new: Any) -> bool:
    """Whether a tensor is as it was; nan is equal to nan."""
    return old is not None and tuple(old[:2]) == tuple(new[:2]) and repr(old[2]) == repr(new[2])


def difference(lines: list[str], expected: dict[str, Any], got: dict[str, Any]) -> str | None:
    """The first difference between two answers in words, or None."""
    quiet = False
    state: dict[str, Any] = {}
    for line, e, g in zip(lines, expected["steps"], got["steps"], strict=False):
        quiet = quiet or "no_grad" in line or ".detach()" in line or ".data" in line
        wanted, raised = e.get("error"), g.get("error")
        if wanted != raised:
            if wanted is None:
                return f"`{line}` raised {raised[0]}: {raised[1]}"
            if raised is None:
                return f"`{line}` should raise {wanted[0]}: {wanted[1]}"
            return f"`{line}` raised\n    {raised[0]}: {raised[1]}\n  torch:\n    {wanted[0]}: {wanted[1]}"
        if wanted is not None:
            break
        for name in {**e, **g}:
            old = state.get(name)
            left, right = e.get(name) or (old and old[0]), g.get(name) or (old and old[1])
            if left is None or right is None:
                return f"after `{line}`: {name} is missing on one side"
            state[name] = (left, right)
            if left[0] != right[0]:
                return f"after `{line}`: {name} is {right[0]}, torch {left[0]}"
            # a change nobody tracks: torch makes the views' nodes anew all the same
            if left[1] != right[1] and not (quiet and left[1] == "AsStridedBackward0"):
                return f"after `{line}`: {name} node {right[1]}, torch {left[1]}"
            if not _close(left[2], right[2]):
                return f"after `{line}`: {name} = {right[2]}, torch {left[2]}"
    if expected["grads"] is None:
        return None
    for name, left in expected["grads"].items():
        right = (got["grads"] or {}).get(name)
        if (left is None) != (right is None) or (left is not None and not _close(left, right)):
            return f"{name}.grad = {right}, torch {left}"
    return None


def compare(lines: list[str], torch: ModuleType, engine: ModuleType) -> str | None:
    """Runs the program twice; the first difference in words, or None."""
    return difference(lines, answer(lines, torch), answer(lines, engine))


def shorten(lines: list[str], torch: ModuleType, engine: ModuleType) -> list[str]:
    """The program without the lines its difference does not need."""
    place = len(lines) - 1
    while place >= 0:
        fewer = lines[:place] + lines[place + 1 :]
        found = compare(fewer, torch, engine)
        if found is not None and "NameError" not in found:
            lines = fewer
        place -= 1
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wide", action="store_true", help="losses, layers, dtypes, modes and second derivatives too")
    parser.add_argument("--show", type=int, default=10, help="how many differences to print in full")
    options = parser.parse_args()
    torch, engine = importlib.import_module("torch"), importlib.import_module("engine")
    different: dict[str, list[tuple[int, str, list[str]]]] = {}
    for number in range(options.programs):
        lines = grow(random.Random(options.seed * 1_000_003 + number), torch, wide=options.wide)
        found = compare(lines, torch, engine)
        if found and not known(found):
            key = re.sub(r"[xy]\d+|[-\d.e]+", "#", found)[:90]
            different.setdefault(key, []).append((number, found, lines))
    count = sum(map(len, different.values()))
    for _key, cases in sorted(different.items(), key=lambda item: -len(item[1]))[: options.show]:
        number, _found, lines = min(cases, key=lambda case: len(case[2]))
        lines = shorten(lines, torch, engine)
        print(f"--- program {number} ({len(cases)} alike)\n" + "\n".join(lines) + f"\n  => {compare(lines, torch, engine)}\n")
    print(f"{options.programs - count} passed, {count} failed")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
