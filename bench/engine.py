"""Speed of the engine against PyTorch eager and against NumPy by hand: one process, one thread, CPU time.

Each case is one function that is given the library, so that both run the same program. Prints a table: time an
iteration (minimum and median), the ratio to torch and what issue 3 allows, the ratio to hand-written NumPy, and the
price of recording. Not a test: numbers depend on the machine. `make bench`, or `python -m bench.engine [case ...]`.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

Lib = Any
Step = Callable[[], Any]


def scalar_sgd(torch: Lib) -> Step:
    """y = x * w on three samples, one at a time."""
    w = torch.tensor([1.0], requires_grad=True)
    data = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]

    def step() -> None:
        for x, y in data:
            loss = (x * w - y) ** 2
            loss.backward()
            w.data = w.data - 0.01 * w.grad.data
            w.grad.data.zero_()

    return step


def cubic_fit(torch: Lib) -> Step:
    """Four 0-dim parameters fitted to sin on 2000 points."""
    x = torch.linspace(-3.14159, 3.14159, 2000)
    y = torch.sin(x)
    a, b, c, d = (torch.tensor(v, requires_grad=True) for v in (0.1, 0.2, 0.3, 0.4))

    def step() -> None:
        pred = a + b * x + c * x**2 + d * x**3
        loss = (pred - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= 1e-6 * p.grad
                p.grad = None

    return step


def linear_mse(torch: Lib) -> Step:
    """Linear(1, 1), MSELoss, SGD on three points."""
    torch.manual_seed(0)
    x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[2.0], [4.0], [6.0]])
    net = torch.nn.Linear(1, 1)
    loss_of = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)

    def step() -> None:
        loss = loss_of(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def small_mlp(torch: Lib) -> Step:
    """2-16-16-1 tanh network, batch of 64, SGD."""
    torch.manual_seed(0)
    nn = torch.nn
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    x, y = torch.randn(64, 2), torch.randn(64, 1)
    loss_of = nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)

    def step() -> None:
        loss = loss_of(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def digits_mlp(torch: Lib) -> Step:
    """784-256-128-10 network, batch of 128, cross entropy, Adam."""
    torch.manual_seed(0)
    nn = torch.nn
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    x, y = torch.randn(128, 784), torch.randint(0, 10, (128,))
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step() -> None:
        loss = loss_of(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def broadcast(torch: Lib) -> Step:
    """(64, 1, 32) times (1, 48, 32), with sums."""
    torch.manual_seed(0)
    a, b = torch.randn(64, 1, 32, requires_grad=True), torch.randn(1, 48, 32, requires_grad=True)

    def step() -> None:
        a.grad = b.grad = None
        ((a * b).sum(2) + (a + b).sum(2)).sum().backward()

    return step


def chain(torch: Lib) -> Step:
    """10,000 operations on one number, forward and backward."""
    x = torch.tensor(1.0, requires_grad=True)

    def step() -> None:
        x.grad = None
        y = x
        for _ in range(5000):
            y = y * 1.0001
            y = y + 0.0001
        y.backward()

    return step


def _scalar_net(torch: Lib, activation: str) -> Step:
    import random

    rng = random.Random(0)
    sizes = [2, 16, 16, 1]
    layers = [
        [
            (
                [torch.tensor(rng.uniform(-1, 1), requires_grad=True) for _ in range(n)],
                torch.tensor(0.0, requires_grad=True),
            )
            for _ in range(m)
        ]
        for n, m in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    points = [[torch.tensor(rng.uniform(-1, 1)) for _ in range(2)] for _ in range(50)]
    targets = [torch.tensor(rng.choice([-1.0, 1.0])) for _ in range(50)]

    def step() -> None:
        total = 0.0
        for x, y in zip(points, targets, strict=True):
            h = x
            for k, layer in enumerate(layers):
                out = []
                for w, b in layer:
                    s = b
                    for wi, xi in zip(w, h, strict=True):
                        s = s + wi * xi
                    out.append(getattr(s, activation)() if k < len(layers) - 1 else s)
                h = out
            total = total + (h[0] - y) ** 2
        total.backward()
        with torch.no_grad():
            for layer in layers:
                for w, b in layer:
                    for p in (*w, b):
                        p -= 0.001 * p.grad
                        p.grad = None

    return step


def scalar_mlp(torch: Lib) -> Step:
    """A 2-16-16-1 tanh network made of 0-dim tensors, 50 samples."""
    return _scalar_net(torch, "tanh")


def micrograd(torch: Lib) -> Step:
    """The same with relu, as micrograd's demo."""
    return _scalar_net(torch, "relu")


def conv_net(torch: Lib) -> Step:
    """Two 3x3 convolutions on 1x28x28, batch of 64."""
    torch.manual_seed(0)
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10),
    )  # fmt: skip
    x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)

    def step() -> None:
        loss = loss_of(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


# ---- the same by hand, in NumPy ---------------------------------------------------------------------------------


def hand_scalar_sgd() -> Step:
    """scalar_sgd with its gradient written out."""
    state = np.array([1.0], np.float32)
    data = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]

    def step() -> None:
        nonlocal state
        for x, y in data:
            d = x * state - y
            _ = d**2
            state = state - 0.01 * (2 * d * x)

    return step


def hand_cubic_fit() -> Step:
    """cubic_fit with its gradients written out."""
    x = np.linspace(-3.14159, 3.14159, 2000, dtype=np.float32)
    y = np.sin(x)
    p = [np.float32(v) for v in (0.1, 0.2, 0.3, 0.4)]

    def step() -> None:
        a, b, c, d = p
        e = a + b * x + c * x**2 + d * x**3 - y
        _ = np.square(e).sum()
        g = 2.0 * e
        for i, q in enumerate((g.sum(), (g * x).sum(), (g * x**2).sum(), (g * x**3).sum())):
            p[i] = p[i] - np.float32(1e-6) * q

    return step


def hand_linear_mse() -> Step:
    """linear_mse with its gradients written out."""
    x, y = np.array([[1.0], [2.0], [3.0]], np.float32), np.array([[2.0], [4.0], [6.0]], np.float32)
    w, b = np.array([[0.5]], np.float32), np.array([0.1], np.float32)

    def step() -> None:
        nonlocal w, b
        d = x @ w.T + b - y
        _ = (d * d).sum()
        g = 2 * d
        w -= 0.01 * (g.T @ x)
        b -= 0.01 * g.sum(0)

    return step


def hand_small_mlp() -> Step:
    """small_mlp with its gradients written out."""
    rng = np.random.default_rng(0)
    f = np.float32
    x, y = rng.standard_normal((64, 2)).astype(f), rng.standard_normal((64, 1)).astype(f)
    W = [rng.standard_normal(s).astype(f) * f(0.3) for s in ((16, 2), (16, 16), (1, 16))]
    B = [np.zeros(n, f) for n in (16, 16, 1)]

    def step() -> None:
        h1 = np.tanh(x @ W[0].T + B[0])
        h2 = np.tanh(h1 @ W[1].T + B[1])
        d = h2 @ W[2].T + B[2] - y
        _ = (d * d).mean()
        g = d * (2.0 / d.size)
        grads = [(g.T @ h2, g.sum(0))]
        g = (g @ W[2]) * (1 - h2 * h2)
        grads.append((g.T @ h1, g.sum(0)))
        g = (g @ W[1]) * (1 - h1 * h1)
        grads.append((g.T @ x, g.sum(0)))
        for i, (gw, gb) in zip((2, 1, 0), grads, strict=True):
            W[i] -= 0.01 * gw
            B[i] -= 0.01 * gb

    return step


# case, iterations a sample, the ratio issue 3 allows, the case by hand
CASES: list[tuple[Callable[[Lib], Step], int, float, Callable[[], Step] | None]] = [
    (scalar_sgd, 200, 0.20, hand_scalar_sgd),
    (cubic_fit, 200, 0.33, hand_cubic_fit),
    (linear_mse, 300, 0.10, hand_linear_mse),
    (small_mlp, 200, 0.15, hand_small_mlp),
    (digits_mlp, 10, 0.85, None),
    (broadcast, 50, 1.0, None),
    (chain, 3, 0.18, None),
    (scalar_mlp, 1, 0.16, None),
    (micrograd, 1, 0.22, None),
    (conv_net, 3, 1.5, None),
]


def measure(step: Step, times: int, repeats: int) -> list[float]:
    """CPU seconds an iteration, `repeats` times, after a warm-up."""
    for _ in range(max(1, times // 10)):
        step()
    gc.collect()
    gc.disable()
    found = []
    try:
        for _ in range(repeats):
            t = time.process_time()
            for _ in range(times):
                step()
            found.append((time.process_time() - t) / times)
            gc.collect()
    finally:
        gc.enable()
    return found


def recorded(case: Callable[[Lib], Step], times: int, repeats: int, engine: Lib) -> float | None:
    """The price of recording as a sleeping or awake recorder charges it; None while there is no recorder."""
    try:
        from bench.recording import observed
    except ImportError:
        return None
    return float(observed(case, times, repeats, engine))


def main(names: list[str]) -> None:
    """Print the table."""
    import torch

    import engine

    torch.set_num_threads(1)
    print(f"{'case':12} {'engine µs':>10} {'median':>10} {'torch µs':>10} {'median':>10} {'ratio':>6} {'median':>6} "
          f"{'allowed':>7}  {'by hand':>8} {'recorded':>8}")  # fmt: skip
    for case, times, allowed, by_hand in CASES:
        if names and case.__name__ not in names:
            continue
        repeats = 5
        try:
            ours, theirs = case(engine), case(torch)
            # alternating, so that a slow spell of the machine hits both
            a: list[float] = []
            b: list[float] = []
            for _ in range(3):
                a += measure(ours, times, repeats)
                b += measure(theirs, times, repeats)
        except Exception as e:
            print(f"{case.__name__:12} {type(e).__name__}: {e}")
            continue
        hand = f"{min(a) / min(measure(by_hand(), times, repeats * 2)):.2f}x" if by_hand is not None else ""
        price = recorded(case, times, repeats, engine)
        ratio, middle = min(a) / min(b), statistics.median(a) / statistics.median(b)
        print(
            f"{case.__name__:12} {min(a) * 1e6:10.1f} {statistics.median(a) * 1e6:10.1f} {min(b) * 1e6:10.1f} "
            f"{statistics.median(b) * 1e6:10.1f} {ratio:6.3f} {middle:6.3f} {allowed:7.2f}{'' if ratio <= allowed else ' !'} "
            f"{hand:>8} {'' if price is None else f'{price:.2f}x':>8}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
