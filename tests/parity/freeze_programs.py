"""Runs app/lessons/programs with PyTorch itself and writes down what they print: tests/golden/torch/programs.json.

    python -m tests.parity.freeze_programs
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path

import torch

TESTS = Path(__file__).resolve().parent.parent
PROGRAMS = TESTS.parent / "app/lessons/programs"


def run(source: str) -> dict[str, object]:
    """What the program printed, and the error that ended it."""
    printed, error = io.StringIO(), None
    torch.manual_seed(0)
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(source, "program.py", "exec"), {"__name__": "__main__"})
        except Exception as raised:
            error = [type(raised).__name__, str(raised)]
    return {"printed": printed.getvalue(), "error": error}


def main() -> None:
    answers = {path.stem: run(path.read_text()) for path in sorted(PROGRAMS.glob("*.py"))}
    text = json.dumps({"torch": torch.__version__.split("+")[0], "programs": answers}, indent=1, ensure_ascii=False)
    (TESTS / "golden" / "torch" / "programs.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
