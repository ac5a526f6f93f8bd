"""torch.nn.utils: clipping gradients, parameters as a vector, packed sequences. This file only gathers names."""

from __future__ import annotations

from typing import Any

from engine.errors import AttributeFault, near_miss, unsupported
from engine.nn.utils import rnn as rnn
from engine.nn.utils.clip_grad import clip_grad_norm, clip_grad_norm_, clip_grad_value_
from engine.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]

LACKING = {
    "parametrizations", "parametrize", "prune", "remove_spectral_norm", "remove_weight_norm", "skip_init",
    "spectral_norm", "stateless", "weight_norm",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in LACKING:
        raise unsupported(f"torch.nn.utils.{name}")
    raise AttributeFault(f"module 'torch.nn.utils' has no attribute '{name}'", hint=near_miss(name, __all__))
