"""A server of its own, the thinnest HTTP client there is, and what a process has used: what the server benches share.

httpx would cost more than the server does. One connection, keep-alive, Content-Length or chunked.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def server(**settings: Any) -> Iterator[tuple[int, int]]:
    """(port, process id) of a server on loopback, with a store of its own."""
    with tempfile.TemporaryDirectory(prefix="backstep-bench-") as folder:
        environment = {
            **os.environ,
            "BACKSTEP_STORE": f"sqlite:///{folder}/traces.sqlite3",
            **{f"BACKSTEP_{name.upper()}": str(value) for name, value in settings.items()},
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", "0", "--log-level", "error"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            found = re.search(r":(\d+)/", process.stdout.readline())
            if found is None:
                raise RuntimeError("the server did not start")
            yield int(found[1]), process.pid
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


def descendants(pid: int) -> dict[int, str]:
    """Processes below this one, and their states."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = re.sub(r"^.*\) ", "", (folder / "stat").read_text()).split()[:2]
            except (OSError, ValueError):
                continue
            parents[int(folder.name)] = int(parent), state
    found: dict[int, str] = {}
    grown = {pid}
    while grown:
        children = {one: state for one, (parent, state) in parents.items() if parent in grown and one not in found}
        found.update(children)
        grown = set(children)
    return found


def processor_seconds(pid: int) -> float:
    """What this process, those below it and those that have ended below it have used so far."""
    ticks = 0
    for one in (pid, *descendants(pid)):
        try:
            fields = re.sub(r"^.*\) ", "", Path(f"/proc/{one}/stat").read_text()).split()
        except OSError:  # ended meanwhile: its parent has it
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def write_table(name: str, rows: list[tuple[str, ...]]) -> None:
    """Between the markers of that name in docs/performance.md; the first row is the head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    block = f"<!-- {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"
    page = ROOT / "docs" / "performance.md"
    text, found = re.subn(f"<!-- {re.escape(name)} -->.*?<!-- end -->", lambda _: block, page.read_text(), flags=re.S)
    if not found:
        raise SystemExit(f"docs/performance.md has no place for {name}")
    page.write_text(text)


async def until_ready(port: int) -> None:
    for _ in range(200):
        try:
            client = Client(port)
            status, _, _ = await client.ask("GET", "/readyz")
            client.close()
            if status == 200:
                return
        except OSError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("programs cannot run here: see `backstep doctor`")


class Client:
    """One connection, opened when needed."""

    def __init__(self, port: int, *, cookie: str = "") -> None:
        self.port, self.cookie = port, cookie
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def send(self, method: str, path: str, body: Any = None) -> None:
        if self.writer is None or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        payload = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(payload)}\r\n"
        if body is not None:
            head += "content-type: application/json\r\n"
        if self.cookie:
            head += f"cookie: backstep={self.cookie}\r\n"
        self.writer.write(head.encode() + b"\r\n" + payload)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        assert self.reader is not None
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        return int(lines[0].split(" ")[1]), headers

    async def pieces(self, headers: dict[str, str]) -> AsyncIterator[bytes]:
        assert self.reader is not None
        if "transfer-encoding" not in headers:
            if length := int(headers.get("content-length", 0)):
                yield await self.reader.readexactly(length)
            return
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            piece = await self.reader.readexactly(size + 2)
            yield piece[:-2]
        await self.reader.readexactly(2)

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        await self.send(method, path, body)
        status, headers = await self.head()
        return status, headers, b"".join([piece async for piece in self.pieces(headers)])
