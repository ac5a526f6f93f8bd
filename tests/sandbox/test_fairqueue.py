"""Who runs next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.runs.runner import RunnerBusy
from app.sandbox import fairqueue
from app.sandbox.fairqueue import HEAVY, FairQueue, Place


def loop(test: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(test())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Row:
    """Programs that enter in the order given and are served in an order that shows."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue, self.served, self.tasks = queue, [], []
        self.told: dict[str, list[int]] = {}
        self.held: dict[str, list[Place]] = {}

    async def enter(self, *names: str) -> None:
        for name in names:
            self.tasks.append(asyncio.create_task(self._one(name)))
            await settle()

    async def _one(self, name: str) -> None:
        told = self.told.setdefault(name, [])
        place = await self.queue.enter(name[0], told.append)
        self.held.setdefault(name[0], []).append(place)
        self.served.append(name)

    async def leave(self, client: str, seconds: float = 0.0) -> None:
        self.queue.leave(self.held[client].pop(0), seconds)
        await settle()

    async def step_aside(self, client: str, seconds: float = 1.0) -> bool:
        """The youngest of this client's."""
        done = self.queue.step_aside(self.held[client][-1], seconds)
        await settle()
        return done


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
        assert [row.told[n][-1] for n in ("b1", "c1", "b2")] == [1, 2, 3]
        assert row.told["a1"] == []
        await row.leave("a", 0.1)
        await asyncio.sleep(0.25)
        assert row.told["b1"][-1] == 0
        assert [row.told[n][-1] for n in ("c1", "b2")] == [1, 2]

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
        row.queue.leave(row.held["a"][0], 0.1)
        row.tasks[1].cancel()  # its turn has come, it has not noticed yet
        await settle()
        assert row.served == ["a1", "c1"]
        assert (row.queue.busy, row.queue.queued) == (1, 0)

    loop(test)


def test_clients_that_left_are_forgotten():
    async def test():
        queue = FairQueue(1, 10)
        for n in range(2000):
            queue.leave(await queue.enter(f"client {n}"), 0.001)
        assert len(queue._shares) < 10

    loop(test)


def test_who_steps_aside_gives_the_slot_to_the_next():
    async def test():
        row = Row(FairQueue(1, 100, room=1))
        await row.enter("a1", "b1", "c1")
        assert await row.step_aside("a")
        assert row.served == ["a1", "b1"]
        assert (row.queue.busy, row.queue.aside) == (1, 1)
        await row.leave("a", 9.0)
        assert (row.queue.busy, row.queue.aside) == (1, 0)
        assert row.served == ["a1", "b1"]  # its slot had been given away already
        await row.leave("b")
        assert row.served == ["a1", "b1", "c1"]

    loop(test)


def test_where_no_room_is_left_a_long_one_keeps_its_slot():
    async def test():
        row = Row(FairQueue(2, 100, room=1))
        await row.enter("a1", "b1", "c1")
        assert await row.step_aside("a")
        assert not await row.step_aside("b")
        assert (row.queue.busy, row.queue.aside) == (2, 1)
        await row.leave("a")
        assert await row.step_aside("b")

    loop(test)


def test_who_is_aside_waits_behind_others_with_the_next_program():
    async def test():
        row = Row(FairQueue(1, 100, room=4))
        await row.enter("h1", "h2", "g1", "g2")
        await row.step_aside("h")
        assert row.served == ["h1", "g1"]
        await row.leave("g", 0.5)
        assert row.served == ["h1", "g1", "g2"]

    loop(test)


def test_clients_known_for_long_programs_start_no_more_than_could_step_aside():
    async def test():
        row = Row(FairQueue(2, 100, room=2))
        for client in "hij":
            await row.enter(client)
            await row.leave(client, 2 * HEAVY)
        await row.enter("h1", "i1")
        assert await row.step_aside("h") and await row.step_aside("i")
        await row.enter("j1")
        assert row.served[-1] == "i1"  # two slots are free: they are for others
        await row.enter("g1", "g2")
        assert row.served[-2:] == ["g1", "g2"]
        await row.leave("g")
        assert row.served[-1] == "g2"
        await row.leave("h", 1.0)
        assert row.served[-1] == "j1"
        for client in "ijg":
            await row.leave(client)
        assert (row.queue.busy, row.queue.queued, row.queue.aside, row.queue.heavy) == (0, 0, 0, 0)

    loop(test)


def test_with_no_room_aside_long_programs_still_run():
    async def test():
        row = Row(FairQueue(1, 100, room=0))
        await row.enter("h")
        await row.leave("h", 2 * HEAVY)
        await row.enter("h1")
        assert row.served[-1] == "h1"

    loop(test)


def test_who_used_more_is_not_passed_over_for_ever(monkeypatch):
    async def test():
        now = 100.0
        monkeypatch.setattr(fairqueue.time, "monotonic", lambda: now)
        row = Row(FairQueue(1, 100))
        await row.enter("a1")
        await row.leave("a", 10.0)
        await row.enter("b1", "a2")
        for n in range(2, 8):  # others come with less on their account, again and again
            now += 5.0
            await row.enter(f"c{n}")
            await row.leave(row.served[-1][0], 0.3)
        assert "a2" in row.served

    loop(test)
