"""A tensor taken apart into views: one node with several outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import IndexFault, RuntimeFault
from engine.ops.axes import axis_of
from engine.ops.op import (
    META,
    NAMESPACE,
    TENSORS,
    Bundle,
    Custom,
    Node,
    Sample,
    composite,
    link,
    port,
    record,
)  # fmt: skip
from engine.ops.shape import MATRIX

Array = Any
Tensor = Any


def pieces_arrays(n: Node, g: Bundle) -> tuple[Any, ...]:
    meta = n[META]
    whole = np.zeros(meta["shapes"][0], meta["type"])
    for i, p in g.parts.items():
        whole[meta["where"][i]] = p
    return (whole,)


def pieces_tensors(n: Node, g: Bundle) -> tuple[Any, ...]:
    meta = n[META]
    total = None
    for i, p in g.parts.items():
        part = TENSORS["put_at"](p, meta["shapes"][0], meta["where"][i])
        total = part if total is None else total + part
    return (total,)


def pieces(o: Any, rule: Custom, input: Tensor, where: list[Any], params: dict[str, Any]) -> tuple[Tensor, ...]:
    a = input._array()
    arrays = [a[(*w, ...)] for w in where]
    node = link(rule, (input,), tuple(p.shape for p in arrays), {"where": where, "type": a.dtype})
    out = []
    for i, p in enumerate(arrays):
        r = TENSORS["wrap_array"](p)
        r._n = None if node is None else port(node, i, p.shape)
        NAMESPACE["link_view"](r, input, PIECE, {"where": where[i]})
        out.append(r)
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].forward(o, node, (input,), tuple(out), params, saved=(), view_of=input)
    return tuple(out)


def _piece(input: Array, where: Any) -> Array:
    r = input[(*where, ...)]
    return r


PIECE = record("piece", "One of several views of a tensor.", node="SliceBackward0", latex="", kernel=_piece, inputs=("input",))
SPLIT = record("split", "Views of equal parts along a dimension.", node="SplitBackward0", inputs=("input",),
               latex=r"\operatorname{split}({input})", view=True)  # fmt: skip
SPLIT_SIZES = record("split_with_sizes", "Views of parts of given sizes along a dimension.", node="SplitWithSizesBackward0",
                     latex=r"\operatorname{split}({input})", inputs=("input",), public="split", view=True)  # fmt: skip
UNBIND = record("unbind", "A view for each index of a dimension.", node="UnbindBackward0", inputs=("input",),
                latex=r"\operatorname{unbind}({input})", view=True)  # fmt: skip
SPLIT_RULE = Custom(SPLIT, pieces_arrays, pieces_tensors)
SPLIT_SIZES_RULE = Custom(SPLIT_SIZES, pieces_arrays, pieces_tensors)
UNBIND_RULE = Custom(UNBIND, pieces_arrays, pieces_tensors)


def ranges(d: int, lengths: Any) -> list[Any]:
    out, start = [], 0
    for n in lengths:
        out.append((*(slice(None),) * d, slice(start, start + n)))
        start += n
    return out


@composite("split", samples=[Sample((MATRIX,), {"split_size_or_sections": 2, "dim": 1}),
                             Sample((MATRIX,), {"split_size_or_sections": [1, 2], "dim": 1})])  # fmt: skip
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along a dimension: of one size, or of given sizes."""
    if not tensor._s:
        raise RuntimeFault("split expects at least a 1-dimensional tensor")
    d = axis_of(dim, len(tensor._s))
    n = tensor._s[d]
    if isinstance(split_size_or_sections, (list, tuple)):
        if sum(split_size_or_sections) != n:
            raise RuntimeFault(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), but got "
                f"split_sizes={list(split_size_or_sections)}"
            )
        return pieces(SPLIT_SIZES, SPLIT_SIZES_RULE, tensor, ranges(d, split_size_or_sections), {"dim": dim})
    k = int(split_size_or_sections)
    if k < 0 or (k == 0 and n):
        raise RuntimeFault(f"split expects split_size be non-negative, but got split_size={k}"
                           if k < 0 else f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")  # fmt: skip
    lengths = [min(k, n - i) for i in range(0, n, k)] if n else [0]
    return pieces(SPLIT, SPLIT_RULE, tensor, ranges(d, lengths), {"split_size": k, "dim": dim})


@composite("chunk", samples=[Sample((MATRIX,), {"chunks": 2, "dim": 1})], aliases=("unsafe_chunk",))
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal parts along a dimension."""
    if not input._s:
        raise RuntimeFault("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeFault(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = axis_of(dim, len(input._s))
    n = input._s[d]
    return split(input, -(-n // chunks) if n else [0] * chunks, d)


@composite("tensor_split", samples=[])
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts that may differ by one element, or cut at given indices."""
    d = axis_of(dim, len(input._s))
    n = input._s[d]
    if isinstance(indices_or_sections, int):
        k, extra = divmod(n, indices_or_sections)
        cuts = []
        at = 0
        for i in range(indices_or_sections - 1):
            at += k + (i < extra)
            cuts.append(at)
    else:
        cuts = [int(i) for i in indices_or_sections]
    bounds = [0, *cuts, n]
    return tuple(TENSORS["slice"](input, d, a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True))


@composite("unbind", samples=[Sample((MATRIX,)), Sample((MATRIX,), {"dim": 1})])
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """A view for each index of a dimension."""
    if not input._s:
        raise IndexFault("Dimension specified as 0 but tensor has no dimensions")
    d = axis_of(dim, len(input._s))
    where = [(*(slice(None),) * d, i) for i in range(input._s[d])]
    return pieces(UNBIND, UNBIND_RULE, input, where, {"dim": dim}) if where else ()
