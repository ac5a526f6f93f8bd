"""How samples become a batch: tensors are stacked, numbers become tensors, containers keep their form."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from engine.creation import as_tensor, finish, tensor
from engine.dtypes import float64
from engine.errors import RuntimeFault, TypeFault
from engine.ops.registry import TENSORS
from engine.tensor import Tensor

NOT_COLLATABLE = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def _rebuild(like: Any, made: Any) -> Any:
    """A container of the kind of `like`, with new contents; a plain one where its kind cannot be made so."""
    try:
        if isinstance(like, (MutableMapping, MutableSequence)):
            clone = copy.copy(like)
            if isinstance(clone, MutableMapping):
                clone.update(made)
            else:
                clone[:] = made
            return clone
        return type(like)(made)
    except TypeError:
        return made


def stack(batch: Sequence[Tensor]) -> Tensor:
    """torch.stack(batch). Loading is no part of the program's graph: what needs no gradient is stacked as arrays."""
    shape = batch[0]._s
    if any(t._n is not None or t._s != shape for t in batch):
        return TENSORS["stack"](batch, 0)  # type: ignore[no-any-return]
    return finish("stack", np.array([t._a for t in batch]).reshape((len(batch), *shape)))


def default_collate(batch: Any) -> Any:
    """A batch from a list of samples.

    source  https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise TypeFault(NOT_COLLATABLE.format(first.dtype))
        return default_collate([as_tensor(b) for b in batch])
    if isinstance(first, (np.bool_, np.number)):
        return as_tensor(batch)
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _rebuild(first, {key: default_collate([d[key] for d in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(column) for column in zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        if not all(len(sample) == len(first) for sample in batch):
            raise RuntimeFault("each element in list of batch should be of equal size")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        return columns if isinstance(first, tuple) else _rebuild(first, columns)
    raise TypeFault(NOT_COLLATABLE.format(type(first)))


def default_convert(data: Any) -> Any:
    """A single sample, its arrays as tensors: what a DataLoader without batches gives."""
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind not in "SUO":
        return as_tensor(data)
    each: Callable[[Any], Any] = default_convert
    if isinstance(data, Mapping):
        return _rebuild(data, {key: each(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(each, data))
    if isinstance(data, tuple):
        return list(map(each, data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuild(data, list(map(each, data)))
    return data
