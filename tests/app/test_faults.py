"""Machinery that dies: child, zygote, server, store. What was finished stays, the next request is fine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from app.sandbox import lockdown
from app.store import StoreFailed
from app.store.memory import MemoryStore
from tests.app.conftest import lines
from tests.app.stories import count_to

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = "/api/v1/runs"
needs_box = pytest.mark.skipif(bool(lockdown.unsupported()), reason=f"no sandbox here: {lockdown.unsupported()}")
SLOW = "import time\nfor k in range(400):\n    print(k)\n    x = sum(range(60_000))\n"


class Broken(MemoryStore):
    """A disk that is full, a database that is away."""

    def put(self, head, trace):
        raise StoreFailed("no space left on device")


class Away(Broken):
    def head(self, key):
        raise StoreFailed("connection refused")

    def usage(self):
        raise StoreFailed("connection refused")


def test_on_a_full_disk_runs_are_answered_and_kept_in_memory(serve):
    served = serve(count_to(3), store=Broken())
    first = served.post("a")
    assert lines(first.content)[-1]["status"] == "ok"
    again = served.client.get(f"{RUNS}/{first.headers['backstep-run']}/events")
    assert again.content == first.content
    deadline = time.monotonic() + 5
    while "backstep_store_errors_total 1.0" not in served.client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert served.post("b").status_code == 200


def test_with_the_store_away_runs_are_answered_and_readiness_says_so(serve):
    served = serve(count_to(3), store=Away())
    assert served.post("a").content == served.post("a").content
    assert served.client.get(f"{RUNS}/{'0' * 64}").status_code == 404
    told = served.client.get("/readyz").json()
    assert told["store"] == {"ready": False, "kind": "memory", "reason": "connection refused"}


def test_a_jump_of_the_clock_does_not_touch_a_run(serve, monkeypatch):
    served = serve(count_to(20, pause=0.01))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1e8)
    assert served.events("a")[-1]["status"] == "ok"
    monkeypatch.setattr(time, "time", lambda: now - 1e8)
    assert served.events("b")[-1]["status"] == "ok"


def test_memory_for_finished_traces_is_bounded(serve):
    def wide(program):
        for thing in count_to(30)(program):
            yield type(thing)(text="x" * 20_000) if hasattr(thing, "text") else thing

    served = serve(wide, live_mb=1)
    runs = [served.post(str(k)) for k in range(8)]  # 600 KB each
    assert served.service.recent_bytes <= 2 * 2**20
    for one in runs:
        again = served.client.get(f"{RUNS}/{one.headers['backstep-run']}/events?from=30")
        assert again.content == b"".join(one.content.splitlines(keepends=True)[30:])


@contextmanager
def server(folder, **settings):
    environment = {**os.environ, "BACKSTEP_STORE": f"sqlite:///{folder}/t.sqlite3", **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", "0"], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
        with httpx.Client(base_url=address, timeout=30, transport=httpx.HTTPTransport(retries=20)) as client:
            for _ in range(200):
                if client.get("/readyz").status_code == 200:
                    break
                time.sleep(0.1)
            try:
                yield process, client
            finally:
                process.kill()


def descendants(pid):
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(re.sub(r"^.*\) ", "", (folder / "stat").read_text()).split()[1])
        except OSError:
            continue
        found.setdefault(parent, []).append(int(folder.name))
    children, out = list(found.get(pid, [])), []
    while children:
        one = children.pop()
        out.append(one)
        children += found.get(one, [])
    return out


def kill(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@needs_box
def test_kill_9_of_everything_below_the_server_costs_nobody_else_anything(tmp_path):
    with server(tmp_path) as (process, client):
        for attempt in range(2):
            with client.stream("POST", RUNS, json={"code": SLOW + f"# {attempt}"}) as response:
                stream = response.iter_lines()
                next(stream)
                for pid in descendants(process.pid):
                    kill(pid)
                last = json.loads(list(stream)[-1])
            assert last["kind"] == "end" and last["status"] in ("ok", "killed")
            told = lines(client.post(RUNS, json={"code": f"print('next {attempt}')"}).content)
            assert told[-1]["status"] == "ok" and f"next {attempt}\n" in [e.get("text") for e in told]
        assert process.poll() is None


@needs_box
def test_kill_9_of_the_server_keeps_what_was_finished(tmp_path):
    kept = {}
    for attempt in range(2):
        with server(tmp_path) as (process, client):
            for run, content in kept.items():
                assert client.get(f"{RUNS}/{run}/events").content == content
            assert client.get("/readyz").json()["store"]["traces"] >= len(kept)
            answer = client.post(RUNS, json={"code": f"for k in range(3000): print(k, {attempt})"})
            assert lines(answer.content)[-1]["status"] == "ok"
            deadline = time.monotonic() + 10
            while client.get("/readyz").json()["store"]["traces"] <= len(kept) and time.monotonic() < deadline:
                time.sleep(0.02)
            kept[answer.headers["backstep-run"]] = answer.content
            with client.stream("POST", RUNS, json={"code": SLOW + f"# {attempt}"}) as response:
                next(response.iter_raw())
                process.kill()
                process.wait()
    assert len(kept) == 2
