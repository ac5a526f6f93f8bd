"""In-place operations, views and versions. The sentences are torch 2.13's."""

from __future__ import annotations

import pytest

import engine as torch


def leaf(value: object) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_a_leaf_may_not_be_changed_in_place() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match="^a leaf Variable that requires grad is being used in an in-place operation.$"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="^a view of a leaf Variable that requires grad is being used in an in-place"):
        x[0].mul_(2)


def test_a_leaf_may_be_changed_without_grad_mode() -> None:
    x = leaf([1.0, 2.0])
    with torch.no_grad():
        x -= 0.5
    assert x.tolist() == [0.5, 1.5]
    assert x.is_leaf and x.requires_grad


def test_a_changed_saved_value_is_told_with_versions() -> None:
    x = leaf([1.0, 1.0, 1.0])
    y = x + 1
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError) as raised:
        z.sum().backward()
    assert str(raised.value) == (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[torch.FloatTensor [3]], which is output 0 of Add, is at version 1; expected version 0 instead. Hint: enable anomaly "
        "detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, "
        "check_nan=False)."
    )


def test_a_changed_number_is_told_as_well() -> None:
    s = leaf(2.0)
    z = s * s
    with torch.no_grad():
        s -= 1
    with pytest.raises(RuntimeError, match=r"\[torch.FloatTensor \[\]\] is at version 1; expected version 0"):
        z.backward()


def test_what_no_rule_reads_may_change() -> None:
    x = leaf([0.0, 1.0])
    y = x * 1
    z = y.exp()
    y.mul_(2)
    z.sum().backward()
    assert x.grad[0].item() == 1.0


def test_changes_through_data_are_not_counted_and_through_detach_are() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y * y
    y.data.mul_(3)
    assert y._version == 0
    y.detach().mul_(3)
    assert y._version == 1
    with pytest.raises(RuntimeError, match="is at version 1; expected version 0"):
        z.sum().backward()


def test_views_share_storage_both_ways() -> None:
    x = torch.zeros(2, 3)
    row = x[1]
    row.fill_(7)
    assert x.tolist() == [[0.0, 0.0, 0.0], [7.0, 7.0, 7.0]]
    x.zero_()
    assert row.tolist() == [0.0, 0.0, 0.0]
    assert row._base is x


def test_a_number_shares_storage_once_it_is_viewed() -> None:
    s = torch.tensor(1.0)
    v = s.view(1)
    v.add_(1)
    assert s.item() == 2.0


def test_writing_into_a_view_makes_the_base_copy_slices() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 2
    y[0] = x[1] ** 2
    assert y.grad_fn.name() == "torch::autograd::CopySlices"
    y.sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [8.0, 10.0]]


def test_a_loop_that_fills_a_tensor_is_differentiated() -> None:
    w = leaf([1.0, 2.0, 3.0])
    out = torch.zeros(3)
    for i in range(3):
        out[i] = w[i] * i
    out.sum().backward()
    assert w.grad.tolist() == [0.0, 1.0, 2.0]


def test_other_views_get_the_new_history() -> None:
    x = leaf([1.0, 2.0, 3.0, 4.0])
    base = x * 1
    head, tail = base[:2], base[2:]
    head.mul_(10)
    assert tail.grad_fn.name() == "AsStridedBackward0"
    (base.sum() + tail.sum()).backward()
    assert x.grad.tolist() == [10.0, 10.0, 2.0, 2.0]


def test_writing_at_indices_is_differentiated() -> None:
    x = leaf([1.0, 2.0, 3.0])
    v = leaf([5.0, 6.0])
    y = x * 1
    y[torch.tensor([0, 2])] = v
    (y * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [0.0, 10.0, 0.0]
    assert v.grad.tolist() == [1.0, 100.0]


def test_results_keep_dtype_and_shape_in_place() -> None:
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        torch.tensor([1, 2]).mul_(1.5)
    with pytest.raises(RuntimeError, match=r"output with shape \[2\] doesn't match the broadcast shape \[3, 2\]"):
        torch.ones(2).add_(torch.ones(3, 2))


def test_second_order_passes_through_copy_slices() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    y[0] = x[0] ** 3
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [3.0, 1.0]
    (h,) = torch.autograd.grad(g.sum(), x)
    assert h.tolist() == [6.0, 0.0]


def test_an_integer_copy_carries_no_gradient() -> None:
    x = torch.tensor([3.25, 0.5], requires_grad=True)
    assert not x.long().requires_grad
    (x.long() * x).sum().backward()
    assert x.grad.tolist() == [3.0, 0.0]


def test_a_saved_number_is_found_though_a_detached_view_was_asked_for() -> None:
    x = torch.tensor([2.0, -1.0], requires_grad=True)
    y = x.sum()
    z = y * y
    y.detach()
    y.add_(1)
    with pytest.raises(RuntimeError, match="is at version 1; expected version 0"):
        z.backward()


def test_a_number_and_its_data_are_one_storage_whoever_changes_it() -> None:
    w = torch.tensor([1.0], requires_grad=True)
    d = w.data
    d.add_(1)
    with torch.no_grad():
        w -= 0.5
    e = w.data
    e.mul_(2)
    assert (w.item(), d.item(), e.item()) == (3.0, 3.0, 3.0)
    w.data = torch.tensor([7.0])
    assert (w.item(), d.item(), e.item()) == (7.0, 3.0, 3.0)
    d.zero_()
    assert (w.item(), e.item()) == (7.0, 0.0)


def test_accumulation_reaches_the_data_of_a_gradient() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    (w * 2).backward()
    g = w.grad.data
    (w * 2).backward()
    assert g.item() == 4.0
    g.zero_()
    (w * 3).backward()
    assert w.grad.item() == 3.0


def test_assigned_data_shares_the_number_of_a_tensor_that_lives_on() -> None:
    w, b = torch.tensor([1.0], requires_grad=True), torch.tensor([5.0])
    w.data = b
    b.add_(1)
    assert w.item() == 6.0


def test_an_optimizer_changes_the_data_of_a_number() -> None:
    for make in (torch.optim.SGD, torch.optim.Adam):
        w = torch.tensor(2.0, requires_grad=True)
        d = w.data
        (w * w).backward()
        make([w], lr=0.5).step()
        assert d.item() == w.item() != 2.0
