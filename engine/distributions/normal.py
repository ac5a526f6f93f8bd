"""The bell curve.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/torch/distributions/normal.py
"""

from __future__ import annotations

import math
from typing import Any

from engine.autograd.modes import no_grad
from engine.distributions import constraints
from engine.distributions.distribution import Distribution, broadcast_all, is_number
from engine.ops.registry import TENSORS
from engine.sampling import normal

Tensor = Any


class Normal(Distribution):
    """Mean `loc`, standard deviation `scale`."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(
            () if is_number(loc) and is_number(scale) else self.loc.shape, validate_args=validate_args
        )

    @property
    def mean(self) -> Tensor:
        return self.loc

    mode = mean

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        noise = normal(0.0, 1.0, shape, dtype=self.loc.dtype)
        return self.loc + noise * self.scale

    def log_prob(self, value: Any) -> Tensor:
        if self._validate_args:
            self._check_sample(value)
        variance = self.scale**2
        log_scale = self.scale.log()
        return -((value - self.loc) ** 2) / (2 * variance) - log_scale - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a smaller value."""
        if self._validate_args:
            self._check_sample(value)
        return 0.5 * (1 + TENSORS["erf"]((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        """The value below which so much probability lies."""
        return self.loc + self.scale * TENSORS["erfinv"](2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()
