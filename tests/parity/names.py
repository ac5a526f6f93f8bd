"""Writes engine/torch_names.txt: the public names of torch, so that what is missing here can be told from what never was.

`python tests/parity/names.py` with PyTorch 2.13 installed.
"""

from __future__ import annotations

import importlib
from pathlib import Path

MODULES = (
    "torch", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.optim", "torch.optim.lr_scheduler",
    "torch.linalg", "torch.autograd", "torch.autograd.functional", "torch.utils.data", "torch.special", "torch.fft",
    "torch.cuda", "torch.random", "torch.accelerator", "torch.amp", "torch.distributions", "torch.nn.utils.rnn",
)  # fmt: skip


def names_of(module: str) -> list[str]:
    """The public names of a module that are not modules of Python's own."""
    found = importlib.import_module(module)
    names = [n for n in dir(found) if not n.startswith("_") and n.isidentifier()]
    return sorted(n for n in names if getattr(getattr(found, n), "__module__", "torch") not in ("typing", "__future__"))


def main() -> None:
    """Write the file."""
    import torch

    lines = [f"{m}: {' '.join(names_of(m))}" for m in MODULES]
    methods = sorted(n for n in dir(torch.Tensor) if not n.startswith("_"))
    lines.append(f"torch.Tensor: {' '.join(methods)}")
    path = Path(__file__).parents[2] / "engine" / "torch_names.txt"
    path.write_text("# Written by tests/parity/names.py from PyTorch's public names. Do not edit.\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
