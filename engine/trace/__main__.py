"""The trace on the command line: record, read, check and compare. For developers; learners have the page.

    python -m engine.trace run program.py > t.jsonl      record (the program is trusted: it runs in this process)
    python -m engine.trace show t.jsonl --step 3         one line of words per event
    python -m engine.trace verify t.jsonl                what does not follow; exit code 1 when anything
    python -m engine.trace diff a.jsonl b.jsonl          what differs; exit code 1 when anything
    python -m engine.trace states t.jsonl --every 7      State(t) at some t, as JSON, for the page's tests
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.trace import events as ev
from engine.trace import jsonl
from engine.trace.diff import diff
from engine.trace.replay import Replay
from engine.trace.run import run
from engine.trace.verify import verify


def record(source: str, *, seed: int = 0, detail: tuple[int, ...] = ()) -> list[ev.AnyEvent]:
    """The whole trace of a program, `end` included."""
    chunks: list[bytes] = []
    begun = time.perf_counter()
    run(source, seed=seed, detail=detail, emit=chunks.append)
    events = list(jsonl.read(b"".join(chunks).splitlines()))
    failed = any(isinstance(e, ev.Fail) for e in events)
    steps = sum(isinstance(e, ev.Step) for e in events)
    events.append(
        ev.End(
            seq=len(events), status="fail" if failed else "ok", events=len(events) + 1, steps=steps,
            seconds=round(time.perf_counter() - begun, 6),
        )
    )  # fmt: skip
    return events


def words(event: ev.AnyEvent) -> str:
    """An event in one line for a person."""
    kind = type(event).__name__.lower()
    line = f"{event.at[0]:>4}" if event.at else "    "
    return f"{event.seq:>6} {line}  {kind:<10} {_say(event)}"


def _say(e: ev.AnyEvent) -> str:
    if isinstance(e, ev.Leaf):
        return f"{e.tensor} {e.name or '?'} ({e.role}) = {_value(e.value)}"
    if isinstance(e, ev.Bind):
        return f"{e.tensor} is called {e.name}"
    if isinstance(e, ev.Forward):
        inputs = ", ".join(str(i.tensor) if i.tensor is not None else repr(i.const) for i in e.inputs)
        made = ", ".join(f"{o.tensor} = {_value(o.value)}" for o in e.outputs)
        return f"{e.op}({inputs}) -> {made}" + (f"  [{e.grad_fn}]" if e.grad_fn else "")
    if isinstance(e, ev.Seed):
        return f"from {e.root} with {_value(e.grad)}"
    if isinstance(e, ev.Ready):
        return f"node {e.node}: {_value(e.grad)}"
    if isinstance(e, ev.Contribute):
        summed = f", summed over {e.axes}" if e.axes else ""
        return f"node {e.node} -> {e.tensor}: {_value(e.result)}{summed}"
    if isinstance(e, ev.Accumulate):
        return f"{e.tensor}: {'none' if e.before is None else _value(e.before)} + {_value(e.delta)} = {_value(e.after)}"
    if isinstance(e, ev.Update):
        return f"{e.tensor}: {_value(e.before)} -> {_value(e.after)} by {e.optimizer or 'hand'}"
    if isinstance(e, ev.Step):
        return f"{e.index}: {e.loss_name or 'loss'} = {e.loss}, {e.loop}"
    if isinstance(e, ev.Print):
        return repr(e.text)
    if isinstance(e, ev.Fail):
        return f"{e.type}: {e.message}" + (f"  ({e.hint})" if e.hint else "")
    fields = {k: v for k, v in msgspec.to_builtins(e).items() if k not in ("kind", "seq", "at", "via", "source")}
    return ", ".join(f"{k} {v}" for k, v in fields.items())


def _value(a: ev.Array) -> str:
    if not a.shape and a.data:
        return str(a.data[0])
    if a.data is not None and len(a.data) <= 6:
        return f"{tuple(a.shape)} {a.data}"
    return f"{tuple(a.shape)} {a.dtype}"


def window(events: list[ev.AnyEvent], step: int) -> Iterator[ev.AnyEvent]:
    """The events of one step, its `step` event last."""
    held: list[ev.AnyEvent] = []
    for event in events:
        held.append(event)
        if isinstance(event, ev.Step):
            if event.index == step:
                yield from held
                return
            held = []


def states(events: list[ev.AnyEvent], every: int) -> list[dict[str, object]]:
    """State(t) at t = 0, every, 2 every, … and at the end: `[{"t": …, "state": …}]`."""
    fold = Replay()
    found: list[dict[str, object]] = [{"t": 0, "state": copy.deepcopy(fold.state)}]
    for t, event in enumerate(events, 1):
        fold.fold(event)
        if t % every == 0 or t == len(events):
            found.append({"t": t, "state": copy.deepcopy(fold.state)})
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.trace", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="run a program, write its trace")
    one.add_argument("program", type=Path)
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--detail", type=int, nargs="*", default=[], help="steps to record whole (the first when absent)")
    reading = {"show": "a trace in words", "verify": "what does not follow", "states": "State(t) as JSON"}
    for name, text in reading.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("trace", type=Path)
        if name == "show":
            command.add_argument("--step", type=int)
        if name == "states":
            command.add_argument("--every", type=int, default=1)
    two = commands.add_parser("diff", help="how two traces differ")
    two.add_argument("left", type=Path)
    two.add_argument("right", type=Path)
    given = parser.parse_args(arguments)

    if given.command == "run":
        source = given.program.read_text(encoding="utf-8")
        sys.stdout.buffer.writelines(map(jsonl.dumps, record(source, seed=given.seed, detail=tuple(given.detail))))
        return 0
    if given.command == "show":
        events = jsonl.load(given.trace)
        chosen = events if given.step is None else window(events, given.step)
        sys.stdout.writelines(words(event) + "\n" for event in chosen)
        return 0
    if given.command == "states":
        json.dump(states(jsonl.load(given.trace), given.every), sys.stdout, ensure_ascii=False)
        return 0
    found = verify(jsonl.load(given.trace)) if given.command == "verify" else diff(
        jsonl.load(given.left), jsonl.load(given.right)
    )  # fmt: skip
    sys.stdout.writelines(sentence + "\n" for sentence in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
