"""torch.accelerator as it is on a machine without one."""

from __future__ import annotations

from typing import Any

from engine.errors import RuntimeFault
from engine.missing import getattr_of


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """None."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """There is none."""


def synchronize(device: Any = None) -> None:
    """There is none to wait for."""
    raise RuntimeFault("Cannot access accelerator device when none is available.", hint='device = "cpu"')


def current_device_index() -> int:
    """There is none."""
    raise RuntimeFault("Cannot access accelerator device when none is available.", hint='device = "cpu"')


__getattr__ = getattr_of("torch.accelerator", globals())
