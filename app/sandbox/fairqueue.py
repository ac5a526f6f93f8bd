"""Who runs next: one place per program, clients take turns. It knows nothing of processes.

A program that finds a free slot starts at once. Others wait; a free slot goes to the client that has used the
least slot time lately, so that whoever fills slots with endless loops waits behind those who do not.

A program that takes long may step aside: it goes on, and its slot goes to the next. There is room for so many
only, so that clients known for long programs start no more of them at once than could step aside.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from app.runs.runner import OnQueue, RunnerBusy

HALF_LIFE = 20.0
"""Seconds after which half of what a client has used is forgotten."""
FORGIVEN = 0.05
"""Seconds of slot time below which a client that left is forgotten."""
PATIENCE = 5.0
"""Seconds of waiting that halve what a client has used in the eyes of the queue: who drew a long program waits longer
than others, but not until all of them have used as much."""
HEAVY = 4.0
"""Seconds of slot time, decayed, above which a client is known for long programs."""
ANNOUNCE = 0.2
"""Seconds between two announcements of places."""


@dataclass(slots=True, eq=False)
class Place:
    """One program's: in the queue, in a slot, aside."""

    client: str
    heavy: bool = False
    aside: bool = False


@dataclass(slots=True, eq=False)
class Ticket:
    place: Place
    turn: asyncio.Future[None]
    on_queue: OnQueue | None
    since: float
    told: int = 0


@dataclass(slots=True)
class Share:
    """One client: its waiting tickets and the slot time it used, decayed."""

    waiting: deque[Ticket] = field(default_factory=deque)
    running: int = 0
    used: float = 0.0
    since: float = 0.0

    def decay(self, now: float) -> None:
        self.used *= 0.5 ** ((now - self.since) / HALF_LIFE)
        self.since = now

    def rank(self, now: float) -> tuple[int, float]:
        """The smallest is next."""
        return self.running, self.used * 0.5 ** ((now - self.waiting[0].since) / PATIENCE)


class FairQueue:
    """`place = await enter(client)` … `step_aside(place, seconds)` … `leave(place, seconds)`. All on one event loop."""

    def __init__(self, slots: int, capacity: int, room: int = 0) -> None:
        """`room`: how many may have stepped aside at once."""
        self.slots, self.capacity, self.room = slots, capacity, room
        self.busy = self.queued = self.aside = self.heavy = 0
        """Programs in slots; waiting; that stepped aside; of clients known for long ones, in slots or aside."""
        self.mean = 0.1
        """Seconds a run held its slot lately: what Retry-After is guessed from."""
        self._shares: dict[str, Share] = {}
        self._waiting: dict[str, Share] = {}
        """Of these, those with someone waiting."""
        self._swept = 0.0
        self._announcing: asyncio.TimerHandle | None = None

    async def enter(self, client: str, on_queue: OnQueue | None = None) -> Place:
        """Returns when it is this program's turn. Raises RunnerBusy when too many wait."""
        share = self._shares.get(client)
        if share is None:
            share = self._shares[client] = Share(since=time.monotonic())
        place = Place(client)
        if self.busy < self.slots and not share.waiting and self._may_start(share):
            self._start(share, place)  # whoever waits beside a free slot may not have it
            return place
        if self.queued >= self.capacity:
            self._forget(client, share)
            raise RunnerBusy(max(1.0, self.queued * self.mean / self.slots), self.queued + 1)
        ticket = Ticket(place, asyncio.get_running_loop().create_future(), on_queue, time.monotonic())
        share.waiting.append(ticket)
        self._waiting[client] = share
        self.queued += 1
        self._announce_soon(at_once=True)
        try:
            await ticket.turn
        except asyncio.CancelledError:
            if ticket in share.waiting:
                share.waiting.remove(ticket)
                self.queued -= 1
                if not share.waiting:
                    self._waiting.pop(client, None)
                self._forget(client, share)
            elif not ticket.turn.cancelled():
                self.leave(place, 0.0)  # it was its turn already
            raise
        if on_queue:
            on_queue(0)
        return place

    def step_aside(self, place: Place, seconds: float) -> bool:
        """Gives the slot back after that long, while the program goes on. False where no room is left for it."""
        if self.aside >= self.room or place.aside:
            return place.aside
        place.aside = True
        self.aside += 1
        self.busy -= 1
        self._count(self._shares[place.client], seconds)
        self._next()
        return True

    @property
    def crowded(self) -> bool:
        """Somebody waits, and no more can step aside."""
        return self.queued > 0 and self.aside >= self.room

    def leave(self, place: Place, seconds: float) -> None:
        """The program has ended, after that long in its slot, or aside."""
        share = self._shares[place.client]
        share.running -= 1
        self.heavy -= place.heavy
        if place.aside:
            self.aside -= 1
            share.decay(time.monotonic())
            share.used += seconds
        else:
            self.busy -= 1
            self._count(share, seconds)
        self._forget(place.client, share)
        self._next()

    def _count(self, share: Share, seconds: float) -> None:
        """Slot time, which others had to wait for."""
        share.decay(time.monotonic())
        share.used += seconds
        self.mean += 0.05 * (seconds - self.mean)

    def resize(self, slots: int) -> None:
        self.slots = slots
        self._next()

    def _may_start(self, share: Share) -> bool:
        """Whether a program of this client leaves enough slots to others, should it be another long one."""
        return share.used < HEAVY or self.heavy < max(1, self.room, self.slots - 1)

    def _start(self, share: Share, place: Place) -> None:
        share.running += 1
        self.busy += 1
        place.heavy = share.used >= HEAVY
        self.heavy += place.heavy

    def _next(self) -> None:
        while self.queued and self.busy < self.slots:
            now = time.monotonic()
            best: Share | None = None
            least = (0, 0.0)
            for share in self._waiting.values():
                share.decay(now)
                if self._may_start(share) and (best is None or share.rank(now) < least):
                    best, least = share, share.rank(now)
            if best is None:
                break
            ticket = best.waiting.popleft()
            self.queued -= 1
            if not best.waiting:
                del self._waiting[ticket.place.client]
            if ticket.turn.done():  # cancelled in the same turn of the loop
                continue
            self._start(best, ticket.place)
            ticket.turn.set_result(None)
        if self.queued:
            self._announce_soon()

    def _forget(self, client: str, share: Share) -> None:
        """Clients that neither wait nor run and owe nothing are not remembered."""
        if not share.waiting and not share.running and share.used < FORGIVEN:
            self._shares.pop(client, None)
        now = time.monotonic()
        if len(self._shares) > 256 and now - self._swept > 1.0:
            self._swept = now
            for name, other in list(self._shares.items()):
                other.decay(now)
                if not other.waiting and not other.running and other.used < FORGIVEN:
                    del self._shares[name]

    # ------------------------------------------------------------------------------------------- places

    def order(self) -> list[Ticket]:
        """Everybody who waits, in the order in which they would be served if all runs took equally long."""
        now = time.monotonic()
        shares = sorted(self._waiting.values(), key=lambda share: share.rank(now))
        rounds = max((len(s.waiting) for s in shares), default=0)
        return [s.waiting[turn] for turn in range(rounds) for s in shares if turn < len(s.waiting)]

    def _announce_soon(self, *, at_once: bool = False) -> None:
        if self._announcing is None:
            loop = asyncio.get_running_loop()
            self._announcing = loop.call_later(0.0 if at_once else ANNOUNCE, self._announce)

    def _announce(self) -> None:
        self._announcing = None
        for place, ticket in enumerate(self.order(), 1):
            if ticket.told != place and not ticket.turn.done():
                ticket.told = place
                if ticket.on_queue:
                    ticket.on_queue(place)
        if self.queued:
            self._announcing = asyncio.get_running_loop().call_later(ANNOUNCE, self._announce)

    def close(self) -> None:
        if self._announcing is not None:
            self._announcing.cancel()
            self._announcing = None
