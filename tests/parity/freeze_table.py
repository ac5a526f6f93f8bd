"""Writes docs/parity.md: operation x dtype x (forward, gradient, second order, errors), and every difference that is known.

    python -m tests.parity.freeze_table        (after freeze_ops; needs no PyTorch)
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections import defaultdict
from pathlib import Path

import engine
from tests.engine.nn.asking import answer as answer_line
from tests.engine.nn.test_parity import CASES as NN_CASES
from tests.engine.nn.test_parity import KNOWN as NN_KNOWN
from tests.engine.nn.test_parity import difference as nn_difference
from tests.parity.cases import PARTS, Case, answer, asked, cases, differences
from tests.parity.known import KNOWN
from tests.parity.random_programs import KNOWN as PROGRAMS
from tests.parity.random_programs import UNSEEN

ROOT = Path(__file__).parents[2]
FLOATS = ("float32", "float64", "float16", "bfloat16")
DTYPES = (*FLOATS, "int64", "int32", "uint8", "bool")
# the table's columns: which part of an answer, in which dtype ("" for any)
COLUMNS = [("forward", d) for d in DTYPES] + [("gradient", d) for d in FLOATS] + [("second", "float64"), ("error", "")]
WORDS = {"forward": "forward", "gradient": "gradient", "second": "second order", "error": "errors"}
HEAD = """\
# Parity with PyTorch 2.13

Written by `python -m tests.parity.freeze_table`; do not edit. Every operation was called with every one of its samples in
every dtype they make sense in, by PyTorch 2.13 on CPU and by the engine, and the answers were compared in four parts:

- **forward**: values, dtype, shape, and the names and order of the graph's nodes
- **gradient**: of every input, by the array rules of a plain backward and again under `create_graph=True`
- **second order**: the derivatives of those gradients, in float64
- **errors**: class and message, of the call or of its derivative, in any dtype

A cell says how many cases agree; `n of m` where some do not. Those are listed under [known differences](#known-differences).
"""


def share(same: int, all_: int) -> str:
    """How many agree."""
    return "" if not all_ else str(all_) if same == all_ else f"**{same} of {all_}**"


def table(found: dict[str, dict[tuple[str, str], list[bool]]]) -> list[str]:
    """A line an operation."""
    head = ["operation", *(f"{WORDS[part]} {d}".strip() for part, d in COLUMNS)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for block in sorted(found):
        cells = [share(sum(found[block][c]), len(found[block][c])) for c in COLUMNS]
        lines.append(f"| `{block}` | " + " | ".join(cells) + " |")
    return lines


def summary(found: dict[str, dict[tuple[str, str], list[bool]]]) -> list[str]:
    """What the table adds up to, a line a part."""
    lines = ["| part | agree | asked |", "|---|---|---|"]
    for part in PARTS:
        all_ = [ok for columns in found.values() for (p, _), oks in columns.items() if p == part for ok in oks]
        lines.append(f"| {WORDS[part]} | {sum(all_)} | {len(all_)} |")
    return lines


def column(part: str, case: Case) -> tuple[str, str]:
    """Where a part of a case is counted."""
    return (part, "" if part == "error" else case.dtype)


def main() -> None:
    """Write the page."""
    golden = json.loads((ROOT / "tests" / "golden" / "torch" / "ops.json").read_text())
    found: dict[str, dict[tuple[str, str], list[bool]]] = defaultdict(lambda: defaultdict(list))
    total = same = 0
    absent = set()
    for case in cases():
        theirs = golden[case.key]
        if "absent" in theirs:
            absent.add(case.block)
            continue
        wrong = differences(theirs, answer(engine, case))
        total += 1
        same += not wrong
        for part in dict.fromkeys((*asked(theirs), *wrong)):
            found[case.block][column(part, case)].append(part not in wrong)
    nn = importlib.import_module("engine.nn")
    with contextlib.redirect_stdout(io.StringIO()):  # some lines print
        lines_same = sum(nn_difference(answer_line(c["line"], engine, nn, nn.functional), c) is None for c in NN_CASES)
    lines = [
        HEAD, f"In all {same} of {total} cases agree in every part. (A case can be asked for several parts.)", "",
        *summary(found), "", "## Operations", "", *table(found), "",
        f"Not asked, because PyTorch has no function for them: {', '.join(f'`{name}`' for name in sorted(absent))}.", "",
        "## Known differences", "", "Of operations: case, part, reason.", "",
        *(f"- `{key}` {reason}" for key, reason in sorted(KNOWN.items())), "",
        f"Of `torch.nn` and `torch.nn.functional` ({lines_same} of {len(NN_CASES)} lines of tests/parity/nn.txt agree):", "",
        *(f"- `{line.replace(chr(0x23CE), '; ')}` {reason}" for line, reason in NN_KNOWN.items()), "",
        "Of programs: random ones of 5 to 20 ops, or of a few training steps (`python -m tests.parity.random_programs --kind changes`), differ, where they do, in:", "",
        *(f"- {reason}" for reason in PROGRAMS.values()), *(f"- {text}" for text in UNSEEN),
    ]  # fmt: skip
    (ROOT / "docs" / "parity.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
