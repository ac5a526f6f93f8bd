"""What a step's loss, or prediction, would have been elsewhere: the loss landscape and decision boundaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.errors import Problem
from app.routes.runs import EVENTS, RunId, client, found, service, stream
from engine.trace.grid import Axis, Probe

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])


class Side(BaseModel):
    """One side of the grid: an element of a tensor, or a column of an input."""

    model_config = ConfigDict(extra="forbid")

    tensor: int = Field(ge=0, description="Its number in the step's events")
    index: int = Field(0, ge=0, description="Which element, row-major; which column of a field's input")
    low: float
    high: float


class ProbeRequest(BaseModel):
    """A grid, and which tensor is wanted on it."""

    model_config = ConfigDict(extra="forbid")

    step: int = Field(ge=0, lt=10_000_000)
    root: int = Field(ge=0, description="Number of the loss (surface) or of a prediction (field)")
    x: Side
    y: Side | None = Field(None, description="Absent: along x alone")
    kind: Literal["surface", "field"] = "surface"
    points: int = Field(33, description="Grid points per side")


def axis(side: Side) -> Axis:
    return Axis(side.tensor, side.index, side.low, side.high)


def canonical(body: ProbeRequest) -> str:
    """The same question, the same text, the same run."""
    probe = Probe(body.step, body.root, axis(body.x), axis(body.y) if body.y else None, body.kind, body.points)
    try:
        probe.check()
    except ValueError as error:
        raise Problem("invalid", str(error)) from None
    return msgspec.json.encode(probe).decode()


@router.post("/{run_id}/probe", summary="What would have been elsewhere", response_class=Response, responses=EVENTS)
async def probe(request: Request, run_id: RunId, body: ProbeRequest) -> Response:
    """Runs the program again up to the step's backward pass and evaluates its forward graph over a grid, in the
    sandbox. The answer is a trace of `probe` events, one per row, as they are computed; closing it cancels."""
    run = await found(request, run_id)
    program = replace(run.program, detail=(body.step,), probe=canonical(body))
    asked = await service(request).submit(program, client(request))
    asked.passing = not asked.done
    return stream(request, asked)
