"""engine/trace/verify.py: what is right passes, and each kind of lie is found."""

import msgspec
import numpy as np
import pytest

from engine.trace import events as ev
from engine.trace.verify import stretched, verify
from tests.trace import hand

replace = msgspec.structs.replace


def findings(number, /, **fields):
    """What verify says when event `number` of the hand-written trace has other fields."""
    events = hand.events()
    events[number] = replace(events[number], **fields)
    return verify(events)


def test_the_trace_written_by_hand_is_right():
    assert verify(hand.events()) == []


def test_an_empty_trace_is_a_finding():
    assert verify([]) == ["the trace is empty"]


@pytest.mark.parametrize(
    ("number", "fields", "said"),
    [
        (0, {"schema": 99}, "schema 99"),
        (2, {"tensor": 2}, "wrong kind"),
        (3, {"inputs": (ev.Input("input", 4, None, ev.Broadcast((), (2,), (1,))),)}, "repeats along (0,)"),
        (3, {"inputs": (ev.Input("input", 4, None, ev.Broadcast((1,), (2,), (0,))),)}, "broadcasts tensor 4 (w)"),
        (3, {"inputs": (ev.Input("input", 4), ev.Input("other", 5))}, "not introduced"),
        (3, {"node": 11}, "should be 3"),
        (5, {"grad_fn": None}, "only one of node and grad_fn"),
        (8, {"grad": hand.scalar(2)}, "the gradient of node 7 is 2, the sum of its 1 contributions is 1"),
        (9, {"result": hand.array(1, 2)}, "the gradient of node 3[1] is 1, the sum of its 1 contributions is 2"),
        (9, {"result": hand.array(1)}, "result of shape (1,)"),
        (9, {"index": 4}, "no input 4"),
        (11, {"local": hand.array(1, 5)}, "the product[1] is 3, upstream times local is 5"),
        (11, {"result": hand.scalar(5)}, "the result is 5, the product summed is 4"),
        (11, {"product": None}, "does not show the product"),
        (12, {"delta": hand.scalar(3), "after": hand.scalar(3)}, "what tensor 4 (w) receives is 3, the sum"),
        (12, {"after": hand.scalar(9)}, "after is 9, delta"),
        (12, {"before": hand.scalar(1)}, "before plus delta is 5"),
        (13, {"nodes": (19,)}, "made in no event"),
        (14, {"after": hand.scalar(1.5)}, "after is 1.5, what SGD makes of the terms is 1.6"),
        (14, {"before": hand.scalar(2.5), "after": hand.scalar(2.1)}, "before is 2.5, the value of tensor 4 (w)"),
        (14, {"terms": {"lr": 0.1, "grad": hand.scalar(3)}}, "terms.grad is 3"),
        (15, {"tensors": (8,)}, "not introduced"),
        (17, {"loss": 7.0}, "loss is 7"),
        (17, {"params": {"w": hand.scalar(2)}}, "params['w'] is 2"),
        (18, {"steps": 4}, "counts 4 steps"),
        (16, {"seq": 3}, "has seq 3"),
    ],
)  # fmt: skip
def test_a_lie_is_found(number, fields, said):
    assert any(said in sentence for sentence in findings(number, **fields)), findings(number, **fields)


def test_findings_name_the_event_its_kind_and_its_line():
    assert findings(14, after=hand.scalar(1.5))[0].startswith("event 14 (update, line 5): ")


def test_the_numbers_of_one_window_mean_nothing_in_the_next():
    events = hand.events()[:18]
    events.append(ev.Bind(seq=18, tensor=2, name="y"))
    assert any("not introduced" in s for s in verify(events))


def test_a_node_runs_no_more_after_its_release():
    events = hand.events()[:14]
    events += [
        ev.Seed(seq=14, root=2, grad=hand.array(1, 1), node=3),
        ev.Ready(seq=15, node=3, grad=hand.array(1, 1), tensor=2),
        ev.Contribute(seq=16, node=3, index=0, result=hand.scalar(4), tensor=4, product=hand.array(1, 3), axes=(0,)),
    ]
    assert any("although it was released" in s for s in verify(events))


def test_rounding_of_float32_is_no_lie():
    events = hand.events()
    events[14] = replace(events[14], after=ev.Array((), "float32", [float(np.nextafter(np.float32(1.6), 2))]))
    events[17] = replace(events[17], params={})
    assert verify(events) == []


def test_at_most_fifty_sentences():
    events = hand.events()[:2] + [ev.Bind(seq=n, tensor=40, name="a") for n in range(2, 200)]
    assert len(verify(events)) == 51


def test_stretched_axes():
    assert stretched((3,), (4, 3)) == (0,)
    assert stretched((), (4, 3)) == (0, 1)
    assert stretched((4, 1), (4, 3)) == (1,)
    assert stretched((1, 1), (1, 3)) == (1,)
    assert stretched((4, 3), (4, 3)) == ()
