"""Live against an installed PyTorch: mixed streams of random numbers, printing of made-up tensors, optimizers.

What the golden files sample, at length. Run by `make parity`.
"""

import numpy as np
import pytest
import torch

import engine
from engine import optim as our_optim
from engine import printing, sampling
from engine.random import Generator, default_generator
from tests.parity.freeze_optim import RULES

SIZES = (0, 1, 2, 5, 15, 16, 17, 31, 32, 33, 100, 1000, 4097, 20_000)
SEEDS = (0, 1, 42, -1, 2**40 + 3, -(2**63), 2**64 - 1)
KINDS = {"float32": (torch.float32, np.float32), "float64": (torch.float64, np.float64)}


def _draws(n, kind, rng):
    """Pairs of calls that must give the same numbers: torch's and ours."""
    theirs, ours = KINDS[kind]
    weights = rng.random(max(n, 1)).astype(ours)
    chances = torch.from_numpy(weights)
    few = max(1, min(n, 1000) // 2)
    return {
        "rand": (lambda: torch.rand(n, dtype=theirs), lambda g: g.uniform((n,), dtype=ours)),
        "uniform": (
            lambda: torch.empty(n, dtype=theirs).uniform_(-0.3, 2.7),
            lambda g: g.uniform((n,), -0.3, 2.7, ours),
        ),
        "randn": (lambda: torch.randn(n, dtype=theirs), lambda g: g.normal((n,), dtype=ours)),
        "normal": (
            lambda: torch.empty(n, dtype=theirs).normal_(0.7, 0.02),
            lambda g: g.normal((n,), 0.7, 0.02, ours),
        ),
        "randint": (lambda: torch.randint(-3, 17, (n,)), lambda g: g.integers((n,), -3, 17)),
        "wide": (lambda: torch.randint(0, 2**40, (n,)), lambda g: g.integers((n,), 0, 2**40)),
        "randperm": (lambda: torch.randperm(n), lambda g: g.permutation(n)),
        "bernoulli": (lambda: torch.empty(n, dtype=torch.bool).bernoulli_(0.3), lambda g: g.bernoulli((n,), 0.3)),
        "bernoulli of": (lambda: torch.bernoulli(chances).bool(), lambda g: g.bernoulli_of(weights)),
        "exponential": (
            lambda: torch.empty(n, dtype=theirs).exponential_(1.7),
            lambda g: g.exponential((n,), 1.7, ours),
        ),
        "multinomial": (
            lambda: torch.multinomial(chances[:1000], few),
            lambda g: g.multinomial(weights[:1000], few),
        ),
        "with replacement": (
            lambda: torch.multinomial(chances[:1000], few, True),
            lambda g: g.multinomial(weights[:1000], few, True),
        ),
    }


@pytest.mark.parametrize("stream", range(20))
def test_a_mixed_stream_of_draws_is_equal_to_the_bit(stream):
    rng = np.random.default_rng(stream)
    seed = SEEDS[stream % len(SEEDS)] ^ (stream // len(SEEDS))
    torch.manual_seed(seed)
    generator = Generator().manual_seed(seed)
    for _ in range(60):
        n, kind = int(rng.choice(SIZES)), str(rng.choice(list(KINDS)))
        draws = _draws(n, kind, rng)
        name = str(rng.choice(list(draws)))
        theirs, ours = draws[name]
        expected, found = theirs().numpy(), ours(generator)
        assert expected.dtype == found.dtype, (name, n, kind)
        assert (expected == found).all(), (name, n, kind)
        assert generator.state_bytes() == torch.get_rng_state().numpy().tobytes(), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ranges_are_equal_to_the_bit(dtype):
    rng = np.random.default_rng(0)
    for _ in range(300):
        start, end = rng.uniform(-5, 5, 2)
        step = float(rng.choice([0.1, 0.25, 0.01, rng.uniform(0.001, 0.5)])) * (1 if end > start else -1)
        count = int(rng.integers(0, 300))
        theirs, ours = getattr(torch, dtype), getattr(engine, dtype)
        for name, arguments in (("arange", (start, end, step)), ("linspace", (start, end, count))):
            expected = getattr(torch, name)(*arguments, dtype=theirs).numpy()
            assert (getattr(engine, name)(*arguments, dtype=ours).numpy() == expected).all(), (name, arguments)


def _made_up(rng):
    shape = tuple(int(n) for n in rng.choice([0, 1, 1, 2, 2, 3, 4, 7, 12, 40], rng.integers(0, 5)))
    x = np.asarray(rng.standard_normal(shape))
    match rng.integers(0, 6):
        case 1:
            x = np.round(x * 3)
        case 2:
            x = x * 10.0 ** rng.integers(-8, 9)
        case 3:
            x = x * 10.0 ** rng.uniform(-5, 5, shape)
        case 4:
            x = np.where(rng.random(shape) < 0.3, rng.choice([np.nan, np.inf, -np.inf, 0, -0.0], shape), x)
        case 5:
            x = np.round(x * 10.0 ** rng.integers(1, 9))
    return np.asarray(x)


@pytest.mark.parametrize("seed", range(20))
def test_made_up_tensors_print_the_same(seed):
    rng = np.random.default_rng(seed)
    for _ in range(60):
        name = str(rng.choice(["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"]))
        x = _made_up(rng)
        if "float" not in name:
            x = np.asarray(np.nan_to_num(x, nan=0, posinf=5, neginf=-3))
        t = torch.from_numpy(x)
        t = t.to(getattr(torch, name))
        wanted = bool("float" in name and rng.random() < 0.4)
        t.requires_grad_(wanted)
        array = t.detach().float().numpy() if name == "bfloat16" else t.detach().numpy()
        assert printing.format_tensor(array, f"torch.{name}", requires_grad=wanted) == repr(t)


@pytest.mark.parametrize(("name", "options"), RULES)
def test_an_optimizer_of_a_large_matrix_moves_it_as_torch_does(name, options):
    rng = np.random.default_rng(1)
    start = rng.standard_normal((300, 120))
    theirs = torch.tensor(start, requires_grad=True)
    ours = engine.tensor(start, requires_grad=True)
    a = eval(f"torch.optim.{name}([w], {options})", {"torch": torch, "w": theirs})
    b = eval(f"optim.{name}([w], {options})", {"optim": our_optim, "w": ours})
    for _ in range(6):
        gradient = rng.standard_normal((300, 120))
        theirs.grad, ours.grad = torch.tensor(gradient), engine.tensor(gradient)
        a.step()
        b.step()
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_the_default_generators_agree_after_the_same_calls():
    torch.manual_seed(9)
    default_generator.manual_seed(9)
    for shape in ((), (3,), (20,), (4, 5)):
        assert sampling.randn(shape).tolist() == torch.randn(shape).tolist()
        assert sampling.rand(shape).tolist() == torch.rand(shape).tolist()
