"""Who runs next: one place per program, clients take turns. It knows nothing of processes.

A program that finds a free slot starts at once. Others wait; a free slot goes to the client that has used the
least slot time lately, so that whoever fills slots with endless loops waits behind those who do not.
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
ANNOUNCE = 0.2
"""Seconds between two announcements of places."""


@dataclass(slots=True)
class Ticket:
    client: str
    turn: asyncio.Future[None]
    on_queue: OnQueue | None
    place: int = 0


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


class FairQueue:
    """`await enter(client)` … `leave(client, seconds)`. All on one event loop."""

    def __init__(self, slots: int, capacity: int) -> None:
        self.slots, self.capacity = slots, capacity
        self.busy = self.queued = 0
        self.mean = 0.1
        """Seconds a run held its slot lately: what Retry-After is guessed from."""
        self._shares: dict[str, Share] = {}
        self._waiting: dict[str, Share] = {}
        """Of these, those with someone waiting."""
        self._swept = 0.0
        self._announcing: asyncio.TimerHandle | None = None

    async def enter(self, client: str, on_queue: OnQueue | None = None) -> None:
        """Returns when it is this program's turn. Raises RunnerBusy when too many wait."""
        share = self._shares.get(client)
        if share is None:
            share = self._shares[client] = Share(since=time.monotonic())
        if self.busy < self.slots and not self.queued:
            self._start(share)
            return
        if self.queued >= self.capacity:
            self._forget(client, share)
            raise RunnerBusy(max(1.0, self.queued * self.mean / self.slots), self.queued + 1)
        ticket = Ticket(client, asyncio.get_running_loop().create_future(), on_queue)
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
                self.leave(client, 0.0)  # it was its turn already
            raise
        if on_queue:
            on_queue(0)

    def leave(self, client: str, seconds: float) -> None:
        """A slot is free again after having been held for that long."""
        share = self._shares[client]
        share.decay(time.monotonic())
        share.used += seconds
        share.running -= 1
        self.busy -= 1
        self.mean += 0.05 * (seconds - self.mean)
        self._forget(client, share)
        self._next()

    def resize(self, slots: int) -> None:
        self.slots = slots
        self._next()

    def _start(self, share: Share) -> None:
        share.running += 1
        self.busy += 1

    def _next(self) -> None:
        while self.queued and self.busy < self.slots:
            now = time.monotonic()
            best: Share | None = None
            for share in self._waiting.values():
                share.decay(now)
                if best is None or (share.running, share.used) < (best.running, best.used):
                    best = share
            if best is None:
                return
            ticket = best.waiting.popleft()
            self.queued -= 1
            if not best.waiting:
                del self._waiting[ticket.client]
            self._start(best)
            if ticket.turn.done():  # cancelled in the same turn of the loop
                best.running -= 1
                self.busy -= 1
                continue
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
        shares = sorted(self._waiting.values(), key=lambda share: (share.running, share.used))
        rounds = max((len(s.waiting) for s in shares), default=0)
        return [s.waiting[turn] for turn in range(rounds) for s in shares if turn < len(s.waiting)]

    def _announce_soon(self, *, at_once: bool = False) -> None:
        if self._announcing is None:
            loop = asyncio.get_running_loop()
            self._announcing = loop.call_later(0.0 if at_once else ANNOUNCE, self._announce)

    def _announce(self) -> None:
        self._announcing = None
        for place, ticket in enumerate(self.order(), 1):
            if ticket.place != place and not ticket.turn.done():
                ticket.place = place
                if ticket.on_queue:
                    ticket.on_queue(place)
        if self.queued:
            self._announcing = asyncio.get_running_loop().call_later(ANNOUNCE, self._announce)

    def close(self) -> None:
        if self._announcing is not None:
            self._announcing.cancel()
            self._announcing = None
