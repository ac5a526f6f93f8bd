"""Trigonometric and hyperbolic functions and their inverses, elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import multiply, ndarray, subtract

from engine.ops import kernels
from engine.ops.op import Sample, op
from engine.ops.samples import UNIT
from engine.ops.vocabulary import floats_only, word

Array = Any
ONE = kernels.const(1.0)

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


def _tanh_vjp(g: Array, out: Array) -> Array:
    slope = out * out
    if type(slope) is not ndarray:  # what NumPy makes of a 0-d array
        return g * (1 - slope)
    subtract(ONE, slope, slope)
    return multiply(g, slope, slope)


word("tanh_vjp", _tanh_vjp, lambda g, out: g * (1 - out * out))

op("tanh(input)", forward="tanh(input)", partials={"input": "1 - out * out"}, promote="float",
   quick={"input": "tanh_vjp(g, out)"},
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
op("hypot(input, other)", inputs=2, numbers=False, forward="hypot(input, other)", general=floats_only("hypot_cpu", np.hypot),
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
