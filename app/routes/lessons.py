"""The programs that come with Backstep."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from app.errors import Problem
from app.lessons.catalogue import examples

router = APIRouter(prefix="/api/v1/lessons", tags=["catalogues"])

Language = Annotated[Literal["en", "zh"], Query(description="Language of titles and summaries")]


@router.get("", summary="All example programs", response_class=Response)
async def lessons(lang: Language = "en") -> Response:
    told = {"lessons": [one.told(lang) for one in examples().values()]}
    return Response(msgspec.json.encode(told), media_type="application/json")


@router.get("/{slug}", summary="One example program", response_class=Response)
async def lesson(slug: str, lang: Language = "en") -> Response:
    one = examples().get(slug)
    if one is None:
        raise Problem("not-found", f"no lesson is called {slug[:60]!r}", hint=f"there are {', '.join(examples())}")
    return Response(msgspec.json.encode(one.told(lang)), media_type="application/json")
