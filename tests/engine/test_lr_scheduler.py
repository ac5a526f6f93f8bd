"""engine/optim/lr_scheduler against what PyTorch 2.13 did (tests/golden/torch/optim.json)."""

import json
from pathlib import Path

import pytest

import engine as torch
from engine import optim
from engine.optim import lr_scheduler

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "optim.json").read_text())


def _optimizer():
    return optim.SGD([torch.ones((), requires_grad=True)], lr=1.0, momentum=0.9)


def _scheduler(expression, o):
    return eval(expression, {k: getattr(lr_scheduler, k) for k in lr_scheduler.__all__} | {"o": o})


@pytest.mark.parametrize("case", GOLDEN["schedules"], ids=lambda c: c["expression"])
def test_a_schedule_gives_the_rates_of_torch(case):
    o = _optimizer()
    scheduler = _scheduler(case["expression"], o)
    group = o.param_groups[0]
    seen = [[group["lr"], group["momentum"]]]
    for i in range(19):
        o.step()
        scheduler.step() if case["metrics"] is None else scheduler.step(case["metrics"][i])
        seen.append([group["lr"], group["momentum"]])
    assert seen == case["seen"]
    assert scheduler.get_last_lr() == case["last"]


@pytest.mark.parametrize("case", GOLDEN["schedules"], ids=lambda c: c["expression"])
def test_a_loaded_schedule_goes_on_as_the_saved_one(case):
    pairs = []
    for _ in range(2):
        o = _optimizer()
        pairs.append((o, _scheduler(case["expression"], o)))
    (first, saved), (second, loaded) = pairs
    metric = [] if case["metrics"] is None else [3.0]
    for _ in range(4):
        first.step()
        saved.step(*metric)
    loaded.load_state_dict(saved.state_dict())
    second.load_state_dict(first.state_dict())
    for o, scheduler in pairs:
        o.step()
        scheduler.step(*metric)
    assert second.param_groups[0]["lr"] == first.param_groups[0]["lr"]


def test_stepping_the_scheduler_first_is_warned_about():
    scheduler = lr_scheduler.StepLR(_optimizer(), 1)
    with pytest.warns(UserWarning, match=r"^Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()


def test_a_rate_that_is_a_tensor_is_changed_in_place():
    rate = torch.tensor(1.0)
    o = optim.SGD([torch.ones((), requires_grad=True)], lr=rate)
    scheduler = lr_scheduler.ExponentialLR(o, 0.5)
    o.step()
    scheduler.step()
    assert rate.item() == 0.5
