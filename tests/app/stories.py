"""Stories for the InProcessRunner: what a program would have done, told without running it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

from app.runs.program import Program
from app.runs.runner import InProcessRunner, OnQueue, RunnerLost, Story
from engine.trace import events as ev

Told = Iterable[ev.Event | BaseException | float]


def scalar(value: float) -> ev.Array:
    return ev.Array(shape=(), dtype="float32", data=[value])


def end(events: int, status: Any = "ok") -> ev.End:
    return ev.End(status=status, message="The program ran to its end.", events=events)


def count_to(number: int, *, pause: float = 0.0, status: Any = "ok") -> Story:
    """`number` prints, with a pause before each."""

    def story(program: Program) -> Told:
        yield program.begin()
        for k in range(number):
            if pause:
                yield pause
            yield ev.Print(text=f"{k}\n")
        yield end(number + 2, status)

    return story


def train(steps: int, *, detail: int = 1, pause: float = 0.0) -> Story:
    """`steps` training steps, the first `detail` in full; or only those asked for, and then it stops."""

    def story(program: Program) -> Told:
        yield program.begin()
        wanted = program.detail or tuple(range(detail))
        for k in range(steps):
            if pause:
                yield pause
            if program.detail and k not in wanted:
                continue
            if k in wanted:
                yield ev.Leaf(tensor=1, value=scalar(float(k)), role="parameter", requires_grad=True, name="w")
            yield ev.Print(text=f"step {k}\n")
            yield ev.Step(index=k, loss=1.0 / (k + 1), window=k in wanted)
            if program.detail and k == max(wanted):
                break
        yield end(0)

    return story


def forever(program: Program) -> Told:
    yield program.begin()
    k = 0
    while True:
        yield ev.Print(text=f"{k}\n")
        yield 0.01
        k += 1


class Flaky(InProcessRunner):
    """Loses each run after as many events as `deaths` says, once per entry; then it works.

    `change(attempt, event)` may alter what an execution says: a program that is not deterministic.
    """

    def __init__(
        self, story: Story, deaths: list[int], change: Callable[[int, ev.Event], ev.Event] | None = None
    ) -> None:
        self.deaths, self.change, self.attempt = list(deaths), change, 0
        super().__init__(self._told)
        self.inner = story

    def _told(self, program: Program) -> Told:
        self.attempt += 1
        attempt = self.attempt
        death = self.deaths.pop(0) if self.deaths else None
        for count, thing in enumerate(self.inner(program)):
            if count == death:
                yield RunnerLost("the worker was killed")
                return
            yield self.change(attempt, thing) if self.change and isinstance(thing, ev.Event) else thing


class Gated(InProcessRunner):
    """Tells nothing after `begin` until `gate` is set; reports a place in the queue first when asked to."""

    def __init__(self, story: Story, *, position: int = 0) -> None:
        super().__init__(story)
        self.gate = threading.Event()
        self.position = position

    async def run(
        self, program: Program, *, client: str = "", on_queue: OnQueue | None = None
    ) -> AsyncGenerator[bytes, None]:
        if self.position and on_queue:
            on_queue(self.position)
        first = not self.position
        async for chunk in super().run(program, client=client, on_queue=on_queue):
            if first:
                first = False
                yield chunk
                continue
            while not self.gate.is_set():
                await asyncio.sleep(0.005)
            yield chunk
