"""A response that is written while it comes into being. Cuts off readers that take nothing, notices those who left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

JSONL = "application/jsonl"


class EventStream(Response):
    """`chunks` is closed in any case, whatever ends the stream, and `closed` is called."""

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        *,
        stall: float,
        headers: Mapping[str, str],
        closed: Callable[[], None],
        media_type: str = JSONL,
    ) -> None:
        self.chunks, self.stall, self.closed = chunks, stall, closed
        self.status_code = 200
        self.background = None
        self.init_headers({**headers, "content-type": media_type, "x-accel-buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.chunks):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            pump = asyncio.ensure_future(self._pump(scope, send))
            gone = asyncio.ensure_future(_gone(receive))
            try:
                await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
                pump.cancel()
                await asyncio.gather(pump, gone, return_exceptions=True)
                self.closed()
            if not pump.cancelled() and (error := pump.exception()):
                raise error

    async def _pump(self, scope: Scope, send: Send) -> None:
        try:
            async for chunk in self.chunks:
                async with asyncio.timeout(self.stall):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            abort = scope.get("state", {}).get("abort")
            if abort is not None:
                abort()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
