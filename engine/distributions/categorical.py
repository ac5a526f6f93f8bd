"""One of several events: Categorical draws its number, OneHotCategorical a row of zeros with one 1.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/torch/distributions/categorical.py
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from engine.autograd.modes import enable_grad
from engine.creation import full
from engine.distributions import constraints
from engine.distributions.distribution import Distribution, logits_of, probabilities
from engine.ops.registry import TENSORS
from engine.ranges import arange
from engine.sampling import multinomial

Tensor = Any


class Categorical(Distribution):
    """The number of an event, 0 … K-1, with probabilities `probs`, or softmax(`logits`), over the last dimension."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        given = probs if probs is not None else logits
        if given is None or (probs is not None and logits is not None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name = "probs" if probs is not None else "logits"
        if given.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is not None:
            self.probs = given / given.sum(-1, keepdim=True)
        else:
            self.logits = given - given.logsumexp(-1, keepdim=True)
        self._num_events = given.size(-1)
        self._given = given
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @cached_property
    def probs(self) -> Tensor:
        """The probabilities, adding up to 1."""
        with enable_grad():
            return probabilities(self.logits)

    @cached_property
    def logits(self) -> Tensor:
        """Their logarithms."""
        with enable_grad():
            return logits_of(self.probs)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def param_shape(self) -> Any:
        """The shape of probs."""
        return self._given.shape

    @property
    def mean(self) -> Tensor:
        return full(self._extended_shape(), float("nan"))

    variance = mean

    @property
    def mode(self) -> Tensor:
        """The likeliest event."""
        return TENSORS["argmax"](self.probs, -1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        count = 1
        for n in sample_shape:
            count *= n
        drawn = multinomial(self.probs.detach().reshape(-1, self._num_events), count, True)
        return drawn.T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._check_sample(value)
        value, logs = TENSORS["broadcast_tensors"](value.long().unsqueeze(-1), self.logits)
        return logs.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All events."""
        values = arange(self._num_events).view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values


class OneHotCategorical(Distribution):
    """As Categorical; a sample is one-hot."""

    arg_constraints = Categorical.arg_constraints
    support = constraints.one_hot

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        drawn = self._categorical.sample(sample_shape)
        return TENSORS["one_hot"](drawn, self._event_shape[0]).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._check_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Tensor:
        return self._categorical.entropy()
