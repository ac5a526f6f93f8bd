"""engine/random.py and engine/rounding.py against what PyTorch 2.13 drew (tests/golden/torch/random.json)."""

import hashlib
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.random import Generator, fork_rng, initial_seed, manual_seed
from engine.rounding import fma32, fma64, log64

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "torch" / "random.json").read_text())


def _weights(n, dtype):
    return ((np.arange(n, dtype=dtype) * 7 % 11 + 0.5) / 16).astype(dtype)


CALLS = {
    "uniform": lambda g, n, t, low, high: g.uniform((n,), low, high, t),
    "normal": lambda g, n, t, mean, std: g.normal((n,), mean, std, t),
    "strided_normal": lambda g, n, t, mean, std: g.normal((n,), mean, std, t, contiguous=False),
    "integers": lambda g, n, t, low, high: g.integers((n,), low, high),
    "permutation": lambda g, n, t: g.permutation(n),
    "bernoulli": lambda g, n, t, p: g.bernoulli((n,), p),
    "bernoulli_of": lambda g, n, t: g.bernoulli_of(_weights(n, t)),
    "exponential": lambda g, n, t, rate: g.exponential((n,), rate, t),
    "multinomial": lambda g, n, t, k, replacement: g.multinomial(_weights(n, t), k, replacement),
    "base_seed": lambda g, n, t: np.array(g.base_seed()),
}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: f"{c['seed']}-{c['size']}-{c['dtype']}")
def test_every_call_of_a_mixed_stream_draws_what_torch_draws(case):
    generator = Generator().manual_seed(case["seed"])
    for call, arguments, digest, first in case["drawn"]:
        array = CALLS[call](generator, case["size"], np.dtype(case["dtype"]), *arguments)
        assert array.ravel()[:3].tolist() == first, (call, arguments)
        assert _digest(np.ascontiguousarray(array).tobytes()) == digest, (call, arguments)
    assert _digest(generator.state_bytes()) == case["state"]


def test_a_fresh_state_has_the_bytes_of_torch():
    assert _digest(Generator().manual_seed(7).state_bytes()) == GOLDEN["fresh_state_7"]


def test_a_restored_state_goes_on_where_it_was_with_its_kept_normal():
    generator = Generator().manual_seed(3)
    generator.normal((3,))
    state = generator.state_bytes()
    expected = generator.normal((5,)).tolist()
    other = Generator()
    other.restore(state)
    assert other.normal((5,)).tolist() == expected
    assert other.initial_seed() == 3


def test_fork_rng_leaves_the_default_generator_as_it_was():
    from engine.random import default_generator

    manual_seed(5)
    before = default_generator.state_bytes()
    with fork_rng():
        default_generator.normal((20,))
    assert default_generator.state_bytes() == before
    with fork_rng(enabled=False):
        default_generator.normal((20,))
    assert default_generator.state_bytes() != before


@pytest.mark.parametrize(("seed", "kept"), [(-1, 2**64 - 1), (-(2**63), 2**63), (3.7, 3), (True, 1)])
def test_manual_seed_keeps_64_bits(seed, kept):
    manual_seed(seed)
    assert initial_seed() == kept


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_beyond_64_bits_is_refused(seed):
    with pytest.raises(ValueError, match=r"^Overflow when unpacking long long$"):
        manual_seed(seed)


@pytest.mark.parametrize("seed", [1.0, "a"])
def test_a_generator_takes_whole_seeds_only(seed):
    with pytest.raises(RuntimeError, match=f"^manual_seed expected a long, but got {type(seed).__name__}$"):
        Generator().manual_seed(seed)


@pytest.mark.parametrize(("fma", "dtype"), [(fma32, np.float32), (fma64, np.float64)])
def test_fma_rounds_the_exact_value_once(fma, dtype):
    rng = np.random.RandomState(0)
    a, b = (rng.standard_normal(400).astype(dtype) for _ in range(2))
    c = (-a * b * (1 + rng.choice([0, 1e-6, 0.3], 400))).astype(dtype)  # near cancellation, where it shows
    for x, y, z, result in zip(a, b, c, fma(a, b, c), strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        error = abs(Fraction(float(result)) - exact)
        up, down = (np.nextafter(result, dtype(s)) for s in (np.inf, -np.inf))
        assert result.dtype == dtype
        assert error <= min(abs(Fraction(float(up)) - exact), abs(Fraction(float(down)) - exact))


def test_log64_is_the_c_library_s():
    x = np.random.RandomState(1).random_sample(50_000)
    assert log64(x).tolist() == [math.log(v) for v in x.tolist()]
