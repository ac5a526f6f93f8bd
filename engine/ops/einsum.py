"""einsum: a formula of letters made of products, sums and diagonals."""

from __future__ import annotations

import math
from typing import Any

from engine.errors import RuntimeFault
from engine.ops.op import TENSORS, composite, failed

Tensor = Any


@composite("einsum", method=False, samples=[])
def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products written as an equation: "ij,jk->ik"."""
    ops = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else list(operands)
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ops):
        few = len(terms) < len(ops)
        raise RuntimeFault(f"einsum(): {'more' if few else 'fewer'} operands were provided than specified in the equation")
    wide = max((len(t._s) - len(s.replace("...", "")) for t, s in zip(ops, terms, strict=True) if "..." in s), default=0)
    spare = [chr(0x100 + i) for i in range(wide)]
    full_terms = []
    for t, s in zip(ops, terms, strict=True):
        if "..." in s:
            k = len(t._s) - len(s.replace("...", ""))
            s = s.replace("...", "".join(spare[wide - k :]))
        if len(s) != len(t._s):
            raise RuntimeFault(
                f"einsum(): the number of subscripts in the equation ({len(s)}) does not match the number of dimensions "
                f"({len(t._s)}) for operand {len(full_terms)} and no ellipsis was given"
            )
        full_terms.append(s)
    if arrow:
        result = right.replace("...", "".join(spare))
    else:
        letters = "".join(full_terms)
        result = "".join(spare) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in spare))
    sizes: dict[str, int] = {}
    for place, (t, s) in enumerate(zip(ops, full_terms, strict=True)):
        for c, d in zip(s, t._s, strict=True):
            if sizes.get(c, 1) not in (1, d) and d != 1:
                raise failed(None, ops, RuntimeFault(
                    f"einsum(): subscript {c} has size {d} for operand {place} which does not broadcast with previously "
                    f"seen size {sizes[c]}"))  # fmt: skip
            sizes[c] = d if sizes.get(c, 1) == 1 else sizes[c]
    for c in result:
        if c not in sizes:
            raise RuntimeFault(
                f"einsum(): output subscript {c} does not appear in the equation for any input operand"
            )
    x, labels = _diagonals(ops[0], full_terms[0])
    for i in range(1, len(ops)):
        y, other = _diagonals(ops[i], full_terms[i])
        later = set(result).union(*full_terms[i + 1 :])
        x, labels = _contract(x, labels, y, other, later, sizes, result)
    gone = tuple(i for i, c in enumerate(labels) if c not in result)
    if gone:
        x = TENSORS["sum"](x, gone)
        labels = "".join(c for c in labels if c in result)
    order = tuple(labels.index(c) for c in result)
    return TENSORS["permute"](x, order) if order != tuple(range(len(order))) else x


def _diagonals(x: Tensor, labels: str) -> tuple[Tensor, str]:
    """Repeated labels reduced to their diagonal."""
    for c in sorted(set(labels)):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            x = TENSORS["diagonal"](x, 0, i, j)
            labels = labels[:i] + labels[i + 1 : j] + labels[j + 1 :] + c
    return x, labels


def _contract(
    x: Tensor, a: str, y: Tensor, b: str, later: set[str], sizes: dict[str, int], result: str
) -> tuple[Tensor, str]:
    """One pair: sum what only one operand has, batch what stays in both, multiply the rest as matrices."""
    for c in [c for c in a if c not in b and c not in later]:
        x = TENSORS["sum"](x, a.index(c))
        a = a.replace(c, "")
    for c in [c for c in b if c not in a and c not in later]:
        y = TENSORS["sum"](y, b.index(c))
        b = b.replace(c, "")
    batch = [c for c in a if c in b and c in later]
    inner_labels = [c for c in a if c in b and c not in later]
    only_a, only_b = [c for c in a if c not in b], [c for c in b if c not in a]
    if not inner_labels:  # nothing to sum: a product of elements
        labels = "".join(sorted([*batch, *only_a, *only_b], key=lambda c: result.find(c)))
        return TENSORS["mul"](_aligned(x, a, labels), _aligned(y, b, labels)), labels
    xs = [sizes[c] if c in batch + inner_labels else x._s[a.index(c)] for c in a]
    ys = [sizes[c] if c in batch + inner_labels else y._s[b.index(c)] for c in b]
    if tuple(xs) != x._s:
        x = TENSORS["expand_to"](x, tuple(xs))
    if tuple(ys) != y._s:
        y = TENSORS["expand_to"](y, tuple(ys))
    n, m, k, p = (
        math.prod(sizes[c] for c in group) for group in (batch, only_a, inner_labels, only_b)
    )
    x = TENSORS["permute"](x, tuple(a.index(c) for c in (*batch, *only_a, *inner_labels)))
    y = TENSORS["permute"](y, tuple(b.index(c) for c in (*batch, *inner_labels, *only_b)))
    r = TENSORS["bmm"](TENSORS["reshape"](x, (n, m, k)), TENSORS["reshape"](y, (n, k, p)))
    labels = "".join([*batch, *only_a, *only_b])
    return TENSORS["view"](r, tuple(sizes[c] for c in labels)), labels


def _aligned(x: Tensor, have: str, want: str) -> Tensor:
    """The dimensions in the order wanted, with ones for those it has not."""
    order = tuple(have.index(c) for c in want if c in have)
    if order != tuple(range(len(order))):
        x = TENSORS["permute"](x, order)
    for i, c in enumerate(want):
        if c not in have:
            x = TENSORS["unsqueeze"](x, i)
    return x
