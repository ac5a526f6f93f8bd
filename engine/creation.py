"""Where tensors come from: data, fills, ranges. Random ones are in engine/sampling.py, typed classes in typed.py.

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
from engine.errors import EngineError, NotImplementedFault, RuntimeFault, TypeFault, ValueFault, unsupported
from engine.nested import array_of, full_name, kind
from engine.ops import kernels
from engine.ops.op import NAMESPACE, TENSORS
from engine.rounding import fma64
from engine.tensor import Tensor, make, write

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


TENSORS.update(
    tensor=tensor,
    as_tensor=as_tensor,
    zeros_like=zeros_like,
    ones_like=ones_like,
    full_like=full_like,
)

# what torch has under these names at its top
PUBLIC = {
    f.__name__.rstrip("_"): f
    for f in (tensor, as_tensor, asarray, from_numpy, zeros, ones, empty, empty_strided, full, zeros_like, ones_like,
              empty_like, full_like, scalar_tensor, arange, range_, linspace, logspace, eye, tril_indices,
              triu_indices)
}  # fmt: skip
