"""Padding layers: constant, zero, reflection, replication and circular, in one to three dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

from engine.nn import functional as F
from engine.nn.modules.module import Module
from engine.nn.modules.shape import spread
from engine.tensor import Tensor


class _Pad(Module):
    """(left, right) of the last dimension first; one number pads every side."""

    dims: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = spread(padding, 2 * self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self.dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, "circular")


class ConstantPad1d(_ConstantPad):
    """Pads sequences with a value."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """Pads images with a value."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """Pads volumes with a value."""

    dims = 3


class ZeroPad1d(_ZeroPad):
    """Pads sequences with zeros."""

    dims = 1


class ZeroPad2d(_ZeroPad):
    """Pads images with zeros."""

    dims = 2


class ZeroPad3d(_ZeroPad):
    """Pads volumes with zeros."""

    dims = 3


class ReflectionPad1d(_Pad):
    """Pads sequences with their mirror image."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Pads images with their mirror image."""

    dims, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Pads volumes with their mirror image."""

    dims, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Pads sequences with their border values."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Pads images with their border values."""

    dims, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Pads volumes with their border values."""

    dims, mode = 3, "replicate"


class CircularPad1d(_CircularPad):
    """Pads sequences with their other end."""

    dims = 1


class CircularPad2d(_CircularPad):
    """Pads images with their other side."""

    dims = 2


class CircularPad3d(_CircularPad):
    """Pads volumes with their other side."""

    dims = 3
