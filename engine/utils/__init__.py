"""torch.utils: only `data` is here."""

from __future__ import annotations

from typing import Any

from engine.errors import AttributeFault, near_miss, unsupported
from engine.utils import data

__all__ = ["data"]

LACKING = {
    "benchmark",
    "checkpoint",
    "cpp_extension",
    "dlpack",
    "hooks",
    "mobile_optimizer",
    "model_zoo",
    "tensorboard",
}


def __getattr__(name: str) -> Any:
    if name in LACKING:
        raise unsupported(f"torch.utils.{name}")
    raise AttributeFault(f"module 'torch.utils' has no attribute '{name}'", hint=near_miss(name, __all__))
