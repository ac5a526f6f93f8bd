"""What an observer hears of modules, and what a call costs nobody: laws of engine/nn/modules/module.py and hooked.py."""

from __future__ import annotations

from typing import Any

import pytest

import engine as torch
from engine import nn
from engine.autograd import observer


class Listener:
    """Writes down what it is told, by name."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def note(*args: Any, **_: Any) -> None:
            self.heard.append((name, *args))

        return note

    def named(self, *names: str) -> list[tuple[Any, ...]]:
        return [entry for entry in self.heard if entry[0] in names]


@pytest.fixture
def listener():
    ears = Listener()
    observer.install(ears)
    yield ears
    observer.install(None)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 1)])

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def test_a_scope_is_named_by_its_path_below_the_running_module(listener):
    nn.Sequential(Net(), nn.ReLU())(torch.ones(1, 2))
    scopes = [(type(entry[1]).__name__, entry[2]) for entry in listener.named("enter")]
    assert scopes == [
        ("Sequential", ""), ("Net", "0"), ("Linear", "layers.0"), ("Linear", "layers.1"), ("ReLU", "1"),
    ]  # fmt: skip


def test_every_scope_that_is_entered_is_left_also_when_forward_raises(listener):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        nn.Sequential(nn.Linear(2, 2), nn.Linear(3, 3))(torch.ones(1, 2))
    assert len(listener.named("enter")) == len(listener.named("exit")) == 3


def test_a_layer_announces_each_parameter_once_with_the_values_it_drew(listener):
    torch.manual_seed(0)
    layer = nn.Linear(1, 1)
    told = listener.named("leaf")
    assert [(entry[1] is p, entry[2]) for entry, p in zip(told, layer.parameters(), strict=True)] == [(True, "parameter")] * 2
    assert layer.weight.item() == pytest.approx(-0.00748682)
    assert not listener.named("update")


def test_a_linear_layer_is_heard_as_torchs_two_nodes(listener):
    nn.Linear(2, 3)(torch.ones(1, 2))
    nodes = [entry[1].node_name(entry[5]) for entry in listener.named("forward")]
    assert nodes == ["TBackward0", "AddmmBackward0"]


def test_the_fast_linear_layer_gives_the_bits_of_the_observed_one(listener):
    torch.manual_seed(1)
    layer, x = nn.Linear(3, 2), torch.randn(4, 3)
    layer(x).sum().backward()
    slow = [p.grad.tolist() for p in layer.parameters()]
    layer.zero_grad()
    observer.install(None)
    layer(x).sum().backward()
    assert [p.grad.tolist() for p in layer.parameters()] == slow


def test_a_removed_hook_is_called_no_more():
    calls = []
    layer = nn.Linear(1, 1)
    handle = layer.register_forward_hook(lambda *_: calls.append(1))
    layer(torch.ones(1, 1))
    handle.remove()
    layer(torch.ones(1, 1))
    assert calls == [1]


def test_parameters_stay_the_same_objects_when_a_module_is_cast():
    layer = nn.Linear(2, 2)
    before = list(layer.parameters())
    layer.double()
    assert all(a is b and a.dtype is torch.float64 for a, b in zip(before, layer.parameters(), strict=True))


def test_hooks_on_every_module_hear_of_each_call_until_they_are_taken_off():
    heard = []
    places = nn.modules.module  # where torch has them
    hooks = [
        places.register_module_forward_pre_hook(lambda module, args: heard.append(("before", type(module).__name__))),
        places.register_module_forward_hook(lambda module, args, out: heard.append(("after", type(module).__name__))),
        places.register_module_full_backward_hook(lambda module, *_: heard.append(("backward", type(module).__name__))),
    ]
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net(torch.ones(1, 2, requires_grad=True)).sum().backward()
    assert heard == [
        ("before", "Sequential"), ("before", "Linear"), ("after", "Linear"), ("before", "ReLU"), ("after", "ReLU"),
        ("after", "Sequential"), ("backward", "ReLU"), ("backward", "Linear"), ("backward", "Sequential"),
    ]  # fmt: skip
    for hook in hooks:
        hook.remove()
    net(torch.ones(1, 2))
    assert len(heard) == 9
