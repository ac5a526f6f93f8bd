"""How a run can end, in words: one sentence for the learner and what to do, per ending. And hints for what the
box itself refuses. It decides nothing; `conclude` in app/sandbox/execution.py does.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from app.runs.limits import MIB, Limits
from app.sandbox import manners
from engine.trace import events as ev


@dataclass(frozen=True, slots=True)
class Ending:
    status: ev.Status
    message: str
    hint: str = ""
    limit: str = ""


OK = Ending("ok", "The program ran to its end.")
FAIL = Ending("fail", "The program stopped with an error.")
CANCELLED = Ending("cancelled", "The run was cancelled.")
KILLED = Ending(
    "killed",
    "The program's process was killed from outside; most likely the machine ran out of memory.",
    "run it again; if it happens twice, use smaller arrays",
)
LEFT = Ending(
    "killed",
    "The program left without finishing (os._exit or the like).",
    "sys.exit() ends a program early and keeps its results",
)
FORGED = Ending(
    "forged",
    "The program wrote lines that are no events into its own record; they were left out.",
    "print with print(); if your program does nothing unusual, this is a mistake of Backstep's: please report it",
)
FORBIDDEN = Ending(
    "killed",
    "The program tried something the sandbox answers by ending it.",
    "programs here compute and print: no files, no network, no other processes",
)
CRASHED = Ending(
    "killed",
    "The Python interpreter crashed under the program ({signal}).",
    "most often this is a recursion without end, or a huge sys.setrecursionlimit",
)


def crashed(signal: str) -> Ending:
    return Ending(CRASHED.status, CRASHED.message.format(signal=signal), CRASHED.hint)


def timeout(limits: Limits, taken: float = 0.0) -> Ending:
    """`taken`: seconds by the clock, where some of them were not counted."""
    busy = f" of its own, {taken:.0f} by the clock: the machine was busy" if taken > limits.wall + 1.0 else ""
    return Ending(
        "timeout",
        f"The program was stopped after {limits.wall:g} seconds{busy}.",
        "does every loop end? Fewer steps or a smaller data set make it fit; what it did until then is kept",
        "wall",
    )


def limit(name: str, limits: Limits) -> Ending:
    """For every limit that is not the clock."""
    message, hint = {
        "cpu": (
            f"The program used up its {limits.cpu} seconds of processor time.",
            "does every loop end? Fewer steps or a smaller data set make it fit",
        ),
        "memory": (
            f"The program needs more than {limits.memory // MIB} MiB of memory.",
            "use smaller arrays, and do not keep the graph of every step (loss.item() instead of loss)",
        ),
        "events": (
            f"The trace has reached {limits.events:,} events.",
            "run fewer steps, or use whole tensors instead of one number at a time",
        ),
        "trace": (
            f"The trace has reached {limits.trace // MIB} MiB.",
            "run fewer steps or use smaller tensors",
        ),
        "text": (
            f"The program printed more than {limits.text / MIB:g} MiB.",
            "print every hundredth step: if step % 100 == 0: print(…)",
        ),
        "line": (
            f"One event is larger than {limits.line / MIB:g} MiB.",
            "use smaller tensors, or fewer parameters in one step",
        ),
    }[name]
    return Ending("limit", message, hint, name)


def end_event(ending: Ending, *, seq: int = -1, steps: int = 0, seconds: float = 0.0) -> ev.End:
    """The trace's last event. `seq` is also the number of events before it."""
    return ev.End(
        seq=seq,
        status=ending.status,
        message=ending.message,
        hint=ending.hint,
        limit=ending.limit,
        events=seq + 1,
        steps=steps,
        seconds=round(seconds, 4),
    )


# ----------------------------------------------------------------------- hints for what the box refuses

BOX_HINTS: tuple[tuple[str, str, str], ...] = (
    ("PermissionError", "", manners.NO_FILES + "; network and other processes are closed too"),
    ("MemoryError", "", "use smaller arrays, and do not keep the graph of every step (loss.item() instead of loss)"),
    ("_ArrayMemoryError", "", "this array does not fit into the memory a program has here; use a smaller one"),
    ("RuntimeError", "can't start new thread", manners.NO_PROCESSES),
    ("RuntimeError", "allocate", "this tensor does not fit into the memory a program has here; use a smaller one"),
    ("EOFError", "", manners.INPUT_HINT),
    ("RecursionError", "", "a function calls itself without end; check the case in which it should stop"),
    ("OSError", "", manners.NO_FILES),
)
"""(type, what the message contains, hint), the first that fits."""


def add_hint(fail: ev.Fail) -> ev.Fail:
    if fail.hint:
        return fail
    for kind, part, hint in BOX_HINTS:
        if fail.type == kind and part in fail.message:
            return msgspec.structs.replace(fail, hint=hint)
    return fail
