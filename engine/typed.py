"""The older ways to make tensors: torch.Tensor(...), torch.LongTensor(...), x.new_zeros(...).

A number there is a size, and data takes the dtype of the class, unlike in `torch.tensor`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engine import dtypes
from engine.creation import (
    FROM_TENSOR,
    check_device,
    filled,
    finish,
    full,
    is_int,
    mismatch,
    resolve,
    sizes,
)
from engine.dtypes import dtype as DType
from engine.errors import TypeFault
from engine.nested import array_of, full_name, is_sequence, kind
from engine.ops.registry import TENSORS
from engine.tensor import Size, Tensor


def legacy_constructor(cls: Any, *args: Any, **options: Any) -> Any:
    """torch.Tensor(2, 3): a shape; torch.Tensor([2, 3]): data; both in the default dtype."""
    if options.keys() - {"device"}:
        listed = ", ".join([*map(kind, args), *(f"{k}={full_name(v)}" for k, v in options.items())])
        raise TypeFault(
            f"new() received an invalid combination of arguments - got ({listed})",
            hint="torch.tensor(data, dtype=..., requires_grad=...) takes options; torch.Tensor() does not",
        )
    t = _legacy(dtypes.get_default_dtype(), args, device=options.get("device"))
    if cls is not Tensor:
        plain, t = t, object.__new__(cls)
        t._a, t._n, t._s = plain._a, plain._n, plain._s
    return t


def _legacy(d: DType, args: tuple[Any, ...], *, device: Any = None, typed: bool = False) -> Tensor:
    check_device(device)
    if not args:
        return finish("new", np.zeros(0, d.np))
    first = args[0]
    if len(args) == 1 and isinstance(first, Tensor):
        if typed and first.dtype is not d:
            raise TypeFault(_wrong_options(d, first.dtype))
        return first.detach()
    if isinstance(first, Size) or is_int(first):
        shape = tuple(first) if isinstance(first, Size) else args
        for i, n in enumerate(shape):
            if not is_int(n):
                raise TypeFault(
                    f"new(): argument 'size' failed to unpack the object at pos {i + 1} with error "
                    f'"type must be tuple of ints,but got {kind(n)}"'
                )
        return finish("new", np.zeros(sizes("new", tuple(shape)), d.np))
    if len(args) > 1:
        raise mismatch("new", *args)
    if isinstance(first, (str, bytes)):
        raise TypeFault(f"new(): invalid data type '{kind(first)}'")
    if not is_sequence(first) and not isinstance(first, np.ndarray):
        raise TypeFault(
            f"new(): data must be a sequence (got {kind(first)})",
            hint=f"torch.tensor({first!r}) makes a tensor of one number" if isinstance(first, float) else None,
        )
    return finish("new", array_of(first, d))


def _wrong_options(want: DType, got: DType) -> str:
    names = {
        "float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
        "int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char",
    }  # fmt: skip
    said = [
        f"TensorOptions(dtype={names.get(d.name, d.name)}, device=cpu, layout=Strided, requires_grad=false (default), "
        "pinned_memory=false (default), memory_format=(nullopt))"
        for d in (want, got)
    ]
    return f"expected {said[0]} (got {said[1]})"


class _TypedClass(type):
    """The type of torch.FloatTensor and its kin: calling one makes a plain Tensor; isinstance asks for the dtype."""

    dtype: DType

    def __call__(cls, *args: Any, **options: Any) -> Tensor:
        return _legacy(cls.dtype, args, device=options.get("device"), typed=True)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _typed(name: str, d: DType) -> Any:
    made = _TypedClass(name, (), {"__module__": "torch", "dtype": d, "is_cuda": False})
    made.__doc__ = f"Constructor of tensors of dtype {d}."
    return made


TYPED = {name: _typed(name, d) for d, name in dtypes.TYPE_NAMES.items()}


def of_type_name(name: Any) -> DType | None:
    """The dtype that torch.FloatTensor, or the text "torch.FloatTensor", stands for."""
    for d, typed in dtypes.TYPE_NAMES.items():
        if name is TYPED[typed] or name == f"torch.{typed}":
            return d
    return None


def set_default_tensor_type(t: Any) -> None:
    """set_default_dtype by the name of a typed class (deprecated in torch)."""
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives. (Triggered internally at "
        "/pytorch/torch/csrc/tensor/python_tensor.cpp:443.)",
        UserWarning,
        stacklevel=2,
    )
    d = of_type_name(t)
    if d is None:
        raise TypeFault("invalid type object")
    dtypes.set_default_dtype(d)


def _new(self: Tensor, *args: Any, **options: Any) -> Tensor:
    """A tensor of this one's dtype, from a shape or from data."""
    return _legacy(self.dtype, args, device=options.get("device"))


def _new_tensor(self: Tensor, data: Any, *, dtype: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """torch.tensor(data) in this tensor's dtype."""
    if isinstance(data, Tensor):
        warnings.warn(FROM_TENSOR.format("tensor.new_tensor"), UserWarning, stacklevel=2)
    d = resolve("new_tensor", dtype, self.dtype)
    return finish("new_tensor", array_of(data, d), requires_grad)


def _new_filled(name: str, value: float) -> Any:
    def method(self: Tensor, *size: Any, **options: Any) -> Tensor:
        options.setdefault("dtype", self.dtype)
        if options["dtype"] is None:
            options["dtype"] = self.dtype
        return filled(name, value, size, options)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"torch.{name.removeprefix('new_')} in this tensor's dtype."
    return method


def _new_full(self: Tensor, size: Any, fill_value: Any, **options: Any) -> Tensor:
    """torch.full in this tensor's dtype."""
    return full(size, fill_value, **{"dtype": self.dtype, **options})


for _name, _method in {
    "new": _new,
    "new_tensor": _new_tensor,
    "new_full": _new_full,
    "new_zeros": _new_filled("new_zeros", 0),
    "new_ones": _new_filled("new_ones", 1),
    "new_empty": _new_filled("new_empty", 0),
}.items():
    setattr(Tensor, _name, _method)

TENSORS.update(legacy_constructor=legacy_constructor, of_type_name=of_type_name)

# what torch has under these names at its top
PUBLIC = {"set_default_tensor_type": set_default_tensor_type} | TYPED
