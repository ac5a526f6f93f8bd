"""The base of all distributions: shapes, the checks of parameters and samples, how they print.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/torch/distributions/distribution.py
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.autograd.modes import no_grad
from engine.creation import as_tensor
from engine.distributions.constraints import Constraint
from engine.ops.registry import TENSORS
from engine.tensor import Size
from engine.tensor import Tensor as TensorClass

Tensor = Any


class Distribution:
    """A probability distribution: `batch_shape` of independent ones, each over events of `event_shape`."""

    has_rsample = False
    _validate_args = True

    def __init__(
        self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None
    ) -> None:
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if name in self.__dict__:
                    self._check_parameter(name, self.__dict__[name], constraint)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check their parameters and samples."""
        Distribution._validate_args = value

    def _check_parameter(self, name: str, value: Tensor, constraint: Constraint) -> None:
        if not np.all(constraint.holds(value.detach()._array())):
            raise ValueError(
                f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
            )

    def _check_sample(self, value: Any) -> None:
        """torch's complaints about a sample that the distribution cannot have given."""
        if not isinstance(value, TensorClass):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape, expected = value.shape, self._batch_shape + self._event_shape
        if shape[len(shape) - len(self._event_shape) :] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {shape} vs {self._event_shape}."
            )
        for i, j in zip(reversed(shape), reversed(expected), strict=False):
            if 1 not in (i, j) and i != j:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {expected}.")
        if not np.all(self.support.holds(value.detach()._array())):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(shape)}) to be within the support "
                f"({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    @property
    def arg_constraints(self) -> Mapping[str, Constraint]:
        """What the parameters may be, by name."""
        raise NotImplementedError

    @property
    def support(self) -> Constraint:
        """What a sample may be."""
        raise NotImplementedError

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters: so many independent distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event."""
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw; no gradient passes."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw by a formula of the parameters, through which a gradient passes (reparametrisation)."""
        raise NotImplementedError

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability, or density, of a value."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return self.entropy().exp()

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape; numbers take the dtype of the tensors beside them."""
    given = [v for v in values if isinstance(v, TensorClass)]
    options = {"dtype": given[0].dtype} if given else {}
    tensors = [v if isinstance(v, TensorClass) else as_tensor(float(v), **options) for v in values]
    return tuple(TENSORS["broadcast_tensors"](*tensors))


def is_number(value: Any) -> bool:
    """Whether a parameter was given as a Python number."""
    return isinstance(value, (int, float))


def probabilities(logits: Tensor, binary: bool = False) -> Tensor:
    """Of logits: softmax over the last dimension, or sigmoid."""
    return TENSORS["sigmoid"](logits) if binary else TENSORS["softmax"](logits, -1)


def logits_of(probs: Tensor, binary: bool = False) -> Tensor:
    """Of probabilities, kept away from 0 and 1 by the dtype's eps."""
    eps = float(np.finfo(probs.dtype.np).eps)
    kept = probs.clamp(min=eps, max=1 - eps)
    return kept.log() - (-kept).log1p() if binary else kept.log()
