"""Stores: what was put is there again, whole, from any offset, after kill -9, on a full disk, whatever the clock says.

The same tests run on memory, SQLite and, where its binaries are, a PostgreSQL server of our own.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.settings import Settings
from app.store import CHUNK, Head, StoreFailed, open_store
from app.store.memory import MemoryStore
from app.store.sql import SqlStore

ROOT = Path(__file__).resolve().parent.parent.parent


def find_postgres():
    """The folder of initdb and postgres, or the reason in words why there is none."""
    if os.name == "nt":
        return None, "PostgreSQL is tried on Unix only"
    if shutil.which("initdb") and shutil.which("postgres"):
        return Path(shutil.which("initdb")).parent, ""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder, ""
    return None, "PostgreSQL is not installed here (apt-get install postgresql)"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """The URL of a server of our own, on a Unix socket, gone when the tests are."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed (pip install backstep[postgres])")
    binaries, reason = find_postgres()
    if binaries is None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("pg")
    user = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "nobody")
        for parent in folder.parents[:3]:
            if parent.stat().st_uid == 0 and parent != Path("/tmp"):
                parent.chmod(0o755)
        user = {"user": "nobody"}
    data, sockets = folder / "data", Path(f"/tmp/backstep-pg-{os.getpid()}")
    sockets.mkdir()
    if user:
        shutil.chown(sockets, "nobody")
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": folder, **user}
    made = subprocess.run([binaries / "initdb", "-D", data, "-U", "test", "-A", "trust", "--no-sync"], **options)
    if made.returncode:
        shutil.rmtree(sockets)
        pytest.skip("initdb does not work here")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    server = subprocess.Popen(
        [
            binaries / "postgres",
            "-D",
            data,
            "-k",
            sockets,
            "-p",
            str(port),
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
        ],
        **options,
    )
    url = f"postgresql+psycopg://test@/postgres?host={sockets}&port={port}"
    try:
        for _ in range(100):
            try:
                SqlStore(url).close()
                break
            except StoreFailed:
                assert server.poll() is None, "PostgreSQL ended at once"
                time.sleep(0.1)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "sqlite":
        made = SqlStore(f"sqlite:///{tmp_path / 'traces.sqlite3'}")
    else:
        made = SqlStore(request.getfixturevalue("postgres"))
        made.evict_all = made.max_bytes
    yield made
    made.close()


def trace_of(events, width=40):
    return b"".join(b'{"kind":"print","seq":%d,"text":"%s"}\n' % (k, b"x" * (k * 7 % width)) for k in range(events))


def head_of(key, trace, **more):
    fields = {"status": "ok", "events": trace.count(b"\n"), "steps": 3, "size": len(trace), "seconds": 0.5}
    return Head(**{"key": key, "created": 1000.0, "message": "done", "program": b"{}", **fields, **more})


def test_what_was_put_is_there_again(store):
    trace = trace_of(5000)
    store.put(head_of("a1", trace), trace)
    assert store.head("a1") == head_of("a1", trace)
    assert store.read("a1", 0, len(trace)) == trace
    assert store.head("unknown") is None and store.read("unknown", 0, 10) == b""


def test_any_part_can_be_read(store):
    trace = trace_of(9000)
    store.put(head_of("a2", trace), trace)
    for offset in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, len(trace) - 1, len(trace)):
        for size in (1, 100, CHUNK, 3 * CHUNK):
            got = store.read("a2", offset, size)
            assert trace.startswith(got, offset) and (got or offset == len(trace))


def test_every_line_is_found_by_its_number(store):
    trace = trace_of(6000)
    store.put(head_of("a3", trace), trace)
    starts = [0]
    for k, byte in enumerate(trace):
        if byte == 10:
            starts.append(k + 1)
    for seq in [*range(0, 6001, 37), 1, 2, 5999, 6000]:
        assert store.offset_of("a3", seq) == starts[seq]
    assert store.offset_of("a3", 6001) is None


def test_a_line_longer_than_a_piece_is_found_too(store):
    trace = b'{"a":1}\n' + b'{"b":"' + b"y" * (3 * CHUNK) + b'"}\n' + b'{"c":2}\n'
    store.put(head_of("a4", trace), trace)
    assert store.read("a4", store.offset_of("a4", 2), 100) == b'{"c":2}\n'
    assert store.offset_of("a4", 1) == 8


def test_the_same_key_again_replaces(store):
    for text in (trace_of(3000), trace_of(10)):
        store.put(head_of("a5", text), text)
    assert store.read("a5", 0, 10**7) == trace_of(10)


def test_deleting_removes_all_of_it(store):
    trace = trace_of(3000)
    store.put(head_of("a6", trace), trace)
    store.delete("a6")
    assert store.head("a6") is None and store.read("a6", 0, 10) == b""


def test_many_threads_read_while_one_writes(store):
    traces = {f"b{k}": trace_of(500 + k) for k in range(12)}
    for key, trace in list(traces.items())[:4]:
        store.put(head_of(key, trace), trace)
    wrong = []

    def read():
        for _ in range(20):
            for key, trace in traces.items():
                head = store.head(key)
                if head is not None and store.read(key, 0, head.size) != trace:
                    wrong.append(key)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for key, trace in list(traces.items())[4:]:
        store.put(head_of(key, trace), trace)
    for thread in threads:
        thread.join()
    assert not wrong


class TestTheFile:
    """What only SQLite can get wrong."""

    def test_the_least_recently_read_go_when_it_is_full(self, tmp_path):
        store = SqlStore(f"sqlite:///{tmp_path / 't.sqlite3'}", max_bytes=60_000)
        trace = os.urandom(10_000).hex().encode() + b"\n"  # about 10 KB once compressed
        for k in range(10):
            store.put(head_of(f"k{k}", trace), trace)
            store.clock.base += 5000
            if k > 0:
                store.head("k0")  # read again and again: it stays
        store.evict()
        left = [k for k in range(10) if store.head(f"k{k}")]
        assert 0 in left and 9 in left and 1 not in left
        assert store.usage()[1] <= 60_000
        store.close()

    def test_what_nobody_read_for_long_goes(self, tmp_path):
        store = SqlStore(f"sqlite:///{tmp_path / 't.sqlite3'}", max_age=100)
        store.put(head_of("old", b"x\n"), b"x\n")
        store.clock.base += 60
        store.put(head_of("new", b"x\n"), b"x\n")
        store.clock.base += 60
        assert store.evict() == 1
        assert store.head("old") is None and store.head("new")
        store.close()

    def test_a_jump_of_the_clock_loses_nothing(self, tmp_path, monkeypatch):
        store = SqlStore(f"sqlite:///{tmp_path / 't.sqlite3'}", max_age=100)
        store.put(head_of("a", b"x\n"), b"x\n")
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 10 * 365 * 86400)
        assert store.evict() == 0 and store.head("a")
        monkeypatch.setattr(time, "time", lambda: now - 10 * 365 * 86400)
        assert store.evict() == 0 and store.head("a")
        store.close()

    def test_a_restart_keeps_what_was_finished(self, tmp_path):
        url = f"sqlite:///{tmp_path / 't.sqlite3'}"
        first = SqlStore(url)
        first.put(head_of("a", b"x\n"), b"x\n")
        first.close()
        second = SqlStore(url)
        assert second.read("a", 0, 10) == b"x\n"
        second.close()

    def test_a_file_that_is_no_database_is_put_aside(self, tmp_path):
        file = tmp_path / "t.sqlite3"
        file.write_bytes(b"this is not a database" * 100)
        store = SqlStore(f"sqlite:///{file}")
        store.put(head_of("a", b"x\n"), b"x\n")
        assert store.read("a", 0, 10) == b"x\n"
        assert any(".broken-" in one.name for one in tmp_path.iterdir())
        store.close()

    def test_kill_9_in_the_middle_of_writing_leaves_whole_traces_only(self, tmp_path):
        url = f"sqlite:///{tmp_path / 't.sqlite3'}"
        writer = (
            "import sys, hashlib\n"
            "from app.store.sql import SqlStore\nfrom tests.app.test_store import head_of, trace_of\n"
            f"store = SqlStore({url!r})\n"
            "for k in range(10_000):\n"
            "    trace = trace_of(2000 + k)\n"
            "    store.put(head_of(f'k{k % 50}', trace), trace)\n"
            "    print(k, flush=True)\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        for round_ in range(4):
            process = subprocess.Popen([sys.executable, "-c", writer], stdout=subprocess.PIPE, env=environment)
            for _ in range(3 + 5 * round_):
                process.stdout.readline()
            time.sleep(0.003 * round_)
            process.kill()
            process.wait()
            process.stdout.close()
            store = SqlStore(url)
            count = 0
            for k in range(50):
                head = store.head(f"k{k}")
                if head is not None:
                    count += 1
                    assert store.read(f"k{k}", 0, 10**7) == trace_of(head.events)
            assert count >= 3
            store.close()

    @pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can mount the small disk this needs")
    def test_a_full_disk_fails_one_put_and_keeps_the_rest(self, tmp_path):
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting a tmpfs is not allowed here")
        try:
            store = SqlStore(f"sqlite:///{disk / 't.sqlite3'}")
            store.put(head_of("small", b"x\n"), b"x\n")
            big = os.urandom(3_000_000)
            with pytest.raises(StoreFailed):
                store.put(head_of("big", big), big)
            assert store.head("big") is None and store.read("small", 0, 10) == b"x\n"
            store.put(head_of("next", b"y\n"), b"y\n")
            assert store.read("next", 0, 10) == b"y\n"
            store.close()
        finally:
            subprocess.run(["umount", "-l", disk], check=True)


def test_memory_forgets_the_least_recently_read():
    store = MemoryStore(max_bytes=250)
    for k in range(3):
        store.put(head_of(f"k{k}", b"x" * 100), b"x" * 100)
        store.head("k0")
    assert store.head("k0") and store.head("k2") and not store.head("k1")


def test_where_the_folder_cannot_be_written_traces_are_kept_in_memory(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert isinstance(open_store(Settings(_env_file=None)), MemoryStore)


def test_a_url_that_leads_nowhere_says_so(tmp_path):
    with pytest.raises(StoreFailed):
        SqlStore(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 't.sqlite3'}")
