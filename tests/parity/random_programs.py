"""Random straight-line programs of 5 to 20 ops, run by PyTorch and by the engine, and compared.

Needs an installed torch, so it belongs to `make parity`, never to `make test`. A program is text: what fails
is printed as a script that can be pasted into either. It is grown against torch itself, one line at a time,
so every op is drawn to fit the shapes at hand, and now and then deliberately not to fit: then class and
message of the error are compared.

    python -m tests.parity.random_programs --programs 500 --seed 1 --kind layers
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
IMAGES: tuple[tuple[int, ...], ...] = (
    (2, 2, 4, 4), (1, 1, 3, 3), (2, 3, 2, 3), (1, 4, 2, 2), (2, 3, 4), (3, 1, 2), (2, 3), (3, 3), (4, 2), (1, 2), (0, 2, 3, 3),
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
# layers, windows over images, recurrence; what is drawn follows from the program's seed
LAYERS = (
    "F.conv2d({a}, torch.linspace(-1, 1, 8 * {a}.shape[1]).reshape(2, {a}.shape[1], 2, 2), padding=1)",
    "F.conv2d({a}, torch.linspace(-1, 1, 18 * {a}.shape[1]).reshape(2, {a}.shape[1], 3, 3), torch.tensor([0.5, -1.0]), stride=2, padding=1)",
    "F.conv2d({a}, torch.ones({a}.shape[1], 1, 2, 2), groups={a}.shape[1])", "F.conv1d({a}, torch.ones(2, {a}.shape[1], 2))",
    "F.conv_transpose2d({a}, torch.linspace(-1, 1, 8 * {a}.shape[1]).reshape({a}.shape[1], 2, 2, 2), stride=2)",
    "F.max_pool2d({a}, 2)", "F.max_pool2d({a}, 3, stride=1, padding=1)", "F.avg_pool2d({a}, 2)", "F.avg_pool2d({a}, 2, 1, 1)",
    "F.adaptive_avg_pool2d({a}, (1, 2))", "F.adaptive_max_pool2d({a}, 2)", "F.interpolate({a}, scale_factor=2)",
    "F.interpolate({a}, size=(3, 3), mode='bilinear')", "F.pad({a}, (1, 1, 0, 2))", "F.pad({a}, (1, 1), mode='replicate')",
    "F.pad({a}, (1, 0, 1, 1), mode='circular')", "F.unfold({a}, 2)", "F.group_norm({a}, 1)", "F.instance_norm({a})",
    "F.dropout({a}, 0.5)", "F.dropout({a}, 0.3, training=False)", "nn.Linear({a}.shape[-1], 3)({a})", "nn.LayerNorm({a}.shape[-1])({a})",
    "nn.Conv2d({a}.shape[1], 2, 2)({a})", "nn.BatchNorm2d({a}.shape[1])({a})", "nn.BatchNorm1d({a}.shape[1])({a})", "nn.PReLU()({a})",
    "nn.RNN({a}.shape[-1], 2)({a})[0]", "nn.GRU({a}.shape[-1], 2, num_layers=2, batch_first=True)({a})[0]",
    "nn.LSTM({a}.shape[-1], 2)({a})[1][0]", "nn.GRU({a}.shape[-1], 2, bidirectional=True)({a})[1]", "nn.LSTMCell({a}.shape[-1], 2)({a})[1]",
    "nn.GRUCell({a}.shape[-1], 2)({a})", "nn.RNNCell({a}.shape[-1], 2, nonlinearity='relu')({a})", "nn.Embedding(5, 2)({a}.long().clamp(0, 4))",
    "nn.MultiheadAttention({a}.shape[-1], 1)({a}, {a}, {a})[0]", "nn.Flatten()({a})",
    "nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Dropout(0.2))({a})", "nn.Softmax(dim={d})({a})", "nn.Bilinear({a}.shape[-1], {b}.shape[-1], 2)({a}, {b})",
    "F.scaled_dot_product_attention({a}, {a}, {a})", "F.scaled_dot_product_attention({a}, {a}, {a}, is_causal=True)", "F.one_hot({a}.long().clamp(0, 2))",
    "F.cross_entropy({a}, {a}.argmax(1))", "F.triplet_margin_loss({a}, {b}, {a} + 1)", "F.cosine_embedding_loss({a}, {b}, torch.ones({a}.shape[0]))",
    "F.embedding({a}.long().clamp(0, 1), {b})", "F.gumbel_softmax({a}, dim={d})", "torch.rand_like({a}) * {a}", "torch.bernoulli({a}.sigmoid().detach())",
    "{a}[torch.randperm({a}.shape[0])]", "torch.normal({a}, 1.0)", "torch.linalg.inv({a} + 3 * torch.eye({a}.shape[-1]))", "torch.linalg.det({a})",
    "torch.linalg.solve({a} + 4 * torch.eye({a}.shape[-1]), {b})", "torch.linalg.svdvals({a})", "torch.cdist({a}, {b})", "torch.einsum('bi,bj->bij', {a}, {b})",
)  # fmt: skip
# what is assigned, changed through views, written with out=, and looked at by hooks
CHANGES = (
    "{c}[0, 1] = 2.0", "{c}[:, -1] = {b}", "{c}[torch.tensor([0, 1])] = 0.5", "{c}[{c} > 0] = {b}", "{c}[..., ::2] *= 2", "{c}[1:].mul_(3)",
    "{c}[None][0].add_(1)", "{c}.t().add_(1)", "{c}.view(-1)[1] = 1.0", "{c}.transpose(0, 1)[0].zero_()", "{c}.narrow(0, 0, 1).fill_(2)",
    "{c}.select(0, 0).sub_({b})", "{c}.diagonal().add_(1)", "{c}.unsqueeze(0).mul_({b})", "{c}.flatten()[0] = 1.0", "{c}[:] = {b}",
    "{c}.index_put_((torch.tensor([0]),), torch.tensor(1.5))", "{c}.scatter_({d}, torch.zeros_like({c}, dtype=torch.long), 1.0)",
    "{c}.index_add_(0, torch.tensor([0]), {b})", "{c}.index_copy_(0, torch.tensor([0]), {b})", "{c}.masked_fill_({b} > 0, 0.5)", "{c}[0] += {b}",
    "{c}.squeeze()[0] = 1.0", "{c}.swapaxes_(0, 1)", "{c}.fill_diagonal_(2)", "{c}.exp_()", "{c}.relu_()", "{c}.sigmoid_()", "{c}.sqrt_()",
    "{c}.addcmul_({b}, {b}, value=0.1)", "{c}.lerp_({b}, 0.5)", "{c}.clamp_(min=0)", "{c}.abs_()", "{c}.sub_({c}.mean())", "{c}[1:] -= {c}[:1]",
    "{c}[[0, -1]] = {b}", "{c}[:, [0]] = 1.0", "{c}[0][0] = 3.0", "{c}.add_({b}).mul_({b})", "F.relu({c}, inplace=True)", "nn.ReLU(True)({c})",
    "{c}.register_hook(lambda g: g * 2)", "{a}.register_hook(lambda g: g.clamp(-1, 1))", "{c}.retain_grad()", "{c}.grad_fn.register_hook(lambda i, o: None)",
    "{c}.register_hook(lambda g: None)", "torch.add({a}.detach(), 1, out={c})", "with torch.no_grad(): torch.mul({a}, 2, out={c})",
    "torch.add({a}, {b}, out=torch.empty(0))", "with torch.no_grad(): {c}.copy_({b})", "with torch.no_grad(): {c}[0] = 1.0", "{c}.detach_()", "{c}.data = {b}",
    "{c}.requires_grad_(True)", "{c}.grad = None", "{a}.sum().backward(retain_graph=True)", "{c}.normal_()", "{c}.uniform_(-1, 1)", "{c}.bernoulli_(0.5)",
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
    torch.manual_seed(7)
    nn = importlib.import_module(torch.__name__ + ".nn")
    return {"torch": torch, "nn": nn, "F": importlib.import_module(torch.__name__ + ".nn.functional")}


def _attempt(act: Callable[[], Any]) -> BaseException | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            act()
        except Exception as error:  # whatever torch raises is the answer
            return error
    return None


# how often each family is drawn, by the kind of program
FAMILIES = (UNARY, BINARY, REDUCE, SHAPING, INPLACE, WIDE, STATEMENTS, LAYERS, CHANGES)
KINDS = {
    "plain": (5, 6, 3, 4, 1, 0, 0, 0, 0),
    "wide": (5, 6, 3, 4, 1, 6, 1, 0, 0),  # also losses, other dtypes, modes and second derivatives
    "layers": (3, 2, 2, 3, 1, 2, 0, 12, 1),  # also images, recurrence, layers
    "changes": (3, 4, 2, 4, 3, 1, 1, 0, 9),  # also assignments, views changed in place, out=, hooks
}


def grow(draw: random.Random, torch: ModuleType, kind: str = "plain") -> list[str]:
    """The lines of one program. It is executed by torch while it grows; its last line may be one that fails."""
    if kind == "training":
        return train(draw)
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
        shape = draw.choice(IMAGES if kind == "layers" else SHAPES)
        grad = ", requires_grad=True" if draw.random() < 0.8 else ""
        dtype = ", dtype=torch.float64" if draw.random() < 0.15 else ""
        empty = 0 in shape
        value = f"torch.zeros({shape}{dtype}{grad})" if empty else f"torch.tensor({_literal(shape, draw)}{dtype}{grad})"
        add(f"x{index} = {value}", f"x{index}")
    leaves = list(names)
    for index in range(draw.randint(5, 20)):
        family = draw.choices(FAMILIES, KINDS[kind])[0]
        a, b = draw.choice(names), draw.choice(names[-4:])
        dims = max(1, scope[a].dim())
        d = draw.randint(-dims, dims - 1) if draw.random() < 0.97 else dims + 1
        if family in (INPLACE, STATEMENTS, CHANGES):
            made = [n for n in names if n not in leaves] or names
            if not add(draw.choice(family).format(a=a, b=b, c=draw.choice(made), d=d)):
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
        if kind != "plain" and draw.random() < 0.5:
            for line in draw.choice(SECOND).format(r=root, x=draw.choice(leaves)).split("\n"):
                if not add(line):
                    break
        else:
            add(f"{root}.backward()")
    return lines


LAYERS_OF_NETS = (
    "nn.ReLU()", "nn.Tanh()", "nn.Sigmoid()", "nn.GELU()", "nn.LeakyReLU(0.1)", "nn.ELU()", "nn.SiLU()", "nn.Softplus()", "nn.Dropout(0.2)",
    "nn.Identity()", "nn.Hardtanh()", "nn.PReLU()", "nn.LayerNorm({n})", "nn.BatchNorm1d({n})", "nn.Softmax(dim=-1)", "nn.Mish()", "nn.SELU()",
)  # fmt: skip
OPTIMIZERS = (
    "SGD(p, lr=0.1)", "SGD(p, lr=0.05, momentum=0.9)", "SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)", "Adam(p, lr=0.05)",
    "Adam(p, lr=0.05, amsgrad=True)", "AdamW(p, lr=0.05, weight_decay=0.1)", "RMSprop(p, lr=0.02)", "RMSprop(p, lr=0.02, momentum=0.5)",
    "Adagrad(p, lr=0.1)", "Adadelta(p, lr=1.0)", "Adamax(p, lr=0.05)", "NAdam(p, lr=0.05)", "RAdam(p, lr=0.05)", "ASGD(p, lr=0.05)", "Rprop(p, lr=0.02)",
    "Adam([{'params': p[:1], 'lr': 0.1}, {'params': p[1:]}], lr=0.01)", "SGD(p, lr=0.1, maximize=True)",
)  # fmt: skip
SCHEDULERS = (
    "StepLR(optimizer, 2, 0.5)", "ExponentialLR(optimizer, 0.9)", "CosineAnnealingLR(optimizer, 4)", "LambdaLR(optimizer, lambda e: 1 / (e + 1))",
    "MultiStepLR(optimizer, [1, 3], 0.1)", "LinearLR(optimizer, 0.5, total_iters=3)", "OneCycleLR(optimizer, 0.2, total_steps=8)",
)  # fmt: skip
CLASSIFYING = ("CrossEntropyLoss()", "CrossEntropyLoss(label_smoothing=0.1)", "CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]))",
               "CrossEntropyLoss(reduction='sum')", "MultiMarginLoss()")  # fmt: skip
REGRESSING = ("MSELoss()", "L1Loss()", "SmoothL1Loss()", "HuberLoss(delta=0.5)", "MSELoss(reduction='sum')", "BCEWithLogitsLoss()")


def train(draw: random.Random) -> list[str]:
    """A network, a loss, an optimizer, some steps: what a course's first scripts are made of."""
    kind = draw.choice(("dense", "dense", "dense", "image", "recurrent"))
    rows, size = draw.choice((3, 4, 6)), draw.choice((2, 3, 5))
    width = draw.choice((3, 4, 8))
    lines = [f"torch.manual_seed({draw.randint(0, 99)})"]
    if kind == "dense":
        parts = [f"nn.Linear({size}, {width}{', bias=False' if draw.random() < 0.2 else ''})"]
        for _ in range(draw.randint(0, 3)):
            parts.append(draw.choice(LAYERS_OF_NETS).format(n=width))
            if draw.random() < 0.4:
                parts.append(f"nn.Linear({width}, {width})")
        parts.append(f"nn.Linear({width}, 3)")
        data = f"torch.randn({rows}, {size})"
    elif kind == "image":
        parts = [f"nn.Conv2d(1, 2, 3, padding={draw.choice((0, 1))}, stride={draw.choice((1, 2))})", draw.choice(("nn.ReLU()", "nn.BatchNorm2d(2)", "nn.Tanh()"))]
        parts += draw.choice((["nn.MaxPool2d(2)"], ["nn.AvgPool2d(2)"], ["nn.AdaptiveAvgPool2d(1)"], []))
        parts += ["nn.Flatten()", "nn.Linear(SIZE, 3)"]
        data = f"torch.randn({rows}, 1, 6, 6)"
    else:
        cell = draw.choice(("nn.RNN", "nn.GRU", "nn.LSTM"))
        options = draw.choice(("", ", num_layers=2", ", bidirectional=True", ", num_layers=2, dropout=0.3"))
        lines += [
            "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.cell = {cell}({size}, {width}, batch_first=True{options})\n"
            f"        self.head = nn.Linear({width * (2 if 'bidirectional' in options else 1)}, 3)\n"
            "    def forward(self, x):\n        out, _ = self.cell(x)\n        return self.head(out[:, -1])",
            "model = Net()",
        ]  # fmt: skip
        data = f"torch.randn({rows}, 4, {size})"
    if kind != "recurrent":
        net = f"nn.Sequential({', '.join(parts)})"
        if "SIZE" in net:
            cut = f"nn.Sequential({', '.join(parts[:-1])})"
            lines.append(f"SIZE = {cut}(torch.zeros(2, 1, 6, 6)).shape[1]")
        lines.append(f"model = {net}")
    classes = draw.random() < 0.5
    lines.append(f"x0 = {data}")
    lines.append(f"t = torch.randint(0, 3, ({rows},))" if classes else f"t = torch.rand({rows}, 3)")
    lines.append(f"criterion = nn.{draw.choice(CLASSIFYING if classes else REGRESSING)}")
    # behind a normalization a bias has no gradient but rounding, which all but SGD blow up to a whole step
    steady = any("Norm" in line or "MultiMargin" in line for line in lines)
    optimizer = draw.choice(OPTIMIZERS[:3] if steady else OPTIMIZERS)
    if "SGD" not in optimizer:  # the others divide by the gradient's size: in float32 they show its rounding
        lines += ["_ = model.double()", "x0 = x0.double()", *([] if classes else ["t = t.double()"])]
        lines = [line.replace("0.5])", "0.5], dtype=torch.float64)") for line in lines]
    lines += ["p = list(model.parameters())", f"optimizer = torch.optim.{optimizer}"]
    scheduler = draw.random() < 0.4
    if scheduler:
        lines.append(f"scheduler = torch.optim.lr_scheduler.{draw.choice(SCHEDULERS)}")
    hook = draw.random()
    if hook < 0.1:
        lines.append("seen = []\n_ = model.register_forward_hook(lambda m, i, o: seen.append(o.sum().item()))")
    elif hook < 0.2:
        lines.append("seen = []\n_ = model.register_full_backward_hook(lambda m, i, o: seen.append(o[0].abs().sum().item()))")
    elif hook < 0.3:
        lines.append("_ = p[0].register_hook(lambda g: g * 0.5)")
    clip = draw.choice(("", "", "nn.utils.clip_grad_norm_(model.parameters(), 0.5)", "nn.utils.clip_grad_value_(p, 0.1)"))
    for step in range(draw.randint(2, 5)):
        if draw.random() < 0.1:
            lines.append(draw.choice(("model.eval()", "model.train()", "p[0].requires_grad_(False)", "optimizer.zero_grad(set_to_none=False)")))
        lines += [f"y{step} = criterion(model(x0), t)", "optimizer.zero_grad()", f"y{step}.backward()"]
        lines += [clip] if clip else []
        lines += ["optimizer.step()", *(["scheduler.step()"] if scheduler else [])]
    lines += [f"x{i + 1} = p[{i}]" for i in range(3)]
    lines.append("y8 = torch.tensor([v for k, v in sorted(model.state_dict().items()) for v in v.double().reshape(-1).tolist()])")
    lines.append("y9 = torch.tensor([g['lr'] for g in optimizer.param_groups])")
    if hook < 0.2:
        lines.append("y7 = torch.tensor(seen)")
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


def _numbers(grad: Any) -> Any:
    """The values of a gradient; torch's zeros without storage have none to list."""
    try:
        return grad.tolist()
    except RuntimeError:
        return (grad.reshape(-1) + 1 - 1).reshape(grad.shape).tolist()


def _message(error: BaseException) -> str:
    """The message without what differs by build: addresses and torch's own source positions."""
    return re.sub(r"0x[0-9a-f]+", "0x", str(error)).split("\nException raised from")[0].strip()


# where the engine answers otherwise and is known to: the beginning of a difference's words (a regular expression), and why
KNOWN: dict[str, str] = {
    r"`.*(baddbmm|addmm|index_add_|index_copy_)": "of several things wrong with the operands another one is told first, or in other words",
    r"`.*max_pool1d": "max_pool1d: empty input is refused in other words, or not at all",
    r"`.*out=": "out= with something else wrong besides: another thing is told first; a view of an out= that changes its shape is not detached",
    r"after .*Batch": "batch_norm of equal numbers: rounding of a variance that is 0",
    r"after .*LSTM.* node": "torch uses one oneDNN node a layer for an LSTM; here every gate is a node",
    r"after .*scaled_dot_product_attention.* node": "attention over an empty batch: another node",
    r"`.*backward.*should raise RuntimeError: Trying to backward": "a second backward through an index of a leaf alone: torch frees the index, here it works",
    r"`.*interpolate.*backward": "a second backward through a resized empty tensor: torch keeps nothing",
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
    for name in [n for n in scope if re.fullmatch(r"[xy]\d+", n)]:
        value = scope[name]
        if isinstance(value, lib.Tensor) and (value.is_leaf if name[0] == "x" else value.retains_grad):
            grad = value.grad
            grads[name] = None if grad is None else [list(grad.shape), _numbers(grad)]
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
    parser.add_argument("--kind", choices=(*KINDS, "training"), default="plain", help="what the programs are made of")
    parser.add_argument("--show", type=int, default=10, help="how many differences to print in full")
    options = parser.parse_args()
    torch, engine = importlib.import_module("torch"), importlib.import_module("engine")
    different: dict[str, list[tuple[int, str, list[str]]]] = {}
    for number in range(options.programs):
        lines = grow(random.Random(options.seed * 1_000_003 + number), torch, kind=options.kind)
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
