"""PyTorch's CPU random numbers, bit for bit, as NumPy arrays. Knows no tensor but as the bytes of a state.

    engine     mt19937, init_genrand(seed & 0xffffffff); a word is one tempered 32-bit output,
               a long word is two of them, the first one high
    uniform    (w & (2^24-1)) 2^-24 in float32, (w64 & (2^53-1)) 2^-53 in float64, then fma(x, high-low, low)
    normal     fewer than 16 numbers: Box-Muller in float64, the second value kept for the next call;
               16 and more: blocks of 16 in the array's own dtype (Note [Blocks of sixteen])
    integers   low + w % range, or w64 % range when range >= 2^28

Only float32 and float64 come out of here: for float16 and bfloat16 torch rounds the float32 numbers.
The module is also `torch.random`; the arithmetic is in `engine/rounding.py`.
source: https://github.com/pytorch/pytorch/blob/v2.13.0/aten/src/ATen/native/cpu/DistributionTemplates.h
        https://github.com/pytorch/pytorch/blob/v2.13.0/aten/src/ATen/CPUGeneratorImpl.cpp
"""

from __future__ import annotations

import contextlib
import math
import secrets
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.rounding import block_normals, fma32, fma64, log1p64

Array = NDArray[Any]
Shape = Sequence[int]

DEFAULT_SEED = 67280421310721  # torch: c10::detail::default_rng_seed_val
STATE_BYTES = 5056  # torch: sizeof(CPUGeneratorImplState)
WIDE_RANGE = 1 << 28  # from here on torch draws two words for one integer
BLOCK = 16  # see Note [Blocks of sixteen]
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
NO_CUDA = (
    "Cannot get CUDA generator without ATen_cuda library. PyTorch splits its backend into two shared "
    "libraries: "
    "a CPU library and a CUDA library; this error has occurred because you are trying to use some CUDA "
    "functionality, but the CUDA library has not been loaded by the dynamic linker for some reason.  "
    "The CUDA library MUST be loaded, EVEN IF you don't directly use any symbols from the CUDA library! "
    "One common culprit is a lack of -Wl,--no-as-needed in your link arguments; many dynamic linkers will "
    "delete dynamic library dependencies if you don't depend on any of their symbols.  You can check if this "
    "has occurred by using ldd on your binary to see if there is a dependency on *_cuda.so library."
)
_24_BITS, _53_BITS = np.uint32((1 << 24) - 1), np.uint64((1 << 53) - 1)
_STATE = struct.Struct("<QiiQ624Q3di4xf?3x")


def _key_of(seed: int) -> Array:
    """init_genrand: the 624 words the twister starts from."""
    state: Any = np.random.RandomState(seed & 0xFFFF_FFFF).get_state()
    return np.asarray(state[1])


class Generator:
    """torch.Generator on the CPU: a Mersenne twister and one kept normal number."""

    def __init__(self, device: Any = "cpu") -> None:
        if str(device).split(":")[0] == "cuda":
            raise RuntimeError(NO_CUDA)
        self._words = np.random.MT19937(0)  # an explicit seed: no entropy is read from the system
        self._kept: float | None = None
        self.manual_seed(DEFAULT_SEED)

    @property
    def device(self) -> Any:
        from engine.dtypes import device  # dtypes is only needed by whoever asks

        return device("cpu")

    # ---- seeds and state ------------------------------------------------------------------------
    def manual_seed(self, seed: int) -> Generator:
        if isinstance(seed, bool) or not hasattr(type(seed), "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(1 << 63) <= seed < 1 << 64:
            raise ValueError("Overflow when unpacking long long")
        self._seed = int(seed) & 0xFFFF_FFFF_FFFF_FFFF
        self._set_words(_key_of(self._seed), 624)
        self._kept = None
        return self

    def seed(self) -> int:
        """Seed from the system's entropy, and say with what."""
        self.manual_seed(secrets.randbits(64))
        return self._seed

    def initial_seed(self) -> int:
        return self._seed

    def state_bytes(self) -> bytes:
        """The 5056 bytes torch keeps a generator in."""
        state: Any = self._words.state["state"]
        at = int(state["pos"])
        fresh = at == 624 and bool((state["key"] == _key_of(self._seed)).all())
        left, following = (1, 0) if fresh else (625 - at, at)
        normal = (0.0, self._kept or 0.0, 0.0, self._kept is not None)
        return _STATE.pack(self._seed, left, 1, following, *state["key"].tolist(), *normal, 0.0, False)

    def restore(self, state: bytes) -> None:
        """Go back to what `state_bytes` returned."""
        fields = _STATE.unpack(state)
        left, following, key, (_, kept, _, holds) = fields[1], fields[3], fields[4:628], fields[628:632]
        position = 624 if left == 1 else following
        self._set_words(np.array(key, np.uint32), position)
        self._seed, self._kept = fields[0], kept if holds else None

    def get_state(self) -> Any:
        from engine.creation import from_numpy  # late: tensors stand above this module

        return from_numpy(np.frombuffer(self.state_bytes(), np.uint8).copy())

    def set_state(self, new_state: Any) -> Generator:
        array = new_state.numpy() if hasattr(new_state, "numpy") else None
        if array is None or array.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if array.size != STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE_BYTES} "
                f"but found the input RNG state size to be {array.size}"
            )
        self.restore(array.tobytes())
        return self

    def clone_state(self) -> Generator:
        other = Generator()
        other.restore(self.state_bytes())
        return other

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"

    def _set_words(self, key: Array, position: int) -> None:
        self._words.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}

    # ---- words ----------------------------------------------------------------------------------
    def words(self, n: int) -> NDArray[np.uint64]:
        """n 32-bit words, each in 64 bits."""
        return self._words.random_raw(n)

    def long_words(self, n: int) -> NDArray[np.uint64]:
        words = self._words.random_raw(2 * n).reshape(n, 2)
        return (words[:, 0] << np.uint64(32)) | words[:, 1]

    def _unit(self, n: int, dtype: np.dtype[Any]) -> Array:
        """n numbers in [0, 1) as torch makes them from words."""
        if dtype == F64:
            return (self.long_words(n) & _53_BITS) * 2.0**-53
        return (self.words(n).astype(np.uint32) & _24_BITS).astype(np.float32) * np.float32(2.0**-24)

    def _double(self) -> float:
        high, low = self._words.random_raw(2).tolist()
        return float(((high << 32) | low) & ((1 << 53) - 1)) * 2.0**-53

    # ---- distributions --------------------------------------------------------------------------
    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = F32) -> Array:
        """Numbers in [low, high), as torch.rand and Tensor.uniform_."""
        dtype = np.dtype(dtype)
        x = self._unit(math.prod(shape), dtype)
        if low != 0.0 or high != 1.0:
            start, end = (np.asarray(v, dtype)[()] for v in (low, high))
            x = (fma64 if dtype == F64 else fma32)(x, end - start, start)
            x[x == end] = start  # torch: uniform_real_distribution keeps the end out
        return x.reshape(shape)

    def normal(
        self,
        shape: Shape,
        mean: float = 0.0,
        std: float = 1.0,
        dtype: DTypeLike = F32,
        *,
        contiguous: bool = True,
        half: bool = False,
    ) -> Array:
        """Normal numbers, as torch.randn and Tensor.normal_.

        contiguous=False is for filling a strided view: torch then makes its numbers one at a time.
        half=True is for numbers that will be rounded to float16 or bfloat16: torch then draws nothing for an
        incomplete last block at first.

        Note [Blocks of sixteen]: numbers 0-7 of a block are turned into radii and 8-15 into angles. A rest of
        less than 16 at the end is not transformed as it is: torch draws 16 new numbers for the last 16 places
        and overwrites what the full blocks left there.
        """
        dtype = np.dtype(dtype)
        n = math.prod(shape)
        if n < BLOCK or not contiguous:
            z = np.array([self._one_normal() for _ in range(n)], F64)
            if mean != 0.0 or std != 1.0:
                z = fma64(z, float(std), float(mean))
            return z.astype(dtype).reshape(shape)
        rest = n % BLOCK
        x = np.empty(n, dtype)
        drawn = n - rest if half else n
        x[:drawn] = self._unit(drawn, dtype)
        block_normals(x[: n - rest], float(mean), float(std))
        if rest:
            x[n - BLOCK :] = self._unit(BLOCK, dtype)
            block_normals(x[n - BLOCK :], float(mean), float(std))
        return x.reshape(shape)

    def _one_normal(self) -> float:
        if self._kept is not None:
            z, self._kept = self._kept, None
            return z
        u1, u2 = self._double(), self._double()
        radius, angle = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
        self._kept = radius * math.sin(angle)
        return radius * math.cos(angle)

    def integers(self, shape: Shape, low: int, high: int) -> NDArray[np.int64]:
        """Whole numbers in [low, high), as torch.randint and Tensor.random_(low, high)."""
        n, span = math.prod(shape), high - low
        words = self.long_words(n) if span >= WIDE_RANGE else self.words(n)
        return ((words % np.uint64(span)).astype(np.int64) + low).reshape(shape)

    def whole(self, shape: Shape, count: int) -> NDArray[np.int64]:
        """Whole numbers below `count`, as Tensor.random_() with no bounds: two words only if needed."""
        n = math.prod(shape)
        words = self.long_words(n) if count > 1 << 32 else self.words(n)
        return (words % np.uint64(count)).astype(np.int64).reshape(shape)

    def base_seed(self) -> int:
        """torch.empty((), dtype=torch.int64).random_().item(): how DataLoader and its sampler take a seed."""
        return int(self.whole((), 1 << 63))

    def permutation(self, n: int) -> NDArray[np.int64]:
        """The numbers 0..n-1 shuffled, as torch.randperm."""
        order = list(range(n))
        draws = self.words(max(n - 1, 0)) % np.arange(n, 1, -1, dtype=np.uint64)[: max(n - 1, 0)]
        for i, step in enumerate(draws.tolist()):
            j = i + step
            order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64)

    def bernoulli(self, shape: Shape, p: float) -> NDArray[np.bool_]:
        """True with probability p, as Tensor.bernoulli_(p) and dropout's mask, whatever the dtype."""
        return (self._unit(math.prod(shape), F64) < p).reshape(shape)

    def bernoulli_of(self, p: Array) -> NDArray[np.bool_]:
        """True with the probability each element says, as torch.bernoulli(p) and Tensor.bernoulli_(p tensor).

        Drawn in the dtype of p, which the caller has broadcast to the result's shape.
        """
        return (self._unit(p.size, p.dtype) < p.ravel()).reshape(p.shape)

    def exponential(self, shape: Shape, rate: float = 1.0, dtype: DTypeLike = F32) -> Array:
        u = self._unit(math.prod(shape), F64)
        return (-1.0 / rate * log1p64(-u)).astype(dtype).reshape(shape)

    def multinomial(self, weights: Array, n: int, replacement: bool = False) -> NDArray[np.int64]:
        """n indices of the last axis, drawn with those weights, as torch.multinomial."""
        if not replacement or n == 1:
            q = weights / self.exponential(weights.shape, 1.0, weights.dtype)
            return np.argsort(-q, axis=-1, kind="stable")[..., :n]
        rows = weights.reshape(-1, weights.shape[-1])
        drawn = np.empty((len(rows), n), np.int64)
        for row, found in zip(rows, drawn, strict=True):
            reached = np.cumsum(row, dtype=weights.dtype)
            reached /= reached[-1]
            reached[-1] = 1
            found[:] = np.searchsorted(reached.astype(F64), self._unit(n, F64), side="left")
        return drawn.reshape((*weights.shape[:-1], n))


default_generator = Generator()


def manual_seed(seed: Any) -> Generator:
    """Seed the default generator; a float is truncated and a text parsed, as int() does."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    return default_generator.seed()


def initial_seed() -> int:
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **_ignored: Any) -> Iterator[None]:
    """Whatever is drawn inside leaves the default generator as it was."""
    if not enabled:
        yield
        return
    state = default_generator.state_bytes()
    try:
        yield
    finally:
        default_generator.restore(state)
