"""Freezes PyTorch's answers to random programs: tests/golden/torch/random_programs.json, replayed without torch.

All kinds take turns; those with a difference (see KNOWN) are left out and counted.

    python -m tests.parity.freeze_random_programs
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import torch

import engine
from tests.parity.random_programs import KINDS, answer, difference, grow

PROGRAMS = 160
SEED = 2026
FILE = Path(__file__).resolve().parent.parent / "golden" / "torch" / "random_programs.json"


def main() -> None:
    frozen, left_out = [], 0
    kinds = [*KINDS, "training"]
    for number in range(PROGRAMS):
        lines = grow(random.Random(SEED * 1_000_003 + number), torch, kind=kinds[number % len(kinds)])
        expected = answer(lines, torch)
        if difference(lines, expected, answer(lines, engine)) is None:
            frozen.append({"lines": lines, **expected})
        else:
            left_out += 1
    rows = ",\n".join(json.dumps(row) for row in frozen)
    FILE.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "left_out": {left_out}, "programs": [\n{rows}\n]}}\n')
    print(f"{len(frozen)} frozen, {left_out} left out: they differ, see random_programs")


if __name__ == "__main__":
    main()
