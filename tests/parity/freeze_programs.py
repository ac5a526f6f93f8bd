"""Runs programs with PyTorch itself and writes down what they print: tests/golden/torch/programs.json.

Those of the menu (app/lessons/programs), and those of tests/programs, which use what courses use.

    python -m tests.parity.freeze_programs
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import torch

TESTS = Path(__file__).resolve().parent.parent
FOLDERS = {"programs": TESTS.parent / "app/lessons/programs", "courses": TESTS / "programs"}


def run(source: str) -> dict[str, object]:
    """What the program printed, and the error that ended it."""
    printed, error = io.StringIO(), None
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    torch.set_printoptions(profile="default")
    main = types.ModuleType("__main__")
    sys.argv, sys.modules["__main__"] = ["program.py"], main
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(source, "program.py", "exec"), main.__dict__)
        except Exception as raised:
            error = [type(raised).__name__, str(raised)]
    return {"printed": printed.getvalue(), "error": error}


def main() -> None:
    answers = {
        name: {path.stem: run(path.read_text()) for path in sorted(folder.glob("*.py"))}
        for name, folder in FOLDERS.items()
    }
    text = json.dumps({"torch": torch.__version__.split("+")[0], **answers}, indent=1, ensure_ascii=False)
    (TESTS / "golden" / "torch" / "programs.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
