"""Parameter and Buffer: tensors a Module recognises when they are assigned to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.creation import check_device, empty, resolve, sizes
from engine.dtypes import TYPE_NAMES
from engine.errors import RuntimeFault
from engine.ops.registry import NAMESPACE
from engine.tensor import Tensor, make

new = object.__new__


def typename(value: Any) -> str:
    """How torch names the type of a value in its messages."""
    if isinstance(value, Tensor):
        return "torch." + TYPE_NAMES[value.dtype]
    cls = value if isinstance(value, type) else type(value)
    module = getattr(cls, "__module__", "")
    return cls.__qualname__ if module in ("", "builtins", "__builtin__") else f"{module}.{cls.__qualname__}"


class Parameter(Tensor):
    """A tensor that is a module's parameter when assigned as its attribute; it requires a gradient by default.

    It shares storage with `data` (a single number is copied).
    """

    __slots__ = ()
    __module__ = "torch.nn.parameter"

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = empty(0)
        p: Parameter = new(cls)
        p._a = data._a
        p._s = data._s
        p._n = None
        if requires_grad:
            if not data.dtype.is_floating_point:
                raise RuntimeFault(
                    "Only Tensors of floating point and complex dtype can require gradients",
                    hint="nn.Parameter(x.float()), or requires_grad=False",
                )
            p.requires_grad = True
        if NAMESPACE["_obs"] is not None:
            NAMESPACE["_obs"].leaf(p, "parameter")
        return p

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        """Everything happens in __new__; this takes the arguments Python passes again."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = type(self)(make(self._a.copy(), self._s), self.requires_grad)
        return found

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


def undrawn(*size: Any, device: Any = None, dtype: Any = None, requires_grad: bool = True) -> Parameter:
    """A parameter of zeros for a layer to fill; the layer announces it to the observer once it is drawn."""
    check_device(device)
    shape = sizes("empty", size)
    p: Parameter = new(Parameter)
    p._a = np.zeros(shape, resolve("empty", dtype).np)
    p._s = shape
    p._n = None
    p.requires_grad = requires_grad
    return p


class Buffer(Tensor):
    """A tensor that is a module's buffer when assigned as its attribute."""

    __slots__ = ()
    __module__ = "torch.nn.parameter"
    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = empty(0)
        b: Buffer = new(cls)
        b._a = data._array()
        b._s = data._s
        b._n = None
        b.persistent = persistent
        return b

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        """Everything happens in __new__; this takes the arguments Python passes again."""
