"""torch's dtypes as objects, their NumPy counterparts, and torch's rules of type promotion.

Holds no arrays and knows no Tensor: promotion works on (dtype, category) pairs.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from engine.errors import RuntimeFault, TypeFault, unsupported


class dtype:
    """One of torch's element types; compare with `is` or `==`."""

    __slots__ = ("name", "np", "is_floating_point", "is_complex", "is_signed", "itemsize", "rank", "__weakref__")
    __module__ = "torch"

    name: str
    np: np.dtype[Any]

    def __init__(self, name: str, numpy_type: Any, rank: int) -> None:
        self.name = name
        self.np = np.dtype(numpy_type)
        self.is_floating_point = "float" in name
        self.is_complex = False
        self.is_signed = name not in ("bool", "uint8")
        self.itemsize = self.np.itemsize
        self.rank = rank

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def to_real(self) -> dtype:
        """The real dtype of the same width: itself, there being no complex numbers."""
        return self


# rank orders the lattice within a category: the wider of two integers or of two floats wins
bool_ = dtype("bool", np.bool_, 0)
uint8 = dtype("uint8", np.uint8, 1)
int8 = dtype("int8", np.int8, 1)
int16 = dtype("int16", np.int16, 2)
int32 = dtype("int32", np.int32, 3)
int64 = dtype("int64", np.int64, 4)
float16 = dtype("float16", np.float16, 5)
bfloat16 = dtype("bfloat16", ml_dtypes.bfloat16, 5)
float32 = dtype("float32", np.float32, 6)
float64 = dtype("float64", np.float64, 7)

ALL: tuple[dtype, ...] = (bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64)
ALIASES = {
    "bool": bool_, "short": int16, "int": int32, "long": int64,
    "half": float16, "float": float32, "double": float64,
}  # fmt: skip
OF_NUMPY: dict[np.dtype[Any], dtype] = {d.np: d for d in ALL}
# the name of the typed class, as it stands in messages and in Tensor.type()
TYPE_NAMES = {
    float32: "FloatTensor", float64: "DoubleTensor", float16: "HalfTensor", bfloat16: "BFloat16Tensor",
    int64: "LongTensor", int32: "IntTensor", int16: "ShortTensor", int8: "CharTensor", uint8: "ByteTensor",
    bool_: "BoolTensor",
}  # fmt: skip
# the types' names in C++, which some messages show
C_NAMES = {
    "float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "int64": "long int",
    "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char", "bool": "bool",
}  # fmt: skip
# torch's names of its scalar types, which others show
SCALAR_NAMES = {
    float32: "Float", float64: "Double", float16: "Half", bfloat16: "BFloat16", int64: "Long", int32: "Int",
    int16: "Short", int8: "Char", uint8: "Byte", bool_: "Bool",
}  # fmt: skip

_default = [float32]


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats."""
    return _default[0]


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of tensors made from Python floats; only floating point types are allowed."""
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeFault("only floating-point types are supported as the default type")
    _default[0] = d


def of(array: Any) -> dtype:
    """The torch dtype of a NumPy array or scalar."""
    found = OF_NUMPY.get(array.dtype)
    if found is None:
        if array.dtype.kind == "c":
            raise unsupported("complex numbers", "use two real tensors, for the real and the imaginary part")
        native = array.dtype.newbyteorder("=")
        found = OF_NUMPY.get(native)
        if found is None:
            raise TypeFault(
                "can't convert np.ndarray of type numpy."
                f"{array.dtype.type.__name__}. The only supported types are: float64, float32, float16, complex64, "
                "complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."
            )
    return found


def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest dtype that holds both, by torch's table."""
    if a is b:
        return a
    if a.is_floating_point != b.is_floating_point:
        return a if a.is_floating_point else b
    if {a, b} in ({float16, bfloat16}, ):
        return float32
    if uint8 in (a, b) and int8 in (a, b):
        return int16
    return a if a.rank > b.rank else b


def category(d: dtype) -> int:
    """0 bool, 1 integer, 2 floating point."""
    return 2 if d.is_floating_point else (0 if d is bool_ else 1)


def of_number(value: Any) -> dtype:
    """The dtype a Python number counts as in promotion."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _default[0]
    if isinstance(value, complex):
        raise unsupported("complex numbers", "use two real tensors, for the real and the imaginary part")
    raise TypeFault(f"expected a number, got {type(value).__name__}")


def combine(dims: dtype | None, zero: dtype | None, numbers: dtype | None) -> dtype:
    """torch's promotion over its three categories: dimensioned tensors, 0-dim tensors, Python numbers.

    A lower category counts only when its kind (bool < integer < float) is higher than the one before.
    """
    result = _over(zero, numbers)
    result = _over(dims, result)
    assert result is not None
    return result


def _over(strong: dtype | None, weak: dtype | None) -> dtype | None:
    if strong is None:
        return weak
    if weak is None or category(weak) <= category(strong):
        return strong
    # torch: combine_categories — an int tensor with a Python float takes the default dtype, not float64
    return promote_types(strong, weak)


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether torch allows an in-place result of dtype `from_` to be stored as `to`."""
    return category(from_) <= category(to)


class finfo:
    """Machine limits of a floating point dtype."""

    __module__ = "torch"

    def __init__(self, type: dtype | None = None) -> None:
        d = type or _default[0]
        if not d.is_floating_point:
            raise TypeFault(
                f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{d.name}' dtype"
            )
        info = ml_dtypes.finfo(d.np)  # type: ignore[no-untyped-call]
        self.bits = int(info.bits)
        self.dtype = d.name
        self.eps = float(info.eps)
        self.max = float(info.max)
        self.min = float(info.min)
        self.resolution = float(info.resolution)
        self.smallest_normal = self.tiny = float(info.smallest_normal)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Machine limits of an integer dtype."""

    __module__ = "torch"

    def __init__(self, type: dtype) -> None:
        if type.is_floating_point or type is bool_:
            raise TypeFault(
                f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type.name}' dtype"
                if type.is_floating_point
                else "torch.bool is not supported by torch.iinfo"
            )
        info = np.iinfo(type.np)
        self.bits, self.max, self.min, self.dtype = int(info.bits), int(info.max), int(info.min), type.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


class device:
    """Where a tensor lies: the CPU, always."""

    __slots__ = ("type", "index")
    __module__ = "torch"

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index  # type: ignore[has-type]
        name, _, number = str(type).partition(":")
        if name not in ("cpu", "cuda", "mps", "meta", "xpu"):
            raise RuntimeFault(
                "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, "
                f"vulkan, mps, meta, hpu, mtia, privateuseone device type at start of device string: {name}"
            )
        self.type = name
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        return f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))
