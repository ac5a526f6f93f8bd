"""Graphs: of an expression at once, of a program at its end."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from app.errors import Problem
from app.routes import formats
from app.routes.runs import client, program_of, service
from app.runs import expression, window
from app.runs.graph import Graph, from_state
from app.runs.moment import state_after
from app.schema.graphs import GraphRequest
from app.schema.runs import RunRequest

router = APIRouter(prefix="/api/v1/graphs", tags=["graphs"])

Format = Annotated[
    Literal["json", "dot", "svg", "mermaid"] | None, Query(alias="format", description="Wins over Accept")
]
CONTENT: dict[str, dict[str, str]] = {media: {} for media in formats.MEDIA}
KEPT = 512  # answers to expressions, about 5 KB each

_answers: OrderedDict[bytes, Response] = OrderedDict()


@router.post(
    "",
    summary="The graph of an expression or of a program",
    response_class=Response,
    responses={200: {"content": CONTENT, "description": "Nodes, edges, broadcasts, values, gradients, LaTeX"}},
)
async def graph(
    request: Request, body: GraphRequest, wanted: Format = None, accept: Annotated[str, Header()] = "*/*"
) -> Response:
    """Expressions are evaluated at once, without a process. `invented` names the inputs that got a value because
    none was given; `program` is the expression as a script. A result with several elements is differentiated as its
    sum (`seed` is then "ones")."""
    name = formats.choose(wanted, accept)
    if body.code is not None:
        return formats.respond(await _of_program(request, body), name)
    assert body.expression is not None
    inputs = body.plain_inputs()
    key = msgspec.json.encode([body.expression, inputs, body.backward, name])
    answer = _answers.get(key)
    if answer is None:
        made = expression.evaluate(body.expression, inputs, backward=body.backward)
        answer = _answers[key] = formats.respond(made, name, expression.plain)
        if len(_answers) > KEPT:
            _answers.popitem(last=False)
    else:
        _answers.move_to_end(key)
    return answer


async def _of_program(request: Request, body: GraphRequest) -> Graph:
    """Runs it in the sandbox and takes its last step, at its end."""
    runs, who = service(request), client(request)
    runs.admit_stream(who)
    run = await runs.submit(program_of(request, RunRequest(code=body.code, expression=None, seed=body.seed)), who)
    trace = await runs.whole(run, who)
    if run.status != "ok":
        last = msgspec.json.decode(bytes(trace).splitlines()[-2]) if run.status == "fail" else {}
        detail = (
            f"{last.get('type', 'error')}: {last.get('message', '')}" if last.get("kind") == "fail" else run.message
        )
        at = last.get("at")
        raise Problem("program", detail, hint=last.get("hint", ""), run=run.key, line=at[0] if at else None)
    index = max(0, run.steps - 1)
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(runs.reader, window.find, trace, index)
    lines = found[0] if found and found[1] else await runs.step(run, index, who)
    state = await loop.run_in_executor(runs.reader, state_after, lines, None)
    return {**from_state(state), "run": run.key, "step": index}
