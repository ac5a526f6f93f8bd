"""Freezes how PyTorch prints tensors into tests/golden/torch/printing.json; run by hand, needs torch.

A case is {shape, values (as hexadecimal floats, or whole numbers), dtype, options, requires_grad, text}.
"""

import json
import math
from pathlib import Path

import torch

GOLDEN = Path(__file__).parents[1] / "golden" / "torch" / "printing.json"
OPTIONS = [
    {},
    {"precision": 2},
    {"precision": 0},
    {"sci_mode": True},
    {"sci_mode": False},
    {"linewidth": 40},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"profile": "short"},
    {"profile": "full"},
    {"linewidth": 200, "precision": 8},
]
DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
SHAPES = [(), (0,), (1,), (3,), (40,), (0, 3), (2, 3), (1, 1), (7, 8), (2, 3, 4), (2, 0, 2), (2, 1, 3, 2)]
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0]


def values(kind: str, n: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(n)
    x = torch.randn(n, dtype=torch.float64, generator=generator)
    if kind == "whole":
        x = (x * 5).round()
    elif kind == "wide":
        x *= 10.0 ** torch.empty(n, dtype=torch.float64).uniform_(-5, 5, generator=generator)
    elif kind == "large":
        x = (x * 1e7).round()
    elif kind == "tiny":
        x *= 1e-6
    elif kind == "special":
        for i in range(0, n, 2):
            x[i] = SPECIAL[i // 2 % 5]
    elif kind == "zero":
        x *= 0
    return x


def case(x: torch.Tensor, options: dict, requires_grad: bool = False) -> dict:
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    plain = x.flatten().tolist()
    if x.is_floating_point():
        plain = [v.hex() for v in plain]
    tensor = x.clone().requires_grad_() if requires_grad else x
    return {
        "shape": list(x.shape),
        "values": plain,
        "dtype": str(x.dtype),
        "options": options,
        "requires_grad": requires_grad,
        "grad_fn": None,
        "text": repr(tensor),
    }


def main() -> None:
    cases = []
    for s, shape in enumerate(SHAPES):
        n = math.prod(shape)
        for d, dtype in enumerate(DTYPES):
            for k, kind in enumerate(("plain", "whole", "wide", "large", "tiny", "special", "zero")):
                if kind != "plain" and (s + d + k) % 3:
                    continue
                x = values(kind, n).reshape(shape)
                if not dtype.startswith(("float", "bfloat")):
                    x = x.nan_to_num(0, 5, -3)
                x = x.to(getattr(torch, dtype))
                cases.append(case(x, {}, x.is_floating_point() and k % 2 == 0))
    for options in OPTIONS[1:]:
        for shape in ((), (12,), (3, 9), (8, 2, 7)):
            for kind in ("plain", "whole", "wide"):
                cases.append(case(values(kind, math.prod(shape)).reshape(shape).float(), options))
    cases.append(case(torch.arange(1001), {}))
    cases.append(case(torch.arange(3 * 400).reshape(3, 400) / 7, {}))
    for shape in ((), (3,), (9,), (2, 3)):
        product = torch.ones(shape, requires_grad=True) * 2.5
        cases.append(case(product.detach(), {}) | {"grad_fn": "MulBackward0", "text": repr(product)})
    lines = ",\n".join(json.dumps(c) for c in cases)
    GOLDEN.write_text(f'{{"torch": "{torch.__version__}", "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
