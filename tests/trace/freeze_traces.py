"""Rewrites the golden traces: what the recorder says of a few programs, and State(t) of each at some t.

    python -m tests.trace.freeze_traces

tests/golden/traces/<name>.jsonl       the trace; test_golden.py compares structure exactly and numbers within rounding
tests/golden/traces/<name>.states.json [{"t": …, "state": …}], by engine/trace/replay.py; tests/js/reduce.test.js
                                       compares the page's reducer with it

`git diff` after it is to be reviewed like code; `python -m engine.trace diff old new` says the same in sentences.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from engine.trace import events as ev
from engine.trace import jsonl
from engine.trace.__main__ import record, states

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "app/lessons/programs"
GOLDEN = ROOT / "tests/golden/traces"

# program -> (steps to record, every how many events a state): together they show every kind of event
CHOSEN: dict[str, tuple[tuple[int, ...], int]] = {
    "broadcasting": ((), 5),
    "broadcasting_fails": ((), 1),
    "heat_map": ((1, 2), 17),
    "linear_model": ((0, 3), 19),
    "one_weight": ((0, 1), 9),
    "one_weight_not_zeroed": ((1,), 8),
    "retain_graph": ((), 8),
    "retain_graph_forgotten": ((), 9),
    "two_layer_net": ((1,), 25),
}


def golden(name: str) -> list[ev.AnyEvent]:
    """The trace as it is frozen: without what changes from run to run or release to release."""
    steps, _ = CHOSEN[name]
    kept: list[ev.AnyEvent] = []
    for event in record((PROGRAMS / f"{name}.py").read_text(encoding="utf-8"), detail=steps):
        if isinstance(event, ev.Begin):
            event = msgspec.structs.replace(event, engine="")
        if isinstance(event, ev.End):
            event = msgspec.structs.replace(event, seconds=0.0)
        kept.append(event)
    return kept


def main() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for name, (_, every) in CHOSEN.items():
        events = golden(name)
        jsonl.save(events, GOLDEN / f"{name}.jsonl")
        text = json.dumps(states(events, every), separators=(",", ":"), ensure_ascii=False)
        (GOLDEN / f"{name}.states.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
