"""What a child writes and what of it a reader sees."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.limits import Limits
from app.runs.program import Program
from app.sandbox.sieve import MAX_BAD, MAX_DEPTH, Sieve
from engine.trace import events as ev

BEGIN = b'{"kind":"begin","schema":1,"engine":"x","source":"not mine","seed":9}\n'


def sieve(**limits: int) -> Sieve:
    made = Sieve(Program("x = 1\n", seed=3, limits=Limits(**limits)))
    assert len(made.feed(BEGIN)) == 1
    return made


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def test_begin_is_the_parents_own():
    program = Program("x = 1\n", seed=3)
    (first,) = Sieve(program).feed(BEGIN)
    begin = msgspec.json.decode(first, type=ev.Begin)
    assert (begin.source, begin.seed, begin.run, begin.seq) == ("x = 1\n", 3, program.key, 0)


def test_nothing_counts_before_begin():
    made = Sieve(Program("x"))
    assert made.feed(line(kind="print", text="early")) == []
    assert made.bad == 1


def test_lines_are_numbered_anew():
    made = sieve()
    out = made.feed(line(kind="print", text="a", seq=77) + line(kind="print", text="b", seq=-5))
    assert [json.loads(one)["seq"] for one in out] == [1, 2]


def test_fields_that_the_vocabulary_lacks_do_not_pass():
    (out,) = sieve().feed(b'{"kind":"print","admin":true,  "text":"a"}\n')
    assert json.loads(out) == {"kind": "print", "text": "a", "seq": 1}


def test_a_line_may_come_in_any_pieces():
    made = sieve()
    whole = line(kind="print", text="a é b") * 3
    out = [one for n in range(len(whole)) for one in made.feed(whole[n : n + 1])]
    assert [json.loads(one)["text"] for one in out] == ["a é b"] * 3


@pytest.mark.parametrize(
    "bad",
    [
        b"noise",
        b"",
        b"[]",
        b"{}",
        b'{"kind":"admin"}',
        b'{"kind":["print"],"text":"x"}',
        b'{"kind":"print"}',
        b'{"kind":"print","text":7}',
        b'{"kind":"print","text":"\xff"}',
        b'{"kind":"print","text":"\\ud800"}',
        b'{"kind":"step","index":0,"loss":NaN}',
        b'{"kind":"step","index":0,"loss":1e999}',
        b'{"kind":"step","index":0,"loss":"nan"}',
        b'{"kind":"step","index":' + b"9" * 5000 + b"}",
        b'{"kind":"print","text":"x","at":[1,2,3]}',
        BEGIN.strip(),
    ],
)
def test_what_is_no_event_is_dropped_and_counted(bad):
    made = sieve()
    assert made.feed(bad + b"\n") == []
    assert made.bad == 1
    assert made.feed(line(kind="print", text="on"))  # one bad line does not end the run by itself


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 500, 100_000])
def test_free_fields_nest_only_so_deep(depth):
    made = sieve()
    params = b"[" * depth + b"]" * depth
    assert made.feed(b'{"kind":"forward","op":"x","inputs":[],"outputs":[],"params":{"x":' + params + b"}}\n") == []
    assert made.bad == 1


def test_shallow_free_fields_pass():
    made = sieve()
    assert made.feed(line(kind="forward", op="x", inputs=[], outputs=[], params={"dim": [0, [1]]}))


def test_many_bad_lines_stop_the_run():
    made = sieve()
    made.feed(b"noise\n" * (MAX_BAD + 100))
    assert made.stopped
    assert made.bad == MAX_BAD


def test_infinity_as_a_word_survives():
    (out,) = sieve().feed(b'{"kind":"step","index":0,"loss":"Infinity"}\n')
    assert json.loads(out)["loss"] == "Infinity"


def test_end_never_passes_and_nothing_follows_it():
    made = sieve()
    assert made.feed(line(kind="end", status="ok") + line(kind="print", text="after")) == []
    assert made.finished


def test_events_are_limited_exactly():
    made = sieve(events=5)
    out = made.feed(line(kind="print", text="x") * 10)
    assert len(out) == 4  # and begin
    assert made.limit == "events"


def test_printed_bytes_are_limited():
    made = sieve(text=10)
    assert len(made.feed(line(kind="print", text="ééé") * 3)) == 1  # six bytes each
    assert made.limit == "text"


def test_bytes_of_the_trace_are_limited():
    made = sieve(trace=2000)
    out = made.feed(line(kind="print", text="x" * 100) * 100)
    assert sum(map(len, out)) < 2000
    assert made.limit == "trace"


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_one_line_is_limited_whether_or_not_it_ends(end):
    made = sieve(line=1000)
    assert made.feed(b'{"kind":"print","text":"' + b"x" * 2000 + b'"}' + end) == []
    assert made.limit == "line"


def test_what_was_cut_depends_on_the_content_alone():
    text = b"".join(line(kind="print", text="x" * (n % 50)) for n in range(500))
    outs = []
    for size in (1, 7, 100, 100_000):
        made = sieve(trace=5000)
        outs.append(b"".join(one for n in range(0, len(text), size) for one in made.feed(text[n : n + size])))
    assert len(set(outs)) == 1


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_give_events_or_nothing(pieces):
    made = sieve()
    for piece in pieces:
        for out in made.feed(piece):
            event = msgspec.json.decode(out, type=ev.AnyEvent)
            assert not isinstance(event, (ev.Begin, ev.End))
