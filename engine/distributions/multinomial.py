"""How often each of several events came, in a number of draws.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/torch/distributions/multinomial.py
"""

from __future__ import annotations

from typing import Any

from engine.creation import ones_like, zeros
from engine.distributions import constraints
from engine.distributions.categorical import Categorical
from engine.distributions.distribution import Distribution, broadcast_all
from engine.dtypes import int64
from engine.ops.registry import TENSORS

Tensor = Any


class Multinomial(Distribution):
    """Counts of `total_count` draws of events with probabilities `probs`, or softmax(`logits`)."""

    arg_constraints = Categorical.arg_constraints

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def probs(self) -> Tensor:
        """The probabilities of the events."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def support(self) -> constraints.Constraint:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape))
        drawn = drawn.permute(*range(1, drawn.dim()), 0)
        counts = zeros(self._extended_shape(sample_shape), dtype=int64)
        return counts.scatter_add(-1, drawn, ones_like(drawn)).type_as(self.probs)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._check_sample(value)
        logits, value = broadcast_all(self.logits, value)
        ways = TENSORS["lgamma"](value.sum(-1) + 1) - TENSORS["lgamma"](value + 1).sum(-1)
        return ways + (logits * value).sum(-1)
