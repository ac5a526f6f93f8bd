"""Where tensors come from: data, fills. Ranges are in ranges.py, random ones in sampling.py, typed classes in typed.py.

Every factory ends in `finish`, which gives the new leaf its requires_grad and tells the observer.
Memory of `empty` is zeros: what torch leaves there is chance, and a program here always gives the same text.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from engine import dtypes
from engine.dtypes import dtype as DType
from engine.errors import EngineError, RuntimeFault, TypeFault, ValueFault, unsupported
from engine.nested import array_of, full_name, kind
from engine.ops import kernels
from engine.ops.registry import NAMESPACE, TENSORS
from engine.tensor import Tensor, make
from engine.writing import write

Array = Any

NO_FLOAT = "Only Tensors of floating point and complex dtype can require gradients"
NO_CUDA = "Torch not compiled with CUDA enabled"
FROM_TENSOR = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than {}(sourceTensor)."
)
NEGATIVE_STRIDE = (
    "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
    "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
)
OPTIONS = ("out", "dtype", "layout", "device", "pin_memory", "requires_grad", "memory_format")


# ---- arguments ------------------------------------------------------------------------------------
def mismatch(name: str, *given: Any) -> EngineError:
    """torch's complaint when no overload takes the arguments."""
    listed = ", ".join(map(kind, given))
    return TypeFault(f"{name}() received an invalid combination of arguments - got ({listed})")


def is_int(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, Tensor):
        return bool(value.numel() == 1 and not value.dtype.is_floating_point)
    return isinstance(value, (int, np.integer))


def sizes(name: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape given as numbers, or as one sequence of them."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
        sequence = True
    else:
        sequence = False
    out = []
    for i, n in enumerate(given):
        if not is_int(n):
            if not sequence and len(given) == 1:
                raise TypeFault(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {kind(n)}")
            if not sequence and i == 0 and isinstance(n, (tuple, list)):
                raise TypeFault(f"{name}() takes 1 positional argument but {len(given)} were given")
            if i == 0:
                raise TypeFault(
                    f"{name}(): argument 'size' (position 1) must be tuple of ints, "
                    f"but found element of type {kind(n)} at pos 0"
                )
            raise TypeFault(
                f"{name}(): argument 'size' failed to unpack the object at pos {i + 1} with error "
                f'"type must be tuple of ints,but got {kind(n)}"'
            )
        out.append(int(n))
    if any(n < 0 for n in out):
        if name in ("zeros", "ones", "full"):
            raise RuntimeFault(f"{name}: Dimension size must be non-negative.")
        bad = next(n for n in out if n < 0)
        raise RuntimeFault(f"Trying to create tensor with negative dimension {bad}: {out}")
    return tuple(out)


def resolve(name: str, dtype: Any, default: DType | None = None) -> DType:
    """The dtype an argument names: torch's, or Python's float, int, bool."""
    if dtype is None:
        return default or dtypes.get_default_dtype()
    if isinstance(dtype, DType):
        return dtype
    found = {float: dtypes.float64, int: dtypes.int64, bool: dtypes.bool_}.get(dtype)
    if found is None:
        raise TypeFault(f"{name}(): argument 'dtype' must be torch.dtype, not {kind(dtype)}")
    return found


def check_device(device: Any) -> None:
    if device is None or device == "cpu":
        return
    if isinstance(device, int):
        raise RuntimeFault("Cannot access accelerator device when none is available.")
    where = dtypes.device(device).type
    if where == "cuda":
        raise AssertionError(NO_CUDA)
    if where != "cpu":
        raise unsupported(f"device '{where}'", "device='cpu'")


def finish(
    name: str, array: Array, requires_grad: Any = False, *, out: Tensor | None = None, device: Any = None
) -> Tensor:
    """A new leaf around an array that nobody else holds."""
    check_device(device)
    if type(requires_grad) is not bool:
        raise TypeFault(f"{name}(): argument 'requires_grad' must be bool, not {kind(requires_grad)}")
    if out is not None:
        if out._s != array.shape:
            out._a, out._s = np.empty(array.shape, out._a.dtype), array.shape
        write(out, array)
        return out
    shape = array.shape
    t = make(array[kernels.ORIGIN[array.ndim]] if array.size == 1 else array, shape)
    if requires_grad:
        if array.dtype.kind in "iub":
            raise RuntimeFault(NO_FLOAT, hint="give it floating point numbers: 3.0, or dtype=torch.float32")
        t.requires_grad = True
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].leaf(t, "input")
    return t


# ---- from data ------------------------------------------------------------------------------------
def tensor(*args: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False, **extra: Any) -> Tensor:
    """A new tensor with a copy of the data.

    data    a number, nested sequences of numbers, an array, a tensor
    dtype   what the data is, unless given: bool, int64, the default float, an array's own
    source  https://pytorch.org/docs/stable/generated/torch.tensor.html
    """
    if "data" in extra:
        args = (*args, extra.pop("data"))
    extra.pop("pin_memory", None)
    if extra:
        raise TypeFault(f"tensor() got an unexpected keyword argument '{next(iter(extra))}'")
    if len(args) != 1:
        if not args:
            raise TypeFault('tensor() missing 1 required positional arguments: "data"')
        raise TypeFault(
            f"tensor() takes 1 positional argument but {len(args)} were given",
            hint="put the numbers in a list: torch.tensor([1, 2])",
        )
    (data,) = args
    if isinstance(data, Tensor):
        warnings.warn(FROM_TENSOR.format("torch.tensor"), UserWarning, stacklevel=2)
    d = None if dtype is None else resolve("tensor", dtype)
    return finish("tensor", array_of(data, d), requires_grad, device=device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The data as a tensor, sharing memory where that is possible."""
    check_device(device)
    d = None if dtype is None else resolve("as_tensor", dtype)
    if isinstance(data, Tensor):
        return data if d is None or data.dtype is d else data.to(d)
    if isinstance(data, np.ndarray) and (d is None or dtypes.of(data) is d):
        return from_numpy(data)
    return finish("as_tensor", array_of(data, d))


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """as_tensor with copy and requires_grad."""
    t = as_tensor(obj, dtype, device)
    if copy and (t is obj or isinstance(obj, np.ndarray)):
        t = t.detach().clone()
    return t.requires_grad_() if requires_grad else t


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor over the memory of an array: a change of one is a change of the other."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeFault(f"expected np.ndarray (got {full_name(ndarray)})")
    dtypes.of(ndarray)
    if any(s < 0 for s in ndarray.strides) and ndarray.size:
        raise ValueFault(NEGATIVE_STRIDE, hint="array[::-1].copy()")
    if not ndarray.dtype.isnative:
        ndarray = ndarray.astype(ndarray.dtype.newbyteorder("="))
    t = make(ndarray, ndarray.shape)
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].leaf(t, "input")
    return t


# ---- fills ----------------------------------------------------------------------------------------
def check_options(name: str, options: dict[str, Any], known: tuple[str, ...] = OPTIONS) -> None:
    for key in options:
        if key not in known:
            raise TypeFault(f"{name}() got an unexpected keyword argument '{key}'")


def take_size(name: str, size: tuple[Any, ...], options: dict[str, Any]) -> tuple[int, ...]:
    """The shape, from positional arguments or from size=; the options are checked along the way."""
    if "size" in options:
        size = (options.pop("size"),)
    elif not size:
        raise TypeFault(f'{name}() missing 1 required positional arguments: "size"')
    check_options(name, options)
    return sizes(name, size)


def filled(name: str, value: float, size: tuple[Any, ...], options: dict[str, Any]) -> Tensor:
    shape = take_size(name, size, options)
    out = options.get("out")
    d = resolve(name, options.get("dtype"), None if out is None else out.dtype)
    array = np.zeros(shape, d.np) if value == 0 else np.full(shape, value, d.np)
    return finish(name, array, options.get("requires_grad", False), out=out, device=options.get("device"))


def zeros(*size: Any, **options: Any) -> Tensor:
    """Zeros of a shape, given as numbers or as one sequence."""
    return filled("zeros", 0, size, options)


def ones(*size: Any, **options: Any) -> Tensor:
    """Ones of a shape, given as numbers or as one sequence."""
    return filled("ones", 1, size, options)


def empty(*size: Any, **options: Any) -> Tensor:
    """A tensor to be filled later; zeros, see the head of this file."""
    return filled("empty", 0, size, options)


def empty_strided(size: Any, stride: Any, **options: Any) -> Tensor:
    """empty(size): the strides are not kept."""
    return filled("empty_strided", 0, (size,), options)


def _fill_value(name: str, value: Any, position: int) -> Any:
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.item()
    if isinstance(value, complex):
        raise unsupported("complex numbers", "use two real tensors, for the real and the imaginary part")
    if not isinstance(value, (bool, int, float, np.generic)):
        raise TypeFault(f"{name}(): argument 'fill_value' (position {position}) must be Number, not {kind(value)}")
    return value.item() if isinstance(value, np.generic) else value


def _full_array(shape: tuple[int, ...], value: Any, d: DType) -> Array:
    if d.np.kind in "iu":
        limits = np.iinfo(d.np)
        if not math.isfinite(value) or not limits.min <= int(value) <= limits.max:
            raise RuntimeFault(f"value cannot be converted to type {d.np.name}_t without overflow")
        value = int(value)
    return np.full(shape, value, d.np)


def full(size: Any, fill_value: Any, **options: Any) -> Tensor:
    """A shape filled with one number, whose type gives the dtype."""
    if not isinstance(size, (tuple, list)):
        raise TypeFault(f"full(): argument 'size' (position 1) must be tuple of ints, not {kind(size)}")
    check_options("full", options)
    value = _fill_value("full", fill_value, 2)
    d = resolve("full", options.get("dtype"), dtypes.of_number(value))
    array = _full_array(sizes("full", (size,)), value, d)
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish("full", array, options.get("requires_grad", False), **keep)


def _like(name: str, input: Any, value: Any, options: dict[str, Any]) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeFault(f"{name}(): argument 'input' (position 1) must be Tensor, not {kind(input)}")
    check_options(name, options)
    d = resolve(name, options.get("dtype"), input.dtype)
    array = np.zeros(input._s, d.np) if value == 0 else _full_array(input._s, value, d)
    return finish(name, array, options.get("requires_grad", False), device=options.get("device"))


def zeros_like(input: Any, **options: Any) -> Tensor:
    """Zeros in the shape and dtype of another tensor."""
    return _like("zeros_like", input, 0, options)


def ones_like(input: Any, **options: Any) -> Tensor:
    """Ones in the shape and dtype of another tensor."""
    return _like("ones_like", input, 1, options)


def empty_like(input: Any, **options: Any) -> Tensor:
    """A tensor to be filled later, in the shape and dtype of another."""
    return _like("empty_like", input, 0, options)


def full_like(input: Any, fill_value: Any, **options: Any) -> Tensor:
    """One number in the shape and dtype of another tensor."""
    return _like("full_like", input, _fill_value("full_like", fill_value, 2), options)


def scalar_tensor(s: Any, **options: Any) -> Tensor:
    """A 0-dim tensor of the default dtype."""
    check_options("scalar_tensor", options)
    d = resolve("scalar_tensor", options.get("dtype"))
    return finish("scalar_tensor", np.array(s, d.np), options.get("requires_grad", False))


TENSORS.update(
    tensor=tensor,
    as_tensor=as_tensor,
    zeros_like=zeros_like,
    ones_like=ones_like,
    full_like=full_like,
)

# what torch has under these names at its top
PUBLIC = {
    f.__name__: f
    for f in (tensor, as_tensor, asarray, from_numpy, zeros, ones, empty, empty_strided, full, zeros_like, ones_like,
              empty_like, full_like, scalar_tensor)
}  # fmt: skip
