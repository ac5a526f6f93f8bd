"""What `backstep doctor` says."""

from __future__ import annotations

from dataclasses import replace

from app.runs import limits as limits_module
from app.runs.limits import MIB, fitting_lanes, fitting_slots
from app.sandbox import doctor, lockdown

from .boxes import QUICK, needs_box


@needs_box
def test_a_machine_with_the_box_is_well():
    well, text = doctor.report(slots=1, limits=QUICK)
    assert well, text
    for word in ("seccomp", "Landlock", "first event", "programs run as"):
        assert word in text


def test_another_system_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(lockdown, "unsupported", lambda: "the sandbox needs Linux; this is Plan 9")
    well, text = doctor.report(slots=1)
    assert not well
    assert "Plan 9" in text
    assert "Docker" in text


def test_too_little_memory_is_a_note(monkeypatch):
    monkeypatch.setattr(limits_module, "available_memory", lambda: 1024 * MIB)
    monkeypatch.setattr(doctor, "available_memory", lambda: 1024 * MIB)
    (finding,) = doctor.judge_memory(8, replace(QUICK, memory=512 * MIB))
    assert finding.verdict == "note"
    assert "1 programs at once instead of 8" in finding.says


def test_slots_fit_the_memory_and_one_always_does(monkeypatch):
    monkeypatch.setattr(limits_module, "available_memory", lambda: 2048 * MIB)  # 512 are the server's
    assert fitting_slots(8, 512 * MIB) == 3
    assert fitting_slots(2, 512 * MIB) == 2
    assert fitting_slots(8, 4096 * MIB) == 1
    assert fitting_lanes(2, 8, 512 * MIB) == (2, 1)
    assert fitting_lanes(4, 8, 512 * MIB) == (3, 0)
    monkeypatch.setattr(limits_module, "available_memory", lambda: None)
    assert fitting_slots(8, 512 * MIB) == 8
    assert fitting_lanes(2, 8, 512 * MIB) == (2, 8)


def test_root_is_a_note():
    box = {
        "seccomp": "",
        "landlock": "not in this kernel (optional)",
        "user": "root without any capability",
        "oom_score_adj": "1000",
    }
    assert [f.verdict for f in doctor.judge_box(box)] == ["good", "note", "note", "good"]
