"""Writes docs/parity.md: every operation in every dtype, beside what PyTorch answered, and every difference that is known.

    python -m tests.parity.freeze_table        (after freeze_ops; needs no PyTorch)
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import engine
from tests.parity.cases import answer, cases, differences
from tests.parity.known import KNOWN
from tests.parity.random_programs import KNOWN as PROGRAMS
from tests.parity.random_programs import UNSEEN

ROOT = Path(__file__).parents[2]
COLUMNS = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool")


def main() -> None:
    """Write the page."""
    golden = json.loads((ROOT / "tests" / "golden" / "torch" / "ops.json").read_text())
    agreed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    asked: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    parts: dict[str, set[str]] = defaultdict(set)
    total = same = 0
    for case in cases():
        theirs = golden.get(case.key)
        if theirs is None or "absent" in theirs:
            continue
        block = case.key.split("/")[0]
        found = differences(case, theirs, answer(engine, case))
        asked[block][case.dtype] += 1
        total += 1
        if not found:
            agreed[block][case.dtype] += 1
            same += 1
        parts[block] |= {p for p in ("outputs", "grads", "second", "error") if p in theirs}
    words = {"outputs": "values", "grads": "gradients", "second": "second order", "error": "errors"}
    lines = [
        "# Parity with PyTorch 2.13", "",
        "Written by `python -m tests.parity.freeze_table`; do not edit. Each cell says in how many of the cases asked the engine",
        "answers as PyTorch did: values, dtype, shape, chain of nodes, gradient of every input, second derivatives (in float64),",
        f"or error class and message. In all: {same} of {total}. The last column says what was compared.", "",
        f"| operation | {' | '.join(COLUMNS)} | compared |", f"|---|{'---|' * (len(COLUMNS) + 1)}",
    ]  # fmt: skip
    for block in sorted(asked):
        cells = [f"{agreed[block][d]}/{asked[block][d]}" if asked[block][d] else "" for d in COLUMNS]
        compared = ", ".join(words[p] for p in words if p in parts[block])
        lines.append(f"| `{block}` | {' | '.join(cells)} | {compared} |")
    lines += ["", "## Known differences", ""]
    used = [key for key in KNOWN if any(c.key.startswith(key) for c in cases())]
    lines += [f"- `{key}` {KNOWN[key]}" for key in sorted(used)]
    lines += ["", "## Of programs", "", "Random programs of 5 to 20 ops (`python -m tests.parity.random_programs --wide`) differ, where they do, in:", ""]
    lines += [f"- {reason}" for reason in PROGRAMS.values()]
    lines += [f"- {text}" for text in UNSEEN]
    (ROOT / "docs" / "parity.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
