"""What a program meets inside the box where the world used to be: imports by name, clocks, input(), chance.

Politeness, not protection: the kernel denies these things anyway, here they get a sentence. Each function
replaces something in the standard library of this process for good.
"""

from __future__ import annotations

import builtins
import importlib.abc
import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn, SupportsIndex

_PROGRAMS = """
__future__ abc argparse array ast base64 bisect builtins calendar cmath codecs collections collections.abc colorsys
contextlib copy copyreg csv dataclasses datetime decimal difflib dis enum fractions functools gc graphlib hashlib heapq
html inspect io itertools json keyword linecache locale logging math numbers operator os os.path pathlib pickle pprint
queue random re reprlib secrets statistics string stringprep struct sys textwrap threading time timeit token tokenize
traceback types typing unicodedata uuid warnings weakref zlib
numpy numpy.linalg numpy.fft numpy.random numpy.polynomial numpy.ma numpy.matlib numpy.lib.stride_tricks numpy.testing
numpy.typing numpy.rec numpy.char numpy.strings numpy.exceptions numpy.dtypes numpy.lib.format numpy.lib.scimath
numpy.lib.recfunctions
"""
PRELOAD = _PROGRAMS.split()
"""What programs may import besides the engine. Imported before the fork: afterwards no file can be opened."""

_LATE = """
_decimal _strptime _pylong opcode encodings.ascii encodings.latin_1 encodings.utf_8 encodings.utf_8_sig encodings.utf_16
encodings.utf_16_le encodings.utf_16_be encodings.utf_32 encodings.cp1252 encodings.cp437 encodings.charmap
encodings.idna encodings.punycode encodings.unicode_escape encodings.raw_unicode_escape encodings.hex_codec
encodings.base64_codec encodings.rot_13
"""
INNER = _LATE.split()
"""What those import later, inside functions."""

ALLOWED = {name.partition(".")[0] for name in PRELOAD} | {"torch", "engine", "__main__"}

NO_FILES = "programs here have no files; put the data into the program, as lists or torch.tensor(…)"
NO_NETWORK = "programs here have no network; put the data into the program"
NO_PROCESSES = "programs here are one process with one thread, so that every run is the same"
NO_LIBRARY = "only torch (Backstep's own), numpy and the harmless part of the standard library are here"
IMPORT_HINTS: dict[str, str] = {
    "matplotlib": "leave the plotting lines out: Backstep draws the loss curve and every parameter by itself",
    "torchvision": "there are no downloads here; make a small data set with torch.randn or write it as a list",
    "torchaudio": "there are no downloads here; make a small data set with torch.randn or write it as a list",
    "pandas": "write the columns as lists or NumPy arrays",
    "scipy": "much of it is in numpy: numpy.linalg, numpy.fft, numpy.random",
    "sklearn": "make the data with numpy or torch.randn; the models are torch.nn here",
    "tqdm": "loop over the range itself: for epoch in range(100)",
    "tensorflow": "Backstep runs PyTorch programs: import torch",
    "jax": "Backstep runs PyTorch programs: import torch",
    **dict.fromkeys(("seaborn", "plotly", "pylab", "PIL", "cv2"), "leave the drawing out: Backstep draws by itself"),
    **dict.fromkeys(("tempfile", "shutil", "glob", "fileinput", "sqlite3", "mmap", "zipfile", "tarfile"), NO_FILES),
    **dict.fromkeys(("socket", "requests", "urllib", "http", "ssl", "ftplib", "smtplib", "asyncio"), NO_NETWORK),
    **dict.fromkeys(("subprocess", "multiprocessing", "concurrent", "signal", "ctypes", "pty"), NO_PROCESSES),
}
INPUT_HINT = "nobody can answer input() here; write the value into the program: x = 3.0"


def refuse(name: str) -> NoReturn:
    """As Python words it, with a hint beside it (`.hint`, the engine's convention)."""
    error = ModuleNotFoundError(f"No module named {name!r}", name=name)
    error.hint = IMPORT_HINTS.get(name.partition(".")[0], NO_LIBRARY)  # type: ignore[attr-defined]
    raise error from None


class Closed(importlib.abc.MetaPathFinder):
    """The only finder left: what is not loaded is not here."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if "." in name and name.partition(".")[0] in ALLOWED:
            return  # Python's own words: No module named 'numpy.nope'
        refuse(name)


def close_imports(program: str) -> None:
    """The program (the module of that name) gets what is allowed; libraries keep what they have loaded."""
    original = builtins.__import__

    def import_politely(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if globals is not None and globals.get("__name__") == program and level == 0:
            root = name.partition(".")[0]
            if root not in ALLOWED and not (root.startswith("_") and root in sys.modules):
                refuse(root)
        return original(name, globals, locals, fromlist or (), level)

    builtins.__import__ = import_politely
    sys.meta_path[:] = [Closed()]
    sys.path[:] = []
    sys.path_importer_cache.clear()


def skip_sleep(remark: Callable[[str], None]) -> None:
    """`time.sleep` returns at once and the program's clocks move on by what it asked for."""
    skipped = 0.0

    def sleep(seconds: float | SupportsIndex, /) -> None:
        nonlocal skipped
        amount = float(seconds)
        if amount != amount:
            raise ValueError("Invalid value NaN (not a number)")
        if amount < 0:
            raise ValueError("sleep length must be non-negative")
        if not skipped:
            remark("time.sleep() returns at once here; the clocks the program reads move on as if it had slept.")
        skipped += min(amount, 1e9) or 1e-9

    def later(clock: Callable[[], float]) -> Callable[[], float]:
        def read() -> float:
            return clock() + skipped

        read.__name__ = clock.__name__
        return read

    def later_ns(clock: Callable[[], int]) -> Callable[[], int]:
        def read() -> int:
            return clock() + int(skipped * 1e9)

        read.__name__ = clock.__name__
        return read

    time.sleep = sleep
    time.time, time.monotonic, time.perf_counter = map(later, (time.time, time.monotonic, time.perf_counter))
    time.time_ns, time.monotonic_ns = later_ns(time.time_ns), later_ns(time.monotonic_ns)
    time.perf_counter_ns = later_ns(time.perf_counter_ns)


def explain_input() -> None:
    def input(prompt: object = "", /) -> str:
        sys.stdout.write(str(prompt))
        error = EOFError("EOF when reading a line")
        error.hint = INPUT_HINT  # type: ignore[attr-defined]
        raise error

    builtins.input = input


_STREAM = random.Random(0)
_seed = random.Random.seed


def divert_chance() -> None:
    """Randomness that would come from the system comes from a stream of our own."""

    def urandom(size: SupportsIndex, /) -> bytes:
        return _STREAM.randbytes(int(size))

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        _seed(self, _STREAM.getrandbits(128) if a is None and self is not _STREAM else a, version)

    os.urandom = urandom
    random._urandom = urandom  # type: ignore[attr-defined]
    random.Random.seed = seed  # type: ignore[method-assign]


def fix_chance(seed: int) -> None:
    """What would ask the system becomes a function of the seed; the generators proper the recorder seeds."""
    _seed(_STREAM, seed ^ 0x9E3779B97F4A7C15)
