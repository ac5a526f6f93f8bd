"""The errors the engine raises: torch's class, torch's words, and a hint of ours beside them.

    EngineError                          .hint: a way out, computed from the actual values, or None
    ├── RuntimeFault   (RuntimeError)    shapes that do not fit, autograd misuse, dtypes that do not mix
    │   └── LinAlgFault                  a matrix that cannot be inverted or factorised (torch: _LinAlgError)
    ├── ValueFault     (ValueError)
    ├── TypeFault      (TypeError)
    ├── IndexFault     (IndexError)
    ├── AttributeFault (AttributeError)
    ├── NotImplementedFault (NotImplementedError, which is a RuntimeError)
    └── Unsupported    (AttributeError, NotImplementedError)   torch has it, Backstep does not

Each prints itself under torch's class name, so that a traceback reads as torch's does, and `except RuntimeError`
works. The hint is never part of str(error).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import TypeVar

E = TypeVar("E", bound="type[EngineError]")


class EngineError(Exception):
    """Base of all errors the engine raises on purpose."""

    def __init__(self, message: str, *, hint: str | Callable[[], str | None] | None = None) -> None:
        super().__init__(message)
        self._hint = hint

    @property
    def hint(self) -> str | None:
        """A way out, computed when somebody asks: hasattr() raises and drops thousands of these."""
        return self._hint() if callable(self._hint) else self._hint


def _named(name: str) -> Callable[[E], E]:
    def rename(cls: E) -> E:
        cls.__name__ = cls.__qualname__ = name
        cls.__module__ = "builtins"
        return cls

    return rename


@_named("RuntimeError")
class RuntimeFault(EngineError, RuntimeError):
    """torch raises RuntimeError here."""


@_named("ValueError")
class ValueFault(EngineError, ValueError):
    """torch raises ValueError here."""


class LinAlgFault(RuntimeFault):
    """torch.linalg's own class: a matrix that cannot be inverted or factorised."""


LinAlgFault.__name__ = LinAlgFault.__qualname__ = "_LinAlgError"
LinAlgFault.__module__ = "torch._C"


@_named("TypeError")
class TypeFault(EngineError, TypeError):
    """torch raises TypeError here."""


@_named("IndexError")
class IndexFault(EngineError, IndexError):
    """torch raises IndexError here."""


@_named("AttributeError")
class AttributeFault(EngineError, AttributeError):
    """torch raises AttributeError here."""


@_named("NotImplementedError")
class NotImplementedFault(EngineError, NotImplementedError):
    """torch raises NotImplementedError here."""


@_named("NotImplementedError")
class Unsupported(EngineError, AttributeError, NotImplementedError):
    """torch has it and Backstep has not. An AttributeError too, so that hasattr() answers."""


def unsupported(name: str, instead: str | None = None) -> Unsupported:
    """The one error for everything torch has and the engine lacks."""
    return Unsupported(f"{name} is not supported by Backstep", hint=instead)


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the closest known names, or None."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.7)
    return f"did you mean {' or '.join(repr(c) for c in close)}?" if close else None
