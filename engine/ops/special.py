"""Sigmoid, the error function and its kin, gamma functions, elementwise. (How they are computed: approximations.py.)"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops import elementary as el
from engine.ops.approximations import polygamma as polygamma_kernel
from engine.ops.op import ARRAYS, TENSORS, Sample, composite, op
from engine.ops.samples import POSITIVE, UNIT

Array = Any
Tensor = Any

ARRAYS["sigmoid"] = lambda x: 1 / (1 + el.exp(-x))
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
    return el.log(z / (1 - z))


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
op("digamma(input)", forward="digamma(input)", promote="float", partials={"input": "polygamma_(input, 1)"},
   node="DigammaBackward0", latex=r"\psi({input})", latex_partials={"input": r"\psi'({input})"},
   doc="Derivative of lgamma.", samples=[Sample(([0.5, 1.0, 3.5],)), Sample((2.0,))])  # fmt: skip
ARRAYS["polygamma_"] = polygamma_kernel
op("polygamma_(input, order)", forward="polygamma_(input, order)", promote="float", partials={"input": "polygamma_(input, order + 1)"},
   node="PolygammaBackward0", latex=r"\psi^{({order})}({input})", latex_partials={"input": r"\psi^{({order} + 1)}({input})"},
   doc="The n-th derivative of digamma.", method=False, inplace=False, public="polygamma",
   samples=[Sample(([0.5, 1.0, 3.5, -0.5],), {"order": k}) for k in (1, 2, 3)] + [Sample((12.5,), {"order": 4})])  # fmt: skip


@composite("polygamma", method=False)
def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma."""
    if n < 0:
        raise RuntimeFault("polygamma(n, x) does not support negative n.")
    return TENSORS["digamma"](input) if n == 0 else TENSORS["polygamma_"](input, n)
