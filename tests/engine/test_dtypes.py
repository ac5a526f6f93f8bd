"""dtypes: their names in messages are torch's, which has two: those of C++ and those of its scalar types."""

import pytest

import engine as torch
from engine.nn import functional as F

NAMES = {
    "float16": ("c10::Half", "Half"),
    "bfloat16": ("c10::BFloat16", "BFloat16"),
    "float64": ("double", "Double"),
    "int64": ("long int", "Long"),
    "int32": ("int", "Int"),
    "int16": ("short int", "Short"),
    "int8": ("signed char", "Char"),
    "uint8": ("unsigned char", "Byte"),
}


def message(call, *args):
    with pytest.raises(RuntimeError) as caught:
        call(*args)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_messages_name_dtypes_as_torch(name):
    in_c, scalar = NAMES[name]
    x, other = torch.ones(1, 2, 2), torch.ones(1, 2, 2).to(getattr(torch, name))
    said = message(F.scaled_dot_product_attention, other, x, x)
    assert f"query.dtype: {in_c} key.dtype: float and" in said
    assert f"gradient with dtype '{in_c}' to a tensor with grad_dtype 'Float'." in message(setattr, x, "grad", other)
    assert message(torch.isclose, x, other) == f"Float did not match {scalar}"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "uint8"])
def test_a_mask_that_is_no_mask_is_named_as_torch_names_it(name):
    in_c, scalar = NAMES[name]
    x, mask = torch.ones(2), torch.ones(2).to(getattr(torch, name))
    assert message(x.masked_fill, mask, 1.0) == f"masked_fill_ only supports boolean masks, but got mask with dtype {in_c}"
    said = "where expected condition to be a boolean tensor, but got a tensor with dtype "
    assert message(torch.where, mask, x, x) == said + scalar
