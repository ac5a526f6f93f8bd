"""Laws of algebra that layers must keep, whatever torch says: adjoints, invariances, sums."""

from __future__ import annotations

import pytest

import engine as torch
from engine.nn import functional as F


def normal(*shape, seed=0):
    torch.manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1), (2, 0, 2, 2)])
def test_a_transposed_convolution_is_the_adjoint_of_the_convolution(stride, padding, dilation, groups):
    x, w = normal(2, 4, 9, 9), normal(6, 4 // groups, 3, 3, seed=1)
    y = F.conv2d(x, w, None, stride, padding, dilation, groups)
    g = normal(*y.shape, seed=2)
    back = F.conv_transpose2d(g, w, None, stride, padding, 0, groups, dilation)
    seen = tuple(slice(0, n) for n in back.shape)  # what lies beyond the last window contributes nothing
    assert (y * g).sum().item() == pytest.approx((x[seen] * back).sum().item(), rel=1e-9)


def test_fold_is_the_adjoint_of_unfold():
    x = normal(2, 3, 6, 5)
    columns = F.unfold(x, (2, 3), padding=1, stride=2)
    g = normal(*columns.shape, seed=1)
    back = F.fold(g, (6, 5), (2, 3), padding=1, stride=2)
    assert (columns * g).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-9)


def test_a_convolution_with_a_one_by_one_kernel_is_a_linear_map_of_the_channels():
    x, w = normal(2, 3, 4, 4), normal(5, 3, 1, 1, seed=1)
    mapped = F.linear(x.permute(0, 2, 3, 1), w.view(5, 3)).permute(0, 3, 1, 2)
    assert torch.allclose(F.conv2d(x, w), mapped)


@pytest.mark.parametrize("shift", [0.0, 1000.0, -1000.0])
def test_softmax_sums_to_one_and_does_not_see_a_shift(shift):
    x = normal(4, 5)
    p = F.softmax(x + shift, 1)
    assert torch.allclose(p.sum(1), torch.ones(4, dtype=torch.float64))
    assert torch.allclose(p, F.softmax(x, 1), atol=1e-9)


def test_cross_entropy_of_one_hot_probabilities_is_that_of_the_indices():
    x, y = normal(6, 4), torch.tensor([0, 3, 1, 2, 2, 0])
    assert F.cross_entropy(x, y).item() == pytest.approx(F.cross_entropy(x, F.one_hot(y, 4).double()).item())


def test_binary_cross_entropy_with_logits_is_that_of_the_sigmoid():
    x, y = normal(7), (normal(7, seed=1) > 0).double()
    assert F.binary_cross_entropy_with_logits(x, y).item() == pytest.approx(
        F.binary_cross_entropy(x.sigmoid(), y).item()
    )


@pytest.mark.parametrize("normalize", [
    lambda x: F.layer_norm(x, (8,)),
    lambda x: F.group_norm(x, 1),
    lambda x: F.batch_norm(x.t(), None, None, training=True).t(),
])  # fmt: skip
def test_a_normalization_leaves_mean_zero_variance_one_and_sees_no_scale(normalize):
    x = normal(6, 8)
    y = normalize(x)
    assert y.mean(1).abs().max().item() < 1e-9
    assert torch.allclose(y.var(1, unbiased=False), torch.ones(6, dtype=torch.float64), atol=1e-3)
    assert torch.allclose(normalize(100 * x + 5), y, atol=1e-3)


def test_the_gradient_through_a_max_pool_is_shared_out_once_per_window():
    x = normal(1, 2, 6, 6).requires_grad_()
    out = F.max_pool2d(x, 3, stride=1, padding=1)
    out.sum().backward()
    assert x.grad.sum().item() == out.numel()


def test_average_pooling_keeps_the_total_when_windows_tile():
    x = normal(2, 3, 6, 8)
    assert (F.avg_pool2d(x, 2) * 4).sum().item() == pytest.approx(x.sum().item())


def test_attention_with_one_key_returns_its_value():
    q, k, v = normal(1, 1, 3, 4), normal(1, 1, 1, 4, seed=1), normal(1, 1, 1, 4, seed=2)
    assert torch.allclose(F.scaled_dot_product_attention(q, k, v), v.expand(1, 1, 3, 4))


def test_dropout_keeps_the_mean_and_drops_what_it_says():
    torch.manual_seed(0)
    y = F.dropout(torch.ones(10_000), 0.25)
    assert y.mean().item() == pytest.approx(1, abs=0.02)
    assert (y == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("function", [
    lambda x: F.conv2d(x.view(1, 1, 3, 4), torch.ones(1, 1, 2, 2, dtype=torch.float64)).tanh(),
    lambda x: F.layer_norm(x.view(3, 4), (4,)),
    lambda x: F.log_softmax(x.view(3, 4), 1),
    lambda x: F.scaled_dot_product_attention(*[x.view(1, 1, 3, 4)] * 3),
    lambda x: F.avg_pool2d(x.view(1, 1, 3, 4) ** 2, 2),
    lambda x: F.max_pool2d(x.view(1, 1, 3, 4), 2, 1) ** 2,
    lambda x: F.interpolate(x.view(1, 1, 3, 4), size=(5, 5), mode="bilinear") ** 2,
])  # fmt: skip
def test_first_and_second_derivatives_agree_with_differences(function):
    x = normal(12, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(function, (x,))
    assert torch.autograd.gradgradcheck(function, (x,))
