"""The parent's hand on the zygote: starts it, gives orders, hears who died of what. Linux only.

    Zygote   one zygote process and its control socket; `lost` when it is gone, with all its children
    Child    one forked child: where to write its program, where to read its events, how it ended
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from typing import Any

import msgspec

from app.runs.limits import Limits
from app.runs.runner import RunnerLost
from app.sandbox import launch

START_SECONDS = 30.0
"""Within which a zygote must have said that it is ready; importing NumPy from a cold disk takes a while."""
LEAVING_SECONDS = 0.1
OBEY_SECONDS = 2.0
"""Within which the zygote answers when it is asked, which it is when a child that was killed is not dead by then."""
DYING_SECONDS = 60.0
"""What a child may take to die when the zygote is well: on a busy machine it waits for a processor to do it on."""
EVENT_PIPE = 256 * 1024
LAST_WARNING = signal.SIGUSR1  # guest.CLOCK; the guest is not imported here


@dataclass(frozen=True, slots=True)
class Exit:
    """status   exit code, or minus the signal; cpu: seconds"""

    status: int
    cpu: float


class Child:
    """One forked child, waiting for a program or running one. `close` when done with it, whatever happened."""

    def __init__(self, owner: Zygote, number: int, text: int, events: int, limits: Limits) -> None:
        self.owner, self.number, self.limits = owner, number, limits
        self.text, self.events = text, events
        self.pid = 0
        self.doubted = 0.0
        """When it should have been dead, by the loop's clock."""
        self.exit: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        """Its end; RunnerLost when the zygote died and nobody knows."""
        self.exit.add_done_callback(lambda future: future.cancelled() or future.exception())

    @property
    def alive(self) -> bool:
        return not self.exit.done() and not self.owner.lost.done()

    async def hand_over(self, job: bytes) -> None:
        """Writes the program and closes: the child reads to the end. RunnerLost when it is not there to read."""
        rest = memoryview(job)
        try:
            while rest:
                try:
                    rest = rest[os.write(self.text, rest) :]
                except BlockingIOError:
                    await asyncio.sleep(0.001)
        except BrokenPipeError as error:
            raise RunnerLost("the child was gone before it had its program") from error
        finally:
            self.close_text()

    def close_text(self) -> None:
        if self.text >= 0:
            os.close(self.text)
            self.text = -1

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def warn(self) -> None:
        """Asks the program to say where it is and stop."""
        self.send(LAST_WARNING)

    def send(self, number: int) -> None:
        if self.alive:
            self.owner.order({"op": "signal", "id": self.number, "signal": int(number)})

    def step_back(self) -> None:
        """A run that takes long makes room for those that do not."""
        if self.alive:
            self.owner.order({"op": "nice", "id": self.number, "nice": 19})

    def schedule(self) -> tuple[float, float]:
        """Seconds it had a processor, seconds it was ready to go on and had none; 0 where that cannot be learnt."""
        try:
            with open(f"/proc/{self.pid}/schedstat") as numbers:
                used, waited = numbers.read().split()[:2]
        except (OSError, ValueError):  # gone, or a kernel that does not count
            return 0.0, 0.0
        return int(used) / 1e9, int(waited) / 1e9

    def close(self, *, leaving: bool = False) -> None:
        """`leaving`: it said that it is done and goes by itself, if it is honest."""
        if self.alive:
            loop = asyncio.get_running_loop()
            if leaving:
                loop.call_later(LEAVING_SECONDS, self.kill)
            else:
                self.kill()
            loop.call_later(OBEY_SECONDS, self.check_gone)
        self.close_text()
        if self.events >= 0:
            os.close(self.events)
            self.events = -1

    def check_gone(self) -> None:
        """Called some time after the kill, and again: a zygote that does not obey is given up."""
        if not self.alive:
            return
        loop = asyncio.get_running_loop()
        self.doubted = self.doubted or loop.time()
        if loop.time() - self.doubted > DYING_SECONDS:
            self.owner.lose()
            return
        self.owner.ask()
        loop.call_later(2 * OBEY_SECONDS, self.check_gone)


class Zygote:
    """One zygote process. Not restarted here: a lost one stays lost, its owner makes another."""

    def __init__(self) -> None:
        self.report: dict[str, Any] = {}
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.children: dict[int, Child] = {}
        self._count = 0
        self._orphans: list[int] = []
        self._ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked: asyncio.TimerHandle | None = None
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def start(self, launched: launch.Launched | None = None) -> None:
        """Returns when it is ready to fork; `launched` is one that is on its way. RunnerLost when it did not come up."""
        try:
            launched = launched or launch.launch()
        except OSError as error:
            raise RunnerLost(f"the sandbox process could not be started: {error}") from error
        self._process, self._control = launched.process, launched.control
        asyncio.get_running_loop().add_reader(self._control, self._hear)
        try:
            self.report = await asyncio.wait_for(self._ready, START_SECONDS)
        except BaseException as error:
            await self.close()
            if isinstance(error, TimeoutError):
                raise RunnerLost("the sandbox process did not get ready in time") from error
            raise

    def spawn(self, limits: Limits) -> Child:
        """Orders a child; it is there when it writes its first line. RunnerLost when there is no zygote."""
        if self.lost.done() or self._control is None:
            raise RunnerLost("the sandbox process is gone")
        text_read, text_write = os.pipe()
        events_read, events_write = os.pipe()
        self._count += 1
        child = Child(self, self._count, text_write, events_read, limits)
        try:
            os.set_blocking(text_write, False)
            os.set_blocking(events_read, False)
            widen(events_read)
            self.children[child.number] = child
            self.order(
                {"op": "spawn", "id": child.number, "memory": limits.memory, "cpu": limits.cpu},
                text_read,
                events_write,
            )
        finally:
            os.close(text_read)
            os.close(events_write)
        if self.lost.done():
            child.close()
            raise RunnerLost("the sandbox process is gone")
        return child

    def order(self, message: dict[str, Any], *descriptors: int) -> None:
        """To the zygote. One that does not take orders is as good as dead."""
        if self._control is None:
            return
        ancillary = (
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        )
        try:
            self._control.sendmsg([msgspec.json.encode(message)], ancillary)
        except OSError:  # gone, or its queue is full: it has not read for hundreds of orders
            self.lose()

    def ask(self) -> None:
        """Whether it still listens; one that does not is lost."""
        if self._asked is None:
            self.order({"op": "ping"})
            self._asked = asyncio.get_running_loop().call_later(OBEY_SECONDS, self.lose)

    def _hear(self) -> None:
        if self._control is None:
            return
        try:
            data = self._control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lose()
            return
        message = msgspec.json.decode(data)
        if "ready" in message:
            if not self._ready.done():
                self._ready.set_result(message["ready"])
            return
        if "pong" in message:
            if self._asked is not None:
                self._asked.cancel()
                self._asked = None
            return
        child = self.children.get(message["id"])
        if child is None:
            return
        if "pid" in message:
            child.pid = message["pid"]
            return
        del self.children[child.number]
        if not child.exit.done():
            child.exit.set_result(Exit(message["status"], message["cpu"]))

    def lose(self) -> None:
        """It is dead, or does not do what it is told and is killed; the kernel kills its children with it."""
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        gone = RunnerLost("the sandbox process died")
        if not self._ready.done():
            self._ready.set_exception(gone)
        for child in self.children.values():
            if not child.exit.done():
                child.exit.set_exception(gone)
        self._orphans = [child.pid for child in self.children.values() if child.pid]
        self.children.clear()
        if not self.lost.done():
            self.lost.set_result(None)

    async def close(self) -> None:
        """Gone, with all its children, when this returns."""
        self.lose()
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
        for _ in range(50):  # as process 1 of a container we inherit its children; elsewhere init does
            self._orphans = [pid for pid in self._orphans if not reaped(pid)]
            if not self._orphans:
                break
            await asyncio.sleep(0.01)


def reaped(pid: int) -> bool:
    """Whether this is no child of ours (any more)."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def widen(pipe: int) -> None:
    """A longer pipe means fewer changes of process; not getting one costs speed only."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, EVENT_PIPE)
