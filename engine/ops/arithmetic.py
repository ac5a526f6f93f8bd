"""Sums, differences, products, quotients and what is made of them, elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import NotImplementedFault, RuntimeFault, TypeFault
from engine.ops.op import ARRAYS, NAMESPACE, REGISTRY, TENSORS, Failing, Sample, composite, general, op
from engine.ops.samples import PAIRS, Number
from engine.ops.vocabulary import refuse_bool

Array = Any
Tensor = Any


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
   partials={"input": "1", "other": "-np_floor(detached(input) / detached(other))"},
   node=lambda p: "RemainderBackward1" if p.get("tensors", 2) == 2 else "RemainderBackward0",
   latex=r"{input} \bmod {other}", latex_partials={"input": "1", "other": r"-\lfloor {input}/{other} \rfloor"},
   doc="Remainder with the sign of the divisor, as Python's %.",
   fails=[Failing(([1, 2], [0, 1]), {}, RuntimeError, "ZeroDivisionError")])  # fmt: skip
op("fmod(input, other)", inputs=2, fast=False, forward="fmod(input, other)", general=_zero_checked(np.fmod),
   partials={"input": "1", "other": "-np_trunc(detached(input) / detached(other))"},
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
    tensor = NAMESPACE["Tensor"]
    if not isinstance(end, tensor):
        kinds = ", ".join(type(a).__name__ for a in (input, end, weight))
        raise TypeFault(
            f"lerp() received an invalid combination of arguments - got ({kinds}), but expected one of:\n"
            " * (Tensor input, Tensor end, Tensor weight, *, Tensor out = None)\n"
            " * (Tensor input, Tensor end, Number weight, *, Tensor out = None)\n",
            hint=f"make the end a tensor: torch.full_like(x, {end})" if isinstance(end, (int, float)) else None,
        )
    f = TENSORS["lerp_tensor" if isinstance(weight, tensor) else "lerp_number"]
    for name, other in (("end", end), ("weight", weight)):
        if isinstance(other, NAMESPACE["Tensor"]) and other._a.dtype != input._a.dtype and (other._s or name == "end"):
            want, got = (dtypes.C_NAMES[t.dtype.name] for t in (input, other))
            raise RuntimeFault(f"expected dtype {want} for `{name}` but got dtype {got}", hint=f"{name}.to({input.dtype})")
    if not isinstance(weight, tensor) and not dtypes.of(input._a).is_floating_point:
        name = dtypes.SCALAR_NAMES[dtypes.of(input._a)]
        raise NotImplementedFault(f"\"lerp_kernel_scalar\" not implemented for '{name}'", hint="convert both first: x.float()")
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
