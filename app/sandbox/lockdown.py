"""Confinement by the kernel: rlimits, no_new_privs, seccomp, Landlock, dropped privileges. ctypes and nothing else.

Facts and system calls only; when to do what is the zygote's business. Everything here either holds or raises:
a box that is half closed is not used. Linux on x86-64 and aarch64.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

if sys.platform != "win32":
    import resource

READ_FD, WRITE_FD = 0, 3
"""The only descriptors a program may read and write: its own text, and its events."""

NOBODY = 65534

FAILED, LEAK, ORPHAN = 96, 97, 98
"""Exit codes of a child that never came to run its program: the box did not close, leaks, or has lost its zygote."""

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
KILL_PROCESS, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
PROT_EXEC, MAP_ANONYMOUS = 4, 0x20
MADVICE = (4, 8, 14, 15)  # DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE
FUTEX = (0, 1, 9, 10)  # WAIT, WAKE, WAIT_BITSET, WAKE_BITSET
FUTEX_FLAGS = 128 | 256  # PRIVATE, CLOCK_REALTIME

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""machine -> (column of CALLS, what seccomp calls it)"""

CALLS: dict[str, tuple[int | None, int | None]] = {
    "write": (1, 64), "read": (0, 63), "mmap": (9, 222), "mprotect": (10, 226), "madvise": (28, 233),
    "futex": (202, 98), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "getrusage": (98, 165), "times": (100, 153),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128), "getrandom": (318, 278), "sched_yield": (24, 124),
    "getpid": (39, 172), "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
"""Every call a program may make: its number on x86-64 and on aarch64. The first six are allowed in part."""

FORBIDDEN: dict[str, tuple[int, int]] = {
    "openat": (257, 56), "socket": (41, 198), "kill": (62, 129), "execve": (59, 221), "clone": (56, 220),
    "prctl": (157, 167),
}  # fmt: skip
"""What the self-test tries inside the box; each must answer EPERM."""


def unsupported() -> str:
    """Why this machine cannot have the box, or nothing."""
    if sys.platform != "linux":
        return f"the sandbox needs Linux; this is {platform.system() or sys.platform}"
    if platform.machine() not in ARCHITECTURES:
        return f"the sandbox knows x86-64 and aarch64; this is {platform.machine()}"
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        return "the sandbox needs a 64-bit Python"
    return ""


# ------------------------------------------------------------------------------------ the filter, as BPF


class Assembler:
    """Classic BPF over `struct seccomp_data`: {int nr; u32 arch; u64 ip; u64 args[6]}, little endian."""

    def __init__(self) -> None:
        self.code: list[tuple[int, int, int, int]] = []

    def emit(self, code: int, yes: int, no: int, value: int) -> None:
        self.code.append((code, yes, no, value & 0xFFFFFFFF))

    def load(self, offset: int) -> None:
        self.emit(0x20, 0, 0, offset)

    def load_argument(self, index: int) -> None:
        self.load(16 + 8 * index)  # the low half; the kernel itself looks at no more of the ones we test

    def mask(self, value: int) -> None:
        self.emit(0x54, 0, 0, value)

    def jump_equal(self, value: int, yes: int, no: int) -> None:
        self.emit(0x15, yes, no, value)

    def jump_at_least(self, value: int, yes: int, no: int) -> None:
        self.emit(0x35, yes, no, value)

    def jump_any_bit(self, value: int, yes: int, no: int) -> None:
        self.emit(0x45, yes, no, value)

    def answer(self, value: int) -> None:
        self.emit(0x06, 0, 0, value)

    def deny(self) -> None:
        self.answer(ERRNO | errno.EPERM)

    def call(self, number: int, body: Callable[[], None]) -> None:
        """`body` decides about this system call; every path through it answers."""
        mark = len(self.code)
        self.emit(0, 0, 0, 0)
        body()
        self.code[mark] = (0x15, 0, len(self.code) - mark - 1, number)

    def argument_in(self, index: int, values: Iterable[int], *, ignoring: int = 0) -> None:
        self.load_argument(index)
        if ignoring:
            self.mask(~ignoring)
        for value in values:
            self.jump_equal(value, 0, 1)
            self.answer(ALLOW)
        self.deny()

    def bytes(self) -> bytes:
        return b"".join(struct.pack("HBBI", *row) for row in self.code)


def build_filter(machine: str) -> Assembler:
    """The allowlist: what is not in it answers EPERM, so that Python raises instead of dying."""
    column, architecture = ARCHITECTURES[machine]
    a = Assembler()

    def memory(*, anonymous: bool) -> None:
        a.load_argument(2)
        a.jump_any_bit(PROT_EXEC, 0, 1)
        a.deny()
        if anonymous:
            a.load_argument(3)
            a.jump_any_bit(MAP_ANONYMOUS, 1, 0)
            a.deny()
        a.answer(ALLOW)

    partly: dict[str, Callable[[], None]] = {
        "write": lambda: a.argument_in(0, (WRITE_FD,)),
        "read": lambda: a.argument_in(0, (READ_FD,)),
        "mmap": lambda: memory(anonymous=True),
        "mprotect": lambda: memory(anonymous=False),
        "madvise": lambda: a.argument_in(2, MADVICE),
        "futex": lambda: a.argument_in(1, FUTEX, ignoring=FUTEX_FLAGS),
    }
    a.load(4)
    a.jump_equal(architecture, 1, 0)
    a.answer(KILL_PROCESS)  # another ABI's numbers mean other calls (int 0x80)
    a.load(0)
    if machine == "x86_64":
        a.jump_at_least(0x40000000, 0, 1)
        a.answer(KILL_PROCESS)  # x32
    for name, numbers in CALLS.items():
        number = numbers[column]
        if number is not None:
            a.call(number, partly.get(name, lambda: a.answer(ALLOW)))
    a.deny()
    return a


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


@dataclass(frozen=True)
class Filter:
    """A filter ready to install: built once by the zygote, used by every child."""

    program: _Program
    code: ctypes.Array[ctypes.c_char]


def prepare_filter() -> Filter:
    _tries()
    code = build_filter(platform.machine()).bytes()
    buffer = ctypes.create_string_buffer(code, len(code))
    return Filter(_Program(len(code) // 8, ctypes.addressof(buffer)), buffer)


# ----------------------------------------------------------------------------------------- system calls


def _libc() -> ctypes.CDLL:
    global _LIBC
    if _LIBC is None:
        _LIBC = ctypes.CDLL(None, use_errno=True)
        _LIBC.syscall.restype = ctypes.c_long
    return _LIBC


_LIBC: ctypes.CDLL | None = None
_FORK: Callable[[], int] | None = None


def _prctl(what: str, *arguments: object) -> None:
    if _libc().prctl(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"prctl: {what}")


def fork() -> int:
    """os.fork without what Python runs in the child: it repairs locks of threads, and there are none, and has every
    generator of chance ask the system for a seed, which is fixed per run instead. That is a millisecond of a child's
    four. The interpreter's lock stays held, as a PyDLL does."""
    global _FORK
    if _FORK is None:
        _FORK = ctypes.PyDLL(None, use_errno=True).fork
    pid: int = _FORK()
    if pid < 0:
        raise OSError(ctypes.get_errno(), "fork")
    return pid


def die_with_parent() -> None:
    _prctl("pdeathsig", PR_SET_PDEATHSIG, 9, 0, 0, 0)


def forbid_dumps() -> None:
    """No core files, and no other process of the same user may trace or read this one."""
    _prctl("dumpable", PR_SET_DUMPABLE, 0, 0, 0, 0)


def forbid_new_privileges() -> None:
    _prctl("no_new_privs", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def install(filter: Filter) -> None:
    _prctl("seccomp", PR_SET_SECCOMP, 2, ctypes.byref(filter.program), 0, 0)


def landlock_version() -> int:
    """0 where the kernel has none (gVisor, old kernels, switched off)."""
    found: int = _libc().syscall(444, None, 0, 1)
    return max(found, 0)


def forbid_files() -> int:
    """Landlock, denying everything it can handle from here on. Returns its version, 0 where there is none."""
    version = landlock_version()
    if not version:
        return 0
    rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)  # bits of file system rights it knows
    attributes = struct.pack("=Q", (1 << rights) - 1)
    if version >= 4:
        attributes += struct.pack("=Q", 3)  # TCP bind, connect
    if version >= 6:
        attributes += struct.pack("=Q", 3)  # signals to and abstract sockets of processes outside
    rules = _libc().syscall(444, attributes, len(attributes), 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    try:
        if _libc().syscall(446, rules, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    finally:
        os.close(rules)
    return version


def capabilities() -> int:
    """The effective ones, as a bit set."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def drop_privileges() -> str:
    """From root to nobody. Says who we are afterwards; raises when we stay root and can do what root can."""
    if os.geteuid() != 0 and os.getuid() != 0:
        return f"uid {os.getuid()}"
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:
        if capabilities():
            raise
        return "root without any capability"
    return f"nobody (uid {NOBODY})"


def address_space() -> int:
    """Bytes of address space this process has mapped."""
    with open("/proc/self/statm") as sizes:
        return int(sizes.read().split()[0]) * resource.getpagesize()


NOTHING_OF = [
    getattr(resource, f"RLIMIT_{name}") for name in ("CORE", "FSIZE", "NPROC", "MEMLOCK", "MSGQUEUE", "SIGPENDING")
] if sys.platform == "linux" else []  # fmt: skip


def limit_resources(*, address_space: int, cpu: int) -> None:
    """The soft processor limit sends SIGXCPU, so that the program can say where it was; a second later it is dead."""
    for what in NOTHING_OF:
        resource.setrlimit(what, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def leaks() -> list[str]:
    """Tries from inside what must not work. Whatever is named here does work, and the box is not used."""
    found = []
    syscall, get_errno = _libc().syscall, ctypes.get_errno
    for name, number, arguments in _tries():
        answer = syscall(number, *arguments)
        if name == "clone" and answer == 0:  # the box is open and this is a second process
            os._exit(0)
        if answer != -1 or get_errno() != errno.EPERM:
            found.append(name)
    return found


@cache
def _tries() -> list[tuple[str, int, tuple[object, ...]]]:
    """(name, number on this machine, arguments)"""
    column = ARCHITECTURES[platform.machine()][0]
    arguments: dict[str, tuple[object, ...]] = {
        "openat": (-100, b"/proc/self/environ", 0),
        "socket": (1, 1, 0),
        "kill": (0, 0),
        "execve": (None, None, None),
        "clone": (0, None, None, None, None),
        "prctl": (3, 0, 0, 0, 0),
    }
    return [(name, FORBIDDEN[name][column], given) for name, given in arguments.items()]
