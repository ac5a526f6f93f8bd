"""The golden traces: the recorder still says the same, what it says is right, and replaying gives the frozen states."""

import json

import pytest

from engine.trace import events as ev
from engine.trace import jsonl
from engine.trace.__main__ import states
from engine.trace.diff import diff
from engine.trace.verify import verify
from tests.trace.freeze_traces import CHOSEN, GOLDEN, golden


@pytest.mark.parametrize("name", CHOSEN)
def test_the_recorder_says_what_it_said(name):
    assert diff(jsonl.load(GOLDEN / f"{name}.jsonl"), golden(name)) == []


@pytest.mark.parametrize("name", CHOSEN)
def test_nothing_in_it_is_wrong(name):
    assert verify(jsonl.load(GOLDEN / f"{name}.jsonl")) == []


@pytest.mark.parametrize("name", CHOSEN)
def test_its_states_are_the_frozen_ones(name):
    frozen = json.loads((GOLDEN / f"{name}.states.json").read_text(encoding="utf-8"))
    assert states(jsonl.load(GOLDEN / f"{name}.jsonl"), CHOSEN[name][1]) == frozen


def test_together_they_show_every_kind_that_a_program_can_make():
    seen = {type(e) for name in CHOSEN for e in jsonl.load(GOLDEN / f"{name}.jsonl")}
    assert set(ev.KINDS) - seen <= {ev.Note, ev.Figure, ev.Probe}
