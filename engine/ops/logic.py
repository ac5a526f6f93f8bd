"""Logic of truth values and of bits, elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import NotImplementedFault
from engine.ops.op import Sample, op
from engine.ops.samples import INTEGERS

Array = Any

for _name, _f, _tex in (("logical_and", np.logical_and, r"\land"), ("logical_or", np.logical_or, r"\lor"),
                        ("logical_xor", np.logical_xor, r"\oplus")):  # fmt: skip
    op(f"{_name}(input, other)", inputs=2, forward=f"{_name}(input, other)", general=_f, promote="bool", inplace=True, numbers=False,
       latex=f"{{input}} {_tex} {{other}}", doc=f"{_name} of the truth of both.")  # fmt: skip
op("logical_not(input)", forward="logical_not(input)", general=np.logical_not, promote="bool", inplace=True,
   latex=r"\neg {input}", doc="Where the element is 0.")  # fmt: skip


def _bits(name: str, f: Any) -> Any:
    def kernel(a: Array, b: Array) -> Array:
        if a.dtype.kind not in "bui" or (a.dtype == bool and "shift" in name):
            raise NotImplementedFault(f'"{name}_cpu" not implemented for \'{dtypes.SCALAR_NAMES[dtypes.of(a)]}\'')
        return f(a, b)

    return kernel


for _name, _f, _tex in (
    ("bitwise_and", np.bitwise_and, r"\mathbin{\&}"), ("bitwise_or", np.bitwise_or, r"\mathbin{|}"),
    ("bitwise_xor", np.bitwise_xor, r"\oplus"), ("bitwise_left_shift", np.left_shift, r"\ll"),
    ("bitwise_right_shift", np.right_shift, r"\gg"),
):  # fmt: skip
    _c_name = {"bitwise_left_shift": "lshift", "bitwise_right_shift": "rshift"}.get(_name, _name)
    op(f"{_name}(input, other)", inputs=2, forward=f"{_name}(input, other)", general=_bits(_c_name, _f),
       latex=f"{{input}} {_tex} {{other}}", doc=f"{_name}, bit by bit.", samples=INTEGERS)  # fmt: skip


def _invert(a: Array) -> Array:
    if a.dtype.kind == "f":
        raise NotImplementedFault(f'"bitwise_not_cpu" not implemented for \'{dtypes.SCALAR_NAMES[dtypes.of(a)]}\'')
    return np.invert(a)


op("bitwise_not(input)", forward="bitwise_not(input)", general=_invert, latex=r"\sim {input}", doc="All bits inverted.",
   samples=[Sample(([1, 2, -3],)), Sample(([True, False],))])  # fmt: skip
