"""POST /graphs and the questions about a moment of a run, over HTTP. Programs run in the real sandbox where it is."""

import pytest

from app.sandbox import lockdown
from app.sandbox.local import LocalRunner
from tests.app.conftest import lines, serving

URL = "/api/v1/graphs"
needs_box = pytest.mark.skipif(bool(lockdown.unsupported()), reason=f"no sandbox here: {lockdown.unsupported()}")

PROGRAM = """import torch
w = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
for epoch in range(20):
    loss = (w * w).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
    w.grad = None
print("done")
"""


MEAN = """import torch
x = torch.ones(2, 2, requires_grad=True)
y = x + 1
z = (y * y * 2).mean()
z.backward()
print(x.grad)
"""


@pytest.fixture(scope="module")
def boxed():
    """A server whose programs really run."""
    with serving(runner=LocalRunner(slots=2)) as one:
        yield one


def test_an_expression_gives_a_graph_as_json(served):
    told = served.client.post(URL, json={"expression": "x*w", "inputs": {"x": 2, "w": 3}})
    assert told.status_code == 200 and told.headers["content-type"] == "application/json"
    assert told.json()["result"]["data"] == [6]


@pytest.mark.parametrize(
    ("query", "accept", "media", "start"),
    [
        ("?format=dot", "application/json", "text/vnd.graphviz", "digraph"),
        ("?format=svg", "*/*", "image/svg+xml", "<svg"),
        ("", "image/svg+xml", "image/svg+xml", "<svg"),
        ("", "text/vnd.mermaid, application/json;q=0.5", "text/vnd.mermaid", "flowchart"),
        ("", "application/json;q=0.1, text/vnd.graphviz;q=0.9", "text/vnd.graphviz", "digraph"),
        ("", "*/*", "application/json", "{"),
    ],
)
def test_the_format_is_what_was_asked_for(served, query, accept, media, start):
    told = served.client.post(URL + query, json={"expression": "x*w"}, headers={"accept": accept})
    assert told.headers["content-type"].startswith(media) and told.text.startswith(start)


def test_a_format_that_does_not_exist_is_406(served):
    told = served.client.post(URL, json={"expression": "x"}, headers={"accept": "image/png"})
    assert told.status_code == 406 and "svg" in told.json()["hint"]


def test_the_same_question_is_answered_from_memory_with_the_same_bytes(served):
    ask = {"expression": "x*w + 1"}
    assert served.client.post(URL, json=ask).content == served.client.post(URL, json=ask).content


def test_an_error_in_an_expression_is_a_problem_with_its_column(served):
    told = served.client.post(URL, json={"expression": "x + foo(x)"})
    assert told.status_code == 422
    assert told.json() == {
        "type": "/api/v1/problems#expression",
        "title": "The expression cannot be evaluated",
        "status": 422,
        "detail": "column 5: there is no function foo",
        "hint": "did you mean floor?",
        "column": 4,
        "end_column": 7,
    }


@needs_box
def test_a_program_gives_the_graph_of_its_last_step(boxed):
    told = boxed.client.post(URL, json={"code": MEAN}).json()
    assert told["gradients"]["x"]["data"] == [2, 2, 2, 2]
    assert [node["grad_fn"] for node in told["nodes"] if node["grad_fn"]] == [
        "AddBackward0", "MulBackward0", "MulBackward0", "MeanBackward0",
    ]  # fmt: skip


@needs_box
def test_a_program_that_fails_is_a_problem_with_its_line(boxed):
    told = boxed.client.post(URL, json={"code": "import torch\ntorch.ones(3) + torch.ones(4)"})
    assert told.status_code == 422 and told.json()["line"] == 2
    assert "The size of tensor a (3) must match" in told.json()["detail"]


@needs_box
def test_an_expression_runs_as_a_program(boxed):
    told = boxed.client.post("/api/v1/runs", json={"expression": "x*w", "inputs": {"x": 2, "w": 3}})
    events = lines(told.content)
    assert events[0]["source"].endswith("out = x * w\nprint(out)\nout.backward()\n")
    assert [e["after"]["data"] for e in events if e["kind"] == "accumulate"] == [[3], [2]]


@pytest.fixture(scope="module")
def run(boxed):
    return "/api/v1/runs/" + boxed.post(PROGRAM).headers["backstep-run"]


@needs_box
class TestAMoment:
    def test_any_step_can_be_had_in_full(self, boxed, run):
        for step in (0, 7, 19):
            events = lines(boxed.client.get(f"{run}/steps/{step}").content)
            assert events[-1]["kind"] == "step" and events[-1]["index"] == step
            assert {"forward", "contribute", "accumulate", "update"} <= {e["kind"] for e in events}

    def test_the_parameter_at_a_step_is_what_algebra_says(self, boxed, run):
        # loss = mean(w²) over 4 elements: grad = w/2, so each step w <- 0.75 w
        events = lines(boxed.client.get(f"{run}/steps/7").content)
        update = next(e for e in events if e["kind"] == "update")
        assert update["before"]["data"] == pytest.approx([w * 0.75**7 for w in (1, 2, 3, 4)], rel=1e-5)

    def test_a_graph_before_the_backward_pass_has_no_gradients(self, boxed, run):
        events = lines(boxed.client.get(f"{run}/steps/7").content)
        at = next(k for k, e in enumerate(events) if e["kind"] == "seed") - 1
        early = boxed.client.get(f"{run}/graph?step=7&at={at}").json()
        late = boxed.client.get(f"{run}/graph?step=7").json()
        assert early["gradients"]["w"] is None and early["phase"] == "forward"
        assert any(edge["contribution"] for edge in late["edges"])

    def test_a_graph_of_a_moment_can_be_drawn(self, boxed, run):
        assert boxed.client.get(f"{run}/graph?step=0&format=svg").text.startswith("<svg")

    def test_a_moment_after_the_end_is_a_range_problem(self, boxed, run):
        assert boxed.client.get(f"{run}/graph?step=0&at=100000").status_code == 416

    def test_a_slice_of_a_tensor_has_its_exact_values(self, boxed, run):
        graph = boxed.client.get(f"{run}/graph?step=0&at=3").json()
        number = next(node["id"] for node in graph["nodes"] if node["name"] == "w")
        told = boxed.client.get(f"{run}/tensors/{number}?step=0&at=3&slice=1,:").json()
        assert told["data"] == {"shape": [2], "dtype": "float32", "data": [3, 4]}

    @pytest.mark.parametrize("part", ["9", "a", "0,0,0", "::0", "1;2", "__"])
    def test_a_slice_that_cannot_be_is_422(self, boxed, run, part):
        graph = boxed.client.get(f"{run}/graph?step=0&at=3").json()
        number = next(node["id"] for node in graph["nodes"] if node["name"] == "w")
        answer = boxed.client.get(f"{run}/tensors/{number}", params={"step": 0, "at": 3, "slice": part})
        assert answer.status_code == 422, answer.text

    def test_an_unknown_tensor_is_404(self, boxed, run):
        assert boxed.client.get(f"{run}/tensors/999?step=0").status_code == 404

    def test_the_loss_elsewhere_can_be_asked(self, boxed, run):
        events = lines(boxed.client.get(f"{run}/steps/0").content)
        root = next(e["root"] for e in events if e["kind"] == "seed")
        number = next(e["tensor"] for e in events if e["kind"] == "leaf" and e.get("name") == "w")
        sides = {"x": {"tensor": number, "index": 0, "low": -1, "high": 1},
                 "y": {"tensor": number, "index": 1, "low": -1, "high": 1}}  # fmt: skip
        body = {"step": 0, "root": root, "points": 3, **sides}
        told = [e for e in lines(boxed.client.post(f"{run}/probe", json=body).content) if e["kind"] == "probe"]
        # mean of (x², y², 9, 16)
        assert [row["values"] for row in told] == [
            pytest.approx([(x * x + y * y + 25) / 4 for x in (-1, 0, 1)], rel=1e-5) for y in (-1, 0, 1)
        ]

    def test_a_question_that_makes_no_sense_is_422(self, boxed, run):
        assert boxed.client.post(f"{run}/probe", json={"step": 0}).status_code == 422


LARGE = """import torch

w = (torch.arange(90000.0) / 90000).reshape(300, 300).requires_grad_()
for i in range(4):
    h = w * 2.0
    loss = (h * h).sum()
    loss.backward()
    with torch.no_grad():
        w -= 0.0625 * w.grad
    w.grad = None
"""  # the gradient is 8w, so each step halves w


@pytest.fixture(scope="module")
def large(boxed):
    run = "/api/v1/runs/" + boxed.post(LARGE).headers["backstep-run"]
    events = lines(boxed.client.get(f"{run}/steps/2").content)
    first = {kind: k for k, e in reversed(list(enumerate(events))) for kind in [e["kind"]]}
    numbers = {e["name"]: e["tensor"] for e in events if e["kind"] in ("leaf", "bind") and e.get("name")}
    assert events[first["leaf"]]["value"].get("data") is None and events[first["leaf"]]["value"].get("b64") is None

    def values(name, at, part, of="value"):
        query = {"step": 2, "at": first[at], "slice": part, "of": of}
        told = boxed.client.get(f"{run}/tensors/{numbers[name]}", params=query)
        assert told.status_code == 200, told.text
        assert told.json()["shape"] == [300, 300]
        return told.json()["data"]

    return values


@needs_box
class TestATensorTooLargeToTravel:
    """90,000 values: the trace has statistics of them; a slice is had by running the step again."""

    def test_its_value_before_and_after_the_update(self, large):
        row = [(7 * 300 + i) / 90000 for i in range(3)]
        assert large("w", "seed", "7,0:3")["data"] == pytest.approx([v / 4 for v in row], rel=1e-5)
        assert large("w", "update", "7,0:3")["data"] == pytest.approx([v / 8 for v in row], rel=1e-5)
        block = large("h", "seed", "298:,299:")
        assert block["shape"] == [2, 1]
        assert block["data"] == pytest.approx([(299 * 300 - 1) / 180000, (90000 - 1) / 180000], rel=1e-5)

    def test_its_gradient_once_it_is_there(self, large):
        assert large("w", "seed", "0:2,1", "grad") is None
        wanted = [8 * v / 4 / 90000 for v in (1, 301)]
        assert large("w", "accumulate", "0:2,1", "grad")["data"] == pytest.approx(wanted, rel=1e-5)
        assert large("h", "accumulate", "0:2,1", "grad")["data"] == pytest.approx([v / 2 for v in wanted], rel=1e-5)

    @pytest.mark.parametrize(("part", "status"), [("", 422), ("0:219", 422), ("0:10:2", 422), ("300", 422), ("0:218", 200)])
    def test_only_slices_that_can_travel_are_given(self, boxed, part, status):
        run = "/api/v1/runs/" + boxed.post(LARGE).headers["backstep-run"]
        answer = boxed.client.get(f"{run}/tensors/4", params={"step": 0, "slice": part})
        assert answer.status_code == status, answer.text
