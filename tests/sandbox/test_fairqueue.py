"""Who runs next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.runs.runner import RunnerBusy
from app.sandbox.fairqueue import FairQueue


def loop(test: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(test())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Row:
    """Programs that enter in the order given and are served in an order that shows."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue, self.served, self.tasks = queue, [], []
        self.places: dict[str, list[int]] = {}

    async def enter(self, *names: str) -> None:
        for name in names:
            self.tasks.append(asyncio.create_task(self._one(name)))
            await settle()

    async def _one(self, name: str) -> None:
        places = self.places.setdefault(name, [])
        await self.queue.enter(name[0], places.append)
        self.served.append(name)

    async def leave(self, client: str, seconds: float = 0.0) -> None:
        self.queue.leave(client, seconds)
        await settle()


def test_a_free_slot_is_taken_at_once():
    async def test():
        row = Row(FairQueue(2, 10))
        await row.enter("a1", "a2", "a3")
        assert row.served == ["a1", "a2"]
        assert (row.queue.busy, row.queue.queued) == (2, 1)

    loop(test)


def test_clients_take_turns_however_many_programs_one_of_them_has():
    async def test():
        row = Row(FairQueue(1, 100))
        await row.enter("a1", "a2", "a3", "a4", "b1", "b2", "c1")
        for _ in range(6):
            await row.leave(row.served[-1][0], 0.1)
        assert row.served[0] == "a1"
        assert set(row.served[1:3]) == {"b1", "c1"}
        assert row.served[3] in ("a2", "b2")
        assert [name for name in row.served if name[0] == "a"] == ["a1", "a2", "a3", "a4"]

    loop(test)


def test_who_used_much_waits_behind_who_used_little():
    async def test():
        row = Row(FairQueue(1, 100))
        await row.enter("h1", "h2", "g1", "g2", "g3")
        await row.leave("h", 10.0)
        for _ in range(2):
            await row.leave("g", 0.01)
        assert row.served == ["h1", "g1", "g2", "g3"]
        await row.leave("g", 0.01)
        assert row.served[-1] == "h2"  # waits, but is not forgotten

    loop(test)


def test_the_queue_has_an_end():
    async def test():
        row = Row(FairQueue(1, 2))
        await row.enter("a1", "b1", "c1")
        with pytest.raises(RunnerBusy) as caught:
            await row.queue.enter("d")
        assert caught.value.position == 3
        assert caught.value.retry_after >= 1

    loop(test)


def test_places_are_told_when_they_change():
    async def test():
        row = Row(FairQueue(1, 100))
        await row.enter("a1", "b1", "c1", "b2")
        await asyncio.sleep(0.25)
        assert [row.places[n][-1] for n in ("b1", "c1", "b2")] == [1, 2, 3]
        assert row.places["a1"] == []
        await row.leave("a", 0.1)
        await asyncio.sleep(0.25)
        assert row.places["b1"][-1] == 0
        assert [row.places[n][-1] for n in ("c1", "b2")] == [1, 2]

    loop(test)


def test_a_cancelled_program_leaves_the_queue_and_its_place():
    async def test():
        row = Row(FairQueue(1, 100))
        await row.enter("a1", "b1", "c1")
        row.tasks[1].cancel()
        await settle()
        assert row.queue.queued == 1
        await row.leave("a", 0.1)
        assert row.served == ["a1", "c1"]

    loop(test)


def test_cancelled_in_the_moment_of_its_turn_the_slot_goes_on():
    async def test():
        row = Row(FairQueue(1, 100))
        await row.enter("a1", "b1", "c1")
        row.queue.leave("a", 0.1)
        row.tasks[1].cancel()  # its turn has come, it has not noticed yet
        await settle()
        assert row.served == ["a1", "c1"]
        assert (row.queue.busy, row.queue.queued) == (1, 0)

    loop(test)


def test_clients_that_left_are_forgotten():
    async def test():
        queue = FairQueue(1, 10)
        for n in range(2000):
            await queue.enter(f"client {n}")
            queue.leave(f"client {n}", 0.001)
        assert len(queue._shares) < 10

    loop(test)
