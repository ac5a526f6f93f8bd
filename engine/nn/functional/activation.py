"""Activations as functions. Those that are one node are in engine/ops; here are their `inplace=` and kin."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engine.errors import NotImplementedFault, RuntimeFault
from engine.ops.registry import REGISTRY, TENSORS
from engine.random import default_generator
from engine.tensor import Tensor, make
from engine.writing import apply_inplace

_OTHER_NAME = {"leaky_relu", "elu", "celu"}  # torch gives their in-place nodes another name, LeakyReluBackward1


def _in_place(name: str, input: Tensor, *args: Any) -> Tensor:
    options = {"in_place": True} if name in _OTHER_NAME else {}
    return apply_inplace(input, TENSORS[name](input, *args, **options), REGISTRY[name])


def _either(name: str, input: Tensor, inplace: bool, *args: Any) -> Tensor:
    result: Tensor = _in_place(name, input, *args) if inplace else TENSORS[name](input, *args)
    return result


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x)."""
    return _either("relu", input, inplace)


def relu_(input: Tensor) -> Tensor:
    """relu in place."""
    return _in_place("relu", input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6)."""
    return _either("hardtanh", input, inplace, 0.0, 6.0)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, negative_slope * x elsewhere."""
    return _either("leaky_relu", input, inplace, negative_slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """leaky_relu in place."""
    return _in_place("leaky_relu", input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x for x > 0, alpha * (exp(x) - 1) elsewhere."""
    return _either("elu", input, inplace, alpha)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """elu in place."""
    return _in_place("elu", input, alpha)


SELU_ALPHA = 1.6732632423543772848170429916717  # Klambauer et al. 2017
SELU_SCALE = 1.0507009873554804934193349852946


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The elu whose two numbers keep activations at mean 0 and variance 1."""
    return _either("elu", input, inplace, SELU_ALPHA, SELU_SCALE)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    if alpha == 0:
        raise RuntimeFault("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _either("celu", input, inplace, alpha)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x * Phi(x); `approximate="tanh"` uses the tanh formula."""
    if approximate not in ("none", "tanh"):
        raise RuntimeFault("approximate argument must be either none or tanh.")
    result: Tensor = TENSORS["gelu"](input, approximate=approximate)
    return result


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    return _either("silu", input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x))."""
    return _either("mish", input, inplace)


def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """log(1 + exp(beta * x)) / beta, x itself where beta * x > threshold."""
    result: Tensor = TENSORS["softplus"](input, beta, threshold)
    return result


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """clamp(x, min_val, max_val)."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _either("hardtanh", input, inplace, min_val, max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """hardtanh in place."""
    return _in_place("hardtanh", input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """clamp(x / 6 + 1/2, 0, 1)."""
    return _either("hardsigmoid", input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x)."""
    return _either("hardswish", input, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, value elsewhere."""
    return _either("threshold", input, inplace, threshold, value)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """threshold in place."""
    return _in_place("threshold", input, threshold, value)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x outside [-lambd, lambd], 0 inside."""
    result: Tensor = TENSORS["hardshrink"](input, lambd)
    return result


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, 0 inside [-lambd, lambd]."""
    if lambd < 0:
        raise RuntimeFault(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")
    result: Tensor = TENSORS["softshrink"](input, lambd)
    return result


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x))."""
    result: Tensor = TENSORS["log_sigmoid"](input)
    return result


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return input.tanh()


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Leaky ReLU with learned slopes: one, or one per channel (dimension 1)."""
    if weight.numel() != 1:
        if input.dim() == 0:
            raise RuntimeFault("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.dim() >= 2 else 1
        if channels != weight.numel():
            raise RuntimeFault(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.numel()} "
                f"and channel size = {channels}."
            )
    if weight.dim() > 1:
        raise RuntimeFault(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.dim()}"
        )
    if input.dim() and weight.dim():
        shape = [1] * input.dim()
        if input.dim() > 1:
            shape[1] = weight.numel()
        else:
            shape[0] = weight.numel()
        weight = weight.view(shape)
    elif weight.dim():
        weight = weight.view(())
    result: Tensor = TENSORS["prelu_kernel"](input, weight)
    return result


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Leaky ReLU with random slopes while training, their mean otherwise."""
    a = np.asarray(input._a).reshape(input._s)
    if training:
        if a.dtype == np.float16:
            raise NotImplementedFault("\"rrelu_with_noise_out_cpu\" not implemented for 'Half'", hint="x.float()")
        noise = np.ones_like(a)
        below = a <= 0
        drawn = default_generator.uniform((int(below.sum()),), lower, upper, np.float64)
        noise[below] = drawn
    else:
        noise = np.where(a <= 0, (lower + upper) / 2, 1.0).astype(a.dtype)
    result = TENSORS["rrelu_with_noise"](input, make(noise, input._s))
    return apply_inplace(input, result) if inplace else result  # type: ignore[no-any-return]


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """First half times the sigmoid of the second half, along dim."""
    result: Tensor = TENSORS["glu"](input, dim)
    return result


# ---- along a dimension --------------------------------------------------------------------------------------


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _along(name: str, input: Tensor, dim: int | None, stacklevel: int, dtype: Any, label: str) -> Tensor:
    if dim is None:
        dim = _implicit_dim(label, len(input._s), stacklevel + 1)
    if dtype is not None:
        input = input.to(dtype)
    result: Tensor = TENSORS[name](input, dim)
    return result


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along dim."""
    return _along("softmax_", input, dim, _stacklevel, dtype, "softmax")


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along dim."""
    return _along("log_softmax_", input, dim, _stacklevel, dtype, "log_softmax")


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along dim."""
    return _along("softmax_", -input, dim, _stacklevel, dtype, "softmin")


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """Softmax of logits with Gumbel noise; `hard` makes it one-hot forwards and leaves the gradient soft."""
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    drawn = default_generator.exponential(logits._s, 1.0, logits._a.dtype)
    noise = make(-np.log(drawn), logits._s)
    soft = TENSORS["softmax_"]((logits + noise) / tau, dim)
    if not hard:
        return soft  # type: ignore[no-any-return]
    a = np.asarray(soft._a).reshape(soft._s)
    one_hot = np.zeros_like(a)
    np.put_along_axis(one_hot, a.argmax(dim, keepdims=True), 1, dim)
    return make(one_hot, soft._s) - soft.detach() + soft  # type: ignore[no-any-return]


Tensor.prelu = prelu  # type: ignore[attr-defined]
