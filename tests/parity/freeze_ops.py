"""Asks PyTorch every case of every operation and writes its answers down: tests/golden/torch/ops.json.

    python -m tests.parity.freeze_ops
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from tests.parity.cases import answer, cases

PATH = Path(__file__).parents[1] / "golden" / "torch" / "ops.json"


def main() -> None:
    """Write the file, a line a case."""
    lines = []
    for case in cases():
        lines.append(f"{json.dumps(case.key)}: {json.dumps(answer(torch, case))}")
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
