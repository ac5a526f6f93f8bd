"""A server of one's own per test that wants one: real sockets, a runner that plays a story, a store in memory."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.runs.runner import InProcessRunner, Story, tell_hello
from app.server import make_server
from app.settings import Settings
from app.store import Store
from app.store.memory import MemoryStore


class Served:
    """A running server: `url`, a client, and its insides."""

    def __init__(self, settings: Settings, runner: Any, store: Store) -> None:
        self.settings, self.runner, self.store = settings, runner, store
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = create_app(settings, runner=runner, store=store)
        self.server = make_server(self.app, settings, log_level="critical")
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.client = httpx.Client(base_url=self.url, timeout=20)

    def _serve(self) -> None:
        async def main() -> None:
            self.loop = asyncio.get_running_loop()
            await self.server.serve(sockets=[self.sock])

        asyncio.run(main())

    @property
    def service(self) -> Any:
        return self.app.state.service

    def start(self) -> None:
        self.thread.start()
        for _ in range(500):
            if self.server.started:
                return
            threading.Event().wait(0.01)
        raise RuntimeError("the server did not start")

    def stop(self) -> None:
        self.client.close()
        self.server.should_exit = True
        self.thread.join(15)
        assert not self.thread.is_alive(), "the server did not stop"

    # what tests do again and again
    def post(self, code: str = "1", **more: Any) -> httpx.Response:
        return self.client.post("/api/v1/runs", json={"code": code, **more})

    def events(self, code: str = "1", **more: Any) -> list[dict[str, Any]]:
        response = self.post(code, **more)
        assert response.status_code == 200, response.text
        return lines(response.content)

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


def lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


@contextmanager
def serving(
    story: Story = tell_hello, *, runner: Any = None, store: Store | None = None, **settings: Any
) -> Iterator[Served]:
    chosen = Settings(_env_file=None, store="memory", **{"client_run_rate": 1000, "client_rate": 10_000, **settings})
    served = Served(chosen, runner or InProcessRunner(story), store or MemoryStore())
    served.start()
    try:
        yield served
    finally:
        served.stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """serve(story, **settings) starts a server that stops with the test."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(serving(*args, **kwargs))


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One server for tests that only ask."""
    with serving() as one:
        yield one
