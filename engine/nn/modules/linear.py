"""Affine layers: Identity, Linear, Bilinear. The arithmetic is in nn.functional."""

from __future__ import annotations

import math
from typing import Any

from engine.nn import functional as F
from engine.nn import init
from engine.nn.modules.module import Module
from engine.nn.parameter import undrawn
from engine.ops.linear import linear
from engine.tensor import Tensor


class Identity(Module):
    """Returns its input; takes and ignores any arguments.

    source  https://pytorch.org/docs/stable/generated/torch.nn.Identity.html
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """y = x A^T + b.

    input   (*, in_features)
    returns (*, out_features)
    weight  (out_features, in_features) and bias (out_features,): uniform in +-1/sqrt(in_features)
    graph   TBackward0, then AddmmBackward0 (matrices); other ranks as torch
    source  https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = undrawn((out_features, in_features), device=device, dtype=dtype)
        if bias:
            self.bias = undrawn(out_features, device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self._draw()

    def reset_parameters(self) -> None:
        """Draw new weights: Kaiming uniform with a = sqrt(5)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        parameters = self._parameters  # not self.weight: __getattr__ costs a tenth of a small step
        try:
            weight: Any = parameters["weight"]
            bias: Any = parameters["bias"]
        except KeyError:  # a parametrization moved them elsewhere
            return linear(input, self.weight, self.bias)
        return linear(input, weight, bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class NonDynamicallyQuantizableLinear(Linear):
    """Linear under the name torch prints inside MultiheadAttention."""


class Bilinear(Module):
    """y = x1^T A x2 + b.

    input   (*, in1_features) and (*, in2_features)
    returns (*, out_features)
    source  https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = undrawn((out_features, in1_features, in2_features), device=device, dtype=dtype)
        if bias:
            self.bias = undrawn(out_features, device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self._draw()

    def reset_parameters(self) -> None:
        """Draw new weights, uniform in +-1/sqrt(in1_features)."""
        if self.in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={self.in1_features})")
        bound = 1 / math.sqrt(self.weight.size(1))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
