"""Is it alive, can it work, how is it doing: for probes and Prometheus. No prefix, no rate limit."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="The process answers")
async def healthz() -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json", headers={"cache-control": "no-store"})
