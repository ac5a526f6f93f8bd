"""The filter, read by an interpreter of its own language: both machines' tables, without installing anything."""

from __future__ import annotations

import errno
import struct

import pytest

from app.sandbox import lockdown
from app.sandbox.lockdown import ALLOW, ARCHITECTURES, CALLS, ERRNO, FORBIDDEN, KILL_PROCESS, build_filter

DENY = ERRNO | errno.EPERM
MACHINES = tuple(ARCHITECTURES)


def decide(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the kernel would answer: classic BPF over seccomp_data, as bpf(4) describes it."""
    arch = ARCHITECTURES[machine][1] if architecture is None else architecture
    padded = [a & (1 << 64) - 1 for a in arguments] + [0] * (6 - len(arguments))
    data = struct.pack("<IIQ6Q", number, arch, 0, *padded)
    code = build_filter(machine).code
    at = accumulator = 0
    while True:
        operation, yes, no, value = code[at]
        at += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x15:
            at += yes if accumulator == value else no
        elif operation == 0x35:
            at += yes if accumulator >= value else no
        elif operation == 0x45:
            at += yes if accumulator & value else no
        elif operation == 0x06:
            return value
        else:
            raise AssertionError(f"unknown instruction {operation:#x}")


def number_of(machine: str, name: str) -> int:
    number = {**CALLS, **FORBIDDEN}[name][ARCHITECTURES[machine][0]]
    assert number is not None
    return number


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_outside_the_table_is_denied(machine):
    column = ARCHITECTURES[machine][0]
    allowed = {numbers[column] for numbers in CALLS.values()}
    for number in range(1000):
        if number not in allowed:
            assert decide(machine, number) == DENY, number


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_the_self_test_tries_is_denied(machine, name):
    assert decide(machine, number_of(machine, name), 1, 2, 3) == DENY


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("name", "fd"), [("read", 0), ("write", 3)])
def test_one_descriptor_to_read_and_one_to_write(machine, name, fd):
    number = number_of(machine, name)
    assert decide(machine, number, fd) == ALLOW
    for other in set(range(100)) - {fd} | {-1}:
        assert decide(machine, number, other) == DENY


@pytest.mark.parametrize("machine", MACHINES)
def test_memory_is_never_executable_and_never_a_file(machine):
    private, shared, anonymous, execute = 2, 1, 0x20, 4
    mmap, mprotect = number_of(machine, "mmap"), number_of(machine, "mprotect")
    assert decide(machine, mmap, 0, 4096, 3, private | anonymous, -1, 0) == ALLOW
    assert decide(machine, mmap, 0, 4096, 3 | execute, private | anonymous, -1, 0) == DENY
    assert decide(machine, mmap, 0, 4096, 1, private, 5, 0) == DENY
    assert decide(machine, mmap, 0, 4096, 1, shared, 5, 0) == DENY
    assert decide(machine, mprotect, 0, 4096, 3) == ALLOW
    assert decide(machine, mprotect, 0, 4096, 1 | execute) == DENY


@pytest.mark.parametrize("machine", MACHINES)
def test_futexes_wait_and_wake_and_do_nothing_else(machine):
    futex = number_of(machine, "futex")
    for operation in (0, 1, 128, 129, 9 | 128 | 256):
        assert decide(machine, futex, 0, operation) == ALLOW
    for operation in (2, 3, 4, 5, 6, 11, 12):  # requeue, PI and their like
        assert decide(machine, futex, 0, operation) == DENY


@pytest.mark.parametrize("machine", MACHINES)
def test_another_abi_is_killed(machine):
    assert decide(machine, 1, architecture=0x40000003) == KILL_PROCESS  # i386 under x86-64
    assert decide(machine, 1, architecture=0x40000028) == KILL_PROCESS  # arm under aarch64


def test_the_x32_numbers_are_killed():
    assert decide("x86_64", 0x40000000 | 1, 3) == KILL_PROCESS


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_fits_the_kernel(machine):
    code = build_filter(machine).code
    assert len(code) < 4096
    for at, (operation, yes, no, _) in enumerate(code):
        if operation in (0x15, 0x35, 0x45):
            assert at + 1 + max(yes, no) < len(code)
            assert max(yes, no) < 256


def test_writing_is_decided_early():
    """The call that every event makes comes first in the table."""
    assert next(iter(CALLS)) == "write"


def test_a_machine_it_does_not_know_is_named(monkeypatch):
    monkeypatch.setattr(lockdown.platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(lockdown.sys, "platform", "linux")
    assert "riscv64" in lockdown.unsupported()


def test_another_system_is_named(monkeypatch):
    monkeypatch.setattr(lockdown.sys, "platform", "darwin")
    monkeypatch.setattr(lockdown.platform, "system", lambda: "Darwin")
    assert "needs Linux" in lockdown.unsupported()
