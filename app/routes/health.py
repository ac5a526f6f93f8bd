"""Is it alive, can it work, how is it doing: for probes and Prometheus. No prefix, no rate limit."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from app.runs.service import Service
from app.store import StoreFailed

router = APIRouter(tags=["health"])
JSON = "application/json"
FRESH = {"cache-control": "no-store"}


def service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


@router.get("/healthz", summary="The process answers", response_class=Response)
async def healthz() -> Response:
    return Response(b'{"status":"ok"}', media_type=JSON, headers=FRESH)


@router.get("/readyz", summary="Programs can run, traces can be kept", response_class=Response)
async def readyz(request: Request) -> Response:
    """200 when programs can run; 503 with the reason otherwise. `box` says how they are confined."""
    runs = service(request)
    health = await runs.runner.health()
    try:
        usage = await asyncio.get_running_loop().run_in_executor(runs.reader, runs.store.usage)
        store: dict[str, Any] = {"ready": True, "kind": runs.store_kind, "traces": usage[0], "bytes": usage[1]}
    except StoreFailed as error:
        store = {"ready": False, "kind": runs.store_kind, "reason": str(error)}
    ready = health.ready and not runs.stopping
    body = {"ready": ready, "runner": asdict(health), "store": store, "live": len(runs.live)}
    return Response(msgspec.json.encode(body), 200 if ready else 503, FRESH, JSON)


@router.get("/metrics", summary="Prometheus text", response_class=Response)
async def metrics(request: Request) -> Response:
    runs = service(request)
    health = await runs.runner.health()
    runs.metrics.queued.set(health.queued)
    runs.metrics.memory.set(runs.recent_bytes + sum(run.size for run in runs.live.values()))
    loop = asyncio.get_running_loop()
    with suppress(StoreFailed):
        runs.metrics.stored.set((await loop.run_in_executor(runs.reader, runs.store.usage))[1])
    body = await loop.run_in_executor(runs.reader, generate_latest, runs.metrics.registry)
    return Response(body, headers={"content-type": CONTENT_TYPE_LATEST, **FRESH})
