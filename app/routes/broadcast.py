"""Shapes in, the rule of broadcasting spelled out."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from app.runs.broadcast import explain
from app.schema.broadcast import BroadcastRequest

router = APIRouter(prefix="/api/v1/broadcast", tags=["broadcast"])


@router.post("", summary="How shapes broadcast", response_class=Response)
async def broadcast(body: BroadcastRequest) -> Response:
    """`alignment` from the right, a `rule` per axis (equal, stretch, missing, conflict), and the `result` with the
    axes that are `summed` backwards per operand; or the `failing` axis, torch's `message` and `fixes`."""
    shapes = [tuple(shape) for shape in body.shapes]
    return Response(msgspec.json.encode(explain(shapes)), media_type="application/json")
