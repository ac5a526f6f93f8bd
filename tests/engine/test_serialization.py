"""Saving is refused in words that help; state stays usable in memory."""

import pytest

import engine as torch
from engine import nn, serialization


@pytest.mark.parametrize("name", ["save", "load"])
def test_files_are_refused_and_the_way_out_is_named(name):
    with pytest.raises(NotImplementedError, match=f"torch.{name} is not supported by Backstep") as refused:
        getattr(serialization, name)({}, "model.pt")
    assert "state_dict" in refused.value.hint


def test_state_goes_from_one_model_to_another_in_memory():
    torch.manual_seed(1)
    first, second = nn.Linear(2, 3), nn.Linear(2, 3)
    assert not torch.equal(first.weight, second.weight)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.weight, second.weight)
