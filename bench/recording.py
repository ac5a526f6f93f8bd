"""What recording costs: the cases of bench/engine.py run as programs, with and without the recorder. CPU time.

    asleep   every step told in brief: the price of a long loop, which issue 3 limits (on/off)
    awake    every event of a step told: what the first steps, and each step asked for, cost; microseconds an event

`python -m bench.recording [case ...]`; bench/engine.py shows the first figure in its table.
"""

from __future__ import annotations

import gc
import inspect
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import bench.engine as cases
from engine.trace.run import _aliases, run
from engine.trace.source import FILENAME

WARM = 25  # steps: past those whose parameters are listed whatever they weigh
EXTRA = {"scalar_mlp": "_scalar_net", "micrograd": "_scalar_net"}


def program(case: Callable[..., Any], times: int) -> str:
    """The case as a learner would run it: steps to warm up, then `times` that are timed."""
    helper = inspect.getsource(getattr(cases, EXTRA[case.__name__])) if case.__name__ in EXTRA else ""
    return (
        "import time\nimport torch\nfrom typing import Any\nfrom collections.abc import Callable\nLib = Step = Any\n"
        f"{helper}\n{inspect.getsource(case)}\nstep = {case.__name__}(torch)\n"
        f"for i in range({WARM}):\n    step()\nbegun = time.process_time()\n"
        f"for i in range({times}):\n    step()\nprint(time.process_time() - begun)\n"
    )


def asleep(source: str) -> float:
    """CPU seconds of the timed steps under a recorder that tells only briefs."""
    lines: list[bytes] = []
    run(source, emit=lines.append, limits={"detail_steps": 1, "detail_events": 0})
    events = [json.loads(line) for line in b"".join(lines).splitlines()]
    failed = [e for e in events if e["kind"] == "fail"]
    if failed:
        raise RuntimeError(failed[0]["message"])
    return float(next(e["text"] for e in reversed(events) if e["kind"] == "print"))


def plain(source: str) -> float:
    """The same without a recorder."""
    told: list[float] = []
    before = {name: sys.modules.get(name) for name in _aliases()}
    sys.modules.update(_aliases())
    gc.disable()
    try:
        exec(compile(source, FILENAME, "exec"), {"__name__": "bench", "print": told.append})  # noqa: S102
    finally:
        gc.enable()
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return told[0]


def awake(case: Callable[..., Any]) -> tuple[int, float]:
    """Events of one step recorded in full, and CPU seconds they took beyond the step itself."""
    lines: list[bytes] = []
    source = program(case, 1)
    begun = time.process_time()
    run(source, emit=lines.append, limits={"detail_steps": 2, "detail_events": 0, "window_events": 10**9})
    spent = time.process_time() - begun
    events = sum(chunk.count(b"\n") for chunk in lines)
    begun = time.process_time()
    plain(source)
    return events, spent - (time.process_time() - begun)


def observed(case: Callable[..., Any], times: int, repeats: int, engine: Any = None) -> float:
    """Recording on/off: the least time asleep over the least time unobserved."""
    source = program(case, times)
    pairs = [(asleep(source), plain(source)) for _ in range(max(repeats, 3))]
    return min(a for a, _ in pairs) / min(b for _, b in pairs)


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'case':12} {'on/off':>7} {'events':>7} {'µs/event':>9}")
    for case, times, _, _ in cases.CASES:
        if names and case.__name__ not in names:
            continue
        try:
            ratio = observed(case, times, 5)
            events, extra = awake(case)
        except Exception as error:
            print(f"{case.__name__:12} {type(error).__name__}: {error}")
            continue
        print(f"{case.__name__:12} {ratio:7.2f} {events:7} {extra / events * 1e6:9.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
