"""engine/trace/run.py: a program's text in, its events out."""

import gc
import random
import sys

import msgspec
import numpy as np
import pytest

from engine.trace import events as ev
from engine.trace import jsonl
from engine.trace.replay import replay
from engine.trace.run import run
from engine.trace.verify import verify


def record(source, **options):
    """The events of a program; all but `end`."""
    lines: list[bytes] = []
    run(source, emit=lines.append, **options)
    return list(jsonl.read(b"".join(lines).splitlines()))


def of(kind, events):
    return [e for e in events if isinstance(e, kind)]


def printed(events):
    return "".join(e.text for e in of(ev.Print, events))


def test_begin_holds_all_that_determines_the_trace():
    begin = record("pass", seed=7, detail=(0,), limits={"wall": 3})[0]
    assert (begin.source, begin.seed, begin.detail, begin.limits) == ("pass", 7, (0,), {"wall": 3})


def test_events_count_from_zero_without_a_gap():
    events = record("import torch\nx = torch.ones(2, requires_grad=True)\n(x * x).sum().backward()\n")
    assert [e.seq for e in events] == list(range(len(events)))


def test_a_program_without_training_is_one_step():
    events = record("print(1 + 1)\n")
    assert [type(e).__name__ for e in events] == ["Begin", "Print", "Step"]


def test_an_empty_program_is_one_step():
    assert [type(e).__name__ for e in record("")] == ["Begin", "Step"]


def test_import_torch_is_the_engine_under_all_its_names():
    source = (
        "import torch, torch.nn as nn, torch.nn.functional as F\nfrom torch import optim\n"
        "from torch.utils.data import DataLoader\n"
        "print(torch.__name__ != 'x', nn.Linear is torch.nn.Linear, F is torch.nn.functional)\n"
    )
    assert printed(record(source)) == "True True True\n"


def test_the_program_is_main():
    assert printed(record("if __name__ == '__main__':\n    print(__name__)\n")) == "__main__\n"


def test_argparse_finds_no_options():
    text = "import argparse, sys\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=0.1)\n"
    before = list(sys.argv)
    assert printed(record(text + "print(p.parse_args(), len(sys.argv))")) == "Namespace(lr=0.1) 1\n"
    assert sys.argv == before


def test_one_print_is_one_event_with_its_position():
    event = of(ev.Print, record("x = 1\nprint('a', 'b\\nc')\n"))
    assert [e.text for e in event] == ["a b\nc\n"]
    assert event[0].at == (2, 0, 2, 18)


def test_stderr_is_told_apart():
    events = of(ev.Print, record("import sys\nprint('e', file=sys.stderr)\nprint('o')\n"))
    assert [(e.text, e.stream) for e in events] == [("e\n", "stderr"), ("o\n", "stdout")]


def test_what_is_written_without_a_newline_is_not_lost():
    assert printed(record("print('a', end='')\nprint('b', end='')\n")) == "ab"


def test_a_giant_print_is_cut_into_events():
    texts = [e.text for e in of(ev.Print, record("print('x' * 100_000)"))]
    assert len(texts) > 1 and max(map(len, texts)) <= 16_384 and sum(map(len, texts)) == 100_001


def test_a_lone_surrogate_is_printed_as_a_question_mark():
    assert printed(record("print('\\ud800')")) == "?\n"


def test_the_same_program_gives_the_same_bytes():
    source = "import torch, random\nimport numpy as np\nprint(torch.randn(3), random.random(), np.random.rand())\n"
    assert record(source, seed=3) == record(source, seed=3)
    assert record(source, seed=3) != record(source, seed=4)


def test_the_interpreter_is_left_as_it_was():
    def look():
        numbers = np.random.get_state()[1].tolist(), random.getstate()
        return sys.stdout, sys.stdin, sys.modules["__main__"], sys.modules.get("torch"), gc.isenabled(), numbers

    before = look()
    record("import torch\ntorch.set_grad_enabled(False)\nraise ValueError")
    assert look() == before
    (forward,) = of(ev.Forward, record("import torch\nx = torch.ones(1, requires_grad=True)\ny = x * 2\n"))
    assert forward.node is not None


# ---- failures ---------------------------------------------------------------------------------------------------


def failure(source, **options):
    (fail,) = of(ev.Fail, record(source, **options))
    return fail


def test_an_exception_names_its_line_and_sub_expression():
    fail = failure("x = 1\ny = x + (2 / 0)\n")
    assert (fail.type, fail.message, fail.at) == ("ZeroDivisionError", "division by zero", (2, 9, 2, 14))
    assert fail.traceback == ((2, "", "y = x + (2 / 0)"),)


def test_the_traceback_has_the_programs_frames_only_outermost_first():
    fail = failure("import torch\ndef f(a):\n    return a @ a\nf(torch.ones(2, 3))\n")
    assert [(line, name) for line, name, _ in fail.traceback] == [(4, ""), (3, "f")]
    assert fail.at[0] == 3 and fail.via == (4,)


def test_an_op_that_refuses_is_told_with_its_inputs_and_torchs_sentence():
    events = record("import torch\na = torch.ones(3)\nb = torch.ones(4)\nprint(a + b)\n")
    fail = events[-1]
    assert fail.message == (
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0"
    )
    assert fail.op == "add" and fail.hint
    names = {e.tensor: e.name for e in of(ev.Leaf, events)}
    assert [names[t] for t in fail.tensors] == ["a", "b"]
    assert isinstance(events[-2], ev.Step)


@pytest.mark.parametrize(
    ("source", "kind", "at"),
    [
        ("x = (1\n", "SyntaxError", (1, 4, 1, 5)),
        ("x = 1\nprint（x）\n", "SyntaxError", (2, 5, 2, 6)),
        ("if 1:\nx = 2\n", "IndentationError", (2, 0, 2, 1)),
        ("a\0b", "SyntaxError", None),
    ],
)
def test_text_that_does_not_compile(source, kind, at):
    fail = failure(source)
    assert fail.type in (kind, "ValueError")
    assert at is None or fail.at == at


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def f(): f()\nf()", "RecursionError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise MemoryError", "MemoryError"),
        ("raise BaseException('odd')", "BaseException"),
        ("import sys\nsys.exit(3)", "SystemExit"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "E"),
        ("x = input()", "EOFError"),
    ],
)
def test_whatever_is_raised_becomes_a_fail(source, kind):
    fail = failure(source)
    assert fail.type == kind and len(fail.traceback) <= 12


def test_leaving_by_exit_zero_is_no_failure():
    assert not of(ev.Fail, record("import sys\nprint('bye')\nsys.exit()\n"))


def test_the_message_survives_without_text():
    assert failure("assert 1 == 2").message == "AssertionError"


# ---- what tutorials rely on -----------------------------------------------------------------------------------------

ONE_WEIGHT = """
import torch
w = torch.tensor([1.0], requires_grad=True)
def forward(x):
    return x * w
def loss(x, y):
    y_pred = forward(x)
    return (y_pred - y) ** 2
for epoch in range(4):
    for x, y in zip([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]):
        l = loss(x, y)
        l.backward()
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
print(w.item())
"""


def test_per_sample_training_has_a_step_per_sample_named_by_its_loop():
    steps = of(ev.Step, record(ONE_WEIGHT))
    assert [s.loop for s in steps[:4]] == [
        {"epoch": 0, "x": 1.0, "y": 2.0},
        {"epoch": 0, "x": 2.0, "y": 4.0},
        {"epoch": 0, "x": 3.0, "y": 6.0},
        {"epoch": 1, "x": 1.0, "y": 2.0},
    ]
    assert len(steps) == 12 and {s.loss_name for s in steps} == {"l"}
    assert steps[0].loss == 1.0 and steps[0].grads["w"].data == [-2.0]  # (1·1 - 2)², 2·(1 - 2)·1
    assert steps[0].params["w"].data == [1.02]


def test_results_get_the_names_of_every_frame():
    events = record(ONE_WEIGHT)
    first = events[: next(n for n, e in enumerate(events) if isinstance(e, ev.Step))]
    assert [b.name for b in of(ev.Bind, first)] == ["y_pred", "l"]
    assert {e.name for e in of(ev.Leaf, first)} == {"w", "w.grad"}


def test_an_update_by_hand_knows_its_learning_rate():
    update = of(ev.Update, record(ONE_WEIGHT))[0]
    assert update.terms["lr"] == 0.01 and update.terms["grad"].data == [-2.0] and update.optimizer is None


def test_events_inside_functions_name_the_calling_lines():
    mul = of(ev.Forward, record(ONE_WEIGHT))[0]
    assert mul.at[0] == 5 and mul.via == (7, 11)


def test_the_trace_is_right():
    assert verify(record(ONE_WEIGHT)) == []


def test_asking_for_a_step_gives_its_window_and_nothing_else():
    whole, alone = record(ONE_WEIGHT), record(ONE_WEIGHT, detail=(7,))
    ends = [n for n, e in enumerate(whole) if isinstance(e, ev.Step)]
    window = whole[ends[6] + 1 : ends[7] + 1]
    assert [msgspec.structs.replace(e, seq=0) for e in alone[1:]] == [msgspec.structs.replace(e, seq=0) for e in window]


def test_two_steps_of_one_shape_have_the_same_numbers():
    whole = record(ONE_WEIGHT)
    ends = [n for n, e in enumerate(whole) if isinstance(e, ev.Step)]
    one, two = (of(ev.Forward, whole[a + 1 : b]) for a, b in ((ends[2], ends[3]), (ends[3], ends[4])))
    assert [(f.node, f.outputs[0].tensor) for f in one] == [(f.node, f.outputs[0].tensor) for f in two]


def test_a_long_loop_is_told_in_brief_after_its_first_steps():
    events = record(ONE_WEIGHT.replace("range(4)", "range(400)"), limits={"detail_events": 200})
    steps = of(ev.Step, events)
    recorded = [s.window for s in steps]
    assert len(steps) == 1200 and recorded[:3] == [True] * 3 and not any(recorded[20:])
    assert steps[1000].loss is not None and steps[1000].params["w"] and steps[1000].loop["epoch"] == 333


def test_briefs_say_the_same_asleep_as_awake():
    asleep = of(ev.Step, record(ONE_WEIGHT, limits={"detail_events": 0}))
    awake = of(ev.Step, record(ONE_WEIGHT))
    bare = [msgspec.structs.replace(s, seq=0, window=False, lines=None) for s in asleep]
    assert bare == [msgspec.structs.replace(s, seq=0, window=False, lines=None) for s in awake]


def test_a_step_too_large_is_cut_off_and_says_so():
    source = "import torch\nx = y = torch.ones(1, requires_grad=True)\nfor i in range(500): y = y * x\ny.backward()\n"
    events = record(source, limits={"window_events": 100})
    (note,) = of(ev.Note, events)
    assert note.topic == "machine" and "too large" in note.text
    assert len(events) < 110 and isinstance(events[-1], ev.Step) and verify(events) == []


def test_an_update_too_small_to_change_anything_is_told_all_the_same():
    events = record(ONE_WEIGHT.replace("range(4)", "range(100)"))
    updates = of(ev.Update, events)
    assert len(updates) == 300 and updates[-1].before == updates[-1].after and verify(events) == []


def test_lines_have_the_values_that_the_editor_shows_beside_them():
    source = (
        "import torch\nx = torch.ones(4, 3)\nw = torch.zeros(3, requires_grad=True)\nfor i in range(2):\n"
        "    l = (x * w - 1) ** 2\n    L = l.mean()\n    L.backward()\n    with torch.no_grad():\n"
        "        w -= 0.1 * w.grad\n    w.grad = None\n"
    )
    events = record(source)
    end = next(n for n, e in enumerate(events) if isinstance(e, ev.Step))
    state = replay(events, end + 1)
    beside = {line: state["tensors"][str(number)] for line, number in state["lines"].items()}
    assert {line: tensor["name"] for line, tensor in beside.items()} == {"2": "x", "3": "w", "5": "l", "6": "L", "9": "w"}
    assert beside["5"]["shape"] == [4, 3] and beside["6"]["value"]["data"] == [1.0] and state["brief"]["loop"] == {"i": 0}


def test_forgetting_to_zero_shows_the_gradients_adding_up():
    accumulated = of(ev.Accumulate, record(ONE_WEIGHT.replace("        w.grad.data.zero_()\n", "")))
    assert accumulated[1].before.data == accumulated[0].after.data


def test_training_by_making_new_parameters_has_steps():
    source = (
        "import torch\nw = torch.tensor(1.0, requires_grad=True)\nfor i in range(5):\n    loss = (w * 2 - 6) ** 2\n"
        "    loss.backward()\n    w = (w - 0.1 * w.grad).detach().requires_grad_()\n"
    )
    steps = of(ev.Step, record(source))
    assert [s.loop.get("i") for s in steps][:5] == [0, 1, 2, 3, 4]
    assert verify(record(source)) == []


def test_training_by_hand_without_autograd_has_steps():
    source = (
        "import torch\nw = torch.zeros(1)\nx = torch.tensor([1.0, 2.0])\nfor i in range(6):\n    r = w * x - 3 * x\n"
        "    loss = (r * r).sum().item()\n    w -= 0.1 * (2 * r * x).sum()\n"
    )
    steps = of(ev.Step, record(source))
    assert [s.loop["i"] for s in steps] == list(range(6))
    assert steps[0].loss == 45.0 and steps[0].params["w"].data == [3.0]  # 2·(-3 - 12)·0.1 = -3


def test_a_nan_is_a_word_in_the_line():
    lines: list[bytes] = []
    run("import torch\nx = torch.tensor([0.0], requires_grad=True)\n(x / 0 * 0).backward()\n", emit=lines.append)
    assert b'"NaN"' in b"".join(lines) and b"null,null" not in b"".join(lines)
