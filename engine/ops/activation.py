"""Activations: relu and its relatives, the smooth ones. (sigmoid is in special.py, tanh in trigonometry.py.)

Those made of several nodes (softsign, tanhshrink, softmin) are in nn/functional.
"""

from __future__ import annotations

import math

from engine.ops.op import Sample, op

_CLASS = "https://pytorch.org/docs/stable/generated/torch.nn."

SMALL = [[-2.0, -0.5, 0.0], [0.5, 1.0, 3.5]]  # both sides of every kink, and the kink
NASTY = [float("nan"), float("inf"), float("-inf"), -0.0, 100.0, -100.0]
ROWS = [[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]]


# ---- piecewise linear -------------------------------------------------------------------------------------

relu = op(
    "relu(input)",
    forward="rectify(input)",
    partials={"input": "~(out <= 0)"},
    vjps={"input": "through(gated(g, ~(out <= 0)), out)"},
    single={"out": "1.0 * input if not input < 0 else 1.0 - 1.0", "input": "g + 0.0 if not out <= 0 else out * out"},
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
    # torch's sixth is a float32 in every dtype
    partials={"input": "((input > -3) & (input < 3)) * 0.1666666716337204"},
    vjps={"input": "through(gated(g, (input > -3) & (input < 3)) * 0.1666666716337204, input)"},
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
    # torch: the gradient depends on the input, if only with derivative 0
    vjps={"input": "through(g * choose(input > 0, 1.0, choose(input < 0, weight, detached(weight), input), input), input)"},
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
    forward="choose(input <= 0, expm1(choose(input <= 0, input, 0.0, input) * input_scale) * (alpha * scale), input * scale, input)",
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
    forward="choose(input <= 0, expm1(choose(input <= 0, input, 0.0, input) / alpha) * alpha, input, input)",
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
