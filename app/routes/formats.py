"""Which of the formats of a graph an answer has: `?format=` first, then what Accept likes best."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.responses import Response

from app.errors import Problem
from app.runs.drawing import FORMATS
from app.runs.graph import Graph

MEDIA = {"application/json": "json"} | {media: name for name, (media, _) in FORMATS.items()}


def choose(wanted: str | None, accept: str) -> str:
    """json, dot, svg or mermaid. Raises Problem when none of what is acceptable exists."""
    if wanted:
        return wanted
    best, weight = "", 0.0
    for part in accept.split(","):
        media, *parameters = [piece.strip() for piece in part.split(";")]
        q = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    q = float(parameter[2:])
                except ValueError:
                    q = 0.0
        name = "json" if media in ("*/*", "application/*", "") else MEDIA.get(media)
        name = name or {"text/plain": "dot", "image/*": "svg", "text/*": "dot"}.get(media, "")
        if name and q > weight:
            best, weight = name, q
    if not best:
        raise Problem("not-acceptable", f"Accept is {accept[:80]!r}", hint=f"there are {', '.join(MEDIA)}")
    return best


def respond(graph: Graph, name: str, plain: Callable[[Graph], Graph] = lambda graph: graph) -> Response:
    if name == "json":
        return Response(msgspec.json.encode(graph), media_type="application/json", headers={"vary": "accept"})
    media, write = FORMATS[name]
    # a picture is a document of its own: nothing in it may run or load
    headers = {"vary": "accept", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(write(plain(graph)), media_type=media, headers=headers)
