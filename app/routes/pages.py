"""HTML pages. Each renders one template; what they show comes from the same functions as the API."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.lessons.catalogue import examples
from app.runs.broadcast import explain, written
from app.templating import Pages, spoken

router = APIRouter(include_in_schema=False)


def pages(request: Request) -> Pages:
    found: Pages = request.app.state.pages
    return found


@router.get("/")
async def workbench(request: Request) -> Response:
    return pages(request).render(request, "workbench.html")


@router.get("/lessons")
async def lessons(request: Request) -> Response:
    told = [one.told(spoken(request)) for one in examples().values()]
    return pages(request).render(request, "lessons.html", lessons=told)


@router.get("/broadcast")
async def broadcast(
    request: Request,
    shape: Annotated[tuple[Annotated[str, Query(max_length=80)], ...], Query(max_length=8)] = ("3", "3, 1"),
) -> Response:
    """Works without a script: the shapes stand in the address."""
    texts = shape if len(shape) > 1 else [*shape, ""]
    shapes = [parse(text) for text in texts]
    told = None if None in shapes else explain([one for one in shapes if one is not None])
    return pages(request).render(
        request,
        "broadcast.html",
        texts=texts,
        told=told,
        shown=[written(one) for one in shapes if one is not None],
        result=written(tuple(told["result"])) if told and told["ok"] else "",
    )


def parse(text: str) -> tuple[int, ...] | None:
    """`2, 3`, `(2, 3)`, `[2,3]` or `2x3`; None when it is none of these."""
    plain = text.strip().strip("()[]").strip().strip(",")
    if not re.fullmatch(r"(\d{1,9}(\s*[,x×]\s*\d{1,9}){0,7})?", plain):
        return None
    return tuple(int(number) for number in re.findall(r"\d+", plain))
