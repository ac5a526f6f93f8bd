"""engine/trace/replay.py: State(t) of a trace written by hand."""

import json

import msgspec
import pytest

from engine.trace import events as ev
from engine.trace.replay import Replay, replay, start
from tests.trace import hand


def test_before_any_event_the_state_is_empty():
    assert replay([]) == start()


def test_a_leaf_is_shown_with_its_value_and_beside_its_line():
    state = replay(hand.events(), 2)
    assert state["tensors"]["4"]["name"] == "w" and state["tensors"]["4"]["value"]["data"] == [2.0]
    assert state["lines"] == {"1": 4}
    assert state["phase"] == "forward"


def test_an_op_appears_with_its_inputs_outputs_and_node():
    state = replay(hand.events(), 4)
    op = state["ops"]["2"]
    assert (op["op"], op["node"], op["status"]) == ("mul", 3, "idle")
    assert op["inputs"][0]["broadcast"] == {"source": [], "target": [2], "axes": [0]}
    assert state["nodes"] == {"3": 2} and state["order"] == [2]
    assert state["tensors"]["2"]["op"] == 2


def test_a_bind_names_the_tensor():
    assert replay(hand.events(), 4)["tensors"]["2"]["name"] == ""
    assert replay(hand.events(), 5)["tensors"]["2"]["name"] == "y"


def test_backward_fills_flow_node_by_node():
    events = hand.events()
    assert replay(events, 8)["tensors"]["6"]["flow"]["data"] == [1.0]
    assert replay(events, 8)["ops"]["6"]["status"] == "idle"
    assert replay(events, 9)["ops"]["6"]["status"] == "ready"
    assert replay(events, 10)["ops"]["6"]["status"] == "done"
    assert replay(events, 10)["tensors"]["2"]["flow"] is None
    assert replay(events, 10)["tensors"]["2"]["incoming"] == [
        {"node": 7, "index": 0, "result": {"shape": [2], "dtype": "float32", "data": [1.0, 1.0]}}
    ]
    assert replay(events, 11)["tensors"]["2"]["flow"]["data"] == [1.0, 1.0]


def test_a_contribution_to_a_leaf_is_no_gradient_until_it_is_accumulated():
    events = hand.events()
    assert replay(events, 12)["tensors"]["4"]["grad"] is None
    assert replay(events, 12)["ops"]["2"]["sent"][0]["axes"] == [0]
    assert replay(events, 13)["tensors"]["4"]["grad"]["data"] == [4.0]


def test_release_update_and_zero():
    events = hand.events()
    assert replay(events, 14)["ops"]["2"]["freed"] and not replay(events, 14)["ops"]["6"]["freed"]
    state = replay(events, 15)
    assert state["phase"] == "update" and state["tensors"]["4"]["value"]["data"] == [1.6]
    assert state["updates"][0]["optimizer"] == "SGD"
    assert replay(events, 16)["tensors"]["4"]["grad"] is None


def test_zeroing_to_zero_leaves_zeros():
    events = hand.events()
    events[15] = ev.Zero(seq=15, tensors=(4,), to="zero")
    assert replay(events, 16)["tensors"]["4"]["grad"] == {"shape": [], "dtype": "float32", "data": [0]}


def test_a_step_closes_the_window_and_the_next_event_opens_an_empty_one():
    events = hand.events()
    state = replay(events, 18)
    assert state["closed"] and state["steps"] == 1 and state["brief"]["loss"] == 8.0
    assert state["tensors"]
    after = replay([*events[:18], ev.Print(seq=18, text="next\n")])
    assert not after["closed"] and after["step"] == 1 and after["tensors"] == {} and after["phase"] == "start"
    assert [p["text"] for p in after["output"]] == ["done\n", "next\n"]


def test_the_end_leaves_the_last_window_in_sight():
    state = replay(hand.events())
    assert state["phase"] == "ended" and state["tensors"]["4"]["value"]["data"] == [1.6]


def test_a_fail_keeps_the_window_and_its_phase_wins_over_the_end():
    events = [*hand.events()[:18], ev.Fail(seq=18, type="ValueError", message="no"), ev.End(seq=19, status="fail")]
    state = replay(events)
    assert state["phase"] == "failed" and state["fail"]["type"] == "ValueError" and state["tensors"]


def test_a_second_backward_begins_with_no_flow():
    events = hand.events()[:13]
    state = replay([*events, ev.Seed(seq=13, root=2, grad=hand.array(1, 1), node=3)])
    assert state["tensors"]["6"]["flow"] is None and state["tensors"]["2"]["flow"]["data"] == [1.0, 1.0]
    assert state["ops"]["2"]["sent"] == [] and state["ops"]["2"]["status"] == "idle"
    assert state["tensors"]["4"]["grad"]["data"] == [4.0]


def test_a_detail_trace_counts_its_steps_from_what_was_asked():
    begin = ev.Begin(seq=0, schema=1, engine="", source="", seed=0, detail=(5, 9))
    step = ev.Step(seq=1, index=5)
    assert replay([begin])["step"] == 5
    assert replay([begin, step, ev.Print(seq=2, text="")])["step"] == 9


def test_an_op_in_place_makes_its_input_stale_and_takes_its_name():
    leaf = ev.Leaf(seq=0, tensor=1, value=hand.array(1, 2), name="x")
    op = ev.Forward(
        seq=1, op="add", inputs=(ev.Input("input", 1), ev.Input("other", None, 1)), inplace=True,
        outputs=(ev.Output(2, hand.array(2, 3)),),
    )  # fmt: skip
    state = replay([leaf, op])
    assert state["tensors"]["1"]["stale"] and state["tensors"]["2"]["name"] == "x"


def test_scopes_nest_and_collect_their_ops():
    made = (ev.Output(2, hand.array(1)),)
    forward = ev.Forward(seq=3, op="relu", inputs=(ev.Input("input", 1),), outputs=made, scope="net.0")
    state = replay(
        [
            ev.Enter(seq=0, scope="net", type="Sequential"),
            ev.Leaf(seq=1, tensor=1, value=hand.array(1)),
            ev.Enter(seq=2, scope="net.0", type="ReLU"),
            forward,
            ev.Exit(seq=4, scope="net.0", type="ReLU", tensor=2),
        ]
    )
    assert state["stack"] == ["net"] and state["scopes"]["net.0"]["ops"] == [2] and state["scopes"]["net"]["ops"] == [2]
    assert state["scopes"]["net.0"] == {"path": "net.0", "type": "ReLU", "open": False, "ops": [2], "tensor": 2}


def test_numbers_the_window_has_not_introduced_are_ignored():
    stray = [
        ev.Bind(seq=0, tensor=8, name="a"),
        ev.Ready(seq=1, node=11, grad=hand.scalar(1), tensor=10),
        ev.Contribute(seq=2, node=11, index=0, result=hand.scalar(1), tensor=8),
        ev.Accumulate(seq=3, tensor=8, delta=hand.scalar(1), after=hand.scalar(1)),
        ev.Release(seq=4, nodes=(11,)),
        ev.Zero(seq=5, tensors=(8,), to="zero"),
        ev.Exit(seq=6, scope="net", type="Net", tensor=8),
    ]
    assert replay(stray)["tensors"] == {}


@pytest.mark.parametrize("t", range(20))
def test_folding_json_objects_gives_the_same_state_as_folding_events(t):
    events = hand.events()
    plain = [json.loads(msgspec.json.encode(e)) for e in events]
    assert replay(plain, t) == replay(events, t)


def test_the_state_is_json():
    fold = Replay()
    for event in hand.events():
        json.dumps(fold.fold(event))


def test_two_roots_of_one_pass_keep_both_seeds():
    events = hand.events()[:7]
    events.append(ev.Seed(seq=7, root=6, grad=hand.scalar(1), node=7))
    events.append(ev.Seed(seq=8, root=2, grad=hand.array(1, 1), node=3))
    state = replay(events)
    assert state["tensors"]["6"]["flow"]["data"] == [1.0] and state["tensors"]["2"]["flow"]["data"] == [1.0, 1.0]


def test_outputs_of_one_node_get_their_pieces_of_its_gradient():
    outputs = (ev.Output(2, hand.array(1, 2), True), ev.Output(6, hand.array(3), True, 1), ev.Output(10, hand.array(0), False, 2))
    events = [
        ev.Leaf(seq=0, tensor=4, value=hand.array(1, 2, 3), role="parameter", requires_grad=True),
        ev.Forward(seq=1, op="split", inputs=(ev.Input("input", 4),), outputs=outputs, node=3),
        ev.Seed(seq=2, root=2, grad=hand.array(5, 6), node=3),
        ev.Ready(seq=3, node=3, grad=hand.array(5, 6, 7)),
    ]  # fmt: skip
    tensors = replay(events)["tensors"]
    assert tensors["2"]["flow"] == {"shape": [2], "dtype": "float32", "data": [5.0, 6.0]}
    assert tensors["6"]["flow"] == {"shape": [1], "dtype": "float32", "data": [7.0]}
    assert tensors["10"]["flow"] is None
