"""engine/ops/op.py: how operations may be called."""

import pytest

import engine as torch

X = torch.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("numpy_way", "torch_way"),
    [
        (lambda: X.sum(axis=1, keepdims=True), lambda: X.sum(1, True)),
        (lambda: X.sum(1, keepdims=True), lambda: X.sum(1, True)),
        (lambda: X.mean(axis=(0, 2), keepdims=True), lambda: X.mean((0, 2), True)),
        (lambda: X.argmax(axis=1), lambda: X.argmax(1)),
        (lambda: X.max(axis=2, keepdims=True)[0], lambda: X.max(2, True)[0]),
        (lambda: X.std(axis=0, keepdims=True), lambda: X.std(0, keepdim=True)),
        (lambda: X.cumsum(axis=1), lambda: X.cumsum(1)),
        (lambda: torch.softmax(X, axis=-1), lambda: torch.softmax(X, -1)),
        (lambda: torch.cat((X, X), axis=1), lambda: torch.cat((X, X), 1)),
        (lambda: torch.stack([X, X], axis=2), lambda: torch.stack([X, X], 2)),
        (lambda: X.unsqueeze(axis=0), lambda: X.unsqueeze(0)),
    ],
)
def test_dimensions_by_the_names_numpy_has_for_them(numpy_way, torch_way):
    assert numpy_way().shape == torch_way().shape
    assert torch.equal(numpy_way(), torch_way())


def test_a_name_that_nobody_knows_is_refused():
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'axes'"):
        X.argmax(axes=1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: torch.matmul(X, 3), "matmul(): argument 'other' (position 2) must be Tensor, not int"),
        (lambda: torch.matmul([1.0], X), "matmul(): argument 'input' (position 1) must be Tensor, not list"),
    ],
)
def test_a_factor_that_is_no_tensor(call, said):
    with pytest.raises(TypeError) as raised:
        call()
    assert str(raised.value) == said
