"""The DataLoader: batches of a dataset, in the order torch would give them.

Everything happens in this process. `num_workers` changes nothing but when the order is drawn (torch's workers are
given their first batches at once), so that programs that ask for workers get the same batches.

Note [Draws of a loader]: iter() draws one number from the generator, which would seed the workers; the first batch
makes the sampler draw another, from which it seeds a generator of its own for the permutation.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from engine.creation import finish
from engine.errors import ValueFault
from engine.random import Generator, default_generator
from engine.utils.data.collate import default_collate, default_convert
from engine.utils.data.dataset import Dataset, IterableDataset, Subset, TensorDataset
from engine.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

T_co = TypeVar("T_co", covariant=True)
FROZEN = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


def get_worker_info() -> None:
    """None, always: there are no worker processes."""


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueFault(message)


class DataLoader(Generic[T_co]):
    """Batches of a dataset.

    source  https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
    """

    __module__ = "torch.utils.data.dataloader"
    _ready = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self._streams = isinstance(dataset, IterableDataset)
        if self._streams:
            head = "DataLoader with IterableDataset: expected unspecified"
            _check(shuffle in (False, None), f"{head} shuffle option, but got shuffle={shuffle}")
            _check(sampler is None, f"{head} sampler option, but got sampler={sampler}")
            _check(batch_sampler is None, f"{head} batch_sampler option, but got batch_sampler={batch_sampler}")
        _check(sampler is None or not shuffle, "sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            _check(
                not (batch_size != 1 or shuffle or sampler is not None or drop_last),
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last",
            )
            batch_size = None
        elif batch_size is None:
            _check(
                not drop_last,
                "batch_size=None option disables auto-batching and is mutually exclusive with drop_last",
            )
        if sampler is None:
            if self._streams:
                sampler = itertools.repeat(None)
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self.persistent_workers = persistent_workers
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and name in FROZEN:
            raise ValueFault(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        if not self._streams:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        n: int = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else math.ceil(n / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        return _Iterator(self)


def _check_workers(workers: int, timeout: float, prefetch: int | None, persistent: bool) -> None:
    _check(
        workers >= 0,
        "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.",
    )
    _check(timeout >= 0, "timeout option should be non-negative")
    _check(
        workers > 0 or prefetch is None,
        "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
        "multiprocessing, otherwise set prefetch_factor to None.",
    )
    _check(prefetch is None or prefetch >= 0, "prefetch_factor option should be non-negative")
    _check(workers > 0 or not persistent, "persistent_workers option needs num_workers > 0")


class _Iterator(Iterator[Any]):
    """One pass over a loader. See Note [Draws of a loader]."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
                "used.",
                stacklevel=3,
            )
        self._batches: Iterator[Any] = iter(loader.sampler if loader.batch_sampler is None else loader.batch_sampler)
        (loader.generator or default_generator).base_seed()
        if loader.num_workers and not loader._streams:
            first = list(itertools.islice(self._batches, 1))
            self._batches = itertools.chain(first, self._batches)
        self._stream = iter(loader.dataset) if isinstance(loader.dataset, IterableDataset) else None
        self._ended = False

    def __iter__(self) -> _Iterator:
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        loader = self._loader
        which = next(self._batches)
        if self._stream is not None:
            return self._next_of_stream(which)
        if loader.batch_sampler is None:
            return loader.collate_fn(loader.dataset[which])
        if loader.collate_fn is default_collate:
            batch = _rows(loader.dataset, which)
            if batch is not None:
                return batch
        several = getattr(loader.dataset, "__getitems__", None)
        samples = several(which) if callable(several) else [loader.dataset[i] for i in which]
        return loader.collate_fn(samples)

    def _next_of_stream(self, which: Any) -> Any:
        assert self._stream is not None
        loader = self._loader
        if loader.batch_size is None:
            return loader.collate_fn(next(self._stream))
        if self._ended:
            raise StopIteration
        samples = list(itertools.islice(self._stream, len(which)))
        self._ended = len(samples) < len(which)
        if not samples or (loader.drop_last and self._ended):
            raise StopIteration
        return loader.collate_fn(samples)


def _rows(dataset: Any, which: Any) -> list[Any] | None:
    """The batch of a TensorDataset, or of a part of one, taken from its arrays at once; None if that cannot be."""
    while type(dataset) is Subset:
        which = [dataset.indices[i] for i in which]
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or any(t._n is not None for t in dataset.tensors):
        return None
    if not all(type(i) is int and 0 <= i < len(dataset) for i in which):
        return None
    return [finish("stack", t._array().take(which, 0)) for t in dataset.tensors]
