"""Freezes what PyTorch answers to calls of its factories into tests/golden/torch/creation.json; needs torch.

A case is an expression and its answer: the repr of the value, or the error's class and first sentence, and the
warnings. Each starts from manual_seed(0). `python tests/parity/freeze_creation.py` rewrites the file.
"""

import json
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "torch" / "creation.json"


def answer(expression: str, torch: Any) -> dict[str, Any]:
    """What this torch (or what imitates it) says to the expression."""
    import numpy as np

    torch.manual_seed(0)
    names = {"torch": torch, "np": np, "w": torch.ones((), requires_grad=True)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = repr(eval(expression, names))
        except Exception as e:
            said = f"{type(e).__name__}: {str(e).split(', but expected one of')[0]}"
    warned = [str(w.message).split(" (Triggered")[0] for w in caught]
    return {"expression": expression, "answer": said, "warnings": warned}


def main() -> None:
    import torch

    expressions = (HERE / "creation.txt").read_text().splitlines()
    cases = [answer(e, torch) for e in expressions if e and not e.startswith("#")]
    lines = ",\n".join(map(json.dumps, cases))
    GOLDEN.write_text(f'{{"torch": "{torch.__version__}", "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
