"""/docs: the API described from its own OpenAPI document, by the server, with nothing fetched from anywhere."""

from __future__ import annotations

import json
import shlex
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import PROBLEMS
from app.templating import Pages

router = APIRouter(include_in_schema=False)


def operations(document: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """(tag, its operations), in the order of the document."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            model = _resolve(document, body)
            found.setdefault((told.get("tags") or ["other"])[0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "anchor": f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""),
                    "summary": told.get("summary", ""),
                    "text": told.get("description", ""),
                    "parameters": told.get("parameters", []),
                    "fields": _fields(model),
                    "curl": curl(method.upper(), path, model),
                }
            )
    return list(found.items())


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"].get(name, schema) if name else schema
    return found


def _fields(model: dict[str, Any]) -> list[dict[str, Any]]:
    required = model.get("required", [])
    return [
        {
            "name": name,
            "text": told.get("description", ""),
            "default": told.get("default"),
            "required": name in required,
        }
        for name, told in model.get("properties", {}).items()
    ]


def curl(method: str, path: str, model: dict[str, Any]) -> str:
    """A command that can be pasted, once $ID stands for a run."""
    address = path.replace("{run_id}", "$ID").replace("{step}", "0").replace("{number}", "4")
    address = address.replace("{slug}", "one_weight").replace("{name}", "mul")
    parts = ["curl", "-s"] + ([] if method == "GET" else ["-X", method])
    line = " ".join(parts) + f' "http://127.0.0.1:8000{address}"'
    if examples := model.get("examples"):
        line += f" -H 'content-type: application/json' -d {shlex.quote(json.dumps(examples[0]))}"
    return line


@router.get("/docs")
async def docs(request: Request) -> Response:
    pages: Pages = request.app.state.pages
    document = request.app.openapi()
    return pages.render(request, "docs.html", groups=operations(document), problems=PROBLEMS)
