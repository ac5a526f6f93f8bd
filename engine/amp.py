"""torch.amp on a machine without CUDA: `autocast` and `GradScaler` switch themselves off, with torch's warning.

What they would do on the CPU (bfloat16 arithmetic) is refused: everything here is computed in float32.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from engine.errors import RuntimeFault, unsupported
from engine.missing import getattr_of

FLOAT32 = "leave it away: everything here is computed in float32"


class autocast:
    """Mixed precision for a block or a function: off, since there is no CUDA."""

    __module__ = "torch.amp.autocast_mode"

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if device_type not in ("cpu", "cuda"):
            raise RuntimeFault(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device = device_type
        if enabled and device_type == "cpu":
            raise unsupported("torch.autocast('cpu')", FLOAT32)
        if enabled:
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        def undisturbed(*args: Any, **kwargs: Any) -> Any:
            return f(*args, **kwargs)

        return undisturbed


class GradScaler:
    """Scales losses for float16: off, since there is no CUDA; `step` is the optimizer's own."""

    __module__ = "torch.amp.grad_scaler"

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device == "cpu":
            raise unsupported("torch.amp.GradScaler('cpu')", FLOAT32)
        if enabled:
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)

    def scale(self, outputs: Any) -> Any:
        """The outputs as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing was scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's own step."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """There is no scale."""

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def is_enabled(self) -> bool:
        """False."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """Empty."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing to restore."""


__getattr__ = getattr_of("torch.amp", globals())
