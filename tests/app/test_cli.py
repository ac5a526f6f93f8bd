"""The command line: what it prints and how it ends."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.cli import main
from app.sandbox import lockdown
from app.settings import Settings
from tests.app.conftest import serving

ROOT = Path(__file__).resolve().parent.parent.parent
needs_box = pytest.mark.skipif(bool(lockdown.unsupported()), reason=f"no sandbox here: {lockdown.unsupported()}")
ENVIRONMENT = {**os.environ, "BACKSTEP_STORE": "memory"}


def backstep(*arguments, text=""):
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_settings_are_printed_with_their_values(capsys):
    assert main(["settings"]) == 0
    printed = capsys.readouterr().out
    for name in Settings.model_fields:
        assert f"BACKSTEP_{name.upper()}=" in printed


@needs_box
def test_a_program_runs_and_its_output_is_printed(tmp_path):
    file = tmp_path / "p.py"
    file.write_text("import torch\nprint(torch.ones(2) * 3)\n")
    done = backstep("run", str(file))
    assert (done.returncode, done.stdout) == (0, "tensor([3., 3.])\n")


@needs_box
def test_a_program_that_fails_says_where_and_ends_with_1():
    done = backstep("run", "-", text="import torch\ntorch.ones(3) + torch.ones(4)\n")
    assert done.returncode == 1 and done.stderr.startswith("line 2: RuntimeError: The size of tensor a (3)")


@needs_box
def test_a_trace_can_be_printed_and_read_again(tmp_path):
    program = "import torch\nx = torch.ones(1, requires_grad=True)\n(x * 2).backward()\n"
    done = backstep("run", "-", "--trace", text=program)
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()][0::100] == ["begin"]
    file = tmp_path / "t.jsonl"
    file.write_text(done.stdout)
    assert main(["trace", "verify", str(file)]) == 0


@needs_box
def test_doctor_says_that_programs_can_run_here():
    done = backstep("doctor")
    assert done.returncode == 0 and re.search(r"^ok +seccomp", done.stdout, re.M)


def test_a_file_that_is_not_there_is_a_sentence(capsys):
    assert main(["run", "/no/such/file.py"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_server_prints_its_address_and_stops_with_a_signal():
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", "0"], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    with process:
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
        transport = httpx.HTTPTransport(retries=20)
        with httpx.Client(transport=transport) as client:
            assert client.get(address + "healthz", timeout=20).status_code == 200
        process.terminate()
        process.wait(15)


def test_a_port_in_use_is_a_sentence(served, capsys):
    assert main(["serve", "--port", str(served.port)]) == 1
    assert "cannot listen" in capsys.readouterr().err


def test_with_a_token_nothing_is_answered_without_it():
    with serving(token="sesame-123") as served:
        assert served.client.get("/").status_code == 401
        assert served.post("1").status_code == 401
        assert served.client.get("/?token=wrong").status_code == 401
        assert served.client.get("/healthz").status_code == 200
        bearer = {"authorization": "Bearer sesame-123"}
        assert served.client.get("/api/v1/lessons", headers=bearer).status_code == 200
        assert served.client.get("/?token=sesame-123").status_code == 200  # leaves a cookie
        assert served.post("1").status_code == 200
