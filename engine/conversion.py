"""Tensors of other types: to(), float(), type() and the rest; devices, of which there is one."""

from __future__ import annotations

from typing import Any

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault
from engine.ops.op import composite
from engine.ops.registry import TENSORS
from engine.tensor import Tensor
from engine.typed import of_type_name


def no_cuda() -> AssertionError:
    """What torch raises that was built without CUDA."""
    return AssertionError("Torch not compiled with CUDA enabled")


def to(self: Tensor, *args: Any, **options: Any) -> Tensor:
    """Another dtype (a copy, part of the graph) or device (there is only the CPU); itself when nothing changes."""
    dtype = options.pop("dtype", None)
    where = options.pop("device", None)
    copy = options.pop("copy", False)
    options.pop("non_blocking", None)
    options.pop("memory_format", None)
    if options:
        raise TypeFault(f"to() received an invalid combination of arguments - got unexpected {sorted(options)}")
    for a in args:
        if isinstance(a, dtypes.dtype):
            dtype = a
        elif isinstance(a, Tensor):
            dtype = a.dtype
        elif isinstance(a, (str, dtypes.device)):
            where = a
    if where is not None:
        d = dtypes.device(where)
        if d.type == "cuda":
            raise no_cuda()
        if d.type != "cpu":
            raise RuntimeFault(f"device {d} is not supported by Backstep", hint="tensors live on the CPU: leave .to(device) away, or "
                               "device = 'cpu'")  # fmt: skip
    if dtype is None or dtype is dtypes.of(self._a):
        return TENSORS["clone"](self) if copy else self  # type: ignore[no-any-return]
    return TENSORS["to_dtype"](self, dtype)  # type: ignore[no-any-return]


def _converter(name: str, d: dtypes.dtype) -> Any:
    def method(self: Tensor, memory_format: Any = None) -> Tensor:
        return self if dtypes.of(self._a) is d else TENSORS["to_dtype"](self, d)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"As to(torch.{d.name})."
    return method


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of its type, or converted to another."""
    if dtype is None:
        return "torch." + dtypes.TYPE_NAMES[dtypes.of(self._a)]
    d = dtype if isinstance(dtype, dtypes.dtype) else of_type_name(dtype) or getattr(dtype, "dtype", None)
    if not isinstance(d, dtypes.dtype):
        raise ValueError(f"invalid type: {dtype!r}")
    return to(self, d)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """Converted to the dtype of other."""
    return to(self, dtypes.of(other._a))


def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself."""
    return self


def cuda(self: Tensor, *args: Any, **options: Any) -> Tensor:
    """There is no CUDA."""
    raise no_cuda()


def get_device(self: Tensor) -> int:
    """-1: the CPU."""
    return -1


for _name, _d in (
    ("float", dtypes.float32), ("double", dtypes.float64), ("half", dtypes.float16), ("bfloat16", dtypes.bfloat16),
    ("long", dtypes.int64), ("int", dtypes.int32), ("short", dtypes.int16), ("char", dtypes.int8), ("byte", dtypes.uint8),
    ("bool", dtypes.bool_),
):  # fmt: skip
    setattr(Tensor, _name, _converter(_name, _d))
Tensor.to = to  # type: ignore[attr-defined]
Tensor.type = type_  # type: ignore[attr-defined]
for _f in (type_as, cpu, cuda, get_device):
    setattr(Tensor, _f.__name__, _f)


def result_type(a: Any, b: Any) -> dtypes.dtype:
    """The dtype an operation on both would have."""
    from engine.ops.general import result_dtype

    return result_dtype((a, b))


@composite("numel", method=False)
def numel(input: Tensor) -> int:
    """How many elements."""
    return int(input._a.size)


@composite("is_tensor", method=False)
def is_tensor(obj: Any) -> bool:
    """Whether it is a Tensor."""
    return isinstance(obj, Tensor)


@composite("is_floating_point", method=False)
def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating point numbers."""
    return input.dtype.is_floating_point


@composite("is_complex", method=False)
def is_complex(input: Tensor) -> bool:
    """False."""
    return False


@composite("is_nonzero", method=False)
def is_nonzero(input: Tensor) -> bool:
    """The truth of a tensor of one element."""
    return bool(input)
