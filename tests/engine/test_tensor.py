"""engine/tensor.py: tensors among NumPy's arrays and functions."""

import numpy as np
import pytest

import engine as torch


def test_numpys_functions_of_a_tensor_give_a_tensor():
    x = torch.tensor([[1.0, 4.0], [9.0, 16.0]])
    assert repr(np.sqrt(x)) == "tensor([[1., 2.],\n        [3., 4.]])"
    assert repr(np.sqrt(torch.tensor(4.0))) == "tensor(2.)"
    assert np.isnan(x).dtype is torch.uint8  # torch turns NumPy's booleans into bytes


def test_numpys_functions_refuse_what_is_part_of_a_graph():
    with pytest.raises(RuntimeError, match="Can't call numpy\\(\\) on Tensor that requires grad"):
        np.sqrt(torch.ones(2, requires_grad=True))


def test_numpys_functions_of_an_array_are_arrays():
    assert isinstance(np.array(torch.ones(2)) + 1, np.ndarray)
