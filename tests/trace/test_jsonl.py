"""engine/trace/jsonl.py: lines in, events out."""

import msgspec
import pytest

from engine.trace import events as ev
from engine.trace import jsonl


def test_an_event_comes_back_from_its_line():
    event = ev.Zero(seq=3, at=(1, 0, 1, 5), tensors=(4, 8), to="none")
    line = jsonl.dumps(event)
    assert line.endswith(b"\n") and jsonl.loads(line) == event


def test_defaults_are_left_out_of_the_line():
    assert jsonl.dumps(ev.Print(seq=0, text="a")) == b'{"kind":"print","text":"a","seq":0}\n'


@pytest.mark.parametrize(
    "line",
    [
        '{"kind":"unheard_of"}',
        '{"kind":"print"}',
        '{"kind":"print","text":3}',
        "[]",
        '{"kind":"zero","tensors":[4],"to":"all"}',
    ],
)
def test_a_line_that_is_no_event_is_refused(line):
    with pytest.raises(msgspec.ValidationError):
        jsonl.loads(line)


def test_a_file_comes_back(tmp_path):
    events = [ev.Begin(seq=0, schema=1, engine="", source="x = '“'", seed=0), ev.End(seq=1, status="ok")]
    jsonl.save(events, tmp_path / "t.jsonl")
    assert jsonl.load(tmp_path / "t.jsonl") == events
