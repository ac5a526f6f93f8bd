"""POST /broadcast: the rule, the result, the refusal. Messages as torch 2.13 words them."""

import math

import pytest

URL = "/api/v1/broadcast"


def ask(served, *shapes):
    answer = served.client.post(URL, json={"shapes": list(shapes)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_row_and_a_column_make_a_table(served):
    told = ask(served, [3], [3, 1])
    assert told["result"] == [3, 3]
    assert told["alignment"] == [[None, 3], [3, 1]]
    assert [axis["rule"] for axis in told["axes"]] == ["missing", "stretch"]
    assert told["summed"] == [[0], [1]] and told["copies"] == [3, 3]


def test_a_scalar_is_stretched_along_every_axis(served):
    assert ask(served, [], [2, 5])["summed"] == [[0, 1], []]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([3], [4], "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0"),
        ([2, 3], [2], "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1"),
        ([2, 3], [3, 2], "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1"),
    ],
)
def test_shapes_that_do_not_fit_fail_with_the_words_of_torch(served, a, b, message):
    told = ask(served, a, b)
    assert not told["ok"] and told["message"] == message
    assert told["axes"][told["failing"]]["rule"] == "conflict"


def test_every_fix_gives_the_result_it_promises(served):
    told = ask(served, [2, 3], [2])
    assert {"operand": 1, "code": "b.unsqueeze(1)", "shape": [2, 1], "result": [2, 3]} in told["fixes"]
    for fix in told["fixes"]:
        shapes = [[2, 3], [2]]
        shapes[fix["operand"]] = fix["shape"]
        assert ask(served, *shapes)["result"] == fix["result"]


def test_an_axis_of_size_zero_stays_zero(served):
    told = ask(served, [0, 3], [1])
    assert told["result"] == [0, 3] and told["elements"] == math.prod(told["result"])


@pytest.mark.parametrize("body", [{}, {"shapes": [[1]]}, {"shapes": [[-1], [1]]}, {"shapes": [["a"], [1]]}, [], 7])
def test_what_is_no_pair_of_shapes_is_422(served, body):
    answer = served.client.post(URL, json=body)
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
