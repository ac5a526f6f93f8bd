"""The backward walk: order, accumulation, retaining, hooks, second order. Expected values by hand or as torch 2.13 gave them."""

from __future__ import annotations

import pytest

import engine as torch
from engine.autograd.backward import tie_order


def leaf(value: object) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_a_diamond_adds_both_paths() -> None:
    x = leaf(3.0)
    y = x * x
    (y + y * x).backward()
    assert x.grad.item() == 2 * 3 + 3 * 9


def test_gradients_accumulate_until_cleared() -> None:
    x = leaf([1.0, 2.0])
    for _ in range(3):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_accumulation_goes_into_the_same_tensor() -> None:
    x = leaf([1.0, 2.0])
    x.sum().backward()
    held = x.grad
    x.sum().backward()
    assert held is x.grad
    assert held.tolist() == [2.0, 2.0]


def test_nodes_run_most_recent_first_and_leaves_at_once() -> None:
    order: list[str] = []
    a, b = leaf(2.0), leaf(6.0)
    m = a * b
    s = b.sin()
    for name, t in (("mul", m), ("sin", s), ("a", a), ("b", b)):
        t.register_hook(lambda g, name=name: order.append(name))
    (m + s).backward()
    assert order == ["sin", "mul", "a", "b"]


def test_leaves_made_ready_together_run_in_torchs_order() -> None:
    assert tie_order(3) == [0, 1, 2]
    assert tie_order(5) == [0, 2, 4, 1, 3]
    assert tie_order(6) == [0, 2, 5, 4, 1, 3]


def test_second_backward_needs_retain_graph() -> None:
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()


def test_nodes_that_save_nothing_can_run_again() -> None:
    x = leaf([1.0, 2.0])
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_failed_backward_leaves_the_graph_usable() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    z = y * y
    total = (z + y).sum()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("gradient", [None, [1.0, 2.0, 3.0]])
def test_backward_of_a_vector_needs_a_gradient_of_its_shape(gradient: object) -> None:
    y = leaf([1.0, 2.0]) * 2
    if gradient is None:
        with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
            y.backward()
    else:
        with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of torch.Size\(\[3\]\)"):
            y.backward(torch.tensor(gradient))


def test_backward_without_graph_names_the_element() -> None:
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad and does not have a grad_fn"):
        torch.ones(1).sum().backward()


def test_backward_inputs_leaves_other_leaves_alone() -> None:
    x, w = leaf(2.0), leaf(3.0)
    (x * w).backward(inputs=[w])
    assert x.grad is None
    assert w.grad.item() == 2.0


def test_grad_returns_and_does_not_accumulate() -> None:
    x = leaf(2.0)
    (g,) = torch.autograd.grad(x**3, x)
    assert g.item() == 12.0
    assert x.grad is None


def test_grad_of_an_unused_input_must_be_allowed() -> None:
    x, w = leaf(2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(x * 2, w)
    assert torch.autograd.grad(x * 2, w, allow_unused=True) == (None,)


def test_higher_orders_of_a_power() -> None:
    x = leaf(2.0)
    y = x**4
    found = []
    for _ in range(4):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [32.0, 48.0, 48.0, 24.0]


def test_backward_with_create_graph_gives_a_grad_that_can_be_differentiated() -> None:
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    x.grad.backward(retain_graph=True)
    assert x.grad.item() == 27.0 + 18.0


def test_retain_grad_keeps_the_gradient_of_a_non_leaf() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [4.0, 8.0]


def test_a_tensor_hook_may_replace_the_gradient() -> None:
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    y.backward()
    assert x.grad.item() == 30.0


def test_a_removed_hook_is_silent() -> None:
    x = leaf(2.0)
    seen: list[float] = []
    handle = x.register_hook(lambda g: seen.append(g.item()))
    handle.remove()
    (x * 3).backward()
    assert seen == []


def test_a_node_hook_sees_what_comes_and_what_goes() -> None:
    x = leaf(2.0)
    y = x * 3
    seen: list[object] = []
    y.grad_fn.register_hook(lambda sent, got: seen.append((sent[0].item(), sent[1], got[0].item())))
    y.backward()
    assert seen == [(3.0, None, 1.0)]


def test_a_million_nodes_run_and_free_without_recursion() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y * 1.0
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_several_outputs_share_one_node() -> None:
    x = leaf([1.0, 2.0, 3.0])
    a, b, c = x.unbind()
    assert a.grad_fn == b.grad_fn
    assert (a.output_nr, b.output_nr) == (0, 1)
    (a * b).backward()
    assert x.grad.tolist() == [2.0, 1.0, 0.0]


def test_next_functions_keep_the_place_of_what_has_no_gradient() -> None:
    x = leaf(1.0)
    names = [None if f is None else type(f).__name__ for f, _ in (x + 1).grad_fn.next_functions]
    assert names == ["AccumulateGrad", None]


def test_anomaly_mode_names_the_function_that_made_nan() -> None:
    x = leaf([0.0])
    with torch.autograd.detect_anomaly():
        y = torch.sqrt(x) * 0
        with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output."):
            y.sum().backward()


def graph(node: object) -> list[str]:
    """The names of a node and of all below it, depth first."""
    return [node.name()] + [name for below, _ in node.next_functions if below is not None for name in graph(below)]


def test_the_folded_record_of_a_linear_layer_shows_two_nodes_whenever_it_is_looked_at() -> None:
    layer = torch.nn.Linear(2, 3)
    expected = ["AddmmBackward0", *["torch::autograd::AccumulateGrad"] * 2, "TBackward0", "torch::autograd::AccumulateGrad"]
    x = leaf([[1.0, 2.0]])
    out = layer(x)
    assert graph(out.grad_fn) == expected
    out.sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 2.0]] * 3
    out = layer(x)
    out.sum().backward()
    assert graph(out.grad_fn) == expected
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        out.sum().backward()


def test_a_hook_may_look_at_a_folded_record_while_backward_runs() -> None:
    layer = torch.nn.Linear(2, 3)
    seen: list[object] = []
    first = layer(leaf([[1.0, 2.0]]))
    second = first * 1.0
    second.register_hook(lambda g: seen.append(graph(first.grad_fn)[3]))
    layer.weight.register_hook(lambda g: seen.append(g.tolist()))
    layer.bias.register_hook(lambda g: seen.append(g.tolist()))
    second.sum().backward()
    assert seen == ["TBackward0", [1.0, 1.0, 1.0], [[1.0, 2.0]] * 3]
