"""Where tensors come from: data, fills, ranges, typed constructors. Random fills are in engine/sampling.py.

Every factory ends in `finish`, which gives the new leaf its requires_grad and tells the observer.
Memory of `empty` is zeros: what torch leaves there is chance, and a program here always gives the same text.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import dtypes
from engine.dtypes import dtype as DType
from engine.errors import EngineError, NotImplementedFault, RuntimeFault, TypeFault, ValueFault, unsupported
from engine.ops import kernels
from engine.ops.op import NAMESPACE, TENSORS
from engine.rounding import fma64
from engine.tensor import Size, Tensor, make, write

Array = Any

NO_FLOAT = "Only Tensors of floating point and complex dtype can require gradients"
NO_CUDA = "Torch not compiled with CUDA enabled"
FROM_TENSOR = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than {}(sourceTensor)."
)
FROM_ARRAYS = (
    "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a "
    "single numpy.ndarray with numpy.array() before converting to a tensor. (Triggered internally at "
    "/pytorch/torch/csrc/utils/tensor_new.cpp:257.)"
)
NEGATIVE_STRIDE = (
    "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
    "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
)
OPTIONS = ("out", "dtype", "layout", "device", "pin_memory", "requires_grad", "memory_format")


# ---- arguments ------------------------------------------------------------------------------------
def kind(value: Any) -> str:
    """How torch's argument parser names the type of a value."""
    return "Tensor" if isinstance(value, Tensor) else type(value).__name__


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
def _is_sequence(value: Any) -> bool:
    if isinstance(value, (Tensor, np.ndarray)):
        return value.ndim > 0 and not (isinstance(value, Tensor) and value.numel() == 1)
    return hasattr(type(value), "__len__") and hasattr(type(value), "__getitem__") and not isinstance(value, dict)


def _shape_of(data: Any) -> tuple[int, ...]:
    """The shape nested sequences promise by their first elements."""
    shape: list[int] = []
    while _is_sequence(data):
        if isinstance(data, (str, bytes)):
            raise ValueFault(f"too many dimensions '{kind(data)}'")
        if isinstance(data, (Tensor, np.ndarray)):
            return (*shape, *data.shape)
        shape.append(len(data))
        if not shape[-1]:
            break
        data = data[0]
    return tuple(shape)


def _leaves(data: Any, shape: tuple[int, ...], dim: int, whole: bool) -> list[Any]:
    """The elements of nested sequences in order, with torch's complaints where the nesting is uneven."""
    if dim == len(shape):
        if isinstance(data, Tensor):
            if data.numel() != 1:
                raise ValueFault("only one element tensors can be converted to Python scalars")
            return [data.item()]
        if isinstance(data, np.generic):
            return [data.item()]
        if isinstance(data, (bool, int, float)):
            return [data]
        if not whole:
            raise TypeFault(f"must be real number, not {kind(data)}")
        raise TypeFault(f"'{kind(data)}' object cannot be interpreted as an integer")
    if not _is_sequence(data):
        raise TypeFault("not a sequence")
    if len(data) != shape[dim]:
        raise ValueFault(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    if isinstance(data, np.ndarray):
        return list(data.ravel().tolist())
    if isinstance(data, Tensor):
        raise ValueFault("only one element tensors can be converted to Python scalars")
    return [leaf for item in data for leaf in _leaves(item, shape, dim + 1, whole)]


def _infer(data: Any, depth: int = 0) -> DType | None:
    """The dtype of data: bool < int64 < the default float, unless arrays or tensors bring their own."""
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, (np.ndarray, np.generic)):
        return dtypes.of(data)
    if isinstance(data, complex):
        raise unsupported("complex numbers", "use two real tensors, for the real and the imaginary part")
    if isinstance(data, (bool, int, float)):
        return dtypes.of_number(data)
    if isinstance(data, (str, bytes)):
        raise TypeFault(f"new(): invalid data type '{kind(data)}'")
    if not _is_sequence(data):
        raise RuntimeFault(f"Could not infer dtype of {kind(data)}")
    found: DType | None = None
    for item in data:
        d = _infer(item, depth + 1)
        if d is not None and d is not found:
            found = d if found is None else dtypes.promote_types(found, d)
    return found


def _plain(data: Any) -> Array | None:
    """Nested lists of Python numbers as an array, the fast way; None if they are anything else."""
    first = data
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if type(first) not in (int, float, bool):
        return None
    try:
        array = np.array(data)
    except Exception:  # ragged, or with strange elements: the slow way finds the words for it
        return None
    return array if array.dtype in (np.float64, np.int64, np.bool_) else None


def _check_range(values: Sequence[Any], d: DType) -> None:
    limits = np.iinfo(d.np)
    for v in values:
        if isinstance(v, float) and not math.isfinite(v):
            raise RuntimeFault(f"value cannot be converted to type {d.name} without overflow")
        v = int(v)
        if not -(1 << 63) <= v < 1 << 63:
            raise ValueFault("Overflow when unpacking long long")
        if not limits.min <= v <= limits.max:
            raise RuntimeFault(f"value cannot be converted to type {d.name} without overflow")


def array_of(data: Any, d: DType | None = None) -> Array:
    """A new array with the elements of data, in dtype d or in the one torch infers."""
    if isinstance(data, Tensor):
        data = np.asarray(data._a).reshape(data._s)
    if isinstance(data, (np.ndarray, np.generic)):
        target = dtypes.of(data) if d is None else d
        dtypes.of(data)
        return np.array(data, target.np)
    if isinstance(data, (str, bytes)):
        raise TypeFault(f"new(): invalid data type '{kind(data)}'")
    array = _plain(data)
    if array is not None:
        if d is None:
            d = dtypes.get_default_dtype() if array.dtype.kind == "f" else dtypes.OF_NUMPY[array.dtype]
        if d.np.kind in "iu" and array.size and not (d is dtypes.int64 and array.dtype.kind in "ib"):
            _check_range((array.min().item(), array.max().item()), d)
        return array.astype(d.np)
    shape = _shape_of(data)
    if d is None:
        d = _infer(data) or dtypes.get_default_dtype()
        if isinstance(data, (list, tuple)) and data and isinstance(data[0], np.ndarray):
            warnings.warn(FROM_ARRAYS, UserWarning, stacklevel=3)
    values = _leaves(data, shape, 0, not d.is_floating_point)
    if d.np.kind in "iu":
        _check_range(values, d)
        values = [int(v) for v in values]
    return np.array(values, d.np).reshape(shape)


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
        raise TypeFault(f"expected np.ndarray (got {_full_name(ndarray)})")
    dtypes.of(ndarray)
    if any(s < 0 for s in ndarray.strides) and ndarray.size:
        raise ValueFault(NEGATIVE_STRIDE, hint="array[::-1].copy()")
    if not ndarray.dtype.isnative:
        ndarray = ndarray.astype(ndarray.dtype.newbyteorder("="))
    t = make(ndarray, ndarray.shape)
    if NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].leaf(t, "input")
    return t


def _full_name(value: Any) -> str:
    t = type(value)
    return t.__name__ if t.__module__ == "builtins" else f"{t.__module__}.{t.__name__}"


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


def _filled(name: str, value: float, size: tuple[Any, ...], options: dict[str, Any]) -> Tensor:
    shape = take_size(name, size, options)
    out = options.get("out")
    d = resolve(name, options.get("dtype"), None if out is None else out.dtype)
    array = np.zeros(shape, d.np) if value == 0 else np.full(shape, value, d.np)
    return finish(name, array, options.get("requires_grad", False), out=out, device=options.get("device"))


def zeros(*size: Any, **options: Any) -> Tensor:
    """Zeros of a shape, given as numbers or as one sequence."""
    return _filled("zeros", 0, size, options)


def ones(*size: Any, **options: Any) -> Tensor:
    """Ones of a shape, given as numbers or as one sequence."""
    return _filled("ones", 1, size, options)


def empty(*size: Any, **options: Any) -> Tensor:
    """A tensor to be filled later; zeros, see the head of this file."""
    return _filled("empty", 0, size, options)


def empty_strided(size: Any, stride: Any, **options: Any) -> Tensor:
    """empty(size): the strides are not kept."""
    return _filled("empty_strided", 0, (size,), options)


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


# ---- ranges and patterns --------------------------------------------------------------------------
def _number(name: str, argument: str, value: Any, position: int) -> Any:
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.item()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (bool, int, float)):
        return value
    raise TypeFault(f"{name}(): argument '{argument}' (position {position}) must be Number, not {kind(value)}")


def arange(*args: Any, **options: Any) -> Tensor:
    """arange(end), arange(start, end), arange(start, end, step): up to, but without, end.

    dtype   int64 if all three are whole, else the default float
    source  https://pytorch.org/docs/stable/generated/torch.arange.html
    """
    names = ("start", "end", "step") if len(args) > 1 or "end" in options else ("end",)
    given = dict(zip(names, args, strict=False))
    given |= {name: options.pop(name) for name in ("start", "end", "step") if name in options}
    check_options("arange", options)
    numbers = (bool, int, float, np.generic, Tensor)
    wrong = len(args) > 1 and not all(isinstance(v, numbers) for v in args)
    if wrong or len(args) > 3 or given.get("end") is None:
        raise mismatch("arange", *args)
    start, end, step = given.get("start"), given["end"], given.get("step")
    first = _number("arange", "start", 0 if start is None else start, 1)
    last = _number("arange", "end", end, 1 if start is None else 2)
    by = _number("arange", "step", 1 if step is None else step, 3)
    floating = any(isinstance(v, float) for v in (first, last, by))
    d = resolve("arange", options.get("dtype"), None if floating else dtypes.int64)
    if by == 0:
        raise RuntimeFault("step must be nonzero")
    if not (math.isfinite(first) and math.isfinite(last)):
        raise RuntimeFault(f"unsupported range: {first} -> {last}")
    if (by > 0) != (last >= first) and last != first:
        raise RuntimeFault("upper bound and lower bound inconsistent with step sign")
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish("arange", _steps(first, last, by, d), options.get("requires_grad", False), **keep)


def _steps(first: Any, last: Any, by: Any, d: DType) -> Array:
    if d.np.kind in "iu":
        first, by = int(first), int(by)
        n = math.ceil((last - first) / by) if isinstance(last, float) else -((first - last) // by)
        return (first + by * np.arange(max(n, 0))).astype(d.np)
    n = max(math.ceil((last - first) / by), 0)
    exact = fma64(np.arange(n), float(by), float(first))
    lanes = {4: 8, 8: 4}.get(d.itemsize)
    if lanes:  # torch counts whole vectors from a first number rounded to the dtype, two vectors at a time
        whole = n // (2 * lanes) * 2 * lanes
        starts = exact[:whole:lanes].astype(d.np).astype(np.float64)
        exact[:whole] = fma64(np.arange(lanes), float(by), starts[:, None]).ravel()
    return exact.astype(d.np)


def range_(start: Any = 0, end: Any = None, step: Any = 1, **options: Any) -> Tensor:
    """As arange, but end is reached (deprecated in torch)."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent "
        "with Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    if end is None:
        start, end = 0, start
    d = resolve("range", options.get("dtype"))
    n = int((end - start) / step) + 1
    return finish("range", (start + np.float64(step) * np.arange(n)).astype(d.np), options.get("requires_grad", False))


def _spaced(name: str, start: Any, end: Any, steps: Any, d: DType) -> Array:
    if not all(isinstance(v, (bool, int, float, np.generic, Tensor)) for v in (start, end)) or not is_int(steps):
        raise mismatch(name, start, end, steps)
    if int(steps) < 0:
        raise RuntimeFault("number of steps must be non-negative")
    if d is dtypes.bool_:
        raise NotImplementedFault(f"\"{name}_cpu\" not implemented for 'Bool'")
    n = int(steps)
    a, b = (_number(name, "start", v, 1) for v in (start, end))
    if n == 1:
        return np.full(1, a).astype(d.np)
    i = np.arange(n)
    if d.np.kind in "iu":
        step = (float(b) - float(a)) / max(n - 1, 1)
        return np.where(i < n // 2, np.trunc(a + step * i), np.trunc(b - step * (n - 1 - i))).astype(d.np)
    a, b = d.np.type(a), d.np.type(b)
    by = np.float64((b - a) / d.np.type(max(n - 1, 1)))
    # from both ends to the middle, each number with one rounding: torch fuses multiplication and addition
    return np.where(i < n // 2, fma64(by, i, a), fma64(-by, n - 1 - i, b)).astype(d.np)


def linspace(start: Any, end: Any, steps: Any = None, **options: Any) -> Tensor:
    """`steps` numbers from start to end, both included.

    source  https://pytorch.org/docs/stable/generated/torch.linspace.html
    """
    check_options("linspace", options)
    if steps is None:
        raise mismatch("linspace", start, end)
    d = resolve("linspace", options.get("dtype"))
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish("linspace", _spaced("linspace", start, end, steps, d), options.get("requires_grad", False), **keep)


def logspace(start: Any, end: Any, steps: Any = None, base: float = 10.0, **options: Any) -> Tensor:
    """Powers of base, the exponents evenly spaced from start to end.

    source  https://pytorch.org/docs/stable/generated/torch.logspace.html
    """
    check_options("logspace", options)
    if steps is None:
        raise mismatch("logspace", start, end)
    d = resolve("logspace", options.get("dtype"))
    exponents = _spaced("logspace", start, end, steps, dtypes.float64)
    return finish("logspace", np.power(float(base), exponents).astype(d.np), options.get("requires_grad", False))


def eye(n: Any, m: Any = None, **options: Any) -> Tensor:
    """Ones on the diagonal, zeros elsewhere."""
    check_options("eye", options)
    for name, value in (("n", n), ("m", m)):
        if value is not None and not is_int(value):
            raise TypeFault(f"eye(): argument '{name}' (position 1) must be int, not {kind(value)}")
        if value is not None and int(value) < 0:
            raise RuntimeFault(f"{name} must be greater or equal to 0, got {value}")
    d = resolve("eye", options.get("dtype"))
    array = np.eye(int(n), int(n) if m is None else int(m), dtype=d.np)
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish("eye", array, options.get("requires_grad", False), **keep)


def _triangle(name: str, indices: Any, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    d = resolve(name, dtype, dtypes.int64)
    return finish(name, np.array(indices(row, offset, col)).astype(d.np), device=device)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, **_: Any) -> Tensor:
    """Rows and columns of the lower triangle, in two rows."""
    return _triangle("tril_indices", np.tril_indices, row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, **_: Any) -> Tensor:
    """Rows and columns of the upper triangle, in two rows."""
    return _triangle("triu_indices", np.triu_indices, row, col, offset, dtype, device)


# ---- torch.Tensor(...), torch.LongTensor(...) and x.new... ------------------------------------------
def legacy_constructor(cls: Any, *args: Any, **options: Any) -> Any:
    """torch.Tensor(2, 3): a shape; torch.Tensor([2, 3]): data; both in the default dtype."""
    if options.keys() - {"device"}:
        listed = ", ".join([*map(kind, args), *(f"{k}={_full_name(v)}" for k, v in options.items())])
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
    if not _is_sequence(first) and not isinstance(first, np.ndarray):
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
        return _filled(name, value, size, options)

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

TENSORS.update(
    tensor=tensor,
    as_tensor=as_tensor,
    legacy_constructor=legacy_constructor,
    zeros_like=zeros_like,
    ones_like=ones_like,
    full_like=full_like,
    of_type_name=of_type_name,
)

# what torch has under these names at its top
PUBLIC = {
    f.__name__.rstrip("_"): f
    for f in (tensor, as_tensor, asarray, from_numpy, zeros, ones, empty, empty_strided, full, zeros_like, ones_like,
              empty_like, full_like, scalar_tensor, arange, range_, linspace, logspace, eye, tril_indices,
              triu_indices, set_default_tensor_type)
} | TYPED  # fmt: skip
