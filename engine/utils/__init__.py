"""torch.utils: only `data` is here."""

from engine.utils import data

__all__ = ["data"]
