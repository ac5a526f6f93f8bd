"""Elementwise operations: arithmetic, powers, exponentials, trigonometry, comparisons, selection.

Activations are in activation.py. Rules follow the order of operations of torch's kernels, so that even the last
digit agrees. `doc` is one sentence; samples default to the nasty sets of engine/ops/samples.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import NotImplementedFault, RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, NAMESPACE, TENSORS, Failing, Sample, composite, general, op
from engine.ops.samples import INTEGERS, PAIRS, POSITIVE, UNIT, Number
from engine.ops.special import KERNELS as SPECIAL

Array = Any
Tensor = Any


def _sign(a: Array) -> Array:
    """-1, 0 or 1; nan counts as 0."""
    if a.dtype == bool:
        return a.copy()
    return (a > 0).astype(a.dtype) - (a < 0).astype(a.dtype)


ARRAYS.update(
    exp=np.exp, log=np.log, tanh=np.tanh, sqrt=np.sqrt, sin=np.sin, cos=np.cos, maximum=np.maximum, minimum=np.minimum,
    abs=np.absolute, tan=np.tan, asin=np.arcsin, acos=np.arccos, atan=np.arctan, sinh=np.sinh, cosh=np.cosh,
    asinh=np.arcsinh, acosh=np.arccosh, atanh=np.arctanh, expm1=np.expm1, log1p=np.log1p, log2=np.log2, log10=np.log10,
    exp2=np.exp2, floor=np.floor, ceil=np.ceil, trunc=np.trunc, isfinite=np.isfinite, sgn=_sign, sign=_sign,
    isnan=np.isnan, logical_and=np.logical_and, logical_not=np.logical_not, zeros_like=np.zeros_like,
    np_divide=np.divide, **SPECIAL,
)  # fmt: skip

LN2, LN10 = math.log(2), math.log(10)
ARRAYS.update(LN2=LN2, LN10=LN10, PI=math.pi)
TENSORS.update(LN2=LN2, LN10=LN10, PI=math.pi)


def _where(condition: Array, a: Array, b: Array) -> Array:
    """where() whose plain numbers take the dtype of the other side."""
    if type(a) in (int, float):  # not isinstance: np.float64 is a float
        a = b.dtype.type(a)
    elif type(b) in (int, float):
        b = a.dtype.type(b)
    r = np.where(condition, a, b)
    return r if r.ndim else r[()]


ARRAYS["where"] = _where
# `zero(g)` is a gradient of nothing but zeros; `select_if(c, g)` keeps g where c holds, and there only
ARRAYS["zero"] = np.zeros_like
ARRAYS["select_if"] = lambda c, g: _where(c, g, 0)
TENSORS["select_if"] = lambda c, g: TENSORS["where"](c, g, 0.0)


def _zero_tensor(g: Tensor) -> Tensor:
    r = object.__new__(NAMESPACE["Tensor"])
    r._a = np.zeros(g._s, g._a.dtype) if type(g._a) is ndarray else g._a.dtype.type(0)
    r._s, r._n = g._s, None
    return r


TENSORS["zero"] = TENSORS["zeros_like_"] = _zero_tensor


def no_derivative(name: str) -> Any:
    """torch has none either."""
    raise RuntimeFault(f"derivative for aten::{name} is not implemented")


ARRAYS["no_derivative"] = TENSORS["no_derivative"] = no_derivative


def _floats(name: str, f: Any) -> Any:
    """A kernel that torch has for floating point only."""

    def kernel(*arrays: Array) -> Array:
        if arrays[0].dtype.kind in "bui":
            raise NotImplementedFault(f'"{name}" not implemented for \'{dtypes.SCALAR_NAMES[dtypes.of(arrays[0])]}\'')
        return f(*arrays)

    return kernel


def refuse_bool(name: str) -> Any:
    """Message of kernels that torch has not for bool."""
    return NotImplementedFault(f'"{name}" not implemented for \'Bool\'')


# ---- arithmetic -------------------------------------------------------------------------------------------


def _sub(a: Array, b: Array) -> Array:
    if a.dtype == bool and b.dtype == bool:
        raise RuntimeFault(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead.",
            hint="a ^ b, or a.int() - b.int()",
        )
    return np.subtract(a, b)


def _no_bools(args: Any) -> None:
    """Subtraction wants numbers."""
    kinds = [dtypes.of(a._a) if hasattr(a, "_a") else dtypes.of_number(a) for a in args]
    if kinds[0] is not kinds[1] and dtypes.bool_ in kinds:
        raise RuntimeFault(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the "
            "`~` or `logical_not()` operator instead.",
            hint="~mask, or mask.int()",
        )


def _neg(a: Array) -> Array:
    if a.dtype == bool:
        raise RuntimeFault(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
            "`~` or `logical_not()` operator instead.",
            hint="~a",
        )
    return -a


op("add(input, other)", inputs=2, forward="input + other", partials={"input": "1", "other": "1"},
   node="AddBackward0", latex="{input} + {other}", latex_partials={"input": "1", "other": "1"},
   doc="Sum, element by element.",
   fails=[Failing(([1.0, 2.0, 3.0], [1.0, 2.0]), {}, RuntimeError,
          "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0")])  # fmt: skip
op("sub(input, other)", inputs=2, forward="input - other", general=_sub, check=_no_bools, partials={"input": "1", "other": "-1"},
   node="SubBackward0", latex="{input} - {other}", latex_partials={"input": "1", "other": "-1"},
   doc="Difference, element by element.",
   fails=[Failing(([True], [False]), {}, RuntimeError, "Subtraction, the `-` operator, with two bool tensors is not "
          "supported. Use the `^` or `logical_xor()` operator instead.")])  # fmt: skip
op("rsub(input, other)", inputs=2, forward="other - input", general=lambda a, b: _sub(b, a), check=_no_bools,
   partials={"input": "-1"}, node="RsubBackward1", latex="{other} - {input}",
   latex_partials={"input": "-1"}, doc="Difference with the operands exchanged: `1 - x`.",
   inplace=False,
   samples=[Sample(([1.0, 2.0], Number(1.0))), Sample((2.0, Number(1)))])  # fmt: skip
op("add_scaled(input, other, alpha)", inputs=2, forward="input + other * alpha", public="add",
   partials={"input": "1", "other": "alpha"}, node="AddBackward0", latex=r"{input} + {alpha}\,{other}",
   latex_partials={"input": "1", "other": "{alpha}"}, doc="Sum with a factor on the second operand.", method=False,
   inplace=False, samples=[Sample(([1.0, 2.0], [3.0, 4.0]), {"alpha": 2})])  # fmt: skip
op("sub_scaled(input, other, alpha)", inputs=2, forward="input - other * alpha", public="sub",
   partials={"input": "1", "other": "-alpha"}, node="SubBackward0", latex=r"{input} - {alpha}\,{other}",
   latex_partials={"input": "1", "other": "-{alpha}"}, doc="Difference with a factor on the second operand.",
   method=False, inplace=False, samples=[Sample(([1.0, 2.0], [3.0, 4.0]), {"alpha": 2})])  # fmt: skip
op("mul(input, other)", inputs=2, forward="input * other", partials={"input": "other", "other": "input"},
   node="MulBackward0", latex=r"{input} \cdot {other}", latex_partials={"input": "{other}", "other": "{input}"},
   doc="Product, element by element.")  # fmt: skip
op("div(input, other)", inputs=2, forward="input / other", promote="float",
   partials={"input": "1 / other", "other": "-input / (other * other)"},
   vjps={"input": "g / other", "other": "-g * ((input / other) / other)"},
   node="DivBackward0", latex=r"\frac{{input}}{{other}}",
   latex_partials={"input": r"\frac{1}{{other}}", "other": r"-\frac{{input}}{{other}^2}"},
   doc="True quotient, element by element; integers become floats.")  # fmt: skip


def _integer_division(rounding: Any) -> Any:
    def kernel(a: Array, b: Array) -> Array:
        if a.dtype.kind in "bui":
            if (b == 0).any():
                raise RuntimeFault("ZeroDivisionError", hint="an integer was divided by zero; floats would give inf")
            if a.dtype == bool:
                raise NotImplementedFault(f'"div_{rounding}_cpu" not implemented for \'Bool\'')
            q = np.floor_divide(a, b)
            return q if rounding == "floor" else q + ((q < 0) & (q * b != a))
        q = np.asarray(np.divide(a, b))
        if rounding == "trunc":
            return np.trunc(q)
        # torch: div_floor_floating — floor of the exact quotient, by way of the remainder
        m = np.fmod(a, b)
        d = (a - m) / b
        d = np.where((m != 0) & ((b < 0) != (m < 0)), d - d.dtype.type(1), d)
        f = np.floor(d)
        f = np.where(d - f > d.dtype.type(0.5), f + f.dtype.type(1), f)
        return np.where(b == 0, q, np.where(d != 0, f, np.copysign(np.zeros_like(q), q)))

    return kernel


op("div_rounded(input, other, rounding_mode)", inputs=2, forward="div_rounded(input, other, rounding_mode)", public="div",
   general=lambda a, b, mode: _integer_division(mode)(a, b), vjps={"input": "zero(g)", "other": "zero(g)"},
   node="DivBackward2", latex=r"\lfloor {input} / {other} \rfloor", method=False, inplace=False,
   latex_partials={"input": "0", "other": "0"}, doc="Quotient rounded down or towards zero.",
   samples=[Sample(([7.0, -7.0, 1.5], [2.0, 2.0, -0.5]), {"rounding_mode": m}) for m in ("floor", "trunc")])  # fmt: skip
op("floor_divide(input, other)", inputs=2, forward="floor_divide(input, other)", general=_integer_division("floor"),
   vjps={"input": "no_derivative('floor_divide')", "other": "no_derivative('floor_divide')"}, node="NotImplemented",
   latex=r"\left\lfloor \frac{{input}}{{other}} \right\rfloor", doc="Quotient rounded down.",
   samples=[*PAIRS, Sample(([7, -7], [2, 2])), Sample(([7, -7], Number(2)))],
   fails=[Failing(([1, 2], [0, 1]), {}, RuntimeError, "ZeroDivisionError")])  # fmt: skip


def _zero_checked(f: Any) -> Any:
    def kernel(a: Array, b: Array) -> Array:
        if a.dtype.kind in "bui" and (b == 0).any():
            raise RuntimeFault("ZeroDivisionError", hint="an integer was divided by zero")
        return f(a, b)

    return kernel


ARRAYS.update(np_floor=np.floor, np_trunc=np.trunc)
TENSORS.update(np_floor=lambda x: TENSORS["floor"](x), np_trunc=lambda x: TENSORS["trunc"](x))
op("remainder(input, other)", inputs=2, fast=False, forward="remainder(input, other)", general=_zero_checked(np.remainder),
   partials={"input": "1", "other": "-np_floor(input / other)"},
   node=lambda p: "RemainderBackward1" if p.get("tensors", 2) == 2 else "RemainderBackward0",
   latex=r"{input} \bmod {other}", latex_partials={"input": "1", "other": r"-\lfloor {input}/{other} \rfloor"},
   doc="Remainder with the sign of the divisor, as Python's %.",
   fails=[Failing(([1, 2], [0, 1]), {}, RuntimeError, "ZeroDivisionError")])  # fmt: skip
op("fmod(input, other)", inputs=2, fast=False, forward="fmod(input, other)", general=_zero_checked(np.fmod),
   partials={"input": "1", "other": "-np_trunc(input / other)"},
   node=lambda p: "FmodBackward1" if p.get("tensors", 2) == 2 else "FmodBackward0",
   latex=r"\operatorname{fmod}({input}, {other})",
   latex_partials={"input": "1", "other": r"-\operatorname{trunc}({input}/{other})"},
   doc="Remainder with the sign of the dividend.")  # fmt: skip
op("neg(input)", forward="-input", general=_neg, partials={"input": "-1"}, aliases=("negative",),
   node="NegBackward0", latex="-{input}", latex_partials={"input": "-1"}, doc="Negation.",
   fails=[Failing(([True],), {}, RuntimeError, "Negation, the `-` operator, on a bool tensor is not supported. If you are "
          "trying to invert a mask, use the `~` or `logical_not()` operator instead.")])  # fmt: skip
op("reciprocal(input)", forward="1 / input", partials={"input": "-(out * out)"}, promote="float",
   vjps={"input": "-g * (out * out)"},
   node="ReciprocalBackward0", latex=r"\frac{1}{{input}}", latex_partials={"input": r"-\frac{1}{{input}^2}"},
   doc="One over each element.")  # fmt: skip


def _abs(a: Array) -> Array:
    if a.dtype == bool:
        raise refuse_bool("abs_cpu")
    return np.absolute(a)


op("abs(input)", forward="abs(input)", general=_abs, partials={"input": "sgn(input)"}, node="AbsBackward0",
   latex=r"\lvert {input} \rvert", latex_partials={"input": r"\operatorname{sign}({input})"},
   doc="Absolute value; the derivative at 0 is 0.", aliases=("absolute",))  # fmt: skip

# ---- powers -------------------------------------------------------------------------------------------------

# small whole exponents as products: 80 times cheaper than np.power on float32
op("pow_2(input)", forward="input * input", partials={"input": "2 * input"}, vjps={"input": "g * (2 * input)"},
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
    return _zero_tensor(a) if e == 0 else e * TENSORS["pow"](a, e - 1)


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


@composite()
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input ** exponent; torch.pow(2, x) too."""
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
op("logaddexp(input, other)", inputs=2, numbers=False, forward="logaddexp(input, other)", general=_floats("logaddexp_cpu", np.logaddexp),
   partials={"input": "1 / (1 + exp(other - input))", "other": "1 / (1 + exp(input - other))"},
   vjps={"input": "g / (1 + exp(other - input))", "other": "g / (1 + exp(input - other))"}, inplace=False,
   node="LogaddexpBackward0", latex=r"\ln(e^{{input}} + e^{{other}})",
   latex_partials={"input": r"\frac{1}{1 + e^{{other} - {input}}}", "other": r"\frac{1}{1 + e^{{input} - {other}}}"},
   doc="Logarithm of the sum of exponentials.")  # fmt: skip
op("logaddexp2(input, other)", inputs=2, numbers=False, forward="logaddexp2(input, other)", general=_floats("logaddexp2_cpu", np.logaddexp2),
   partials={"input": "1 / (1 + exp2(other - input))", "other": "1 / (1 + exp2(input - other))"},
   vjps={"input": "g / (1 + exp2(other - input))", "other": "g / (1 + exp2(input - other))"}, inplace=False,
   node="Logaddexp2Backward0", latex=r"\log_2(2^{{input}} + 2^{{other}})",
   latex_partials={"input": r"\frac{1}{1 + 2^{{other} - {input}}}", "other": r"\frac{1}{1 + 2^{{input} - {other}}}"},
   doc="Base-2 logarithm of the sum of powers of 2.")  # fmt: skip
ARRAYS["log_any"] = np.log
TENSORS["log_any"] = lambda y: TENSORS["log"](y) if hasattr(y, "_a") else log_number(y)
op("xlogy(input, other)", inputs=2, fast=False, forward="xlogy(input, other)", promote="float",
   general=lambda x, y: np.where(np.isnan(y), y, np.where(x == 0, x * 0, x * np.log(y))),
   partials={"input": "log_any(other)", "other": "input / other"},
   vjps={"input": "select_if(~((input == 0) & (other <= 0)), g * log_any(other))", "other": "g * input / other"},
   node=lambda p: "XlogyBackward0" if p.get("tensors", 2) == 2 else "XlogyBackward2", latex=r"{input} \ln {other}",
   latex_partials={"input": r"\ln {other}", "other": r"\frac{{input}}{{other}}"}, doc="x log(y), 0 where x is 0.")  # fmt: skip

# ---- trigonometric and hyperbolic -------------------------------------------------------------------------------

op("sin(input)", forward="sin(input)", partials={"input": "cos(input)"}, promote="float",
   node="SinBackward0", latex=r"\sin {input}", latex_partials={"input": r"\cos {input}"}, doc="Sine, in radians.")  # fmt: skip
op("cos(input)", forward="cos(input)", partials={"input": "-sin(input)"}, vjps={"input": "g * -sin(input)"},
   promote="float", node="CosBackward0", latex=r"\cos {input}", latex_partials={"input": r"-\sin {input}"},
   doc="Cosine, in radians.")  # fmt: skip
op("tan(input)", forward="tan(input)", partials={"input": "1 + out * out"}, promote="float", node="TanBackward0",
   latex=r"\tan {input}", latex_partials={"input": r"1 + \tan^2 {input}"}, doc="Tangent, in radians.")  # fmt: skip
op("asin(input)", forward="asin(input)", partials={"input": "1 / sqrt(1 - input * input)"},
   vjps={"input": "g * (1 / sqrt(-input * input + 1))"}, promote="float", node="AsinBackward0", aliases=("arcsin",),
   latex=r"\arcsin {input}", latex_partials={"input": r"\frac{1}{\sqrt{1 - {input}^2}}"}, doc="Inverse sine.",
   samples=UNIT)  # fmt: skip
op("acos(input)", forward="acos(input)", partials={"input": "-1 / sqrt(1 - input * input)"},
   vjps={"input": "g * -(1 / sqrt(-input * input + 1))"}, promote="float", node="AcosBackward0", aliases=("arccos",),
   latex=r"\arccos {input}", latex_partials={"input": r"-\frac{1}{\sqrt{1 - {input}^2}}"}, doc="Inverse cosine.",
   samples=UNIT)  # fmt: skip
op("atan(input)", forward="atan(input)", partials={"input": "1 / (input * input + 1)"},
   vjps={"input": "g / (input * input + 1)"}, promote="float", node="AtanBackward0", aliases=("arctan",),
   latex=r"\arctan {input}", latex_partials={"input": r"\frac{1}{1 + {input}^2}"}, doc="Inverse tangent.")  # fmt: skip
op("sinh(input)", forward="sinh(input)", partials={"input": "cosh(input)"}, promote="float", node="SinhBackward0",
   latex=r"\sinh {input}", latex_partials={"input": r"\cosh {input}"}, doc="Hyperbolic sine.")  # fmt: skip
op("cosh(input)", forward="cosh(input)", partials={"input": "sinh(input)"}, promote="float", node="CoshBackward0",
   latex=r"\cosh {input}", latex_partials={"input": r"\sinh {input}"}, doc="Hyperbolic cosine.")  # fmt: skip
op("tanh(input)", forward="tanh(input)", partials={"input": "1 - out * out"}, promote="float",
   node="TanhBackward0", latex=r"\tanh {input}", latex_partials={"input": r"1 - \tanh^2 {input}"},
   doc="Hyperbolic tangent.")  # fmt: skip
op("asinh(input)", forward="asinh(input)", partials={"input": "1 / sqrt(input * input + 1)"},
   vjps={"input": "g * (1 / sqrt(input * input + 1))"}, promote="float", node="AsinhBackward0", aliases=("arcsinh",),
   latex=r"\operatorname{arsinh} {input}", latex_partials={"input": r"\frac{1}{\sqrt{{input}^2 + 1}}"},
   doc="Inverse hyperbolic sine.")  # fmt: skip
op("acosh(input)", forward="acosh(input)", partials={"input": "1 / sqrt(input * input - 1)"},
   vjps={"input": "g * (1 / sqrt(input * input - 1))"}, promote="float", node="AcoshBackward0", aliases=("arccosh",),
   latex=r"\operatorname{arcosh} {input}", latex_partials={"input": r"\frac{1}{\sqrt{{input}^2 - 1}}"},
   doc="Inverse hyperbolic cosine.", samples=[Sample(([1.5, 2.0, 10.0],)), Sample((3.0,)), Sample(([0.5, 1.0],))])  # fmt: skip
op("atanh(input)", forward="atanh(input)", partials={"input": "1 / (1 - input * input)"},
   vjps={"input": "g * 1 / (1 - input * input)"}, promote="float", node="AtanhBackward0", aliases=("arctanh",),
   latex=r"\operatorname{artanh} {input}", latex_partials={"input": r"\frac{1}{1 - {input}^2}"},
   doc="Inverse hyperbolic tangent.", samples=UNIT)  # fmt: skip
op("atan2(input, other)", inputs=2, numbers=False, forward="atan2(input, other)", general=np.arctan2, promote="float",
   partials={"input": "other / (input * input + other * other)", "other": "-input / (input * input + other * other)"},
   node="Atan2Backward0", aliases=("arctan2",), latex=r"\operatorname{atan2}({input}, {other})",
   latex_partials={"input": r"\frac{{other}}{{input}^2+{other}^2}", "other": r"-\frac{{input}}{{input}^2+{other}^2}"},
   doc="Angle of the point (other, input).")  # fmt: skip
op("hypot(input, other)", inputs=2, numbers=False, forward="hypot(input, other)", general=_floats("hypot_cpu", np.hypot),
   partials={"input": "input / out", "other": "other / out"}, vjps={"input": "g * (input / out)", "other": "g * (other / out)"},
   node="HypotBackward0", latex=r"\sqrt{{input}^2 + {other}^2}",
   latex_partials={"input": r"\frac{{input}}{r}", "other": r"\frac{{other}}{r}"}, doc="Length of the hypotenuse.")  # fmt: skip
op("deg2rad(input)", forward="input * (PI / 180)", promote="float", partials={"input": "PI / 180"},
   node="Deg2RadBackward0", latex=r"\frac{\pi}{180} {input}", latex_partials={"input": r"\frac{\pi}{180}"},
   doc="Degrees to radians.")  # fmt: skip
op("rad2deg(input)", forward="input * (180 / PI)", promote="float", partials={"input": "180 / PI"},
   node="Rad2DegBackward0", latex=r"\frac{180}{\pi} {input}", latex_partials={"input": r"\frac{180}{\pi}"},
   doc="Radians to degrees.")  # fmt: skip


def _sinc(x: Array) -> Array:
    p = x * x.dtype.type(math.pi)
    return np.where(x == 0, x.dtype.type(1), np.sin(p) / p)


op("sinc(input)", forward="sinc(input)", general=_sinc, promote="float",
   partials={"input": "where(input == 0, 0.0, (PI * input * cos(PI * input) - sin(PI * input)) / (PI * input * input))"},
   node="SincBackward0", latex=r"\frac{\sin \pi {input}}{\pi {input}}",
   latex_partials={"input": r"\frac{\pi {input} \cos \pi {input} - \sin \pi {input}}{\pi {input}^2}"},
   doc="Normalised sinc.")  # fmt: skip

# ---- sigmoid and special functions ---------------------------------------------------------------------------------

ARRAYS["sigmoid"] = lambda x: 1 / (1 + np.exp(-x))
op("sigmoid(input)", forward="1 / (1 + exp(-input))", partials={"input": "(1 - out) * out"}, promote="float",
   vjps={"input": "g * (1 - out) * out"}, aliases=("expit",),
   node="SigmoidBackward0", latex=r"\sigma({input}) = \frac{1}{1 + e^{-{input}}}",
   latex_partials={"input": r"\sigma({input})\,(1 - \sigma({input}))"}, doc="Logistic function.")  # fmt: skip
op("logit(input, eps=None)", forward="logit(input, eps)", promote="float",
   general=lambda x, eps: _logit(x, eps), partials={"input": "1 / (input * (1 - input))"},
   vjps={"input": "g / (input * (1 - input)) if eps is None else "
         "select_if((input >= eps) & (input <= 1.0 - eps), g / (input * (1.0 - input)))"},
   node="LogitBackward0", latex=r"\ln \frac{{input}}{1 - {input}}", latex_partials={"input": r"\frac{1}{{input}(1-{input})}"},
   doc="Inverse of the logistic function.",
   samples=[Sample(([0.2, 0.5, 0.9],)), Sample(([0.0, 0.5, 1.0],), {"eps": 0.1})])  # fmt: skip


def _logit(x: Array, eps: Any) -> Array:
    z = x if eps is None else np.clip(x, x.dtype.type(eps), x.dtype.type(1 - eps))
    return np.log(z / (1 - z))


ARRAYS["logit"] = _logit
op("erf(input)", forward="erf(input)", promote="float", partials={"input": "2 / sqrt_number(PI) * exp(-input * input)"},
   vjps={"input": "2 / sqrt_number(PI) * exp(-input * input) * g"}, node="ErfBackward0",
   latex=r"\operatorname{erf} {input}", latex_partials={"input": r"\frac{2}{\sqrt\pi} e^{-{input}^2}"},
   doc="Error function.")  # fmt: skip
op("erfc(input)", forward="erfc(input)", promote="float", partials={"input": "-2 / sqrt_number(PI) * exp(-input * input)"},
   vjps={"input": "-2 / sqrt_number(PI) * exp(-input * input) * g"}, node="ErfcBackward0",
   latex=r"\operatorname{erfc} {input}", latex_partials={"input": r"-\frac{2}{\sqrt\pi} e^{-{input}^2}"},
   doc="Complement of the error function.")  # fmt: skip
op("erfinv(input)", forward="erfinv(input)", promote="float",
   partials={"input": "0.5 * sqrt_number(PI) * exp(out * out)"},
   vjps={"input": "0.5 * sqrt_number(PI) * exp(out * out) * g"}, node="ErfinvBackward0",
   latex=r"\operatorname{erf}^{-1} {input}", latex_partials={"input": r"\frac{\sqrt\pi}{2} e^{y^2}"},
   doc="Inverse of the error function.", samples=UNIT)  # fmt: skip
ARRAYS["sqrt_number"] = TENSORS["sqrt_number"] = math.sqrt
op("lgamma(input)", forward="lgamma(input)", promote="float", partials={"input": "digamma(input)"},
   node="LgammaBackward0", latex=r"\ln \lvert\Gamma({input})\rvert", latex_partials={"input": r"\psi({input})"},
   doc="Logarithm of the gamma function.", samples=POSITIVE)  # fmt: skip
op("digamma(input)", forward="digamma(input)", promote="float", partials={"input": "trigamma(input)"},
   node="DigammaBackward0", latex=r"\psi({input})", latex_partials={"input": r"\psi'({input})"},
   doc="Derivative of lgamma.", samples=[Sample(([0.5, 1.0, 3.5],)), Sample((2.0,))])  # fmt: skip
op("trigamma(input)", forward="trigamma(input)", promote="float", vjps={"input": "no_derivative('polygamma')"},
   node="PolygammaBackward0", latex=r"\psi'({input})", doc="Derivative of digamma.", method=False, inplace=False,
   public="polygamma", samples=())  # fmt: skip

# ---- signs and rounding ----------------------------------------------------------------------------------------------


def _keep_integers(f: Any) -> Any:
    def kernel(a: Array) -> Array:
        if a.dtype == bool:
            raise refuse_bool(f"{f.__name__}_vml_cpu")
        return a.copy() if a.dtype.kind in "bui" else f(a)

    return kernel


for _name, _f, _tex in (
    ("floor", np.floor, r"\lfloor {input} \rfloor"),
    ("ceil", np.ceil, r"\lceil {input} \rceil"),
    ("trunc", np.trunc, r"\operatorname{trunc} {input}"),
):
    op(f"{_name}(input)", forward=f"{_name}(input)", general=_keep_integers(_f), partials={"input": "0"},
       vjps={"input": "zero(g)"}, node=f"{_name.capitalize()}Backward0", latex=_tex, latex_partials={"input": "0"},
       doc=f"{_name.capitalize()}, element by element; flat, so its derivative is 0.",
       aliases=("fix",) if _name == "trunc" else ())  # fmt: skip


def _round(a: Array, decimals: int) -> Array:
    if a.dtype.kind in "bui":
        return a.copy()
    if decimals == 0:
        return np.rint(a)
    k = a.dtype.type(10.0 ** abs(decimals))
    return np.rint(a * k) / k if decimals > 0 else np.rint(a / k) * k


ARRAYS["round"] = lambda a, decimals=0: _round(a, decimals)
op("round(input, *, decimals=0)", forward="round(input, decimals)", general=_round, partials={"input": "0"},
   vjps={"input": "zero(g)"}, node=lambda p: "RoundBackward1" if p.get("decimals") else "RoundBackward0",
   latex=r"\operatorname{round} {input}", latex_partials={"input": "0"}, doc="Nearest integer, halves to even.",
   samples=[Sample(([0.5, 1.5, -2.5, 2.4],)), Sample(([0.55, 1.234],), {"decimals": 1}), Sample(([1, 2],))])  # fmt: skip
op("frac(input)", forward="input - trunc(input)", partials={"input": "1"}, node="FracBackward0",
   latex=r"{input} - \operatorname{trunc} {input}", latex_partials={"input": "1"}, doc="Fractional part.",
   general=_floats("frac_cpu", lambda a: a - np.trunc(a)))  # fmt: skip
op("sign(input)", forward="sign(input)", general=_sign,
   partials={"input": "0"}, vjps={"input": "zero(g)"}, node="SignBackward0", latex=r"\operatorname{sign} {input}",
   latex_partials={"input": "0"}, doc="-1, 0 or 1.")  # fmt: skip
op("sgn(input)", forward="sgn(input)", general=_sign,
   partials={"input": "0"}, vjps={"input": "zero(g)"}, node="SgnBackward0", latex=r"\operatorname{sgn} {input}",
   latex_partials={"input": "0"}, doc="As sign().")  # fmt: skip
op("copysign(input, other)", inputs=2, fast=False, forward="copysign(input, other)", general=np.copysign, promote="float",
   partials={"input": "where(input == 0, 0.0, out / input)", "other": "0"},
   vjps={"input": "where(input == 0, 0.0, g * (out / input))", "other": "zero(g)"}, node=lambda p: "CopysignBackward0" if p.get("tensors", 2) == 2 else "CopysignBackward1",
   latex=r"\operatorname{copysign}({input}, {other})",
   latex_partials={"input": r"\pm 1", "other": "0"}, doc="Magnitude of the first, sign of the second.")  # fmt: skip
def _same_types(args: Any) -> None:
    if dtypes.of(args[0]._a) is not dtypes.of(args[1]._a):
        raise RuntimeFault("heaviside is not yet implemented for tensors with different dtypes.")


op("heaviside(input, values)", inputs=2, numbers=False, check=_same_types, fast=False, forward="heaviside(input, values)",
   general=lambda a, b: np.where(a == 0, b, (a > 0).astype(a.dtype)), node="NotImplemented",
   vjps={"input": "no_derivative('heaviside')", "values": "no_derivative('heaviside')"},
   latex=r"H({input})", doc="0, `values` or 1 for negative, zero or positive.")  # fmt: skip
op("nan_to_num(input, nan=0.0, posinf=None, neginf=None)", forward="nan_to_num(input, nan, posinf, neginf)",
   general=lambda a, nan, posinf, neginf: _nan_to_num(a, nan, posinf, neginf),
   partials={"input": "isfinite(input)"}, vjps={"input": "select_if(isfinite(input), g)"},
   node="NanToNumBackward0", latex=r"\operatorname{nan\_to\_num}({input})",
   latex_partials={"input": r"\mathbb{1}[{input}\ \text{finite}]"}, doc="nan and infinities replaced by numbers.",
   samples=[Sample(([1.0, float("nan"), float("inf"), -float("inf")],)), Sample(([float("nan"), 1.0],), {"nan": 3.0})])  # fmt: skip


def _nan_to_num(a: Array, nan: Any, posinf: Any, neginf: Any) -> Array:
    if a.dtype.kind in "bui":
        return a.copy()
    limits = dtypes.finfo(dtypes.of(a))
    t = a.dtype.type
    r = np.where(np.isnan(a), t(0.0 if nan is None else nan), a)
    r = np.where(r == np.inf, t(limits.max if posinf is None else posinf), r)
    return np.where(r == -np.inf, t(limits.min if neginf is None else neginf), r)


ARRAYS["nan_to_num"] = _nan_to_num

# ---- choosing --------------------------------------------------------------------------------------------------------

op("maximum(input, other)", inputs=2, numbers=False, forward="maximum(input, other)", node="MaximumBackward0",
   partials={"input": "(input > other) + (input == other) * 0.5", "other": "(other > input) + (input == other) * 0.5"},
   vjps={"input": "where(input == other, g / 2, select_if(~(input < other), g))",
         "other": "where(input == other, g / 2, select_if(~(input > other), g))"}, inplace=False,
   latex=r"\max({input}, {other})", latex_partials={"input": r"\mathbb{1}[{input} > {other}]",
   "other": r"\mathbb{1}[{other} > {input}]"}, doc="The larger; at a tie each side gets half of the gradient.")  # fmt: skip
op("minimum(input, other)", inputs=2, numbers=False, forward="minimum(input, other)", node="MinimumBackward0",
   partials={"input": "(input < other) + (input == other) * 0.5", "other": "(other < input) + (input == other) * 0.5"},
   vjps={"input": "where(input == other, g / 2, select_if(~(input > other), g))",
         "other": "where(input == other, g / 2, select_if(~(input < other), g))"}, inplace=False,
   latex=r"\min({input}, {other})", latex_partials={"input": r"\mathbb{1}[{input} < {other}]",
   "other": r"\mathbb{1}[{other} < {input}]"}, doc="The smaller; at a tie each side gets half of the gradient.")  # fmt: skip
op("fmax(input, other)", inputs=2, numbers=False, forward="fmax(input, other)", general=np.fmax, node="FmaxBackward0", inplace=False,
   partials={"input": "(input >= other) | isnan(other)", "other": "~((input >= other) | isnan(other))"},
   vjps={"input": "select_if((input >= other) | isnan(other), g)", "other": "select_if(~((input >= other) | isnan(other)), g)"},
   latex=r"\operatorname{fmax}({input}, {other})", doc="The larger, ignoring nan.")  # fmt: skip
op("fmin(input, other)", inputs=2, numbers=False, forward="fmin(input, other)", general=np.fmin, node="FminBackward0", inplace=False,
   partials={"input": "(input <= other) | isnan(other)", "other": "~((input <= other) | isnan(other))"},
   vjps={"input": "select_if((input <= other) | isnan(other), g)", "other": "select_if(~((input <= other) | isnan(other)), g)"},
   latex=r"\operatorname{fmin}({input}, {other})", doc="The smaller, ignoring nan.")  # fmt: skip


def clip(a: Array, low: Any, high: Any) -> Array:
    """a limited to [low, high]; nan stays."""
    t = a.dtype.type
    if low is not None:
        a = np.maximum(a, t(low))
    if high is not None:
        a = np.minimum(a, t(high))
    return a


def _inside(x: Any, low: Any, high: Any) -> Any:
    """Where clamp passes the gradient: inside the limits, the limits included."""
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) & (x <= high)


ARRAYS.update(clip=clip, inside=_inside)
TENSORS.update(inside=_inside)
op("clamp_numbers(input, min, max)", forward="clip(input, min, max)", public="clamp", method=False, inplace=False,
   partials={"input": "inside(input, min, max)"}, vjps={"input": "select_if(inside(input, min, max), g)"},
   node="ClampBackward1", latex=r"\operatorname{clamp}({input}, {min}, {max})",
   latex_partials={"input": r"\mathbb{1}[{min} \le {input} \le {max}]"}, doc="Limited to [min, max].",
   samples=[Sample(([-2.0, 0.0, 0.5, 1.0, 3.0, float("nan")],), {"min": 0.0, "max": 1.0}),
            Sample(([-2.0, 3.0],), {"min": None, "max": 1}), Sample(([[-2.0, 3.0]],), {"min": 1.0, "max": None}),
            Sample(([-2, 3],), {"min": 0, "max": 2})])  # fmt: skip
op("clamp_min(input, min)", forward="clip(input, min, None)", public="clamp_min",
   partials={"input": "input >= min"}, vjps={"input": "select_if(input >= min, g)"}, node="ClampMinBackward0",
   latex=r"\max({input}, {min})", latex_partials={"input": r"\mathbb{1}[{input} \ge {min}]"}, doc="Not below min.",
   samples=[Sample(([-2.0, 0.0, 3.0],), {"min": 0.0})])  # fmt: skip
op("clamp_max(input, max)", forward="clip(input, None, max)", public="clamp_max",
   partials={"input": "input <= max"}, vjps={"input": "select_if(input <= max, g)"}, node="ClampMaxBackward0",
   latex=r"\min({input}, {max})", latex_partials={"input": r"\mathbb{1}[{input} \le {max}]"}, doc="Not above max.",
   samples=[Sample(([-2.0, 0.0, 3.0],), {"max": 0.0})])  # fmt: skip
op("clamp_tensors(input, min, max)", inputs=3, forward="minimum(maximum(input, min), max)", public="clamp", method=False,
   inplace=False, node="ClampBackward0", partials={"input": "(input >= min) & (input <= max)",
   "min": "(input < min) & (min < max)", "max": "(input > max) | (max < min)"},
   vjps={"input": "select_if((input >= min) & (input <= max), g)", "min": "select_if((min < max) & (input < min), g)",
         "max": "select_if((input > max) | (max < min), g)"}, latex=r"\operatorname{clamp}({input}, {min}, {max})",
   doc="Limited to [min, max], element by element.",
   samples=[Sample(([-2.0, 0.5, 3.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]))])  # fmt: skip
op("clamp_min_tensor(input, min)", inputs=2, forward="maximum(input, min)", public="clamp", method=False, inplace=False,
   node="ClampBackward0", partials={"input": "input >= min", "min": "input < min"},
   vjps={"input": "select_if(input >= min, g)", "min": "select_if(input < min, g)"}, latex=r"\max({input}, {min})",
   doc="Not below min, element by element.", samples=[Sample(([-2.0, 0.5, 3.0], [0.0, 0.5, 1.0]))])  # fmt: skip
op("clamp_max_tensor(input, max)", inputs=2, forward="minimum(input, max)", public="clamp", method=False, inplace=False,
   node="ClampBackward0", partials={"input": "input <= max", "max": "input > max"},
   vjps={"input": "select_if(input <= max, g)", "max": "select_if(input > max, g)"}, latex=r"\min({input}, {max})",
   doc="Not above max, element by element.", samples=[Sample(([-2.0, 0.5, 3.0], [0.0, 0.5, 1.0]))])  # fmt: skip


@composite()
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor = None) -> Tensor:
    """input limited to [min, max]; either may be left out, numbers or tensors."""
    tensor = NAMESPACE["Tensor"]
    if min is None and max is None:
        raise RuntimeFault("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, tensor) or isinstance(max, tensor):
        if max is None:
            r = TENSORS["clamp_min_tensor"](input, min)
        elif min is None:
            r = TENSORS["clamp_max_tensor"](input, max)
        else:
            r = TENSORS["clamp_tensors"](input, min, max)
    else:
        kind = dtypes.category(dtypes.of(input._a))
        for limit in (min, max):
            if limit is not None and dtypes.category(dtypes.of_number(limit)) > kind:
                input = TENSORS["to_dtype"](
                    input, dtypes.get_default_dtype() if isinstance(limit, float) else dtypes.int64
                )
                kind = dtypes.category(dtypes.of(input._a))
        r = TENSORS["clamp_numbers"](input, min, max)
    return r if out is None else NAMESPACE["store"](out, r)


op("where_(condition, input, other)", inputs=3, forward="where(condition, input, other)", public="where", method=False,
   vjps={"input": "select_if(condition, g)", "other": "select_if(~condition, g)"},
   partials={"input": "condition", "other": "~condition"}, inplace=False, condition="condition",
   node="WhereBackward0", latex=r"\begin{cases}{input} & {condition}\\ {other}\end{cases}",
   latex_partials={"input": r"\mathbb{1}[{condition}]", "other": r"\mathbb{1}[\neg {condition}]"},
   doc="input where condition holds, other elsewhere.",
   samples=[Sample(([True, False, True], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0])), Sample(([[True], [False]], [1.0, 2.0], 3.0)),
            Sample(([True, False], [1.0, 2.0], Number(0.0)))])  # fmt: skip


@composite()
def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor = None) -> Any:
    """input where condition holds, other elsewhere; with the condition alone, the indices where it holds."""
    if input is None and other is None:
        return TENSORS["nonzero"](condition, as_tuple=True)
    if not isinstance(condition, NAMESPACE["Tensor"]):
        raise TypeFault(f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}")
    if condition._a.dtype != bool:
        if condition._a.dtype != np.uint8:
            raise RuntimeFault(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {_c_type(condition)}",
                hint="a comparison makes a condition: x != 0",
            )
        condition = condition != 0
    r = general(REGISTRY_WHERE, (condition, input, other), {})
    return r if out is None else NAMESPACE["store"](out, r)


def _c_type(t: Tensor) -> str:
    d = dtypes.of(t._a)
    return {"float32": "Float", "float64": "Double", "int64": "Long", "int32": "Int"}.get(d.name, d.name)


from engine.ops.op import REGISTRY  # noqa: E402

REGISTRY_WHERE = REGISTRY["where_"]

op("lerp_number(input, end, weight)", inputs=2, forward="lerp(input, end, weight)", public="lerp", method=False,
   general=lambda a, b, w: a + a.dtype.type(w) * (b - a) if abs(w) < 0.5 else b - (b - a) * a.dtype.type(1 - w),
   partials={"input": "1 - weight", "end": "weight"}, node="LerpBackward0", inplace=False,
   latex=r"{input} + {weight}({end} - {input})", latex_partials={"input": "1 - {weight}", "end": "{weight}"},
   doc="Linear interpolation.", samples=[Sample(([1.0, 2.0], [3.0, 8.0]), {"weight": w}) for w in (0.25, 0.75)])  # fmt: skip
op("lerp_tensor(input, end, weight)", inputs=3, forward="lerp(input, end, weight)", public="lerp", method=False,
   general=lambda a, b, w: np.where(np.abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w)),
   partials={"input": "1 - weight", "end": "weight", "weight": "end - input"}, node="LerpBackward1", inplace=False,
   latex=r"{input} + {weight}({end} - {input})",
   latex_partials={"input": "1 - {weight}", "end": "{weight}", "weight": "{end} - {input}"},
   doc="Linear interpolation with a weight an element.",
   samples=[Sample(([1.0, 2.0], [3.0, 8.0], [0.25, 0.75]))])  # fmt: skip


@composite()
def lerp(input: Tensor, end: Tensor, weight: Any, *, out: Tensor = None) -> Tensor:
    """input + weight * (end - input)."""
    f = TENSORS["lerp_tensor" if isinstance(weight, NAMESPACE["Tensor"]) else "lerp_number"]
    for name, other in (("end", end), ("weight", weight)):
        if isinstance(other, NAMESPACE["Tensor"]) and other._a.dtype != input._a.dtype and (other._s or name == "end"):
            want, got = (dtypes.C_NAMES[t.dtype.name] for t in (input, other))
            raise RuntimeFault(f"expected dtype {want} for `{name}` but got dtype {got}", hint=f"{name}.to({input.dtype})")
    r = f(input, end, weight)
    return r if out is None else NAMESPACE["store"](out, r)


op("addcmul(input, tensor1, tensor2, *, value=1)", inputs=3, forward="input + value * tensor1 * tensor2",
   partials={"input": "1", "tensor1": "tensor2 * value", "tensor2": "tensor1 * value"}, node="AddcmulBackward0",
   latex=r"{input} + {value}\,{tensor1} \cdot {tensor2}",
   latex_partials={"input": "1", "tensor1": r"{value}\,{tensor2}", "tensor2": r"{value}\,{tensor1}"},
   doc="Adds a scaled product.", samples=[Sample(([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]), {"value": 2.0}),
   Sample(([[1.0], [2.0]], [3.0, 4.0], 5.0))])  # fmt: skip
op("addcdiv(input, tensor1, tensor2, *, value=1)", inputs=3, forward="input + value * tensor1 / tensor2",
   partials={"input": "1", "tensor1": "value / tensor2", "tensor2": "-(value * tensor1 / (tensor2 * tensor2))"},
   node="AddcdivBackward0", latex=r"{input} + {value}\frac{{tensor1}}{{tensor2}}",
   latex_partials={"input": "1", "tensor1": r"\frac{{value}}{{tensor2}}",
                   "tensor2": r"-{value}\frac{{tensor1}}{{tensor2}^2}"},
   doc="Adds a scaled quotient.", samples=[Sample(([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]), {"value": 2.0})])  # fmt: skip

# ---- comparisons, tests, logic, bits ----------------------------------------------------------------------------------

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


@composite()
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol * |other|."""
    if input._a.dtype != other._a.dtype:
        raise RuntimeFault(f"{_c_type(input)} did not match {_c_type(other)}")
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
        raise RuntimeFault(f"{_c_type(input)} did not match {_c_type(other)}")
    return bool(TENSORS["isclose"](input, other, rtol, atol, equal_nan)._a.all())


@composite()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are the same."""
    if not isinstance(other, NAMESPACE["Tensor"]):
        raise TypeFault(f"equal(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    return bool(input._s == other._s and np.array_equal(np.asarray(input._a).reshape(input._s), other._a))


# ---- one name, several blocks --------------------------------------------------------------------------------------------


def _with_alpha(name: str) -> Any:
    plain = TENSORS[name]

    def f(input: Tensor, other: Any, *, alpha: Any = 1, out: Tensor = None) -> Tensor:
        if alpha == 1:
            return plain(input, other, out=out)
        r = general(REGISTRY[name + "_scaled"], (input, other), {"alpha": alpha})
        return r if out is None else NAMESPACE["store"](out, r)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"input {'+' if name == 'add' else '-'} alpha * other."
    return composite(name)(f)


add = _with_alpha("add")
sub = _with_alpha("sub")
_plain_div = TENSORS["div"]
COMPOSITE_RSUB = TENSORS["rsub"]


@composite()
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None, out: Tensor = None) -> Tensor:
    """Quotient; rounding_mode None, "trunc" or "floor"."""
    if rounding_mode is None:
        return _plain_div(input, other, out=out)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeFault(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    r = general(REGISTRY["div_rounded"], (input, other), {"rounding_mode": rounding_mode})
    return r if out is None else NAMESPACE["store"](out, r)


@composite()
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """other - alpha * input."""
    if isinstance(other, NAMESPACE["Tensor"]):
        return sub(other, input, alpha=alpha)
    return COMPOSITE_RSUB(input if alpha == 1 else input * alpha, other)


@composite()
def positive(input: Tensor) -> Tensor:
    """The tensor itself."""
    return input


assert kernels is not None
