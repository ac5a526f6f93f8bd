"""What several test folders share: a real server, started once per process that asks for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def wait_for(url: str, seconds: float = 60) -> None:
    """Until it answers."""
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `backstep serve` on a free port, with nothing stored and no limit on how often one asks."""
    log = tmp_path_factory.mktemp("server") / "log"
    env = {
        **os.environ,
        "BACKSTEP_STORE": "memory",
        "BACKSTEP_CLIENT_RATE": "100000",
        "BACKSTEP_CLIENT_RUN_RATE": "1000",
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", "0"], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=err
        )
    assert process.stdout is not None
    line = process.stdout.readline().decode()  # "Backstep is at http://127.0.0.1:PORT/  (Ctrl+C stops it)"
    try:
        assert "http://" in line, f"the server did not start: {line}{log.read_text()}"
        url = line.split("http://")[1].split("/")[0]
        wait_for(f"http://{url}/readyz")  # programs can run
        yield f"http://{url}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
