"""Starts the zygote's process. Imports next to nothing, so that `backstep serve` can start it before anything else:
it imports what programs need while the server imports what it needs itself.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
BOOT = f"import gc, sys; gc.disable(); sys.path.insert(0, {ROOT!r}); from app.sandbox.zygote import main; main()"
"""Not `-m`: the module called __main__ is the learner's."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that is getting ready, and our end of its control socket."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    def end(self) -> None:
        """When it is not wanted after all."""
        self.control.close()
        self.process.kill()
        self.process.wait()


def launch() -> Launched:
    """Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-B", "-c", BOOT, str(theirs.fileno())],
            env=clean_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,  # Ctrl-C in the terminal is the server's business
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Launched(process, ours)


def clean_environment() -> dict[str, str]:
    """What the zygote sees of the world: nothing of ours but where its packages lie. One hash seed for all."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONHOME") if name in os.environ}
    return {
        **kept,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
