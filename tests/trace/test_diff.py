"""engine/trace/diff.py: what two traces say differently."""

import msgspec

from engine.trace import events as ev
from engine.trace.diff import diff
from tests.trace import hand

replace = msgspec.structs.replace


def changed(index, **fields):
    events = hand.events()
    events[index] = replace(events[index], **fields)
    return diff(hand.events(), events)


def test_a_trace_does_not_differ_from_itself():
    assert diff(hand.events(), hand.events()) == []


def test_structure_is_compared_exactly():
    assert changed(3, op="div") == ["event 3 (forward, line 2) op: 'mul' on the left, 'div' on the right"]


def test_numbers_are_compared_within_rounding():
    assert changed(1, value=hand.scalar(2 * (1 + 1e-8))) == []
    assert changed(1, value=hand.scalar(2.1)) == ["event 1 (leaf, line 1) value[0]: 2.0 on the left, 2.1 on the right"]


def test_an_infinity_differs_from_a_number():
    one = ev.Array((1,), "float32", ["Infinity"])
    assert len(changed(2, value=hand.array(1))) == 1
    left = [ev.Leaf(seq=0, tensor=1, value=one)]
    assert diff(left, left) == []
    assert len(diff(left, [ev.Leaf(seq=0, tensor=1, value=hand.array(1))])) == 1


def test_another_kind_ends_the_comparison():
    assert diff(hand.events(), [*hand.events()[:3], ev.Print(seq=3, text="x"), *hand.events()[3:]]) == [
        "event 3: forward, line 2 on the left, print on the right"
    ]


def test_a_longer_trace_differs():
    assert diff(hand.events(), hand.events()[:-1]) == [
        "19 events on the left, 18 on the right; the left goes on with end"
    ]


def test_times_are_no_difference():
    assert changed(18, seconds=3.0) == []


def test_a_missing_field_is_said_with_its_side():
    assert changed(4, at=None) == ["event 4 (bind, line 2): at = [2, 0, 2, 1] only on the left"]
