"""Freezes what PyTorch's optimizers and schedulers do into tests/golden/torch/optim.json; needs torch.

rules       the parameters and the state after steps with given gradients, for each optimizer and its options
schedules   learning rate (and momentum) over epochs
errors      constructor calls and what they are refused with
lbfgs       losses of a small problem
"""

import json
import warnings
from pathlib import Path
from typing import Any

import torch

GOLDEN = Path(__file__).parents[1] / "golden" / "torch" / "optim.json"
RULES = [
    ("SGD", "lr=0.1"),
    ("SGD", "lr=0.1, momentum=0.9"),
    ("SGD", "lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01"),
    ("SGD", "lr=0.1, momentum=0.8, dampening=0.3, maximize=True"),
    ("SGD", "lr=0.05, weight_decay=0.1"),
    ("Adam", ""),
    ("Adam", "lr=0.1, weight_decay=0.1"),
    ("Adam", "lr=0.1, amsgrad=True, maximize=True, betas=(0.5, 0.7)"),
    ("AdamW", "lr=0.1"),
    ("AdamW", "lr=0.1, amsgrad=True, weight_decay=0.3"),
    ("RMSprop", ""),
    ("RMSprop", "momentum=0.9, weight_decay=0.1"),
    ("RMSprop", "centered=True"),
    ("RMSprop", "centered=True, momentum=0.5, maximize=True"),
    ("Adagrad", ""),
    ("Adagrad", "lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.2"),
    ("Adadelta", ""),
    ("Adadelta", "lr=0.5, rho=0.7, weight_decay=0.1"),
    ("Adamax", ""),
    ("Adamax", "lr=0.1, weight_decay=0.1, maximize=True"),
    ("NAdam", ""),
    ("NAdam", "lr=0.1, weight_decay=0.1"),
    ("NAdam", "lr=0.1, weight_decay=0.1, decoupled_weight_decay=True, momentum_decay=0.1"),
    ("RAdam", ""),
    ("RAdam", "lr=0.1, weight_decay=0.1"),
    ("RAdam", "lr=0.1, weight_decay=0.1, decoupled_weight_decay=True"),
    ("ASGD", ""),
    ("ASGD", "lr=0.1, t0=2, lambd=0.01, weight_decay=0.1"),
    ("Rprop", ""),
    ("Rprop", "lr=0.1, etas=(0.4, 1.5), step_sizes=(1e-3, 1.0)"),
]
SHAPES = [(), (1, 1), (3, 2)]
STEPS = 8
# `o` is SGD with lr 1, or with momentum where the schedule needs it
SCHEDULES = [
    "StepLR(o, 3)",
    "StepLR(o, 4, gamma=0.5)",
    "MultiStepLR(o, [2, 5, 5, 9], gamma=0.3)",
    "ConstantLR(o)",
    "ConstantLR(o, factor=0.5, total_iters=3)",
    "LinearLR(o)",
    "LinearLR(o, start_factor=0.2, end_factor=0.7, total_iters=6)",
    "ExponentialLR(o, 0.9)",
    "PolynomialLR(o, total_iters=8, power=2.0)",
    "CosineAnnealingLR(o, 5)",
    "CosineAnnealingLR(o, 7, eta_min=0.1)",
    "CosineAnnealingWarmRestarts(o, 3)",
    "CosineAnnealingWarmRestarts(o, 2, T_mult=2, eta_min=0.05)",
    "LambdaLR(o, lambda epoch: 0.95 ** epoch)",
    "LambdaLR(o, [lambda epoch: 1 / (1 + epoch)])",
    "MultiplicativeLR(o, lambda epoch: 0.9)",
    "CyclicLR(o, 0.1, 1.0, step_size_up=3)",
    "CyclicLR(o, 0.1, 1.0, step_size_up=3, step_size_down=5, mode='triangular2')",
    "CyclicLR(o, 0.1, 1.0, step_size_up=2, mode='exp_range', gamma=0.9, cycle_momentum=False)",
    "CyclicLR(o, 0.1, 1.0, step_size_up=2, scale_fn=lambda x: 0.5 ** x, scale_mode='iterations')",
    "OneCycleLR(o, 1.0, total_steps=20)",
    "OneCycleLR(o, 1.0, epochs=4, steps_per_epoch=5, anneal_strategy='linear', three_phase=True)",
    "SequentialLR(o, [ConstantLR(o, 0.1, 4), ExponentialLR(o, 0.9)], milestones=[4])",
    "SequentialLR(o, [LinearLR(o, 0.5, total_iters=3), CosineAnnealingLR(o, 5), StepLR(o, 2)], milestones=[3, 8])",
    "ChainedScheduler([ConstantLR(o, 0.1, 4), ExponentialLR(o, 0.9)])",
]
PLATEAUS = [
    "ReduceLROnPlateau(o, patience=2)",
    "ReduceLROnPlateau(o, mode='max', factor=0.5, patience=1, threshold=0.1, threshold_mode='abs', cooldown=2)",
    "ReduceLROnPlateau(o, patience=0, min_lr=0.05, threshold_mode='rel', threshold=0.2)",
]
METRICS = [5.0, 4.0, 4.5, 4.2, 4.1, 4.0, 3.99, 3.5, 3.6, 3.7, 3.8, 3.9, 1.0, 1.0, 1.0, 1.0, 1.0, 0.99, 0.5, 0.6]
# `w` is a leaf, `torch`, `optim` and `lr_scheduler` are what they say
ERRORS = [
    "optim.SGD([w], lr=-1)",
    "optim.SGD([w], lr=0.1, momentum=-1)",
    "optim.SGD([w], lr=0.1, weight_decay=-0.5)",
    "optim.SGD([w], lr=0.1, nesterov=True)",
    "optim.SGD([], lr=0.1)",
    "optim.SGD(w, lr=0.1)",
    "optim.SGD([1.0], lr=0.1)",
    "optim.SGD(['w'], lr=0.1)",
    "optim.SGD([w * 2], lr=0.1)",
    "optim.SGD({w}, lr=0.1).param_groups[0]['lr']",
    "optim.SGD([{'params': {w}}], lr=0.1)",
    "optim.SGD([w, w], lr=0.1).param_groups[0]['lr']",
    "optim.SGD([{'params': [w]}, {'params': [w]}], lr=0.1)",
    "optim.SGD([w], lr=torch.tensor([1.0, 2.0]))",
    "optim.SGD([w]).add_param_group([w])",
    "optim.SGD([w]).load_state_dict({'state': {}, 'param_groups': []})",
    "optim.SGD([w]).load_state_dict({'state': {}, 'param_groups': [{'params': []}]})",
    "optim.Optimizer([w], {}).step()",
    "optim.Adam([w], lr=-0.1)",
    "optim.Adam([w], eps=-1)",
    "optim.Adam([w], betas=(1.0, 0.9))",
    "optim.Adam([w], betas=(0.9, -0.1))",
    "optim.Adam([w], weight_decay=-1)",
    "optim.Adam([w], betas=(0, 0.9))",
    "optim.AdamW([w], lr=-0.1)",
    "optim.RMSprop([w], alpha=-1)",
    "optim.RMSprop([w], eps=-1)",
    "optim.Adagrad([w], lr_decay=-1)",
    "optim.Adagrad([w], initial_accumulator_value=-1)",
    "optim.Adadelta([w], rho=1.5)",
    "optim.Adamax([w], betas=(2, 0.5))",
    "optim.NAdam([w], momentum_decay=-1)",
    "optim.ASGD([w], weight_decay=-1)",
    "optim.Rprop([w], etas=(1.5, 1.2))",
    "optim.LBFGS([{'params': [w]}, {'params': [w.detach().clone()]}])",
    "lr_scheduler.StepLR(w, 3)",
    "lr_scheduler.StepLR(o, 3, last_epoch=4)",
    "lr_scheduler.LambdaLR(o, [lambda e: 1, lambda e: 1])",
    "lr_scheduler.MultiplicativeLR(o, 3)",
    "lr_scheduler.ConstantLR(o, factor=2)",
    "lr_scheduler.LinearLR(o, start_factor=0)",
    "lr_scheduler.LinearLR(o, end_factor=2)",
    "lr_scheduler.SequentialLR(o, [], [])",
    "lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 1)], [1])",
    "lr_scheduler.SequentialLR(o, [lr_scheduler.ReduceLROnPlateau(o), lr_scheduler.StepLR(o, 1)], [1])",
    "lr_scheduler.ChainedScheduler([])",
    "lr_scheduler.ReduceLROnPlateau(o, factor=1.0)",
    "lr_scheduler.ReduceLROnPlateau(o, mode='least')",
    "lr_scheduler.ReduceLROnPlateau(o, threshold_mode='any')",
    "lr_scheduler.ReduceLROnPlateau(o, min_lr=[0, 0])",
    "lr_scheduler.CyclicLR(o, 0.1, 1, mode='square')",
    "lr_scheduler.CyclicLR(optim.Rprop([w]), 0.1, 1)",
    "lr_scheduler.CyclicLR(o, [0.1, 0.2], 1)",
    "lr_scheduler.OneCycleLR(o, 1.0)",
    "lr_scheduler.OneCycleLR(o, 1.0, total_steps=0)",
    "lr_scheduler.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=1)",
    "lr_scheduler.OneCycleLR(o, 1.0, total_steps=3, pct_start=2.0)",
    "lr_scheduler.OneCycleLR(o, 1.0, total_steps=3, anneal_strategy='none')",
    "lr_scheduler.CosineAnnealingWarmRestarts(o, 0)",
    "lr_scheduler.CosineAnnealingWarmRestarts(o, 2, T_mult=0)",
    "lr_scheduler.StepLR(o, 1).get_lr()",
    "lr_scheduler.StepLR(o, 1).step()",
    "lr_scheduler.StepLR(o, 1).step(2)",
    "lr_scheduler.StepLR(o, 1).state_dict()",
    "lr_scheduler.ExponentialLR(o, 0.5).get_last_lr()",
]


def gradients(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """A start and the gradients of STEPS steps: signs change, one is zero."""
    generator = torch.Generator().manual_seed(11)
    start = torch.randn(shape, dtype=torch.float64, generator=generator)
    steps = [torch.randn(shape, dtype=torch.float64, generator=generator) for _ in range(STEPS)]
    steps[3] = steps[3] * 0
    return start.to(dtype), [g.to(dtype) for g in steps]


def hexes(t: Any) -> list[str]:
    return [float(v).hex() for v in torch.as_tensor(t).flatten().tolist()]


def rule(name: str, options: str, shape: tuple[int, ...], dtype: torch.dtype) -> dict[str, Any]:
    start, steps = gradients(shape, dtype)
    w = start.clone().requires_grad_()
    optimizer = eval(f"torch.optim.{name}([w], {options})")
    after = []
    for g in steps:
        w.grad = g.clone()
        optimizer.step()
        after.append(hexes(w.detach()))
    state = optimizer.state_dict()["state"].get(0, {})
    return {
        "name": name,
        "options": options,
        "shape": list(shape),
        "dtype": str(dtype)[6:],
        "start": hexes(start),
        "gradients": list(map(hexes, steps)),
        "after": after,
        "state": {k: [str(v.dtype)[6:], list(v.shape), hexes(v)] for k, v in state.items()},
        "repr": repr(optimizer),
        "options_after": repr(optimizer.state_dict()["param_groups"]),
    }


def names() -> dict[str, Any]:
    w = torch.ones((), requires_grad=True)
    o = torch.optim.SGD([w], lr=1.0, momentum=0.9)
    found = {k: getattr(torch.optim.lr_scheduler, k) for k in torch.optim.lr_scheduler.__all__}
    return {"torch": torch, "optim": torch.optim, "lr_scheduler": torch.optim.lr_scheduler, "w": w, "o": o} | found


def schedule(expression: str, metrics: list[float] | None) -> dict[str, Any]:
    scope = names()
    o = scope["o"]
    s = eval(expression, scope)
    seen = [[o.param_groups[0]["lr"], o.param_groups[0]["momentum"]]]
    for i in range(19):
        o.step()
        s.step() if metrics is None else s.step(metrics[i])
        seen.append([o.param_groups[0]["lr"], o.param_groups[0]["momentum"]])
    return {"expression": expression, "metrics": metrics, "seen": seen, "last": s.get_last_lr()}


def error(expression: str) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = repr(eval(expression, names()))
            said = "fine" if " object at " in said else said
        except Exception as e:
            said = f"{type(e).__name__}: {e}"
    return {"expression": expression, "answer": said, "warnings": [str(w.message) for w in caught]}


def lbfgs(options: str) -> dict[str, Any]:
    """The Rosenbrock valley from (-1.5, 2), in float64."""
    x = torch.tensor([-1.5, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer = eval(f"torch.optim.LBFGS([x], {options})")
    losses = []

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    for _ in range(6):
        losses.append(optimizer.step(closure).item())
    state = optimizer.state[x]
    return {
        "options": options,
        "losses": losses,
        "x": x.tolist(),
        "func_evals": state["func_evals"],
        "n_iter": state["n_iter"],
        "state": sorted(state),
        "repr": repr(optimizer),
    }


def main() -> None:
    kinds = (torch.float32, torch.float64)
    parts = {
        "rules": [rule(n, o, s, d) for n, o in RULES for s in SHAPES for d in kinds],
        "schedules": [schedule(e, None) for e in SCHEDULES] + [schedule(e, METRICS) for e in PLATEAUS],
        "errors": list(map(error, ERRORS)),
        "lbfgs": [
            lbfgs(o) for o in ("lr=0.001", "lr=1, line_search_fn='strong_wolfe'", "lr=0.5, max_iter=4, history_size=2")
        ],
    }
    text = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]" for name, cases in parts.items()
    )
    GOLDEN.write_text(f'{{"torch": "{torch.__version__}",\n{text}}}\n')


if __name__ == "__main__":
    main()
