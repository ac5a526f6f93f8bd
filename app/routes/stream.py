"""A response that is written while it comes into being. Cuts off readers that take nothing, notices those who left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

JSONL = "application/jsonl"


class EventStream(Response):
    """chunks  closed in any case, whatever ends the stream, and `closed` is called
    ended   whether nothing comes after so many bytes: the last chunk then says so itself
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        *,
        stall: float,
        headers: Mapping[str, str],
        closed: Callable[[], None],
        ended: Callable[[int], bool] = lambda sent: False,
        media_type: str = JSONL,
    ) -> None:
        self.chunks, self.stall, self.closed, self.ended = chunks, stall, closed, ended
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
        sent, more = 0, True
        try:
            async for chunk in self.chunks:
                sent += len(chunk)
                more = not self.ended(sent)
                async with asyncio.timeout(self.stall):
                    await send({"type": "http.response.body", "body": chunk, "more_body": more})
            if more:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            abort = scope.get("state", {}).get("abort")
            if abort is not None:
                abort()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
