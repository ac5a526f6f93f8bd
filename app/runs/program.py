"""What determines a trace, all of it, and the hash that names it. It runs nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from app.runs.limits import Limits
from engine.trace.events import SCHEMA, Begin


@dataclass(frozen=True)
class Program:
    """Same program, same trace: everything a trace is a function of stands here.

    source   the learner's text, as `compile.compile_program` normalised it
    seed     for `torch`, `numpy` and `random`, as a program that sets none finds them
    detail   steps wanted in full, ascending; empty: the first `limits.detail_steps`
    engine   version of the engine that will run it
    schema   version of the events' vocabulary
    probe    JSON of an engine.trace.grid.Probe or Part: what is asked of the step; "": nothing
    """

    source: str
    seed: int = 0
    detail: tuple[int, ...] = ()
    limits: Limits = field(default_factory=Limits)
    engine: str = "0"
    schema: int = SCHEMA
    probe: str = ""

    @cached_property
    def key(self) -> str:
        """The run's id: 64 hexadecimal digits."""
        limits = tuple(self.limits.table().values())
        parts = self.source, self.seed, self.detail, limits, self.engine, self.schema, self.probe
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

    def begin(self) -> Begin:
        """The first event of its trace."""
        return Begin(
            seq=0,
            schema=self.schema,
            engine=self.engine,
            source=self.source,
            seed=self.seed,
            detail=self.detail,
            limits=self.limits.table(),
            run=self.key,
            probe=self.probe,
        )
