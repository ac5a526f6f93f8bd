"""The way to a first start, and that the second costs nothing."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CLOSED = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "npm_config_registry": "http://127.0.0.1:9/"}


def sh(*words, **env):
    done = subprocess.run(
        ["sh", *words], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_python_that_was_named_is_taken():
    link = shutil.which("python3", path="/usr/bin") or sys.executable
    assert sh("scripts/python.sh", "-c", "import sys; print(sys.executable)", PYTHON=link)[1].strip() == link


def test_a_shim_that_stands_for_no_python_is_passed_over(tmp_path):
    shim = tmp_path / "python3"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    code, out, _ = sh("scripts/python.sh", "-c", "import sys; print(sys.version_info >= (3, 11))", PATH=path)
    assert (code, out) == (0, "True\n")


def test_the_second_start_is_quick_and_asks_no_registry():
    if not (ROOT / ".venv" / ".backstep-dev").exists() or (ROOT / ".venv").is_symlink():
        pytest.skip("the tests run in an environment that scripts/setup.py did not make for this checkout")
    begin = time.monotonic()
    code, out, err = sh("scripts/python.sh", "scripts/setup.py", "run", **CLOSED)
    assert (code, out, err) == (0, "", "")
    assert time.monotonic() - begin < 2


def test_help_needs_no_environment():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    assert "make run " in done.stdout
