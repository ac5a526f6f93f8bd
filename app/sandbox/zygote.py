"""The zygote: one process that has imported everything and forks a child for every run. Started by exec.

It holds no secret, no program's text and no socket but its control one; its environment is the few variables
the supervisor gave it. It obeys orders on the control socket (SOCK_SEQPACKET, one JSON object a message):

    {"op": "spawn", "id": n, "memory": bytes, "cpu": seconds} with two descriptors: text to read, events to write
    {"op": "signal", "id": n, "signal": number}    {"op": "nice", "id": n, "nice": 19}    {"op": "ping"}

and reports {"ready": …} once, {"pong": true}, {"id": n, "pid": p} and {"id": n, "status": s, "cpu": seconds}.
When the socket closes, so do all children.
"""

from __future__ import annotations

import array
import gc
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

import msgspec

from app.sandbox import guest, lockdown

NICE = 5
"""Of a child: the server and this process go first. A run that takes long gets 19 and a twentieth of this weight."""


def count_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def find_shared_mappings() -> list[str]:
    """Memory that children could write and all would see. There must be none."""
    with open("/proc/self/maps") as maps:
        return [line for line in maps if (flags := line.split()[1])[1] == "w" and flags[3] == "s"]


def prepare() -> tuple[dict[str, Any], lockdown.Filter, int]:
    """Imports everything, then gives up what can be given up. Returns the report, the filter, our address space."""
    missing = guest.preload()
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        oom = "1000"
    except OSError as error:
        oom = f"not set: {error.strerror}"
    threads, shared, base = count_threads(), find_shared_mappings(), lockdown.address_space()
    if threads != 1:
        raise RuntimeError(f"{threads} threads after the imports; a fork would copy one of them")
    if shared:
        raise RuntimeError(f"memory shared between children: {shared[0].strip()}")
    user = lockdown.drop_privileges()
    lockdown.forbid_new_privileges()
    lockdown.forbid_dumps()
    landlock = lockdown.forbid_files()
    os.environ.clear()
    gc.collect()
    gc.enable()  # off since the start: importing makes little garbage
    gc.freeze()  # children then share these pages for good
    report = {
        "user": user,
        "landlock": landlock,
        "oom_score_adj": oom,
        "threads": threads,
        "missing": missing,
        "address_space": base,
    }
    return report, lockdown.prepare_filter(), base


class Zygote:
    """Orders in, forks, reports out. `children` maps ids to pids that are not reaped yet."""

    def __init__(self, control: socket.socket, filter: lockdown.Filter, base: int) -> None:
        self.control, self.filter, self.base = control, filter, base
        self.children: dict[int, int] = {}
        self.ids: dict[int, int] = {}
        self.pid = os.getpid()
        self.wake_read, self.wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def report(self, **fields: Any) -> None:
        try:
            self.control.send(msgspec.json.encode(fields))
        except OSError:
            self.leave()

    def leave(self) -> NoReturn:
        for pid in self.children.values():
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    def serve(self) -> NoReturn:
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.wake_read, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self.wake_read:
                    os.read(self.wake_read, 4096)
                    self.reap()
                else:
                    self.obey()

    def reap(self) -> None:
        while self.children:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self.ids.pop(pid)
            del self.children[child]
            self.report(
                id=child,
                status=os.waitstatus_to_exitcode(status),
                cpu=round(used.ru_utime + used.ru_stime, 6),
            )

    def obey(self) -> None:
        message, ancillary, _, _ = self.control.recvmsg(65536, socket.CMSG_SPACE(8))
        if not message:
            self.leave()
        order = msgspec.json.decode(message)
        if order["op"] == "spawn":
            descriptors = array.array("i")
            for _level, _kind, data in ancillary:
                descriptors.frombytes(data[:8])
            self.spawn(order, *descriptors)
            return
        if order["op"] == "ping":
            self.report(pong=True)
            return
        pid = self.children.get(order["id"])  # not reaped, so the number is still this child's
        if pid is None:
            return
        if order["op"] == "signal":
            os.kill(pid, order["signal"])
        elif order["op"] == "nice":
            os.setpriority(os.PRIO_PROCESS, pid, order["nice"])

    def spawn(self, order: dict[str, Any], text: int, events: int) -> None:
        try:
            pid = lockdown.fork()
        except OSError as error:
            self.report(id=order["id"], status=lockdown.FAILED, cpu=0.0, error=str(error))
        else:
            if pid == 0:
                self.become_child(order, text, events)
            self.children[order["id"]], self.ids[pid] = pid, order["id"]
            self.report(id=order["id"], pid=pid)
        finally:
            os.close(text)
            os.close(events)

    def become_child(self, order: dict[str, Any], text: int, events: int) -> NoReturn:
        """Never returns. Nothing of the program is read before the box is closed and has been tried."""
        try:
            lockdown.die_with_parent()
            if os.getppid() != self.pid:
                os._exit(lockdown.ORPHAN)
            signal.set_wakeup_fd(-1)
            text, events = os.dup(text), os.dup(events)  # out of the way of the numbers they go to
            os.dup2(text, lockdown.READ_FD)
            os.dup2(events, lockdown.WRITE_FD)
            os.dup2(1, 2)  # nowhere
            os.closerange(lockdown.WRITE_FD + 1, 65536)
            os.nice(NICE)
            lockdown.limit_resources(address_space=self.base + order["memory"], cpu=order["cpu"])
            lockdown.forbid_new_privileges()
            lockdown.forbid_dumps()
            lockdown.install(self.filter)
            if lockdown.leaks():
                os._exit(lockdown.LEAK)
        except BaseException:
            os._exit(lockdown.FAILED)
        guest.run()


def main() -> NoReturn:
    control = socket.socket(fileno=int(sys.argv[1]))
    report, filter, base = prepare()
    zygote = Zygote(control, filter, base)
    zygote.report(ready=report)
    zygote.serve()
