"""0 or 1.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/torch/distributions/bernoulli.py
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from engine.autograd.modes import enable_grad, no_grad
from engine.distributions import constraints
from engine.distributions.distribution import Distribution, broadcast_all, is_number, logits_of, probabilities
from engine.nn.functional import binary_cross_entropy_with_logits
from engine.sampling import bernoulli

Tensor = Any


class Bernoulli(Distribution):
    """1 with probability `probs`, or sigmoid(`logits`); else 0."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.boolean

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = probs if probs is not None else logits
        (tensor,) = broadcast_all(given)
        if probs is not None:
            self.probs = tensor
        else:
            self.logits = tensor
        super().__init__(() if is_number(given) else tensor.shape, validate_args=validate_args)

    @cached_property
    def probs(self) -> Tensor:
        """The probability of 1."""
        with enable_grad():
            return probabilities(self.logits, binary=True)

    @cached_property
    def logits(self) -> Tensor:
        """The logarithm of its odds."""
        with enable_grad():
            return logits_of(self.probs, binary=True)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._check_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
