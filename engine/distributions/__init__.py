"""torch.distributions, those that courses use: drawing from them and log-probabilities one can differentiate.

This file only gathers names.
"""

from __future__ import annotations

from engine.distributions.bernoulli import Bernoulli as Bernoulli
from engine.distributions.categorical import Categorical as Categorical
from engine.distributions.categorical import OneHotCategorical as OneHotCategorical
from engine.distributions.distribution import Distribution as Distribution
from engine.distributions.kl import kl_divergence as kl_divergence
from engine.distributions.multinomial import Multinomial as Multinomial
from engine.distributions.normal import Normal as Normal
from engine.distributions.uniform import Uniform as Uniform
from engine.missing import getattr_of

__getattr__ = getattr_of("torch.distributions", globals())
