"""What broadcasting makes of shapes: aligned from the right, a rule per axis, the result or the axis that refuses.

Pure: shapes in, a table out. Words are English; `rule` names each case for translations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

Shape = tuple[int, ...]
LETTERS = "abcdefgh"


def written(shape: Shape) -> str:
    """As torch writes it: (3,)."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def align(shapes: Sequence[Shape]) -> list[list[int | None]]:
    """Each shape padded on the left with None to the length of the longest."""
    width = max(len(shape) for shape in shapes)
    return [[None] * (width - len(shape)) + list(shape) for shape in shapes]


def result_of(shapes: Sequence[Shape]) -> Shape | None:
    """The common shape, None when there is none."""
    out = []
    for sizes in zip(*align(shapes), strict=True):
        rest = {size for size in sizes if size not in (None, 1)}
        if len(rest) > 1:
            return None
        out.append(rest.pop() if rest else 1)
    return tuple(out)


def axis_of(index: int, width: int, sizes: Sequence[int | None]) -> dict[str, Any]:
    """One column of the alignment. `dim` counts from the right, as torch's negative numbers do."""
    rest = sorted({size for size in sizes if size not in (None, 1)}, key=str)
    row: dict[str, Any] = {"axis": index, "dim": index - width, "sizes": list(sizes)}
    if len(rest) > 1:
        said = " and ".join(str(size) for size in rest)
        return {**row, "result": None, "rule": "conflict", "text": f"{said} differ and neither is 1"}
    size = rest[0] if rest else 1
    if None in sizes:
        rule, text = "missing", f"a missing axis counts as 1 and is repeated {size} times"
    elif len(set(sizes)) == 1:
        rule, text = "equal", f"all are {size}"
    else:
        rule, text = "stretch", f"1 is repeated {size} times"
    return {**row, "result": size, "rule": rule, "text": text}


def explain(shapes: Sequence[Shape]) -> dict[str, Any]:
    """Everything there is to say; see docs/api.md for the members."""
    rows = align(shapes)
    width = len(rows[0])
    axes = [axis_of(k, width, sizes) for k, sizes in enumerate(zip(*rows, strict=True))]
    out: dict[str, Any] = {"shapes": [list(shape) for shape in shapes], "alignment": rows, "axes": axes}
    result = result_of(shapes)
    if result is not None:
        summed = [[k for k in range(width) if row[k] is None or (row[k] == 1 and result[k] != 1)] for row in rows]
        return {
            **out,
            "ok": True,
            "result": list(result),
            "elements": math.prod(result),
            "summed": summed,
            "copies": [math.prod(result) // max(1, math.prod(shape)) for shape in shapes],
        }
    failing = max((axis for axis in axes if axis["rule"] == "conflict"), key=lambda axis: axis["axis"])
    return {
        **out,
        "ok": False,
        "result": None,
        "failing": failing["axis"],
        "message": message(shapes),
        "fixes": list(fixes(shapes)),
    }


def message(shapes: Sequence[Shape]) -> str:
    """torch's sentence for the first pair, from the left, that does not fit."""
    done = shapes[0]
    for shape in shapes[1:]:
        both = result_of([done, shape])
        if both is None:
            rows = align([done, shape])
            index = max(
                k
                for k, (m, n) in enumerate(zip(*rows, strict=True))
                if m != n and None not in (m, n) and 1 not in (m, n)
            )
            return (
                f"The size of tensor a ({rows[0][index]}) must match the size of tensor b ({rows[1][index]}) "
                f"at non-singleton dimension {index}"
            )
        done = both
    return ""


def changes(shape: Shape) -> Iterator[tuple[str, Shape]]:
    """(how to write it, shape it gives): the small changes that people mean."""
    if len(shape) == 2:
        yield ".T", shape[::-1]
    elif len(shape) > 2:
        yield ".mT", (*shape[:-2], shape[-1], shape[-2])
    for dim in range(len(shape), -1, -1):
        yield f".unsqueeze({dim})", (*shape[:dim], 1, *shape[dim:])
    for dim, size in enumerate(shape):
        if size == 1:
            yield f".squeeze({dim})", (*shape[:dim], *shape[dim + 1 :])


def fixes(shapes: Sequence[Shape]) -> Iterator[dict[str, Any]]:
    """Changes to one operand after which all fit, the smallest results first."""
    found = []
    for k, shape in enumerate(shapes):
        for code, changed in changes(shape):
            result = result_of([*shapes[:k], changed, *shapes[k + 1 :]])
            if result is not None:
                found.append((math.prod(result), k, code, changed, result))
    for _, k, code, changed, result in sorted(found, key=lambda row: row[:2])[:8]:
        name = LETTERS[k]
        yield {"operand": k, "code": name + code, "shape": list(changed), "result": list(result)}
