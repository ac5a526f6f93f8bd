"""Runs one program under the recorder: text in, JSON lines out. The one entry point for whoever runs programs.

It makes `import torch` mean the engine, catches what the program prints and raises, and says so in events. It opens
no file and no socket, limits nothing and isolates nothing: that is the business of whoever calls it. All events but
`end`, which the caller adds: it alone knows whether the program was cut off.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import linecache
import os
import random
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

import numpy as np

import engine
from engine.errors import EngineError
from engine.ops.formulas import compile_all
from engine.trace import events as ev
from engine.trace.hints import hint
from engine.trace.recorder import Recorder
from engine.trace.source import FILENAME, Position, Source
from engine.trace.steps import Stop

VERSION = "0.1.0"
MAIN = "__main__"
TEXT_LIMIT = 16_384  # characters in one print event; a longer text makes several
MESSAGE_LIMIT = 4_000  # characters of an error message
FRAMES = 12  # of a traceback: the outermost four and the innermost eight

HOME = os.path.dirname(engine.__file__)
FAULT = "this looks like a fault of Backstep itself, not of the program; please report it"

OWN = ("trace", "catalog", "ops", "errors", "rounding", "printing", "dtypes", "tensor", "creation")
"""Modules of the engine that torch has not, or has with another meaning: not importable as torch.…"""


def run(
    source: str,
    *,
    seed: int = 0,
    detail: Iterable[int] = (),
    limits: dict[str, int | float] | None = None,
    emit: Callable[[bytes], object],
    run: str = "",
    probe: str = "",
) -> None:
    """Run a program; `emit` receives its events as whole lines, in order, without `end`.

    detail  numbers of the steps to record in full; the trace then holds those only, and the run stops after the last
    probe   JSON of a probe.Probe: the trace is its answer, and the run stops there
    limits  see recorder.LIMITS; others are only passed on to `begin`
    """
    text = Source(source)
    main = types.ModuleType(MAIN)
    main.__dict__.update(__file__=FILENAME, __builtins__=__builtins__)
    recorder = Recorder(
        emit, text, main.__dict__, seed=seed, detail=detail, limits=limits, engine=VERSION, run=run, probe=probe
    )  # fmt: skip
    recorder.begin()
    problem: BaseException | None = None
    with _as_program(main, source, recorder, seed):
        try:
            code = compile(source, FILENAME, "exec", dont_inherit=True)
            exec(code, main.__dict__)  # noqa: S102
        except Stop:
            pass
        except SystemExit as error:
            problem = None if error.code in (None, 0) else error
        except BaseException as error:
            problem = error
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
    with contextlib.suppress(Stop):
        recorder.finish(None if problem is None else lambda: describe(problem, recorder, main.__dict__))
    recorder.flush()


class Output(io.TextIOBase):
    """The program's stdout or stderr: each print, or flush, is a `print` event."""

    def __init__(self, recorder: Recorder, stream: str) -> None:
        self._recorder = recorder
        self._stream = stream
        self._text = ""

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._text += text
        if text.endswith("\n") or len(self._text) > TEXT_LIMIT:  # a tensor's several lines stay one event
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._text:
            text, self._text = self._text, ""
            self._put(text)

    def _put(self, text: str) -> None:
        text = text.encode("utf-8", "replace").decode()  # a lone surrogate has no place in JSON
        for start in range(0, len(text), TEXT_LIMIT):
            self._recorder.print(text[start : start + TEXT_LIMIT], self._stream)


_settled: int | None = None


def settle(seed: int = 0) -> None:
    """For a process, or the children it forks, that runs one program and ends: what is the same for all programs is
    done now, and nothing is put back afterwards. `seed` is the one that costs nothing later."""
    global _settled
    compile_all()
    sys.modules.update(_aliases())
    _reset_warnings()
    _seed(seed)
    _settled = seed


@contextlib.contextmanager
def _as_program(main: types.ModuleType, source: str, recorder: Recorder, seed: int) -> Iterator[None]:
    """The interpreter as a program expects it."""
    with _put_back() if _settled is None else contextlib.nullcontext():
        sys.modules[MAIN] = main
        linecache.cache[FILENAME] = (len(source), None, source.splitlines(True), FILENAME)
        sys.argv = [FILENAME]  # argparse: a program started with no options
        sys.stdin, sys.stdout, sys.stderr = io.StringIO(""), Output(recorder, "stdout"), Output(recorder, "stderr")
        if seed != _settled:
            _seed(seed)
        gc.disable()  # two thirds of the time of a recorded loop would go into it
        yield


@contextlib.contextmanager
def _put_back() -> Iterator[None]:
    """The interpreter as it was, afterwards."""
    streams, arguments = (sys.stdin, sys.stdout, sys.stderr), sys.argv
    before = {name: sys.modules.get(name) for name in (MAIN, *_aliases())}
    collecting = gc.isenabled()
    states = random.getstate(), np.random.get_state()
    sys.modules.update(_aliases())
    try:
        with warnings.catch_warnings():
            _reset_warnings()
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.argv = arguments
        if collecting:
            gc.enable()
        linecache.cache.pop(FILENAME, None)
        random.setstate(states[0])
        np.random.set_state(states[1])
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        engine.set_grad_enabled(True)


def _reset_warnings() -> None:
    """As Python itself begins."""
    warnings.resetwarnings()
    warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
    for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.filterwarnings("ignore", category=kind, append=True)


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    engine.manual_seed(seed)


_names: dict[str, types.ModuleType] = {}


def _aliases() -> dict[str, types.ModuleType]:
    """`torch` and its submodules, by name: what `import` then finds."""
    if not _names:
        for name in ("nn.functional", "nn.init", "nn.utils", "optim.lr_scheduler", "utils.data", "autograd.functional"):
            with contextlib.suppress(ImportError):
                importlib.import_module("engine." + name)
        for name, module in list(sys.modules.items()):
            if name == "engine":
                _names["torch"] = module
            elif name.startswith("engine.") and name.split(".")[1] not in OWN:
                _names["torch" + name[len("engine") :]] = module
    return _names


# ---- what went wrong ------------------------------------------------------------------------------------------


def describe(error: BaseException, recorder: Recorder, names: dict[str, Any]) -> ev.Fail:
    """An exception as an event: torch's message, our hint, the learner's lines."""
    text = recorder.source
    at: Position | None
    frames: list[tuple[int, str, str]] = []
    via: tuple[int, ...] = ()
    if isinstance(error, SyntaxError) and (error.filename == FILENAME or error.__traceback__ is None):
        at = _syntax_position(error, text)
    else:
        at = None
        known = set(names)
        for step in _walk(error.__traceback__):
            code = step.tb_frame.f_code
            found = text.position(code, step.tb_lasti)
            if found is not None:
                via = (at[0], *via) if at is not None else via
                at = found
                line = text.lines[found[0] - 1].strip() if found[0] <= len(text.lines) else ""
                name = code.co_name if code.co_name != "<module>" else ""
                frames.append((found[0], name, line[:200]))
            known.update(step.tb_frame.f_locals)
        names = dict.fromkeys(known)
    if len(frames) > FRAMES:
        frames = frames[:4] + frames[-8:]
    via = via[:FRAMES]
    op, tensors = recorder.refused(error)
    advice = FAULT if _is_our_fault(error) else _safe(lambda: hint(error, text.text, names))
    return ev.Fail(
        at=at, via=via, type=_type(error), message=_message(error)[:MESSAGE_LIMIT],
        hint=advice[:1_000], traceback=tuple(frames), op=op, tensors=tensors,
    )  # fmt: skip


def _walk(link: TracebackType | None) -> Iterator[TracebackType]:
    while link is not None:
        if link.tb_frame.f_code.co_filename == FILENAME:
            yield link
        link = link.tb_next


def _is_our_fault(error: BaseException) -> bool:
    """Raised inside the engine, and not by one of its own deliberate errors."""
    meant = (EngineError, MemoryError, RecursionError, SyntaxError)
    if isinstance(error, meant) or not isinstance(error, Exception):
        return False
    link, last = error.__traceback__, ""
    while link is not None:
        last = link.tb_frame.f_code.co_filename
        link = link.tb_next
    return last.startswith((HOME, "<compiled op", "<rule", "<forward of"))


def _type(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if isinstance(kind.__name__, str) else "Exception"


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return error.msg or "invalid syntax"
    if isinstance(error, SystemExit):
        return f"the program ended itself with code {error.code}"
    return _safe(lambda: str(error)) or _safe(lambda: "".join(traceback.format_exception_only(error)).strip())


def _safe(make: Callable[[], Any]) -> str:
    """A text that the program's own code may be asked for: an exception's __str__ can raise."""
    try:
        return str(make())
    except Exception:
        return ""


def _syntax_position(error: SyntaxError, text: Source) -> Position | None:
    line = error.lineno
    if not line:
        return None
    line = min(line, len(text.lines))
    width = len(text.lines[line - 1])
    column = max((error.offset or 1) - 1, 0)
    end_line = error.end_lineno if error.end_lineno and error.end_lineno >= line else line
    end = (error.end_offset - 1) if error.end_offset and error.end_offset > 0 else column + 1
    return (line, min(column, width), min(end_line, len(text.lines)), max(end, column + 1))
