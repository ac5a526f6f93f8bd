"""Activations: relu and its relatives, the smooth ones, softmax. (sigmoid is in special.py, tanh in trigonometry.py.)

Not the functions that are made of several nodes (softsign, tanhshrink, softmin): those are in nn/functional.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import IndexFault, NotImplementedFault, RuntimeFault
from engine.ops import kernels
from engine.ops.op import ARRAYS, TENSORS, Failing, Sample, composite, op
from engine.ops.vocabulary import word

Array = Any
Tensor = Any

SMALL = [[-2.0, -0.5, 0.0], [0.5, 1.0, 3.5]]  # both sides of every kink, and the kink
NASTY = [float("nan"), float("inf"), float("-inf"), -0.0, 100.0, -100.0]
ROWS = [[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]]
_CLASS = "https://pytorch.org/docs/stable/generated/torch.nn."


# ---- piecewise linear -------------------------------------------------------------------------------------

relu = op(
    "relu(input)",
    forward="rectify(input)",
    partials={"input": "~(out <= 0)"},
    vjps={"input": "through(gated(g, ~(out <= 0)), out)"},
    quick={"input": "gated(g, ~(out <= 0))"},
    node="ReluBackward0",
    latex=r"\max(0, {input})",
    latex_partials={"input": r"\mathbb{1}[{input} > 0]"},
    doc="max(0, x), elementwise. The derivative at 0 is 0.",
    source=_CLASS + "ReLU.html",
    samples=[Sample((SMALL,)), Sample((NASTY,)), Sample((1.5,)), Sample(([],))],
)

leaky_relu = op(
    "leaky_relu(input, negative_slope=0.01, in_place=False)",
    forward="choose(input > 0, input, input * negative_slope, input)",
    partials={"input": "choose(input > 0, 1.0, negative_slope, input)"},
    vjps={"input": "through(g * choose(input > 0, 1.0, negative_slope, input), input)"},
    node=lambda p: "LeakyReluBackward1" if p["in_place"] else "LeakyReluBackward0",
    latex=r"\max(0, {input}) + a\min(0, {input})",
    latex_partials={"input": r"\begin{cases}1 & {input} > 0\\ a & \text{else}\end{cases}"},
    doc="x where x > 0, negative_slope * x elsewhere.",
    source=_CLASS + "LeakyReLU.html",
    samples=[Sample((SMALL,)), Sample((SMALL,), {"negative_slope": 0.2}), Sample((NASTY,)), Sample((-1.5,))],
    method=False,
)

hardtanh = op(
    "hardtanh(input, min_val=-1.0, max_val=1.0)",
    forward="minimum(maximum(input, min_val), max_val)",
    partials={"input": "(input > min_val) & (input < max_val)"},
    vjps={"input": "through(gated(g, ~((input <= min_val) | (input >= max_val))), input)"},
    node="HardtanhBackward0",
    latex=r"\operatorname{clamp}({input}, a, b)",
    latex_partials={"input": r"\mathbb{1}[a < {input} < b]"},
    doc="x limited to [min_val, max_val]; the derivative is 0 on the border.",
    source=_CLASS + "Hardtanh.html",
    samples=[Sample((SMALL,)), Sample((SMALL,), {"min_val": 0.0, "max_val": 6.0}), Sample((NASTY,))],
    method=False,
)

hardsigmoid = op(
    "hardsigmoid(input)",
    forward="minimum(maximum(input + 3, 0), 6) / 6",
    partials={"input": "((input > -3) & (input < 3)) * (1 / 6)"},
    vjps={"input": "through(gated(g, (input > -3) & (input < 3)) * (1 / 6), input)"},
    node="HardsigmoidBackward0",
    latex=r"\operatorname{clamp}({input}/6 + 1/2, 0, 1)",
    latex_partials={"input": r"\tfrac{1}{6}\,\mathbb{1}[-3 < {input} < 3]"},
    doc="A piecewise linear sigmoid: clamp(x / 6 + 1/2, 0, 1).",
    source=_CLASS + "Hardsigmoid.html",
    samples=[Sample((SMALL,)), Sample(([-3.0, 3.0, -4.0, 4.0],)), Sample((NASTY,))],
    method=False,
)

hardswish = op(
    "hardswish(input)",
    forward="input * minimum(maximum(input + 3, 0), 6) / 6",
    partials={"input": "choose(input <= -3, 0.0, choose(input < 3, input / 3 + 0.5, 1.0, input), input)"},
    node="HardswishBackward0",
    latex=r"{input}\operatorname{clamp}({input}/6 + 1/2, 0, 1)",
    latex_partials={"input": r"{input}/3 + 1/2 \text{ inside } (-3, 3)"},
    doc="x * hardsigmoid(x).",
    source=_CLASS + "Hardswish.html",
    samples=[Sample((SMALL,)), Sample(([-3.0, 3.0, -4.0, 4.0],))],
    method=False,
)

threshold = op(
    "threshold(input, threshold, value)",
    forward="choose(input <= threshold, value, input, input)",
    partials={"input": "(input > threshold)"},
    vjps={"input": "through(gated(g, input > threshold), input)"},
    node="ThresholdBackward0",
    latex=r"\begin{cases}{input} & {input} > t\\ v & \text{else}\end{cases}",
    latex_partials={"input": r"\mathbb{1}[{input} > t]"},
    doc="x where x > threshold, value elsewhere.",
    source=_CLASS + "Threshold.html",
    samples=[Sample((SMALL,), {"threshold": 0.1, "value": 20.0}), Sample((SMALL,), {"threshold": 0.5, "value": -1.0})],
    method=False,
)

hardshrink = op(
    "hardshrink(input, lambd=0.5)",
    forward="choose((input >= -lambd) & (input <= lambd), 0.0, input, input)",
    partials={"input": "(input < -lambd) | (input > lambd)"},
    vjps={"input": "through(gated(g, (input < -lambd) | (input > lambd)), input)"},
    node="HardshrinkBackward0",
    latex=r"{input}\,\mathbb{1}[|{input}| > \lambda]",
    latex_partials={"input": r"\mathbb{1}[|{input}| > \lambda]"},
    doc="x outside [-lambd, lambd], 0 inside.",
    source=_CLASS + "Hardshrink.html",
    samples=[Sample((SMALL,)), Sample((SMALL,), {"lambd": 1.0})],
)

softshrink = op(
    "softshrink(input, lambd=0.5)",
    forward="choose(input > lambd, input - lambd, choose(input < -lambd, input + lambd, input * 0.0, input), input)",
    partials={"input": "(input < -lambd) | (input > lambd)"},
    vjps={"input": "through(gated(g, (input < -lambd) | (input > lambd)), input)"},
    node="SoftshrinkBackward0",
    latex=r"\operatorname{sign}({input})\max(|{input}| - \lambda, 0)",
    latex_partials={"input": r"\mathbb{1}[|{input}| > \lambda]"},
    doc="x moved towards 0 by lambd; 0 inside [-lambd, lambd].",
    source=_CLASS + "Softshrink.html",
    samples=[Sample((SMALL,)), Sample((SMALL,), {"lambd": 1.0})],
    method=False,
)

prelu_kernel = op(
    "prelu_kernel(input, weight)",
    inputs=2,
    forward="choose(input > 0, input, weight * input, input)",
    partials={
        "input": "choose(input > 0, 1.0, choose(input < 0, weight, detached(weight), input), input)",
        "weight": "choose(input >= 0, 0.0, input, input)",
    },
    node="PreluKernelBackward0",
    latex=r"\max(0, {input}) + {weight}\min(0, {input})",
    latex_partials={"input": r"1 \text{ or } {weight}", "weight": r"\min(0, {input})"},
    doc="Leaky ReLU with a learned slope; the weight is already shaped to broadcast.",
    source=_CLASS + "PReLU.html",
    samples=[Sample((SMALL, [0.25]))],
    method=False,
    inplace=False,
    public="_prelu_kernel",
)

# ---- smooth -------------------------------------------------------------------------------------------------

_ELU_SLOPE = "choose(input <= 0, exp(choose(input < 0, input, 0.0, input) * input_scale) * (input_scale * alpha * scale), scale, input)"
elu = op(
    "elu(input, alpha=1.0, scale=1.0, input_scale=1.0, in_place=False)",
    forward="choose(input <= 0, expm1(choose(input < 0, input, 0.0, input) * input_scale) * (alpha * scale), input * scale, input)",
    partials={"input": _ELU_SLOPE},
    node=lambda p: "EluBackward1" if p["in_place"] else "EluBackward0",
    latex=r"\begin{cases}{input} & {input} > 0\\ \alpha(e^{input} - 1) & \text{else}\end{cases}",
    latex_partials={"input": r"\begin{cases}1 & {input} > 0\\ \alpha e^{input} & \text{else}\end{cases}"},
    doc="x for x > 0, alpha * (exp(x) - 1) elsewhere (both times scale; selu is one choice of the three numbers).",
    source=_CLASS + "ELU.html",
    samples=[Sample((SMALL,)), Sample((SMALL,), {"alpha": 0.5}), Sample((NASTY,))],
    method=False,
)

celu = op(
    "celu(input, alpha=1.0, in_place=False)",
    forward="choose(input <= 0, expm1(choose(input < 0, input, 0.0, input) / alpha) * alpha, input, input)",
    partials={"input": "choose(input <= 0, exp(choose(input < 0, input, 0.0, input) / alpha), 1.0, input)"},
    node=lambda p: "CeluBackward1" if p["in_place"] else "CeluBackward0",
    latex=r"\max(0, {input}) + \min(0, \alpha(e^{{input}/\alpha} - 1))",
    latex_partials={"input": r"\begin{cases}1 & {input} > 0\\ e^{{input}/\alpha} & \text{else}\end{cases}"},
    doc="max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).",
    source=_CLASS + "CELU.html",
    samples=[Sample((SMALL,)), Sample((SMALL,), {"alpha": 2.0})],
)

_PDF = f"(exp(input * input * -0.5) * {1 / math.sqrt(2 * math.pi)!r})"
_CDF = f"((1 + erf(input * {math.sqrt(0.5)!r})) * 0.5)"
_INNER = f"({math.sqrt(2 / math.pi)!r} * (input + 0.044715 * input * input * input))"
_INNER_SLOPE = f"({math.sqrt(2 / math.pi)!r} * (1 + 0.134145 * input * input))"
gelu = op(
    "gelu(input, *, approximate='none')",
    forward=f"input * {_CDF} if approximate == 'none' else 0.5 * input * (1 + tanh({_INNER}))",
    partials={
        "input": f"{_CDF} + input * {_PDF} if approximate == 'none' else "
        f"0.5 * (1 + tanh({_INNER})) + 0.5 * input * (1 - tanh({_INNER}) * tanh({_INNER})) * {_INNER_SLOPE}"
    },
    node="GeluBackward0",
    latex=r"{input}\,\Phi({input})",
    latex_partials={"input": r"\Phi({input}) + {input}\,\varphi({input})"},
    doc="x times the normal distribution function at x; approximate='tanh' uses the tanh formula.",
    source=_CLASS + "GELU.html",
    samples=[Sample((SMALL,)), Sample((SMALL,), {"approximate": "tanh"})],
    method=False,
)

silu = op(
    "silu(input)",
    forward="input * logistic(input)",
    partials={"input": "logistic(input) * (1 + input * (1 - logistic(input)))"},
    node="SiluBackward0",
    latex=r"{input}\,\sigma({input})",
    latex_partials={"input": r"\sigma({input})(1 + {input}(1 - \sigma({input})))"},
    doc="x * sigmoid(x), also called swish.",
    source=_CLASS + "SiLU.html",
    samples=[Sample((SMALL,)), Sample((1.5,))],
    method=False,
)

mish = op(
    "mish(input)",
    forward="input * tanh(smoothed(input, 1, 20))",
    partials={
        "input": "tanh(smoothed(input, 1, 20)) + input * logistic(input) * "
        "(1 - tanh(smoothed(input, 1, 20)) * tanh(smoothed(input, 1, 20)))"
    },
    node="MishBackward0",
    latex=r"{input}\tanh(\ln(1 + e^{input}))",
    latex_partials={"input": r"\tanh(s) + {input}\,\sigma({input})(1 - \tanh^2 s),\; s = \ln(1 + e^{input})"},
    doc="x * tanh(softplus(x)).",
    source=_CLASS + "Mish.html",
    samples=[Sample((SMALL,))],
    method=False,
)

softplus = op(
    "softplus(input, beta=1.0, threshold=20.0)",
    forward="smoothed(input, beta, threshold)",
    partials={"input": "choose(input * beta > threshold, 1.0, logistic(input * beta), input)"},
    node="SoftplusBackward0",
    latex=r"\tfrac{1}{\beta}\ln(1 + e^{\beta {input}})",
    latex_partials={"input": r"\sigma(\beta {input})"},
    doc="log(1 + exp(beta * x)) / beta; x itself where beta * x > threshold.",
    source=_CLASS + "Softplus.html",
    samples=[Sample((SMALL,)), Sample(([25.0, -30.0],)), Sample((SMALL,), {"beta": 2.0, "threshold": 1.5})],
    method=False,
)

log_sigmoid = op(
    "log_sigmoid(input)",
    forward="minimum(input, 0) - log1p(exp(-abs(input)))",
    partials={"input": "logistic(-input)"},
    node="LogSigmoidBackward0",
    latex=r"\ln\sigma({input})",
    latex_partials={"input": r"\sigma(-{input})"},
    doc="log(sigmoid(x)), without overflow for large |x|.",
    source=_CLASS + "LogSigmoid.html",
    samples=[Sample((SMALL,)), Sample(([100.0, -100.0],))],
    method=False,
    inplace=False,
    public="logsigmoid",
)


# ---- along a dimension --------------------------------------------------------------------------------------


def _checked_dim(x: Array, dim: int) -> int:
    n = x.ndim or 1
    if not -n <= dim < n:
        raise IndexFault(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def _not_floating(x: Array, name: str) -> NotImplementedFault:
    return NotImplementedFault(
        f"\"{name}\" not implemented for '{dtypes.SCALAR_NAMES[dtypes.of(x)]}'",
        hint="convert it first: x.float()",
    )


@op(
    "softmax_(input, dim)",
    vjps={"input": "softmax_vjp(g, out, dim)"},
    node="SoftmaxBackward0",
    latex=r"\frac{e^{input}}{\sum e^{input}}",
    latex_partials={"input": r"y \odot (g - \textstyle\sum g \odot y)"},
    doc="exp(x) divided by its sum along dim; the largest value is subtracted first.",
    source=_CLASS + "Softmax.html",
    samples=[
        Sample((ROWS,), {"dim": 1}),
        Sample((ROWS,), {"dim": 0}),
        Sample((ROWS,), {"dim": -1}),
        Sample(([1000.0, 1000.0],), {"dim": 0}),
        Sample((2.0,), {"dim": 0}),
    ],
    fails=[
        Failing(
            (ROWS,), {"dim": 2}, IndexError,
            "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
        )
    ],
    method=False,
    inplace=False,
    public="softmax",
)  # fmt: skip
def softmax(input: Array, dim: int) -> Array:
    dim = _checked_dim(input, dim)
    if input.dtype.kind in "iub":
        raise _not_floating(input, "softmax_lastdim_kernel_impl" if dim == input.ndim - 1 else "softmax_kernel_impl")
    if not input.ndim or not input.size:
        return np.ones_like(input)
    e = np.exp(input - input.max(dim, keepdims=True))
    e /= kernels.sum_axes(e, (dim,))
    return e


def _softmax_vjp(g: Array, out: Array, dim: int) -> Array:
    if not out.ndim:
        return np.zeros_like(out)
    moved = g * out
    return moved - out * kernels.sum_axes(moved, (dim % out.ndim,))


word("softmax_vjp", _softmax_vjp, lambda g, out, dim: g * out - out * TENSORS["sum_keep"](g * out, dim))


@op(
    "log_softmax_(input, dim)",
    vjps={"input": "log_softmax_vjp(g, out, dim)"},
    node="LogSoftmaxBackward0",
    latex=r"{input} - \ln\textstyle\sum e^{input}",
    latex_partials={"input": r"g - e^{y}\textstyle\sum g"},
    doc="log(softmax(x)) along dim, computed without overflow.",
    source=_CLASS + "LogSoftmax.html",
    samples=[
        Sample((ROWS,), {"dim": 1}),
        Sample((ROWS,), {"dim": 0}),
        Sample(([1000.0, -1000.0],), {"dim": -1}),
        Sample((2.0,), {"dim": -1}),
    ],
    fails=[
        Failing(
            (ROWS,), {"dim": -3}, IndexError,
            "Dimension out of range (expected to be in range of [-2, 1], but got -3)",
        )
    ],
    method=False,
    inplace=False,
    public="log_softmax",
)  # fmt: skip
def log_softmax(input: Array, dim: int) -> Array:
    dim = _checked_dim(input, dim)
    if input.dtype.kind in "iub":
        last = dim == input.ndim - 1
        raise _not_floating(input, "log_softmax_lastdim_kernel_impl" if last else "log_softmax_kernel_impl")
    if not input.ndim or not input.size:
        return np.zeros_like(input)
    shifted = input - input.max(dim, keepdims=True)
    shifted -= np.log(kernels.sum_axes(np.exp(shifted), (dim,)))
    return shifted


def _log_softmax_vjp(g: Array, out: Array, dim: int) -> Array:
    if not out.ndim:
        return np.zeros_like(out)
    back = np.exp(out)
    back *= kernels.sum_axes(g, (dim % out.ndim,))
    return np.subtract(g, back, back)


word("log_softmax_vjp", _log_softmax_vjp, lambda g, out, dim: g - out.exp() * TENSORS["sum_keep"](g, dim))


def _in_dtype(name: str, input: Tensor, dim: int, dtype: Any, out: Any) -> Tensor:
    """An operation along a dimension, of the input in another dtype when one is given."""
    if dtype is not None:
        input = input.to(dtype)
    result: Tensor = TENSORS[name](input, dim, out=out)
    return result


@composite("softmax")
def softmax_of(input: Tensor, dim: int, dtype: Any = None, *, out: Any = None) -> Tensor:
    """exp(x) divided by its sum along dim."""
    return _in_dtype("softmax_", input, dim, dtype, out)


@composite("log_softmax")
def log_softmax_of(input: Tensor, dim: int, dtype: Any = None, *, out: Any = None) -> Tensor:
    """log(softmax(x)) along dim, computed without overflow."""
    return _in_dtype("log_softmax_", input, dim, dtype, out)


@op(
    "glu(input, dim=-1)",
    vjps={"input": "glu_vjp(g, input, dim)"},
    node="GluBackward0",
    latex=r"a \odot \sigma(b), \; [a, b] = {input}",
    latex_partials={"input": r"[g\,\sigma(b),\; g\,a\,\sigma(b)(1 - \sigma(b))]"},
    doc="First half times the sigmoid of the second half, along dim.",
    source=_CLASS + "GLU.html",
    samples=[Sample(([[1.0, -2.0], [0.5, 3.0]],)), Sample(([[1.0, -2.0], [0.5, 3.0]],), {"dim": 0})],
    fails=[
        Failing(
            (ROWS,), {"dim": 1}, RuntimeError,
            "Halving dimension must be even, but dimension 1 is size 3",
        )
    ],
    method=False,
)  # fmt: skip
def glu(input: Array, dim: int) -> Array:
    if not input.ndim:
        raise RuntimeFault("glu does not support 0-dimensional tensors")
    dim = _checked_dim(input, dim)
    if input.shape[dim] % 2:
        raise RuntimeFault(f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}")
    a, b = np.split(input, 2, dim)
    return a * ARRAYS["logistic"](b)


def _glu_vjp(g: Array, input: Array, dim: int) -> Array:
    a, b = np.split(input, 2, dim)
    s = ARRAYS["logistic"](b)
    return np.concatenate([g * s, g * a * s * (1 - s)], dim)


def _glu_vjp_tensors(g: Any, input: Any, dim: int) -> Any:
    a, b = input.chunk(2, dim)
    s = b.sigmoid()
    return TENSORS["cat"]([g * s, g * a * s * (1 - s)], dim)


word("glu_vjp", _glu_vjp, _glu_vjp_tensors)

rrelu_with_noise = op(
    "rrelu_with_noise(input, noise)",
    inputs=2,
    forward="input * noise",
    partials={"input": "noise"},
    vjps={"input": "through(g * noise, input)"},
    node="RreluWithNoiseBackward0",
    latex=r"{input} \odot {noise}",
    latex_partials={"input": "{noise}"},
    doc="Leaky ReLU whose slopes (1 where x > 0) were drawn beforehand.",
    source=_CLASS + "RReLU.html",
    samples=[Sample((SMALL, [[0.2, 0.2, 0.3], [1.0, 1.0, 1.0]]))],
    method=False,
    inplace=False,
    public="rrelu",
)

__all__ = [
    "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_sigmoid",
    "log_softmax", "mish", "prelu_kernel", "relu", "rrelu_with_noise", "silu", "softmax", "softplus", "softshrink",
    "threshold",
]  # fmt: skip
