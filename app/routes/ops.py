"""The engine's operations: what each computes, differentiates to and is called in torch. API and pages."""

from __future__ import annotations

import difflib
from functools import cache
from itertools import groupby
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import Problem
from app.templating import Pages
from engine.catalog import catalog, names

router = APIRouter(tags=["catalogues"])

KEPT = {"cache-control": "max-age=3600"}


@cache
def all_ops() -> bytes:
    return msgspec.json.encode({"ops": list(catalog().values())})


def found(name: str) -> dict[str, Any]:
    entry = catalog().get(name)
    if entry is None:
        close = difflib.get_close_matches(name[:60], catalog(), n=3)
        raise Problem(
            "not-found",
            f"no operation is called {name[:60]!r}",
            hint=f"did you mean {', '.join(close)}?" if close else "GET /api/v1/ops lists all",
        )
    return entry


@router.get("/api/v1/ops", summary="Every operation", response_class=Response)
async def ops() -> Response:
    return Response(all_ops(), media_type="application/json", headers=KEPT)


@router.get("/api/v1/ops/{name}", summary="One operation", response_class=Response)
async def op(name: str) -> Response:
    """Formula and derivatives in LaTeX and as the engine computes them, torch's node names, an example program."""
    return Response(msgspec.json.encode(found(name)), media_type="application/json", headers=KEPT)


@cache
def all_names() -> bytes:
    return msgspec.json.encode({"names": names()})


@router.get("/api/v1/names", summary="Every name a program may write", response_class=Response)
async def writable() -> Response:
    """torch, torch.nn, torch.optim … and Tensor: for completion and short descriptions in an editor."""
    return Response(all_names(), media_type="application/json", headers=KEPT)


@cache
def families() -> list[tuple[str, list[dict[str, Any]]]]:
    """Without the blocks that only serve another one."""
    shown = [one for one in catalog().values() if one["method"] or one["source"] or one["example"]]
    shown.sort(key=lambda one: (one["family"], one["name"]))
    return [(family, list(rows)) for family, rows in groupby(shown, key=lambda one: one["family"])]


@router.get("/ops", include_in_schema=False)
async def ops_page(request: Request) -> Response:
    pages: Pages = request.app.state.pages
    return pages.render(request, "ops.html", families=families())


@router.get("/ops/{name}", include_in_schema=False)
async def op_page(request: Request, name: str) -> Response:
    pages: Pages = request.app.state.pages
    return pages.render(request, "op.html", op=found(name))
