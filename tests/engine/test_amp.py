"""engine/amp.py and its kin: what a script meets that was written for a machine with an accelerator."""

import sys

import pytest

import engine as torch


def loss_of(w):
    return (w * 3.0 - 6.0) ** 2


@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
def test_a_mixed_precision_loop_for_cuda_trains_in_float32():
    w = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.05)
    scaler = torch.amp.GradScaler("cuda")
    with torch.autocast(device_type="cuda", dtype=torch.float16):
        loss = loss_of(w)
    assert loss.dtype is torch.float32
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert w.grad.item() == -18.0
    assert w.item() == pytest.approx(1.9)
    assert (scaler.is_enabled(), scaler.get_scale()) == (False, 1.0)


def test_the_older_spelling_warns_as_torch_does():
    with pytest.warns(UserWarning, match="torch.cuda.amp.GradScaler is enabled, but CUDA is not available"):
        torch.cuda.amp.GradScaler()
    with pytest.warns(UserWarning, match="Disabling autocast"), torch.cuda.amp.autocast():
        assert loss_of(torch.tensor(1.0)).item() == 9.0
    assert sys.modules["engine.cuda.amp"].autocast is torch.cuda.amp.autocast


def test_switched_off_it_says_nothing_and_decorates():
    @torch.autocast("cpu", enabled=False)
    def double(x):
        return 2 * x

    assert double(2) == 4


def test_bfloat16_arithmetic_is_refused():
    with pytest.raises(NotImplementedError, match="not supported by Backstep"):
        torch.autocast("cpu")


def test_there_is_no_accelerator():
    assert not torch.accelerator.is_available()
    assert torch.accelerator.device_count() == 0
    assert torch.accelerator.current_accelerator() is None
    with pytest.raises(RuntimeError, match="Cannot access accelerator device when none is available."):
        torch.accelerator.synchronize()
