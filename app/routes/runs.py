"""Runs: start one, read its events anywhere, ask for a step, cancel it. The pattern for other routes."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from app.errors import Problem
from app.routes import formats
from app.routes.stream import JSONL, EventStream
from app.runs import expression, moment
from app.runs.compile import Refused, compile_program
from app.runs.graph import from_state
from app.runs.program import Program
from app.runs.run import Run
from app.runs.service import Service
from app.runs.version import engine_version
from app.schema.runs import RunRequest, RunStatus
from engine.trace.grid import Part

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])

RunId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="The run's id, from `begin` or the header")]
ASYNC = re.compile(r"(?:^|,)\s*respond-async\s*(?:,|;|$)", re.IGNORECASE)
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSONL: {}}, "description": "One event per line, as it happens"}
}


def service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


def client(request: Request) -> str:
    return str(request.scope["state"]["client"])


async def found(request: Request, run_id: str) -> Run:
    run = await service(request).find(run_id)
    if run is None:
        raise Problem("not-found", "no run has this id, or it is no longer kept", hint="run the program again")
    return run


def program_of(request: Request, body: RunRequest) -> Program:
    """Everything that determines the trace."""
    settings = request.app.state.settings
    if body.expression is not None:
        source = expression.script(body.expression, body.plain_inputs())
    else:
        source = body.code or ""
    if len(source.encode("utf-8", "surrogatepass")) > settings.max_code_kb * 1024:
        raise Problem(
            "body-too-large",
            f"programs end at {settings.max_code_kb} KiB",
            hint="make data with torch.randn or a formula instead of writing it out",
        )
    try:
        return compile_program(
            source, engine=engine_version(), seed=body.seed, detail=body.detail, limits=service(request).limits
        )
    except Refused as error:
        raise Problem("invalid", str(error), hint="type the line anew, or save the text as UTF-8") from None


def status_of(run: Run) -> bytes:
    return msgspec.json.encode(
        {
            "id": run.key,
            "status": run.status,
            "position": run.position,
            "events": run.events,
            "steps": run.steps,
            "bytes": run.size,
            "seconds": run.seconds,
            "message": run.message,
            "events_url": f"/api/v1/runs/{run.key}/events",
        }
    )


def answer(run: Run, status: int = 200) -> Response:
    headers = {"location": f"/api/v1/runs/{run.key}", "backstep-run": run.key}
    return Response(status_of(run), status, headers, "application/json")


def stream(request: Request, run: Run, *, offset: int = 0) -> EventStream:
    who = client(request)
    runs = service(request)
    runs.admit_stream(who)
    headers = {
        "backstep-run": run.key,
        "content-location": f"/api/v1/runs/{run.key}/events",
        "backstep-queue-position": str(run.position),
    }
    chunks = runs.read(run, who, offset=offset)
    stall = runs.settings.stall_seconds
    return EventStream(
        chunks,
        stall=stall,
        headers=headers,
        closed=lambda: runs.left(run),
        ended=lambda sent: run.done and offset + sent >= run.size,
    )


@router.post("", summary="Run a program", response_class=Response, responses={**EVENTS, 202: {"model": RunStatus}})
async def start(
    request: Request,
    body: RunRequest,
    prefer: Annotated[str, Header(description="`respond-async`: answer 202 at once, read the events later")] = "",
) -> Response:
    """The answer is the trace itself, event by event, from `begin` to `end`. Asking twice for the same program
    gives the same run: its id is a hash of what determines it."""
    runs, who = service(request), client(request)
    run = await runs.submit(program_of(request, body), who)
    if ASYNC.search(prefer):
        run.wanted.add(who)
        response = answer(run, 202)
        response.headers["preference-applied"] = "respond-async"
        return response
    return stream(request, run)


@router.get("/{run_id}", summary="Where a run stands", response_model=RunStatus)
async def status(request: Request, run_id: RunId) -> Response:
    """Poll this while no event has come: `position` is the place in the queue."""
    return answer(await found(request, run_id))


@router.delete("/{run_id}", summary="Cancel a run", response_model=RunStatus)
async def cancel(request: Request, run_id: RunId) -> Response:
    """It ends unless others watch it too; what it did so far is kept. An ended run stays as it is."""
    run = await found(request, run_id)
    if service(request).cancel(run, client(request)):
        while not run.done:
            await run.more()
    return answer(run)


@router.get("/{run_id}/events", summary="The events, from anywhere", response_class=Response, responses=EVENTS)
async def events(
    request: Request,
    run_id: RunId,
    start: Annotated[int, Query(alias="from", ge=0, description="seq of the first event wanted")] = 0,
) -> Response:
    """From `from` to the `end`, waiting for what has not happened yet."""
    run = await found(request, run_id)
    offset = await service(request).reach(run, start, client(request))
    if offset is None:
        raise Problem("range", f"the trace has {run.events} events", hint=f"from is 0 to {run.events}")
    return stream(request, run, offset=offset)


@router.get("/{run_id}/steps/{step}", summary="One training step in full", response_class=Response, responses=EVENTS)
async def step(
    request: Request,
    run_id: RunId,
    step: Annotated[int, Path(ge=0, lt=10_000_000, description="The step's index, from 0")],
) -> Response:
    """Its window: every event after the previous step's `step` up to its own. When the trace has the step only in
    brief, the program runs again, recorded in full there; the answer is kept."""
    run = await found(request, run_id)
    lines = await service(request).step(run, step, client(request))
    return Response(lines, media_type=JSONL, headers={"backstep-run": run.key})


async def state(request: Request, run: Run, step: int | None, at: int | None) -> dict[str, Any]:
    """The state at a moment: of one step (`at` counts its events from 0), or of the whole trace (`at` is a seq)."""
    runs, who = service(request), client(request)
    lines = await runs.whole(run, who) if step is None else await runs.step(run, step, who)
    count = lines.count(b"\n")
    if at is not None and at >= count:
        raise Problem("range", f"there are {count} events", hint="`at` counts from 0")
    return await asyncio.get_running_loop().run_in_executor(runs.reader, moment.state_after, lines, at)


StepQuery = Annotated[int | None, Query(ge=0, lt=10_000_000, description="A training step; without: the whole trace")]
AtQuery = Annotated[int | None, Query(ge=0, description="Last event that has happened, from 0; without: all have")]


@router.get("/{run_id}/graph", summary="The graph at a moment", response_class=Response)
async def graph(
    request: Request,
    run_id: RunId,
    step: StepQuery = None,
    at: AtQuery = None,
    wanted: Annotated[Literal["json", "dot", "svg", "mermaid"] | None, Query(alias="format")] = None,
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """Waits until the run has ended. Nodes have the values and gradients they had at that moment."""
    name = formats.choose(wanted, accept)
    run = await found(request, run_id)
    return formats.respond(from_state(await state(request, run, step, at)), name)


@router.get("/{run_id}/tensors/{number}", summary="Exact values of a tensor, or of a slice", response_class=Response)
async def tensor(
    request: Request,
    run_id: RunId,
    number: Annotated[int, Path(ge=0, lt=2**31, description="The tensor's number in the trace")],
    step: StepQuery = None,
    at: AtQuery = None,
    part: Annotated[str, Query(alias="slice", max_length=100, description="As NumPy writes it: 0,1:3,:")] = "",
    of: Annotated[Literal["value", "grad"], Query(description="Its value or its gradient")] = "value",
) -> Response:
    """Of a tensor so large that the trace holds only its statistics, a slice of up to 65,536 values: the program runs
    again as far as the step, and that part is recorded."""
    run = await found(request, run_id)
    try:
        told = moment.values(await state(request, run, step, at), number, part=part, of=of)
    except moment.TooLarge as large:
        if step is None:
            said = "a tensor this large is in the trace as statistics only"
            raise Problem("not-found", said, hint="name the step", statistics=large.stats) from None
        question = Part(number, of, moment.ranges(part, large.shape))
        program = replace(run.program, detail=(step,), probe=msgspec.json.encode(question).decode())
        runs = service(request)
        lines = await runs.again(program, step, client(request))
        then = await asyncio.get_running_loop().run_in_executor(runs.reader, moment.state_after, lines, at)
        told = moment.values(then, number, part=part, of=of, cut=large.shape)
    return Response(msgspec.json.encode(told), media_type="application/json")
