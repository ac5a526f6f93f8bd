"""Freezes what PyTorch's nn and nn.functional answer to the lines of nn.txt into tests/golden/torch/nn.json; needs torch.

`python -m tests.parity.freeze_nn` rewrites the file. What an answer holds: tests/engine/nn/asking.py.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.engine.nn.asking import answer

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "torch" / "nn.json"


def main() -> None:
    import torch

    torch.set_num_threads(1)
    lines = [line for line in (HERE / "nn.txt").read_text().splitlines() if line and not line.startswith("#")]
    cases = [{"line": line, **answer(line, torch, torch.nn, torch.nn.functional)} for line in lines]
    text = ",\n".join(json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in cases)
    GOLDEN.write_text(f'{{"torch": "{torch.__version__}", "cases": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
