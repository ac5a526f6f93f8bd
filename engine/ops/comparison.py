"""Comparisons and tests of values; whether tensors are equal or close."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault
from engine.ops.op import NAMESPACE, TENSORS, composite, op

Array = Any
Tensor = Any

for _name, _symbol, _tex, _alias in (
    ("eq", "==", "=", ()), ("ne", "!=", r"\ne", ("not_equal",)), ("lt", "<", "<", ("less",)),
    ("le", "<=", r"\le", ("less_equal",)), ("gt", ">", ">", ("greater",)), ("ge", ">=", r"\ge", ("greater_equal",)),
):  # fmt: skip
    op(f"{_name}(input, other)", inputs=2, forward=f"input {_symbol} other", promote="bool", aliases=_alias,
       latex=f"{{input}} {_tex} {{other}}", doc=f"Where `input {_symbol} other` holds.", inplace=True)  # fmt: skip


def _tested(f: Any) -> Any:
    def kernel(a: Array) -> Array:
        return f(a) if a.dtype.kind not in "bui" else f(a.astype(np.float32))

    return kernel


for _name, _f in (("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite),
                  ("isneginf", lambda a: np.asarray(a) == -np.inf), ("isposinf", lambda a: np.asarray(a) == np.inf),
                  ("signbit", np.signbit)):  # fmt: skip
    op(f"{_name}(input)", forward=f"{_name}(input)", general=_tested(_f), promote="bool", inplace=False,
       latex=rf"\operatorname{{{_name}}}({{input}})".replace("{{", "{").replace("}}", "}"),
       doc=f"Element by element: {_name}.")  # fmt: skip


@composite()
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol * |other|."""
    if input._a.dtype != other._a.dtype:
        raise RuntimeFault(f"{dtypes.SCALAR_NAMES[input.dtype]} did not match {dtypes.SCALAR_NAMES[other.dtype]}")
    a, b = (np.asarray(x._a).reshape(x._s) for x in (input, other))
    if a.dtype.kind in "bui" and b.dtype.kind in "bui":
        a, b = a.astype(np.float64), b.astype(np.float64)
    close = a == b
    if equal_nan:
        close = close | (np.isnan(a) & np.isnan(b))
    near = np.isfinite(b) & (np.abs(a - b) <= atol + np.abs(rtol * b))
    return TENSORS["wrap_array"](close | near)


@composite()
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    if input._a.dtype != other._a.dtype:
        raise RuntimeFault(f"{dtypes.SCALAR_NAMES[input.dtype]} did not match {dtypes.SCALAR_NAMES[other.dtype]}")
    return bool(TENSORS["isclose"](input, other, rtol, atol, equal_nan)._a.all())


@composite()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are the same."""
    if not isinstance(other, NAMESPACE["Tensor"]):
        raise TypeFault(f"equal(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    return bool(input._s == other._s and np.array_equal(np.asarray(input._a).reshape(input._s), other._a))
