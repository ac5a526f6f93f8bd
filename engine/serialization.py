"""torch.save and torch.load, refused: a program here reads and writes no files, and pickles run code."""

from __future__ import annotations

from typing import Any, NoReturn

from engine.errors import unsupported

KEEP = "keep it in memory: state = model.state_dict(), and later model.load_state_dict(state)"


def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused, saying what to do instead."""
    raise unsupported("torch.save", KEEP)


def load(f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused, saying what to do instead."""
    raise unsupported("torch.load", KEEP)
