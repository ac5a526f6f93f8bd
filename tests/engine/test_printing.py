"""engine/printing.py against what PyTorch 2.13 printed (tests/golden/torch/printing.json)."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine import printing

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "printing.json").read_text())


@pytest.fixture(autouse=True)
def _default_options():
    printing.set_printoptions(profile="default")
    yield
    printing.set_printoptions(profile="default")


def _array(case):
    name = case["dtype"].removeprefix("torch.").replace("bfloat16", "float32")
    values = [float.fromhex(v) if isinstance(v, str) else v for v in case["values"]]
    return np.array(values, name).reshape(case["shape"])


def _id(case):
    return f"{case['dtype'][6:]}{case['shape']}{case['options'] or ''}".replace(" ", "")


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=_id)
def test_a_tensor_prints_as_in_torch(case):
    printing.set_printoptions(**case["options"])
    flags = {"requires_grad": case["requires_grad"], "grad_fn": case["grad_fn"]}
    assert printing.format_tensor(_array(case), case["dtype"], **flags) == case["text"]


def test_the_default_dtype_is_not_named():
    array = np.array([1.5, 2.0])
    assert printing.format_tensor(array, "torch.float64", default_dtype="torch.float64") == "tensor([1.5000, 2.0000])"
    text = printing.format_tensor(array, "torch.float32", default_dtype="torch.float64")
    assert text == "tensor([1.5000, 2.0000], dtype=torch.float32)"


def test_printoptions_hold_inside_the_with_block_only():
    with printing.printoptions(precision=1):
        assert printing.format_tensor(np.array(0.25), "torch.float32") == "tensor(0.2)"
    assert printing.format_tensor(np.array(0.25), "torch.float32") == "tensor(0.2500)"


def test_setting_another_option_makes_sci_mode_automatic_again():
    printing.set_printoptions(sci_mode=True)
    printing.set_printoptions(precision=3)
    assert printing.get_printoptions()["sci_mode"] is None


def test_a_node_prints_without_its_namespace():
    import engine as torch

    y = torch.ones(2, requires_grad=True) * 2
    y[0] = 5
    assert repr(y) == "tensor([5., 2.], grad_fn=<CopySlices>)"


def test_a_subclass_prints_its_own_name():
    import engine as torch

    class Marked(torch.Tensor):
        pass

    assert repr(Marked([1, 2])) == "Marked([1., 2.])"
