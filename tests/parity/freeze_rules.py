"""Runs PyTorch's optimizers on two numbers in float64 and writes down each step: tests/golden/torch/rules.json.

    python -m tests.parity.freeze_rules
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3}),
    ("Adamax", {"lr": 0.05}),
    ("NAdam", {"lr": 0.05}),
    ("RAdam", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.05, "centered": True}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.8, "centered": True}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1}),
    ("Adadelta", {"lr": 0.5}),
    ("ASGD", {"lr": 0.05, "lambd": 0.1}),
    ("Rprop", {"lr": 0.05}),
]


def run(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Seven steps: enough for RAdam to begin to adapt."""
    w = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([w], **options)
    steps = []
    for n in range(7):
        optimizer.zero_grad()
        (torch.tensor([0.5, 2.0], dtype=torch.float64) * (w - 0.3 * (-1) ** n) ** 2).sum().backward()
        before = w.tolist()
        eta = float(optimizer.state[w]["eta"]) if name == "ASGD" and n else options["lr"]
        optimizer.step()
        terms: dict[str, Any] = {"grad": w.grad.tolist(), "eta": eta}
        for key, value in optimizer.param_groups[0].items():
            if key == "betas":
                terms["beta1"], terms["beta2"] = value
            elif isinstance(value, (int, float)) and (value or key == "lr"):
                terms[key] = value
        for key, value in optimizer.state[w].items():
            if value is not None and key not in ("eta", "mu", "mu_product"):
                terms[key] = value.tolist() if value.ndim else float(value)
        steps.append({"before": before, "after": w.tolist(), "terms": terms})
    return {"name": name, "options": options, "steps": steps}


def main() -> None:
    path = Path(__file__).resolve().parent.parent / "golden/torch/rules.json"
    path.write_text(json.dumps([run(*case) for case in CASES], indent=1) + "\n")


if __name__ == "__main__":
    main()
