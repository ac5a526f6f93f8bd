"""Kullback-Leibler divergences of two distributions of one kind.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/torch/distributions/kl.py
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from engine.creation import full_like
from engine.distributions.bernoulli import Bernoulli
from engine.distributions.categorical import Categorical, OneHotCategorical
from engine.distributions.distribution import Distribution
from engine.distributions.normal import Normal
from engine.distributions.uniform import Uniform
from engine.nn.functional import softplus
from engine.ops.registry import TENSORS

Tensor = Any


def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    t1 = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    t2 = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return t1 + t2


def _categorical(p: Any, q: Any) -> Tensor:
    return (p.probs * (p.logits - q.logits)).sum(-1)


def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    shift = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + shift - 1 - ratio.log())


def _uniform(p: Uniform, q: Uniform) -> Tensor:
    inside = (q.high - q.low).log() - (p.high - p.low).log()
    outside = ((q.low > p.low) | (q.high < p.high)).logical_or(inside != inside)
    return TENSORS["where"](outside, math.inf, inside)


KINDS: dict[type[Distribution], Callable[[Any, Any], Tensor]] = {
    Bernoulli: _bernoulli,
    Categorical: _categorical,
    OneHotCategorical: _categorical,
    Normal: _normal,
    Uniform: _uniform,
}


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """How many nats it costs to take p for q."""
    if isinstance(p, Normal) and isinstance(q, Uniform):
        return full_like(p.loc, math.inf)  # a sample of p may lie where q has none
    for kind, formula in KINDS.items():
        if isinstance(p, kind) and isinstance(q, kind):
            return formula(p, q)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
    )
