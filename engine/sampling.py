"""Random tensors: the factories rand, randn, randint, ..., and the methods that fill a tensor with random numbers.

The numbers themselves come from engine/random.py; here are torch's signatures, checks and words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import dtypes
from engine.autograd.modes import no_grad
from engine.creation import check_options, finish, is_int, mismatch, resolve, sizes, take_size, zeros_like
from engine.dtypes import dtype as DType
from engine.errors import NotImplementedFault, RuntimeFault, TypeFault
from engine.nested import kind
from engine.ops import kernels
from engine.ops.op import META, NAMESPACE, TENSORS, Custom, Node, link, record
from engine.random import F32, F64, Generator, default_generator
from engine.tensor import Tensor, make
from engine.writing import apply_inplace, before_inplace

Array = Any

# how torch's C++ names the integer types in range errors
C_NAMES = {"uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long"}
# the largest whole number random_() gives each dtype, plus one: for floats, all that have no gaps
REACH = {
    "bool": 2, "uint8": 1 << 8, "int8": 1 << 7, "int16": 1 << 15, "int32": 1 << 31, "int64": 1 << 63,
    "float16": (1 << 11) + 1, "bfloat16": (1 << 8) + 1, "float32": (1 << 24) + 1, "float64": (1 << 53) + 1,
}  # fmt: skip


def _generator(name: str, generator: Any) -> Generator:
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise mismatch(name, generator)
    return generator


def _drawn_as(d: DType) -> np.dtype[Any]:
    """The dtype numbers are drawn in: half precision gets rounded float32 numbers."""
    return F64 if d is dtypes.float64 else F32


def _normals(g: Generator, shape: Any, mean: float, std: float, d: DType, contiguous: bool = True) -> Array:
    return g.normal(shape, mean, std, _drawn_as(d), contiguous=contiguous, half=d.itemsize == 2)


def _floating(d: DType, kernel: str) -> None:
    if not d.is_floating_point:
        raise NotImplementedFault(f"\"{kernel}\" not implemented for '{dtypes.SCALAR_NAMES[d]}'")


# ---- factories ------------------------------------------------------------------------------------
def _random(name: str, size: tuple[Any, ...], options: dict[str, Any], kernel: str, normal: bool) -> Tensor:
    generator = _generator(name, options.pop("generator", None))
    if not size and "size" not in options:
        raise mismatch(name)
    shape = take_size(name, size, options)
    d = resolve(name, options.get("dtype"))
    _floating(d, kernel)
    array = _normals(generator, shape, 0.0, 1.0, d) if normal else generator.uniform(shape, dtype=_drawn_as(d))
    array = array.astype(d.np, copy=False)
    keep = {k: options[k] for k in ("out", "device") if k in options}
    return finish(name, array, options.get("requires_grad", False), **keep)


def rand(*size: Any, **options: Any) -> Tensor:
    """Uniform numbers in [0, 1).

    source  https://pytorch.org/docs/stable/generated/torch.rand.html
    """
    return _random("rand", size, options, "check_uniform_bounds", normal=False)


def randn(*size: Any, **options: Any) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1.

    source  https://pytorch.org/docs/stable/generated/torch.randn.html
    """
    return _random("randn", size, options, "normal_kernel_cpu", normal=True)


def _like(name: str, input: Any, options: dict[str, Any], make_it: Any) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeFault(f"{name}(): argument 'input' (position 1) must be Tensor, not {kind(input)}")
    options.pop("memory_format", None)
    options["dtype"] = options.get("dtype") or input.dtype
    if input.is_contiguous():
        return make_it(input._s, **options)  # type: ignore[no-any-return]
    generator = options.pop("generator", None)
    t = zeros_like(input, **options)
    with no_grad():  # torch keeps the strides of its input, and draws in the order of memory
        t._a = np.zeros_like(input._array(), t._a.dtype)
        return normal_(t, generator=generator) if make_it is randn else uniform_(t, generator=generator)


def rand_like(input: Any, **options: Any) -> Tensor:
    """rand in the shape and dtype of another tensor."""
    return _like("rand_like", input, options, rand)


def randn_like(input: Any, **options: Any) -> Tensor:
    """randn in the shape and dtype of another tensor."""
    return _like("randn_like", input, options, randn)


def randint(*args: Any, **options: Any) -> Tensor:
    """randint(high, size), randint(low, high, size): whole numbers in [low, high).

    source  https://pytorch.org/docs/stable/generated/torch.randint.html
    """
    names = ["low", "high", "size"]
    if len(args) + len(options.keys() & set(names)) == 2:
        names.remove("low")
    if len(args) == 1 and "size" in options and "high" not in options:
        names = ["high"]
    given = dict(zip(names, args, strict=False)) | {n: options.pop(n) for n in ("low", "high", "size") if n in options}
    if len(args) > 3 or "high" not in given or "size" not in given:
        raise mismatch("randint", *args)
    low, high, size = given.get("low", 0), given["high"], given["size"]
    if not isinstance(size, (tuple, list)):
        if len(args) == 3:
            raise mismatch("randint", *args)
        raise TypeFault(f"randint(): argument 'size' (position 2) must be tuple of ints, not {kind(size)}")
    for name, value in (("high", high), ("low", low)):
        if not is_int(value):
            raise TypeFault(f"randint(): argument '{name}' (position 1) must be int, not {kind(value)}")
    generator = _generator("randint", options.pop("generator", None))
    check_options("randint", options)
    d = resolve("randint", options.get("dtype"), dtypes.int64)
    low, high = int(low), int(high)
    _check_bounds(low, high, d)
    array = generator.integers(sizes("randint", (size,)), low, high).astype(d.np)
    return finish("randint", array, options.get("requires_grad", False), device=options.get("device"))


def randint_like(input: Any, *bounds: Any, **options: Any) -> Tensor:
    """randint in the shape and dtype of another tensor."""
    options.pop("memory_format", None)
    return randint(*bounds, size=input._s, **{"dtype": input.dtype, **options})


def _check_bounds(low: int, high: int, d: DType) -> None:
    if low >= high:
        raise RuntimeFault(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}",
            hint="the upper bound is not included: randint(0, 10, size) gives 0 to 9",
        )
    if d.np.kind in "iu":
        limits = np.iinfo(d.np)
        for word, value in (("from", low), ("to - 1", high - 1)):
            if not limits.min <= value <= limits.max:
                raise RuntimeFault(f"{word} is out of bounds for {C_NAMES[d.name]}")


def randperm(
    n: Any, *, generator: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """The numbers 0 to n - 1 in random order.

    source  https://pytorch.org/docs/stable/generated/torch.randperm.html
    """
    if not is_int(n):
        raise TypeFault(f"randperm(): argument 'n' (position 1) must be int, not {kind(n)}")
    check_options("randperm", options)
    if int(n) < 0:
        raise RuntimeFault(f"Trying to create tensor with negative dimension {n}: [{n}]")
    d = resolve("randperm", dtype, dtypes.int64)
    array = _generator("randperm", generator).permutation(int(n)).astype(d.np)
    return finish("randperm", array, requires_grad, device=options.get("device"))


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, **options: Any) -> Tensor:
    """Normal numbers; mean and std are numbers with a size, or tensors, one number for each element.

    source  https://pytorch.org/docs/stable/generated/torch.normal.html
    """
    check_options("normal", options)
    g = _generator("normal", generator)
    if size is not None:
        d = resolve("normal", options.get("dtype"))
        _check_std(std)
        array = _normals(g, sizes("normal", (size,)), float(mean), float(std), d).astype(d.np, copy=False)
        return finish("normal", array, options.get("requires_grad", False), device=options.get("device"))
    tensors = [t for t in (mean, std) if isinstance(t, Tensor)]
    if not tensors:
        raise mismatch("normal", mean, std)
    d = tensors[0].dtype
    _floating(d, "normal_kernel_cpu")
    if isinstance(std, Tensor):
        if std.numel() and bool((np.asarray(std._a) < 0).any()):
            raise RuntimeFault("normal expects all elements of std >= 0.0")
    else:
        _check_std(std)
    m, s = (np.asarray(t._a).reshape(t._s) if isinstance(t, Tensor) else d.np.type(t) for t in (mean, std))
    shape = kernels.broadcast_shapes(np.shape(m), np.shape(s))
    if shape is None:
        TENSORS["add"](mean, std)  # raises torch's sentence about shapes that do not broadcast
    z = _normals(g, shape or (), 0.0, 1.0, d).astype(d.np, copy=False)
    number = 3 if len(tensors) == 2 else 1 if isinstance(mean, Tensor) else 2
    return _tracked(finish("normal", np.asarray(z * s + m, d.np)), f"NormalBackward{number}", *tensors)


def _check_std(std: Any) -> None:
    if std < 0:
        raise RuntimeFault(f"normal expects std >= 0.0, but found std {std:g}")


def bernoulli(input: Any, p: float | None = None, *, generator: Any = None, out: Any = None) -> Tensor:
    """Ones with the probability each element says, zeros elsewhere.

    source  https://pytorch.org/docs/stable/generated/torch.bernoulli.html
    """
    if not isinstance(input, Tensor):
        raise TypeFault(f"bernoulli(): argument 'input' (position 1) must be Tensor, not {kind(input)}")
    if p is not None:
        drawn = _generator("bernoulli", generator).bernoulli(input._s, p)
        return finish("bernoulli", drawn.astype(input._a.dtype), out=out)
    _floating(input.dtype, "bernoulli_tensor_cpu_p_")
    drawn = _chances(np.asarray(input._a).reshape(input._s), _generator("bernoulli", generator))
    return _tracked(finish("bernoulli", drawn.astype(input._a.dtype), out=out), "BernoulliBackward0", input)


def _chances(p: Array, generator: Generator) -> Array:
    if p.size and not bool(((p >= 0) & (p <= 1)).all()):
        raise RuntimeFault(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  "
            "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)",
            hint="probabilities lie between 0 and 1",
        )
    return generator.bernoulli_of(p if p.dtype == F64 else p.astype(F32))


def multinomial(
    input: Any,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Any = None,
    out: Any = None,
) -> Tensor:
    """Indices of the last dimension, drawn with the weights given.

    source  https://pytorch.org/docs/stable/generated/torch.multinomial.html
    """
    if not isinstance(input, Tensor):
        raise TypeFault(f"multinomial(): argument 'input' (position 1) must be Tensor, not {kind(input)}")
    if not 0 < len(input._s) <= 2:
        raise RuntimeFault("prob_dist must be 1 or 2 dim")
    if not input.dtype.is_floating_point:
        found = dtypes.SCALAR_NAMES[input.dtype]
        raise RuntimeFault(
            f"multinomial only supports floating-point dtypes for input, got: {found}", hint="weights.float()"
        )
    if num_samples <= 0:
        raise RuntimeFault("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > input._s[-1]:
        raise RuntimeFault(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement", hint="replacement=True"
        )
    p = np.asarray(input._a).reshape(input._s)
    if not bool((np.isfinite(p) & (p >= 0)).all()):
        raise RuntimeFault("probability tensor contains either `inf`, `nan` or element < 0")
    if not bool((p.sum(-1) > 0).all()):
        raise RuntimeFault("invalid multinomial distribution (sum of probabilities <= 0)")
    drawn = _generator("multinomial", generator).multinomial(p, int(num_samples), replacement)
    return finish("multinomial", np.ascontiguousarray(drawn), out=out)


# ---- in place -------------------------------------------------------------------------------------
def _memory_order(t: Tensor) -> list[int]:
    """The dimensions from the longest step in memory to the shortest: torch fills a tensor as it lies there."""
    if t.is_contiguous():
        return list(range(len(t._s)))
    strides = t._array().strides
    return sorted(range(len(strides)), key=lambda axis: -strides[axis])


def _nothing(n: Node, g: Any) -> tuple[Any, ...]:
    meta = n[META]
    return tuple(np.zeros(meta["shapes"][i], np.asarray(g).dtype) for i in meta["positions"])


def _nothing_tensors(n: Node, g: Tensor) -> tuple[Any, ...]:
    return tuple(make(a, a.shape) for a in _nothing(n, g._a))


DRAWN = record(
    "drawn", "Random numbers: they do not depend on what they were drawn from or written over, so its gradient is zero.",
    node="NormalBackward0", inputs=("input", "other"), latex=r"\xi", source="https://pytorch.org/docs/stable/generated/torch.normal.html",
)  # fmt: skip
DRAWN_RULE = Custom(DRAWN, _nothing, _nothing_tensors)


def _tracked(r: Tensor, node: str, *inputs: Any) -> Tensor:
    """r with the node torch gives random numbers that stand where gradients flow."""
    r._n = link(DRAWN_RULE, inputs, r._s, {"name": node})
    if r._n is not None and NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].forward(DRAWN, r._n, inputs, (r,), {}, saved=())
    return r


def _fill(t: Tensor, draw: Callable[[tuple[int, ...]], Array], node: str, *others: Any) -> Tensor:
    """Fill t with what draw(shape) gives for its shape in memory order."""
    before_inplace(t)
    order = _memory_order(t)
    array = np.asarray(draw(tuple(t._s[axis] for axis in order))).transpose(np.argsort(order))
    array = array.astype(t._a.dtype, copy=False)
    r = make(array[kernels.ORIGIN[array.ndim]] if array.size == 1 else array, t._s)
    if t._n is not None and NAMESPACE["_obs"] is not None:
        NAMESPACE["_obs"].target = t  # the numbers that follow are its new value
    return apply_inplace(t, _tracked(r, node, t, *others), DRAWN)


def _real(name: str, argument: str, value: Any, position: int) -> float:
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if not isinstance(value, (bool, int, float, np.generic)):
        raise TypeFault(f"{name}(): argument '{argument}' (position {position}) must be float, not {kind(value)}")
    return float(value)


def normal_(self: Tensor, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers."""
    m, s = _real("normal_", "mean", mean, 1), _real("normal_", "std", std, 2)
    _check_std(s)
    _floating(self.dtype, "normal_kernel_cpu")
    g = _generator("normal_", generator)
    return _fill(self, lambda shape: _normals(g, shape, m, s, self.dtype, self.is_contiguous()), "NormalBackward0")


def uniform_(self: Tensor, from_: Any = 0.0, to: Any = 1.0, *, generator: Any = None, **named: Any) -> Tensor:
    """Fill with uniform numbers in [from, to)."""
    low = _real("uniform_", "from", named.get("from", from_), 1)
    high = _real("uniform_", "to", to, 2)
    _floating(self.dtype, "check_uniform_bounds")
    if low > high:
        raise RuntimeFault(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    g = _generator("uniform_", generator)
    return _fill(self, lambda shape: g.uniform(shape, low, high, _drawn_as(self.dtype)), "UniformBackward0")


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with ones, with probability p (a number or a tensor), and zeros."""
    g = _generator("bernoulli_", generator)
    if isinstance(p, Tensor) and p._s:
        chances = np.asarray(TENSORS["expand"](p, self._s)._a).reshape(self._s)
        order = _memory_order(self)
        return _fill(self, lambda _: _chances(chances.transpose(order), g), "BernoulliBackward1", p)
    chance = _real("bernoulli_", "p", p, 1)
    if not 0 <= chance <= 1:
        raise RuntimeFault(f"bernoulli_ expects p to be in [0, 1], but got p={chance:g}")
    return _fill(self, lambda shape: g.bernoulli(shape, chance), "BernoulliBackward2")


def random_(self: Tensor, *args: Any, generator: Any = None, **named: Any) -> Tensor:
    """random_(), random_(to), random_(from, to): fill with whole numbers, up to what the dtype holds without gaps."""
    given = list(args)
    if "from" in named:
        given.insert(0, named["from"])
    if "to" in named:
        given.append(named["to"])
    if len(given) > 2 or not all(map(is_int, given)):
        raise mismatch("random_", *args)
    g = _generator("random_", generator)
    if not given:
        return _fill(self, lambda shape: g.whole(shape, REACH[self.dtype.name]), "RandomBackward2")
    low, high = (0, int(given[0])) if len(given) == 1 else map(int, given)
    _check_bounds(low, high, self.dtype)
    return _fill(self, lambda shape: g.integers(shape, low, high), f"RandomBackward{2 - len(given)}")


def exponential_(self: Tensor, lambd: Any = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with exponential numbers of mean 1 / lambd."""
    rate = _real("exponential_", "lambd", lambd, 1)
    if rate <= 0:
        raise RuntimeFault(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    _floating(self.dtype, "exponential_cpu")
    g = _generator("exponential_", generator)
    return _fill(self, lambda shape: g.exponential(shape, rate, _drawn_as(self.dtype)), "ExponentialBackward0")


def cauchy_(self: Tensor, median: Any = 0.0, sigma: Any = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with Cauchy-distributed numbers around median, as wide as sigma."""
    middle, width = _real("cauchy_", "median", median, 1), _real("cauchy_", "sigma", sigma, 2)
    if width <= 0:
        raise RuntimeFault(f"cauchy_ expects sigma > 0.0, but found sigma={width:g}")
    _floating(self.dtype, "cauchy_cpu")
    g = _generator("cauchy_", generator)
    return _fill(self, lambda shape: middle + width * np.tan(np.pi * (g.uniform(shape, dtype=F64) - 0.5)), "CauchyBackward0")


def log_normal_(self: Tensor, mean: Any = 1.0, std: Any = 2.0, *, generator: Any = None) -> Tensor:
    """Fill with exp of normal numbers."""
    m, s = _real("log_normal_", "mean", mean, 1), _real("log_normal_", "std", std, 2)
    if s <= 0:
        raise RuntimeFault(f"log_normal_ expects std > 0.0, but found std={s:g}")
    _floating(self.dtype, "log_normal_cpu")
    g = _generator("log_normal_", generator)
    return _fill(self, lambda shape: np.exp(g.normal(shape, m, s, F64, contiguous=False)), "LogNormalBackward0")


def geometric_(self: Tensor, p: Any, *, generator: Any = None) -> Tensor:
    """Fill with the number of trials up to the first success of probability p."""
    chance = _real("geometric_", "p", p, 1)
    if not 0 < chance < 1:
        raise RuntimeFault(f"geometric_ expects p to be in (0, 1), but got p={chance:g}")
    g = _generator("geometric_", generator)
    return _fill(self, lambda shape: np.ceil(np.log(g.uniform(shape, dtype=F64)) / np.log1p(-chance)), "GeometricBackward0")


for _method in (
    cauchy_,
    log_normal_,
    geometric_,
    normal_,
    uniform_,
    bernoulli_,
    random_,
    exponential_,
    bernoulli,
    multinomial,
):
    setattr(Tensor, _method.__name__, _method)

# what torch has under these names at its top
PUBLIC = {
    f.__name__: f
    for f in (
        rand,
        randn,
        rand_like,
        randn_like,
        randint,
        randint_like,
        randperm,
        normal,
        bernoulli,
        multinomial,
    )
}
