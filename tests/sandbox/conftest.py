"""One shared runner for the tests of the box that only want to run a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .boxes import Shared, Trace


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[..., Trace]]:
    """run(source, limits=None, **options) -> Trace"""
    shared = Shared()
    yield shared.run
    shared.close()
