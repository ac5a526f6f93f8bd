"""How much a program may take, in one frozen table. It says the numbers; the sandbox enforces them.

Counted limits (events, bytes, steps) shape a trace and so belong to what it is a function of; the clocks
(`wall`, `cpu`) can only end it early.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, fields
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """wall         seconds of clock from the start of the run (waiting in the queue does not count)
    cpu          seconds of processor, whole ones: the kernel counts them so
    memory       bytes of address space beyond what the interpreter itself has
    events       lines of the trace
    trace        bytes of the trace
    text         bytes the program may print
    line         bytes of one event
    detail_steps training steps recorded in full when none are asked for
    """

    wall: float = 10.0
    cpu: int = 10
    memory: int = 1024 * MIB
    events: int = 200_000
    trace: int = 64 * MIB
    text: int = MIB
    line: int = 4 * MIB
    detail_steps: int = 3

    def table(self) -> dict[str, int | float]:
        """As `begin` shows them."""
        return {name: getattr(self, name) for name in LIMITS}


LIMITS = tuple(field.name for field in fields(Limits))


def available_memory() -> int | None:
    """Bytes this process and its children may use together: the container's limit or the machine's memory."""
    found: list[int] = []
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            found.append(int(text))
    with contextlib.suppress(ValueError, OSError, AttributeError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(found, default=None)


def fitting_slots(wanted: int, memory: int, *, base: int = 512 * MIB) -> int:
    """How many programs of `memory` bytes each fit at once; at least one, at most `wanted`."""
    available = available_memory()
    if available is None:
        return wanted
    return max(1, min(wanted, (available - base) // memory))


def fitting_lanes(slots: int, aside: int, memory: int) -> tuple[int, int]:
    """(slots, long programs aside) that fit together; slots come first."""
    both = fitting_slots(slots + aside, memory)
    return min(slots, both), max(0, both - slots)
