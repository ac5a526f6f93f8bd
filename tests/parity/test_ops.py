"""Every case of every block, live: the engine beside an installed PyTorch."""

from __future__ import annotations

from collections import defaultdict

import pytest

torch = pytest.importorskip("torch")

import engine  # noqa: E402
from tests.parity.cases import Case, answer, cases, differences  # noqa: E402
from tests.parity.known import why  # noqa: E402

BY_BLOCK: dict[str, list[Case]] = defaultdict(list)
for _case in cases():
    BY_BLOCK[_case.key.split("/")[0]].append(_case)


@pytest.mark.parametrize("block", BY_BLOCK)
def test_engine_answers_as_torch(block: str) -> None:
    wrong = {}
    for case in BY_BLOCK[block]:
        if why(case.key) is None:
            found = differences(case, answer(torch, case), answer(engine, case))
            if found and not found[0].startswith("no "):
                wrong[case.key] = found
    assert not wrong
