"""Inside the box: takes one program from descriptor 0, runs it, writes its events to descriptor 3.

The only code of app/ that imports the engine, and it imports nothing of app/ but its neighbours in the box.
What happens here is trusted only until the program's first line runs; the parent believes none of it.
"""

from __future__ import annotations

import datetime
import decimal
import importlib
import mmap
import os
import re
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import msgspec

from app.sandbox import manners
from app.sandbox.lockdown import FAILED, READ_FD, WRITE_FD
from engine.trace import events as ev
from engine.trace.run import run as record
from engine.trace.run import settle
from engine.trace.source import FILENAME

PROGRAM_MODULE = "__main__"
CLOCK, PROCESSOR = getattr(signal, "SIGUSR1", None), getattr(signal, "SIGXCPU", None)
"""The parent's last warning before it kills, and the kernel's. Windows has neither."""


class Job(msgspec.Struct, frozen=True):
    """What the parent writes to descriptor 0."""

    source: str
    seed: int
    detail: tuple[int, ...]
    limits: dict[str, int | float]
    probe: str = ""


_decode_job = msgspec.json.Decoder(Job).decode


class TimeLimit(BaseException):
    """Raised at the line the program was at. Not an Exception: `except Exception` must not swallow it."""

    hint: str = ""


# --------------------------------------------------------------------------------------- before the fork


def preload() -> list[str]:
    """Imports whatever a program may import and fires what is imported late. Returns what was not to be had."""
    missing = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in [*manners.PRELOAD, *manners.INNER]:
            try:
                importlib.import_module(name)
            except ImportError:
                missing.append(name)
        warm_up()
    record(WARM, emit=lambda lines: None)
    manners.divert_chance()
    manners.skip_sleep(lambda text: OUTLET.emit(ev.Note(text=text, topic="machine")))
    manners.explain_input()
    manners.close_imports(PROGRAM_MODULE)
    warn_by_signal()
    settle()
    return missing


def warm_up() -> None:
    """Walks paths that import lazily inside functions, so that no child has to."""
    import numpy as np

    for name in dir(np):
        getattr(np, name, None)
    repr(np.arange(3.0))
    np.array2string(np.eye(2))
    np.linalg.inv(np.eye(2))
    np.fft.fft(np.ones(2))
    np.einsum("ij->i", np.eye(2))
    np.polyfit([1, 2, 3], [1, 2, 3], 1)
    np.percentile([1.0, 2.0], 5)
    np.random.default_rng(0).normal(size=2)
    np.ones((64, 64), "f") @ np.ones((64, 64), "f")
    datetime.datetime.strptime("2024-01-02", "%Y-%m-%d")
    time.strftime("%Y")
    format(decimal.Decimal(1) / 3, ",.2f")
    re.compile("a(b)*?")
    for codec in ("latin-1", "utf-16", "idna", "cp1252"):
        "x".encode(codec)
    try:
        raise ValueError("warm")
    except ValueError:
        traceback.format_exc()
    compile("class A:\n    def f(self, x=1): return [i for i in range(x)]\n", FILENAME, "exec")


WARM = """
import torch
torch.manual_seed(0)
w = torch.randn(3, 1, requires_grad=True)
for step in range(2):
    loss = ((torch.ones(2, 3) @ w - 1) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
    print(step, loss.item(), w)
raise ValueError("warm")
"""
"""A program of ours that walks the common paths of engine and recorder before the fork."""


# ---------------------------------------------------------------------------------------- after the fork


class Outlet:
    """Lines out, each whole: a warning that arrives in the middle of one waits until it is written."""

    def __init__(self) -> None:
        self.fd = WRITE_FD
        self.busy = self.used = False
        self.late: Callable[[], None] | None = None

    def emit(self, line: bytes | ev.Event) -> None:
        if isinstance(line, ev.Event):
            line = msgspec.json.encode(line)
        self.busy = self.used = True
        try:
            rest = memoryview(line if line.endswith(b"\n") else line + b"\n")
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        finally:
            self.busy = False
            late, self.late = self.late, None
        if late:
            late()


OUTLET = Outlet()

BALLAST = 4 << 20
"""Bytes reserved, never touched, and given back when memory ran out, so that there is some to say so with."""


def read_job() -> Job:
    parts = []
    while part := os.read(READ_FD, 65536):
        parts.append(part)
    return _decode_job(b"".join(parts))


def find_program(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that runs the program's own text."""
    while frame is not None and frame.f_code.co_filename != FILENAME:
        frame = frame.f_back
    return frame


def raise_in_program(error: BaseException, interrupted: FrameType | None) -> None:
    """At once if the program itself was interrupted, else as soon as control is back in its text."""
    frame = find_program(interrupted)
    if frame is None:
        return  # its text is not running: starting up or winding down
    if frame is interrupted:
        raise error

    def trace(_frame: FrameType, _event: str, _argument: Any) -> NoReturn:
        sys.settrace(None)
        raise error

    frame.f_trace_opcodes = True
    frame.f_trace = trace
    sys.settrace(lambda *_: None)


LIMITS: dict[str, int | float] = {}
"""Of the program that runs."""


def warn_by_signal() -> None:
    """Turns the two warnings into an exception with a line. Who ignores it is killed a moment later. Set once, before
    the fork; nobody warns the parent."""

    def handle(number: int, frame: FrameType | None) -> None:
        which, what = ("wall", "seconds") if number == CLOCK else ("cpu", "seconds of processor time")
        error = TimeLimit(f"the program ran longer than {LIMITS.get(which, 0):g} {what}")
        error.hint = "does this loop end? Fewer steps or a smaller data set also help"
        if OUTLET.busy:
            OUTLET.late = lambda: raise_in_program(error, sys._getframe())
        else:
            raise_in_program(error, frame)

    for number in (CLOCK, PROCESSOR):
        if number is not None:
            signal.signal(number, handle)


def run() -> NoReturn:
    """Called once by a child whose box is closed. Leaves the process."""
    try:
        job = read_job()
        ballast = mmap.mmap(-1, BALLAST)
        manners.fix_chance(job.seed)
        LIMITS.update(job.limits)
        try:
            record(job.source, seed=job.seed, detail=job.detail, limits=job.limits, probe=job.probe, emit=OUTLET.emit)
        except BaseException as error:  # the recorder could not: say at least what and where
            ballast.close()
            if not OUTLET.used:
                os._exit(FAILED)
            OUTLET.emit(describe(error))
        OUTLET.emit(ev.End(status="ok"))  # "I am done": the parent writes the real one
    finally:
        os._exit(0)


def run_unboxed() -> NoReturn:
    """For app/sandbox/single_user.py: a process of its own, the user's privileges, events to standard output."""
    preload()
    OUTLET.fd = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    run()


def describe(error: BaseException) -> ev.Fail:
    """Of an exception that escaped the recorder."""
    at = None
    walk = error.__traceback__
    while walk is not None:
        if walk.tb_frame.f_code.co_filename == FILENAME:
            at = (walk.tb_lineno, 0, walk.tb_lineno, 0)
        walk = walk.tb_next
    try:
        message, hint = str(error)[:2000], str(getattr(error, "hint", None) or "")[:2000]
    except BaseException:
        message, hint = "", ""
    return ev.Fail(type=type(error).__name__, message=message, hint=hint, at=at)
