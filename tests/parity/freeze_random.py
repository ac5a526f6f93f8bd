"""Freezes what PyTorch draws into tests/golden/torch/random.json. Run by hand, with torch installed.

Each case is a seed and a list of calls on one generator; a call's numbers are kept as a digest of their
bytes, with the first few in the clear for whoever reads the file.
"""

import hashlib
import json
import platform
from pathlib import Path

import torch

GOLDEN = Path(__file__).parents[1] / "golden" / "torch" / "random.json"
SIZES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 4097)
SEEDS = (0, 1, 42, 1234, -1, 2**31, 2**32 + 5, 2**63 - 1, 2**64 - 1, -(2**63))
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def _weights(n: int, dtype: torch.dtype) -> torch.Tensor:
    return (torch.arange(n, dtype=dtype) * 7 % 11 + 0.5) / 16


CALLS = {
    "uniform": lambda n, t, low, high: torch.empty(n, dtype=t).uniform_(low, high),
    "normal": lambda n, t, mean, std: torch.empty(n, dtype=t).normal_(mean, std),
    "strided_normal": lambda n, t, mean, std: torch.empty(n, 2, dtype=t)[:, 0].normal_(mean, std),
    "integers": lambda n, t, low, high: torch.randint(low, high, (n,)),
    "permutation": lambda n, t: torch.randperm(n),
    "bernoulli": lambda n, t, p: torch.empty(n, dtype=torch.bool).bernoulli_(p),
    "bernoulli_of": lambda n, t: torch.bernoulli(_weights(n, t)).bool(),
    "exponential": lambda n, t, rate: torch.empty(n, dtype=t).exponential_(rate),
    "multinomial": lambda n, t, k, replacement: torch.multinomial(_weights(n, t), k, replacement),
    "base_seed": lambda n, t: torch.empty((), dtype=torch.int64).random_(),
}


def _calls(n: int) -> list[list]:
    calls = [
        ["uniform", 0.0, 1.0],
        ["normal", 0.0, 1.0],
        ["uniform", -0.3, 2.7],
        ["normal", 0.7, 0.02],
        ["strided_normal", 0.0, 1.0],
        ["integers", -3, 17],
        ["integers", 0, 2**40],
        ["permutation"],
        ["bernoulli", 0.3],
        ["bernoulli_of"],
        ["exponential", 1.7],
        ["base_seed"],
    ]
    if n:
        calls += [["multinomial", max(1, n // 2), False], ["multinomial", n, True]]
    return calls


def main() -> None:
    cases = []
    for seed in SEEDS:
        for size in SIZES if seed in (0, -1) else (3, 16, 33):
            for name, dtype in DTYPES.items():
                torch.manual_seed(seed)
                drawn = []
                for call, *arguments in _calls(size):
                    array = CALLS[call](size, dtype, *arguments).contiguous().numpy()
                    digest = hashlib.sha256(array.tobytes()).hexdigest()[:16]
                    drawn.append([call, arguments, digest, array.ravel()[:3].tolist()])
                state = hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest()[:16]
                cases.append({"seed": seed, "size": size, "dtype": name, "drawn": drawn, "state": state})
    torch.manual_seed(7)
    fresh = hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest()[:16]
    lines = ",\n".join(json.dumps(case) for case in cases)
    head = f'"torch": "{torch.__version__}", "machine": "{platform.machine()}", "fresh_state_7": "{fresh}"'
    GOLDEN.write_text(f'{{{head}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
