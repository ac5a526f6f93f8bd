"""The canary: a program that tries to get out, run before any other. What it manages is said, and nothing else runs.

It catches what the children's own self-test cannot see: a seccomp that is there but not enforced (user-mode
emulation), a limit that does not hold, a channel that takes more than events.
"""

from __future__ import annotations

import json
from contextlib import aclosing

from app.runs.limits import MIB, Limits
from app.runs.program import Program
from app.sandbox.execution import Execution
from app.sandbox.supervisor import Zygote

LIMITS = Limits(wall=5.0, cpu=5, memory=256 * MIB)

TRIES = r"""
import os, sys, threading, time
posix = sys.modules["posix"]
def read_a_file(): open("/proc/self/environ", "rb").read()
def read_the_interpreter(): open(os.__file__).read()
def write_a_file(): open("/tmp/backstep-canary", "w")
def list_a_folder(): os.listdir("/")
def start_a_process():
    if os.fork() == 0: os._exit(0)
def start_a_program(): os.execv("/bin/true", ["true"])
def start_a_thread(): threading.Thread(target=int).start()
def signal_a_process(): os.kill(os.getpid(), 0)
def make_a_pipe(): os.pipe()
def write_elsewhere(): os.write(1, b"")
def take_memory(): bytearray(1 << 30)
def see_the_environment():
    if not os.environ: raise OSError
done = []
for attempt in (read_a_file, read_the_interpreter, write_a_file, list_a_folder, start_a_process, start_a_program,
                start_a_thread, signal_a_process, make_a_pipe, write_elsewhere, take_memory, see_the_environment):
    try: attempt()
    except (OSError, RuntimeError, MemoryError): continue
    done.append(attempt.__name__.replace("_", " "))
try:
    import _socket
except ImportError: pass
else:
    try: _socket.socket()
    except OSError: pass
    else: done.append("open a socket")
print("canary:", "; ".join(done))
"""


async def try_box(zygote: Zygote) -> str:
    """What the canary could do that it must not, or that it did not live to tell. Empty: the box holds."""
    execution = Execution(zygote.spawn(LIMITS), Program(TRIES, limits=LIMITS))
    lines: list[bytes] = []
    async with aclosing(execution.chunks()) as chunks:
        async for chunk in chunks:
            lines += chunk.splitlines()
    events = [json.loads(line) for line in lines]
    text = "".join(event["text"] for event in events if event["kind"] == "print")
    if not text.startswith("canary:"):
        return f"the canary did not come back: {events[-1].get('message', '')}"
    return text.removeprefix("canary:").strip()
