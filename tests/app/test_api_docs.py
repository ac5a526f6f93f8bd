"""docs/api.md is true: its shell blocks are run in order, and what stands below each is in what it prints."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.sandbox import lockdown
from app.sandbox.local import LocalRunner
from tests.app.conftest import serving

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```)?", PAGE.read_text(), re.M | re.S)
MARK = "=== block ==="


@pytest.fixture(scope="module")
def printed():
    """What each block prints, all run by one shell."""
    if not shutil.which("bash") or not shutil.which("curl"):
        pytest.skip("bash and curl are needed")
    if lockdown.unsupported():
        pytest.skip(f"no sandbox here: {lockdown.unsupported()}")
    with serving(runner=LocalRunner(slots=2)) as served:
        script = f"\necho '{MARK}'\n".join(block for block, _ in BLOCKS)
        script = script.replace("http://127.0.0.1:8000", served.url)
        done = subprocess.run(["bash", "-e"], input=script, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(MARK)


def test_there_are_examples_of_every_kind():
    text = "".join(block for block, _ in BLOCKS)
    for address in ("/runs ", "/events?from=", "/steps/", "/graph?", "/graphs ", "/broadcast "):
        assert address in text


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_prints_what_stands_below_it(printed, number):
    for line in BLOCKS[number][1].splitlines():
        assert line in printed[number], printed[number][:2000]
