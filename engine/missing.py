"""What to say when a name is asked for that is not here: torch has it and we lack it, or nobody has it.

The list of torch's names is data, engine/torch_names.txt, written by tests/parity/names.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from engine.errors import AttributeFault, EngineError, near_miss, unsupported

# the supported way, for what people look for most often
INSTEAD = {
    "compile": "leave torch.compile away: the program runs the same without it",
    "jit": "leave torch.jit away: the program runs the same without it",
    "save": "print the numbers you want to keep; a run has no files",
    "load": "build the model in the program; a run has no files",
    "complex64": "use two real tensors, for the real and the imaginary part",
    "complex128": "use two real tensors, for the real and the imaginary part",
    "cfloat": "use two real tensors, for the real and the imaginary part",
    "fft": "there are no complex numbers here; NumPy's np.fft works on x.detach().numpy()",
    "sparse_coo_tensor": "use a dense tensor",
    "to_sparse": "use a dense tensor",
    "vmap": "write the loop, or use broadcasting",
    "func": "torch.autograd.functional has jacobian, hessian, vjp and jvp",
    "distributed": "a run is one process",
    "multiprocessing": "a run is one process",
    "eig": "torch.linalg.eigh for symmetric matrices",
    "eigvals": "torch.linalg.eigvalsh for symmetric matrices",
    "Transformer": "build it from nn.MultiheadAttention, nn.LayerNorm and nn.Linear",
    "stft": "there are no complex numbers here",
}


def _read() -> dict[str, frozenset[str]]:
    """torch's public names by module."""
    text = (Path(__file__).parent / "torch_names.txt").read_text()
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            module, _, names = line.partition(": ")
            found[module] = frozenset(names.split())
    return found


TORCH_NAMES = _read()  # at import: a sandboxed program cannot open files


def missing(module: str, name: str, known: Iterable[str]) -> EngineError:
    """The error for `module.name`."""
    if name in TORCH_NAMES.get(module, ()):
        return unsupported(f"{module}.{name}", INSTEAD.get(name))
    return AttributeFault(f"module '{module}' has no attribute '{name}'", hint=lambda: near_miss(name, known))


def getattr_of(module: str, namespace: dict[str, Any]) -> Callable[[str], Any]:
    """A module's `__getattr__`: `__getattr__ = getattr_of("torch.nn", globals())`."""

    def lookup(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        raise missing(module, name, namespace)

    return lookup
