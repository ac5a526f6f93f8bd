"""Powers, roots, exponentials and logarithms, elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault
from engine.ops import elementary as el
from engine.ops import kernels
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Failing, Sample, composite, op
from engine.ops.samples import POSITIVE
from engine.ops.vocabulary import floats_only, word, zero_tensor

Array = Any
Tensor = Any

# ---- powers -------------------------------------------------------------------------------------------------

# small whole exponents as products: 80 times cheaper than np.power on float32


def _squared_vjp(g: Any, x: Any) -> Any:
    d = x + x
    if type(d) is not np.ndarray:  # what NumPy makes of a 0-d array
        return g * d
    return d if type(g) is kernels.F and g == 1.0 else np.multiply(g, d, d)  # type: ignore[attr-defined]


word("squared_vjp", _squared_vjp, lambda g, x: g * (2 * x))

op("pow_2(input)", forward="input * input", partials={"input": "2 * input"}, vjps={"input": "g * (2 * input)"},
   quick={"input": "squared_vjp(g, input)"},
   node="PowBackward0", latex="{input}^2", latex_partials={"input": "2\\,{input}"}, doc="Square.", public="pow", samples=(),
   method=False, inplace=False)  # fmt: skip
op("pow_3(input)", forward="input * input * input", partials={"input": "3 * (input * input)"},
   node="PowBackward0", latex="{input}^3", latex_partials={"input": "3\\,{input}^2"}, doc="Cube.", public="pow", samples=(),
   method=False, inplace=False)  # fmt: skip


def power(a: Array, e: Any) -> Array:
    """a ** e as torch computes it: whole numbers by products, halves by square roots."""
    if isinstance(e, (int, float)):
        if a.dtype.kind == "b":
            a = a.astype(np.int64)
        if a.dtype.kind in "ui":
            if e < 0:
                raise RuntimeFault("Integers to negative integer powers are not allowed.",
                                   hint="x.float() ** -1, or 1 / x")  # fmt: skip
            return np.power(a, int(e))
        if e == 2:
            return a * a
        if e == 3:
            return a * a * a
        if e == 1:
            return a * a.dtype.type(1)
        if e == 0:
            return np.ones_like(a)
        if e == 0.5:
            return np.sqrt(a)
        if e == -0.5:
            return 1 / np.sqrt(a)
        if e == -1:
            return 1 / a
        if e == -2:
            return 1 / (a * a)
        return np.power(a, a.dtype.type(e))
    if a.dtype.kind in "bui" and np.any(np.asarray(e) < 0):
        raise RuntimeFault("Integers to negative integer powers are not allowed.", hint="x.float() ** y")
    return np.power(a, e)


def power_slope(a: Array, e: Any) -> Array:
    """The local derivative of a ** e: e * a ** (e - 1), and 0 for e = 0."""
    return np.zeros_like(a) if e == 0 else e * power(a, e - 1)


def _power_slope_tensor(a: Tensor, e: Any) -> Tensor:
    return zero_tensor(a) if e == 0 else e * TENSORS["pow"](a, e - 1)


ARRAYS.update(power=power, power_slope=power_slope)
TENSORS.update(power_slope=_power_slope_tensor, power=lambda a, e: TENSORS["pow"](a, e))
op("pow_number(input, exponent)", forward="power(input, exponent)", partials={"input": "power_slope(input, exponent)"},
   node="PowBackward0", latex="{input}^{{exponent}}", latex_partials={"input": r"{exponent}\,{input}^{{exponent}-1}"},
   doc="Power with a constant exponent.", public="pow", method=False, inplace=False,
   samples=[Sample(([1.0, -2.0, 0.5], ), {"exponent": e}) for e in (-2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 2.5)]
   + [Sample(([1, -2, 3],), {"exponent": 4})],
   fails=[Failing(([1, 2],), {"exponent": -1}, RuntimeError, "Integers to negative integer powers are not allowed.")],
)  # fmt: skip
op("pow_tensor(input, exponent)", inputs=2, forward="power(input, exponent)", public="pow", method=False, inplace=False,
   partials={"input": "exponent * power(input, exponent - 1)", "exponent": "out * log(input)"},
   vjps={"input": "g * where(exponent == 0, zero(g), exponent * power(input, exponent - 1))",
         "exponent": "select_if(~((input == 0) & (exponent >= 0)), g * (out * log(input)))"},
   node="PowBackward1", latex="{input}^{{exponent}}",
   latex_partials={"input": r"{exponent}\,{input}^{{exponent}-1}", "exponent": r"{input}^{{exponent}} \ln {input}"},
   doc="Power, element by element.")  # fmt: skip
op("pow_base(exponent, base)", inputs=1, forward="power(exponent * 0 + base, exponent)", public="pow", method=False,
   inplace=False, partials={"exponent": "out * log_number(base)"},
   vjps={"exponent": "zero(g) if base == 0 else g * (out * log_number(base))"},
   node="PowBackward2", latex="{base}^{{exponent}}", latex_partials={"exponent": r"{base}^{{exponent}} \ln {base}"},
   doc="Power of a constant base.", general=lambda e, base: power(np.full_like(e, base), e),
   samples=[Sample(([1.0, -2.0, 0.5],), {"base": b}) for b in (2.0, 0.5, 3)])  # fmt: skip


def log_number(b: float) -> float:
    """The logarithm of a Python number, where 0 and negative numbers have one too."""
    return math.log(b) if b > 0 else (-math.inf if b == 0 else math.nan)


ARRAYS["log_number"] = TENSORS["log_number"] = log_number


_squared, _cubed = TENSORS["pow_2"], TENSORS["pow_3"]


@composite()
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input ** exponent; torch.pow(2, x) too."""
    if type(exponent) is int and (exponent == 2 or exponent == 3) and out is None:
        payload = getattr(input, "_a", None)
        if payload is not None and payload.dtype is kernels.F32:
            return _squared(input) if exponent == 2 else _cubed(input)
    tensor = NAMESPACE["Tensor"]
    if not isinstance(input, tensor):
        return _number_to_tensor(input, exponent)
    if isinstance(exponent, tensor):
        r = TENSORS["pow_tensor"](input, exponent)
    elif type(exponent) in (int, float) or isinstance(exponent, (int, float, np.generic)):
        e = exponent.item() if isinstance(exponent, np.generic) else exponent
        if input._a.dtype.kind == "f":
            r = TENSORS["pow_2"](input) if e == 2 else TENSORS["pow_3"](input) if e == 3 else TENSORS["pow_number"](input, e)
        else:
            if input._a.dtype.kind in "bui" and isinstance(e, float):
                input = TENSORS["to_dtype"](input, dtypes.get_default_dtype())
            elif input._a.dtype.kind == "b" and not isinstance(e, bool):
                input = TENSORS["to_dtype"](input, dtypes.int64)
            r = TENSORS["pow_number"](input, e)
    else:
        raise TypeFault(f"pow(): argument 'exponent' (position 2) must be Tensor, not {type(exponent).__name__}")
    return r if out is None else NAMESPACE["store"](out, r)


def _number_to_tensor(base: Any, exponent: Tensor) -> Tensor:
    if exponent._a.dtype.kind in "bui":
        if isinstance(base, float):
            exponent = TENSORS["to_dtype"](exponent, dtypes.get_default_dtype())
        elif exponent._a.dtype.kind == "b":
            exponent = TENSORS["to_dtype"](exponent, dtypes.int64)
    return TENSORS["pow_base"](exponent, base)


@composite()
def square(input: Tensor, *, out: Tensor = None) -> Tensor:
    """input ** 2."""
    r = TENSORS["pow"](input, 2)
    return r if out is None else NAMESPACE["store"](out, r)


@composite()
def float_power(input: Tensor, exponent: Any) -> Tensor:
    """Power computed in float64."""
    x = TENSORS["to_dtype"](input, dtypes.float64)
    if isinstance(exponent, NAMESPACE["Tensor"]):
        exponent = TENSORS["to_dtype"](exponent, dtypes.float64)
    return TENSORS["pow"](x, exponent)


op("sqrt(input)", forward="sqrt(input)", partials={"input": "1 / (2 * out)"}, vjps={"input": "g / (2 * out)"},
   promote="float", node="SqrtBackward0", latex=r"\sqrt{{input}}", latex_partials={"input": r"\frac{1}{2\sqrt{{input}}}"},
   doc="Square root; negative elements give nan.", samples=POSITIVE)  # fmt: skip
op("rsqrt(input)", forward="1 / sqrt(input)", partials={"input": "-0.5 * power(out, 3)"},
   vjps={"input": "-0.5 * g * power(out, 3)"}, promote="float", node="RsqrtBackward0",
   latex=r"\frac{1}{\sqrt{{input}}}", latex_partials={"input": r"-\frac{1}{2}{input}^{-3/2}"},
   doc="One over the square root.", samples=POSITIVE)  # fmt: skip

# ---- exponentials and logarithms ------------------------------------------------------------------------------

op("exp(input)", forward="exp(input)", partials={"input": "out"}, promote="float",
   node="ExpBackward0", latex="e^{{input}}", latex_partials={"input": "e^{{input}}"}, doc="e to each element.")  # fmt: skip
op("exp2(input)", forward="exp2(input)", partials={"input": "out * LN2"}, vjps={"input": "g * out * LN2"},
   promote="float", node="Exp2Backward0", latex="2^{{input}}", latex_partials={"input": r"2^{{input}} \ln 2"},
   doc="2 to each element.")  # fmt: skip
op("expm1(input)", forward="expm1(input)", partials={"input": "out + 1"}, promote="float",
   node="Expm1Backward0", latex="e^{{input}} - 1", latex_partials={"input": "e^{{input}}"},
   doc="exp(x) - 1, exact near 0.")  # fmt: skip
op("log(input)", forward="log(input)", partials={"input": "1 / input"}, vjps={"input": "g / input"}, promote="float",
   node="LogBackward0", latex=r"\ln {input}", latex_partials={"input": r"\frac{1}{{input}}"},
   doc="Natural logarithm.", samples=POSITIVE)  # fmt: skip
op("log2(input)", forward="log2(input)", partials={"input": "1 / (input * LN2)"}, vjps={"input": "g / (input * LN2)"},
   promote="float", node="Log2Backward0", latex=r"\log_2 {input}", latex_partials={"input": r"\frac{1}{{input} \ln 2}"},
   doc="Logarithm to base 2.", samples=POSITIVE)  # fmt: skip
op("log10(input)", forward="log10(input)", partials={"input": "1 / (input * LN10)"},
   vjps={"input": "g / (input * LN10)"}, promote="float", node="Log10Backward0", latex=r"\log_{10} {input}",
   latex_partials={"input": r"\frac{1}{{input} \ln 10}"}, doc="Logarithm to base 10.", samples=POSITIVE)  # fmt: skip
op("log1p(input)", forward="log1p(input)", partials={"input": "1 / (input + 1)"}, vjps={"input": "g / (input + 1)"},
   promote="float", node="Log1PBackward0", latex=r"\ln(1 + {input})", latex_partials={"input": r"\frac{1}{1 + {input}}"},
   doc="log(1 + x), exact near 0.", samples=POSITIVE)  # fmt: skip
op("logaddexp(input, other)", inputs=2, numbers=False, forward="logaddexp(input, other)", general=floats_only("logaddexp_cpu", np.logaddexp),
   partials={"input": "1 / (1 + exp(other - input))", "other": "1 / (1 + exp(input - other))"},
   vjps={"input": "g / (1 + exp(other - input))", "other": "g / (1 + exp(input - other))"}, inplace=False,
   node="LogaddexpBackward0", latex=r"\ln(e^{{input}} + e^{{other}})",
   latex_partials={"input": r"\frac{1}{1 + e^{{other} - {input}}}", "other": r"\frac{1}{1 + e^{{input} - {other}}}"},
   doc="Logarithm of the sum of exponentials.")  # fmt: skip
op("logaddexp2(input, other)", inputs=2, numbers=False, forward="logaddexp2(input, other)", general=floats_only("logaddexp2_cpu", np.logaddexp2),
   partials={"input": "1 / (1 + exp2(other - input))", "other": "1 / (1 + exp2(input - other))"},
   vjps={"input": "g / (1 + exp2(other - input))", "other": "g / (1 + exp2(input - other))"}, inplace=False,
   node="Logaddexp2Backward0", latex=r"\log_2(2^{{input}} + 2^{{other}})",
   latex_partials={"input": r"\frac{1}{1 + 2^{{other} - {input}}}", "other": r"\frac{1}{1 + 2^{{input} - {other}}}"},
   doc="Base-2 logarithm of the sum of powers of 2.")  # fmt: skip
ARRAYS["log_any"] = el.log
TENSORS["log_any"] = lambda y: TENSORS["log"](y) if hasattr(y, "_a") else log_number(y)
op("xlogy(input, other)", inputs=2, fast=False, forward="xlogy(input, other)", promote="float",
   general=lambda x, y: np.where(np.isnan(y), y, np.where(x == 0, x * 0, x * el.log(y))),
   partials={"input": "log_any(other)", "other": "input / other"},
   vjps={"input": "select_if(~((input == 0) & (other <= 0)), g * log_any(other))", "other": "g * input / other"},
   node=lambda p: "XlogyBackward0" if p.get("tensors", 2) == 2 else "XlogyBackward2", latex=r"{input} \ln {other}",
   latex_partials={"input": r"\ln {other}", "other": r"\frac{{input}}{{other}}"}, doc="x log(y), 0 where x is 0.")  # fmt: skip
