"""HTML pages. Each renders one template; what they show comes from the same functions as the API."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.templating import Pages

router = APIRouter(include_in_schema=False)


def pages(request: Request) -> Pages:
    found: Pages = request.app.state.pages
    return found


@router.get("/")
async def workbench(request: Request) -> Response:
    return pages(request).render(request, "workbench.html")


@router.get("/broadcast")
async def broadcast(request: Request) -> Response:
    return pages(request).render(request, "broadcast.html")
