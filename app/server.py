"""uvicorn, with what it leaves out: a clock and a cap on heads and connections, an orderly shutdown.

Knows sockets and signals; knows no route.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors import Problem
from app.settings import Settings


def protocol(settings: Settings) -> type[HttpToolsProtocol]:
    """uvicorn's protocol with a clock and a counter on each request's head."""
    max_head = settings.max_header_kb * 1024 + 8192  # the address line counts too

    class GuardedProtocol(HttpToolsProtocol):
        head_bytes = 0
        in_head = True
        clock: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > settings.max_connections:
                self.refuse(Problem("busy", "too many connections", retry=1))
                return
            self.clock = self.loop.call_later(settings.header_seconds, self.too_slow)

        def connection_lost(self, exc: Exception | None) -> None:
            self.stop_clock()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            if self.in_head:
                self.head_bytes += len(data)
                # a body that came in the same packet is counted too: allow one read on top
                if self.head_bytes > max_head + 262_144:
                    self.refuse(Problem("headers-too-large", f"heads end at {settings.max_header_kb} KiB"))
                    return
            super().data_received(data)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.in_head, self.head_bytes = True, 0
            if self.clock is None:  # the next request of a kept connection
                self.clock = self.loop.call_later(settings.header_seconds, self.too_slow)

        def on_headers_complete(self) -> None:
            self.in_head = False
            self.stop_clock()
            # a reader that takes nothing is cut off by force: close() would wait for it to read
            self.scope["state"]["abort"] = self.transport.abort
            super().on_headers_complete()

        def stop_clock(self) -> None:
            if self.clock is not None:
                self.clock.cancel()
                self.clock = None

        def too_slow(self) -> None:
            self.clock = None
            if self.transport is not None and not self.transport.is_closing():
                self.transport.abort()

        def refuse(self, problem: Problem) -> None:
            self.stop_clock()
            body = problem.body()
            head = [STATUS_LINE[problem.status], b"content-type: application/problem+json\r\n"]
            head += [f"{name}: {value}\r\n".encode() for name, value in problem.headers().items()]
            head += [b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body), body]
            self.transport.write(b"".join(head))
            self.transport.close()

        def send_400_response(self, msg: str) -> None:
            self.refuse(Problem("malformed", "the bytes are not HTTP"))

    return GuardedProtocol


class Server(uvicorn.Server):
    """Ends open streams with their `end` event before connections are closed."""

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        app = self.config.loaded_app
        while app is not None and not isinstance(app, FastAPI):
            app = getattr(app, "app", None)
        service = getattr(app.state, "service", None) if app is not None else None
        if service is not None:
            await service.drain()
        await super().shutdown(sockets)


def make_server(app: FastAPI, settings: Settings, *, log_level: str = "warning") -> Server:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol(settings),
        ws="none",
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        backlog=4096,
        proxy_headers=False,
    )
    return Server(config)
