"""What describes the API itself: the events' JSON schema, the problems, the settings' names."""

from __future__ import annotations

from functools import cache

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from app.errors import PROBLEMS
from engine.trace import events as ev

router = APIRouter(prefix="/api/v1", tags=["catalogues"])


@cache
def event_schema() -> bytes:
    schema = msgspec.json.schema(ev.AnyEvent)
    return msgspec.json.encode({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Event", **schema})


@cache
def problem_list() -> bytes:
    rows = [{"slug": slug, "status": status, "title": title} for slug, (status, title) in PROBLEMS.items()]
    return msgspec.json.encode({"problems": rows})


@router.get("/schema", summary="JSON schema of the events", response_class=Response)
async def schema() -> Response:
    return Response(event_schema(), media_type="application/schema+json", headers={"cache-control": "max-age=3600"})


@router.get("/problems", summary="Every way an answer can fail", response_class=Response)
async def problems() -> Response:
    return Response(problem_list(), media_type="application/json")
