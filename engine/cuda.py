"""torch.cuda as it is on a machine without one: asked, it says no; used, it fails as torch does."""

from __future__ import annotations

import sys
import types
from typing import Any

from engine.amp import GradScaler, autocast
from engine.conversion import no_cuda
from engine.missing import getattr_of


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """None."""
    return 0


def is_initialized() -> bool:
    """False."""
    return False


def manual_seed(seed: int) -> None:
    """Nothing to seed."""


def manual_seed_all(seed: int) -> None:
    """Nothing to seed."""


def empty_cache() -> None:
    """Nothing to free."""


def synchronize(device: Any = None) -> None:
    """There is no CUDA."""
    raise no_cuda()


def current_device() -> int:
    """There is no CUDA."""
    raise no_cuda()


def get_device_name(device: Any = None) -> str:
    """There is no CUDA."""
    raise no_cuda()


class _Autocast(autocast):
    """The older spelling: the device is CUDA."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class _GradScaler(GradScaler):
    """The older spelling: the device is CUDA."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("cuda", *args, **kwargs)


amp = types.ModuleType("engine.cuda.amp", "torch.cuda.amp: the older spelling of torch.amp.")
amp.__dict__.update(autocast=_Autocast, GradScaler=_GradScaler)
sys.modules[amp.__name__] = amp  # `from torch.cuda.amp import autocast`

__getattr__ = getattr_of("torch.cuda", globals())
