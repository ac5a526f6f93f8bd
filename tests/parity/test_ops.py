"""Every case of every block, live: the engine beside an installed PyTorch."""

from __future__ import annotations

from collections import defaultdict

import pytest

torch = pytest.importorskip("torch")

import engine  # noqa: E402
from tests.parity.cases import Case, answer, cases, unexplained  # noqa: E402

BY_BLOCK: dict[str, list[Case]] = defaultdict(list)
for _case in cases():
    BY_BLOCK[_case.block].append(_case)


@pytest.mark.parametrize("block", BY_BLOCK)
def test_engine_answers_as_torch(block: str) -> None:
    found = {case.key: unexplained(case, answer(torch, case), answer(engine, case)) for case in BY_BLOCK[block]}
    assert not {key: words for key, words in found.items() if words}
