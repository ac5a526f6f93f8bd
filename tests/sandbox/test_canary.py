"""Fails closed: where a wall is missing nothing runs, and the refusal says why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.runs.runner import RunnerUnavailable
from app.sandbox import canary, lockdown
from app.sandbox.local import LocalRunner

from .boxes import QUICK, needs_box, sabotage, trace_of

pytestmark = needs_box


def test_a_box_that_leaks_runs_nothing(monkeypatch):
    async def leaky(zygote: Any) -> str:
        return "read a file"

    monkeypatch.setattr(canary, "try_box", leaky)

    async def main() -> None:
        runner = LocalRunner(slots=1, limits=QUICK)
        await runner.start()
        try:
            health = await runner.health()
            assert not health.ready
            assert "read a file" in health.reason
            with pytest.raises(RunnerUnavailable):
                await trace_of(runner, "print(1)\n")
        finally:
            await runner.close()

    asyncio.run(main())


def reason_of_refusal() -> str:
    async def main() -> str:
        runner = LocalRunner(slots=1, limits=QUICK)
        await runner.start()
        try:
            health = await runner.health()
            assert not health.ready
            with pytest.raises(RunnerUnavailable):
                await trace_of(runner, "print(1)\n")
            return health.reason
        finally:
            await runner.close()

    return asyncio.run(main())


def test_without_the_filter_the_self_test_stops_every_child(monkeypatch):
    sabotage(monkeypatch, "lockdown.install = lambda filter: None")
    assert f"status {lockdown.LEAK}" in reason_of_refusal()


def test_without_filter_and_self_test_the_canary_tells(monkeypatch):
    sabotage(monkeypatch, "lockdown.install = lambda filter: None; lockdown.leaks = lambda: []")
    reason = reason_of_refusal()
    assert "does not hold" in reason
    assert "write elsewhere" in reason


def test_a_limit_that_cannot_be_set_stops_every_child(monkeypatch):
    sabotage(monkeypatch, "lockdown.limit_resources = lambda **_: 1 / 0")
    assert f"status {lockdown.FAILED}" in reason_of_refusal()


def test_a_second_thread_before_the_fork_stops_the_zygote(monkeypatch):
    sabotage(monkeypatch, "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()")
    assert "did not start" in reason_of_refusal()


def test_another_system_refuses_and_says_what_helps(monkeypatch):
    monkeypatch.setattr(lockdown, "unsupported", lambda: "the sandbox needs Linux; this is Plan 9")

    async def main() -> None:
        runner = LocalRunner(slots=1)
        await runner.start()
        with pytest.raises(RunnerUnavailable) as caught:
            await trace_of(runner, "print(1)\n")
        assert "Docker" in caught.value.hint
        assert not (await runner.health()).ready
        await runner.close()

    asyncio.run(main())
