"""Whether gradients are tracked: no_grad, enable_grad, set_grad_enabled, inference_mode, anomaly mode."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from engine.ops.registry import NAMESPACE

C = TypeVar("C", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Whether operations are recorded for backward now."""
    return bool(NAMESPACE["grad_on"])


class _Mode:
    """A grad mode as context manager and as decorator, of functions, generators and, without call, `@torch.no_grad`."""

    value = False

    def __enter__(self) -> None:
        self.before = NAMESPACE["grad_on"]
        NAMESPACE["grad_on"] = self.value

    def __exit__(self, *exc: object) -> None:
        NAMESPACE["grad_on"] = self.before

    def clone(self) -> _Mode:
        """A fresh one, since a decorated function may be entered again while it runs."""
        return type(self)()

    def __call__(self, f: C) -> C:
        if inspect.isgeneratorfunction(f):

            @functools.wraps(f)
            def generator(*args: Any, **kwargs: Any) -> Any:
                g = f(*args, **kwargs)
                sent = None
                while True:
                    with self.clone():
                        try:
                            item = g.send(sent)
                        except StopIteration as stop:
                            return stop.value
                    sent = yield item

            return generator  # type: ignore[return-value]

        @functools.wraps(f)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return f(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


def _callable_class(cls: type[_Mode]) -> type[_Mode]:
    cls.__module__ = "torch.autograd.grad_mode"
    return cls


@_callable_class
class no_grad(_Mode):
    """Nothing inside is recorded for backward."""

    value = False

    def __new__(cls, f: Any = None) -> Any:
        made = object.__new__(cls)
        return made if f is None else made(f)  # @torch.no_grad without parentheses


@_callable_class
class enable_grad(_Mode):
    """Recording switched on again inside no_grad."""

    value = True

    def __new__(cls, f: Any = None) -> Any:
        if f is None:
            return super().__new__(cls)
        return super().__new__(cls)(f)

    def __init__(self, f: Any = None) -> None:
        pass


@_callable_class
class set_grad_enabled(_Mode):
    """Recording on or off, at once when called as a function, until the end of the block when used with `with`."""

    def __init__(self, mode: bool) -> None:
        self.value = bool(mode)
        self.before = NAMESPACE["grad_on"]
        NAMESPACE["grad_on"] = self.value

    def __enter__(self) -> None:
        NAMESPACE["grad_on"] = self.value

    def __call__(self, f: C) -> C:
        NAMESPACE["grad_on"] = self.before
        return super().__call__(f)

    def clone(self) -> _Mode:
        """A fresh one with the same value."""
        fresh = type(self)(self.value)
        return fresh


@_callable_class
class inference_mode(_Mode):
    """As no_grad; tensors made inside count as inference tensors."""

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode) and not isinstance(mode, bool):
            made = super().__new__(cls)
            made.__init__(True)  # type: ignore[misc]
            return made(mode)
        return super().__new__(cls)

    def __init__(self, mode: Any = True) -> None:
        self.mode = mode if isinstance(mode, bool) else True

    def __enter__(self) -> None:
        self.before = NAMESPACE["grad_on"]
        self.inference_before = NAMESPACE.get("inference", False)
        if self.mode:
            NAMESPACE["grad_on"] = False
        NAMESPACE["inference"] = self.mode

    def __exit__(self, *exc: object) -> None:
        NAMESPACE["grad_on"] = self.before
        NAMESPACE["inference"] = self.inference_before

    def clone(self) -> _Mode:
        """A fresh one with the same value."""
        return type(self)(self.mode)


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on."""
    return bool(NAMESPACE.get("inference", False))


class set_detect_anomaly:
    """Anomaly detection on or off, at once or for a block: backward raises where a gradient becomes nan."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = (NAMESPACE.get("anomaly_on", False), NAMESPACE.get("anomaly_nan", True))
        NAMESPACE["anomaly_on"] = mode
        NAMESPACE["anomaly_nan"] = check_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        NAMESPACE["anomaly_on"], NAMESPACE["anomaly_nan"] = self.before


class detect_anomaly(set_detect_anomaly):
    """Anomaly detection for a block."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return bool(NAMESPACE.get("anomaly_on", False))
