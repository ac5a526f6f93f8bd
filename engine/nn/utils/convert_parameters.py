"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from engine.ops.registry import TENSORS
from engine.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Every parameter flattened, one after another."""
    vector: Tensor = TENSORS["cat"]([p.reshape(-1) for p in parameters])
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Slices of `vec` become the parameters' data, in order."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__module__}.{type(vec).__qualname__}")
    start = 0
    for p in parameters:
        n = p.numel()
        p.data = vec[start : start + n].view(p.shape).data
        start += n
