"""What goes wrong between a client and the service, in one shape: RFC 9457 `application/problem+json`.

    Problem               slug, status, title of its row in PROBLEMS; detail and hint say what to do
      raised anywhere in app/, turned into a response by `install`; what nobody expected by app/security.py

A program's own mistakes are no problem of the service: they are events (`fail`, `end`) of its trace.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request could not be read"),
    "host": (400, "This server does not answer to that name"),
    "token": (401, "This server asks for its token"),
    "not-found": (404, "Nothing is here"),
    "method": (405, "This address does not take that method"),
    "not-acceptable": (406, "None of the formats asked for exists"),
    "body-timeout": (408, "The request's body came too slowly"),
    "not-ready": (409, "The run has not come that far"),
    "gone": (410, "The trace is no longer kept"),
    "body-too-large": (413, "The request's body is too large"),
    "uri-too-long": (414, "The address is too long"),
    "media-type": (415, "The request's body is not JSON"),
    "range": (416, "The trace ends before that"),
    "invalid": (422, "The request says something that cannot be"),
    "expression": (422, "The expression cannot be evaluated"),
    "program": (422, "The program did not run to its end"),
    "rate": (429, "Too many requests"),
    "quota": (429, "Too many runs of yours at once"),
    "streams": (429, "Too many streams of yours at once"),
    "headers-too-large": (431, "The request's head is too large"),
    "internal": (500, "The server made a mistake"),
    "busy": (503, "The queue is full"),
    "sandbox": (503, "Programs cannot run here"),
    "stopping": (503, "The server is stopping"),
}
"""slug -> (status, title). `type` in the answer is `/api/v1/problems#slug`."""

BY_STATUS = {400: "malformed", 404: "not-found", 405: "method", 406: "not-acceptable", 413: "body-too-large",
             415: "media-type", 416: "range"}  # fmt: skip


class Problem(Exception):
    """One answer that is not a success.

    detail   a sentence with the actual values
    hint     what to try
    retry    seconds, becomes Retry-After
    extra    more members of the JSON object
    """

    def __init__(
        self, slug: str, detail: str = "", *, hint: str = "", retry: float | None = None, **extra: Any
    ) -> None:
        super().__init__(detail or slug)
        self.slug, self.detail, self.hint, self.retry, self.extra = slug, detail, hint, retry, extra
        self.status, self.title = PROBLEMS[slug]

    def body(self) -> bytes:
        address = f"/api/v1/problems#{self.slug}"
        fields: dict[str, Any] = {"type": address, "title": self.title, "status": self.status}
        if self.detail:
            fields["detail"] = self.detail
        if self.hint:
            fields["hint"] = self.hint
        return msgspec.json.encode({**fields, **self.extra})

    def headers(self) -> dict[str, str]:
        out = {"cache-control": "no-store"}
        if self.retry is not None:
            out["retry-after"] = str(max(1, round(self.retry + 0.499)))
        return out

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers(), "application/problem+json")


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    pages = getattr(request.app.state, "pages", None)
    if pages is not None and _wants_page(request):
        response: Response = pages.error(request, problem)
    else:
        response = problem.response()
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


SAYS_JSON = "send a JSON object, with the header Content-Type: application/json"


def _said(error: Mapping[str, Any]) -> str:
    """A validator's own sentence without pydantic's prefix, else pydantic's."""
    return str(error["msg"]).removeprefix("Value error, ")


def _sentence(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "body")
    if error["loc"] == ("body",) and error["type"] in ("missing", "model_attributes_type", "model_type", "dict_type"):
        return "the body is no JSON object"
    if error["type"] == "extra_forbidden":
        return f"there is no member {where}"
    return f"{where}: {_said(error)}" if where else _said(error)


def _advice(error: Mapping[str, Any], known: Iterable[str]) -> str:
    """What to try after one finding of the validator; `known` are the members that the body may have."""
    place, kind = error["loc"], error["type"]
    if kind == "extra_forbidden" and known:
        close = difflib.get_close_matches(str(place[-1]), list(known), 1, 0.6)
        return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    if place == ("body",):
        return SAYS_JSON if kind != "value_error" else "docs/api.md shows one request of each kind"
    if place == ("path", "run_id"):
        return "a run's id is 64 hexadecimal digits, as in the header Backstep-Run"
    return "/docs shows what each member and parameter may be"


def _members(request: Request) -> list[str]:
    """The members of the JSON object that the route takes, by its own declaration."""
    body = getattr(request.scope.get("route"), "body_field", None)
    fields = getattr(getattr(body, "field_info", None), "annotation", None)
    return list(getattr(fields, "model_fields", {}))


def install(app: FastAPI) -> None:
    """Every way an exception can leave a route ends here."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return _answer(request, error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        slug = BY_STATUS.get(error.status_code, "internal" if error.status_code >= 500 else "malformed")
        detail = f"{request.method} {request.url.path}" if error.status_code in (404, 405) else str(error.detail)
        allowed = (error.headers or {}).get("Allow")
        hint = f"it takes {allowed}" if allowed else "/docs lists all addresses" if slug == "not-found" else ""
        made = Problem(slug, detail, hint=hint)
        made.status = error.status_code
        return _answer(request, made, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = error.errors()
        if any(e["type"] == "json_invalid" for e in errors):
            return _answer(request, Problem("malformed", "the body is not JSON", hint=SAYS_JSON))
        # the input is not echoed: it may be large, and NaN in it has no JSON
        places = [{"where": [str(part) for part in e["loc"]], "message": _said(e)} for e in errors[:20]]
        said, hint = "; ".join(map(_sentence, errors[:3])), _advice(errors[0], _members(request))
        return _answer(request, Problem("invalid", said, hint=hint, errors=places))
