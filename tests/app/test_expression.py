"""Formulas: values and gradients from algebra and from PyTorch 2.13, refusals with their column."""

import json
import math

import msgspec
import pytest

from app.errors import Problem
from app.runs import formula
from app.runs.drawing import FORMATS
from app.runs.expression import evaluate


def ask(text, inputs=None, **options):
    return json.loads(msgspec.json.encode(evaluate(text, inputs or {}, **options)))


def one(array):
    assert array["shape"] == []
    return array["data"][0]


def test_values_and_gradients_of_the_square_error_are_those_of_algebra():
    told = ask("((x*w + b) - y)**2", {"x": 2.0, "w": -1.0, "b": 0.5, "y": 3.0})
    error = 2 * -1 + 0.5 - 3
    assert one(told["result"]) == error**2
    gradients = {name: one(array) for name, array in told["gradients"].items()}
    assert gradients == {"x": 2 * error * -1, "w": 2 * error * 2, "b": 2 * error, "y": -2 * error}


def test_nodes_have_the_names_of_torch_and_run_in_its_order():
    told = ask("((x*w + b) - y)**2")
    names = {node["id"]: node["grad_fn"] for node in told["nodes"]}
    assert [names[k] for k in told["order"]] == ["PowBackward0", "SubBackward0", "AddBackward0", "MulBackward0"]


def test_an_edge_tells_upstream_times_local():
    told = ask("a*b", {"a": 3.0, "b": 4.0})
    edges = {edge["input"]: edge for edge in told["edges"]}
    assert one(edges["input"]["local"]) == 4 and one(edges["other"]["local"]) == 3
    assert one(edges["input"]["contribution"]) == 4


def test_broadcasting_is_told_forwards_and_backwards():
    told = ask("(x*w).sum()", {"x": [[1, 2, 3], [4, 5, 6]], "w": [1, 1, 1]})
    (wide,) = told["broadcasts"]
    assert (wide["from"], wide["to"], wide["axes"], wide["summed"]) == ([3], [2, 3], [0], [0])
    assert told["gradients"]["w"]["data"] == [5, 7, 9]


def test_a_name_used_twice_gets_the_sum_of_both_contributions():
    assert one(ask("x*x + x", {"x": 3.0})["gradients"]["x"]) == 2 * 3 + 1


def test_names_without_a_value_get_one_and_are_told():
    told = ask("a*b + c")
    assert told["invented"] == ["a", "b", "c"]
    assert [told["inputs"][name]["value"] for name in "abc"] == [2.0, -3.0, 10.0]


def test_names_beside_a_matrix_product_get_matrices_that_fit():
    told = ask("mean(relu(x @ w + b))")
    assert told["nodes"][0]["shape"] == [2, 3] and told["gradients"]["w"]["shape"] == [3, 2]


def test_an_input_may_refuse_a_gradient():
    told = ask("x*w", {"x": {"value": 2.0, "requires_grad": False}, "w": 3.0})
    assert set(told["gradients"]) == {"w"}


def test_without_backward_there_are_no_gradients():
    assert ask("x*w", backward=False)["gradients"] == {"x": None, "w": None}


def test_a_result_with_several_elements_is_differentiated_as_its_sum():
    told = ask("x**2", {"x": [1.0, 2.0]})
    assert told["seed"] == "ones" and told["gradients"]["x"]["data"] == [2, 4]


def test_infinities_and_nan_survive_as_texts():
    told = ask("log(x) * y", {"x": 0.0, "y": 0.0})
    assert told["result"]["data"] == ["NaN"] and told["gradients"]["y"]["data"] == ["-Infinity"]


def test_an_input_may_be_nan_or_infinite():
    told = ask("x + y", {"x": "NaN", "y": float("inf")})
    assert told["inputs"]["x"]["value"] == "NaN" and told["inputs"]["y"]["value"] == "Infinity"
    assert "torch.tensor(float('nan'), " in told["program"]


def test_numbers_alone_are_computed_before():
    told = ask("2*pi*r", {"r": 1.0})
    assert math.isclose(one(told["gradients"]["r"]), 2 * math.pi, rel_tol=1e-6)


def test_methods_functions_and_torch_functions_agree():
    results = [ask(text, {"x": [1.0, 2.0]})["result"] for text in ("x.sum()", "sum(x)", "torch.sum(x)")]
    assert results[0] == results[1] == results[2]


def test_where_selects_with_a_comparison():
    assert ask("where(x > 0, x, 0.1*x)", {"x": [-2.0, 3.0]})["gradients"]["x"]["data"] == [0.1, 1]


REFUSED = [
    ("x.__class__", 0, "not supported"),
    ("(x).__class__.__bases__", 0, "not supported"),
    ("__import__('os')", 0, "no function"),
    ("open('/etc/passwd')", 0, "no function"),
    ("x[0]", 0, "index"),
    ("(lambda: 1)()", 1, "only functions"),
    ("[x for x in y]", 0, "comprehension"),
    ("x if y else z", 0, "if/else"),
    ("'a' * x", 0, "text"),
    ("x ^ 2", 0, "not supported"),
    ("x + foo(x)", 4, "no function foo"),
    ("x + ", None, "syntax"),
    ("y = x", None, "syntax"),
    ("x.sum().backward()", 0, "no method"),
    ("x * 10**400", None, ""),
    ("f'{x}'", 0, "text"),
    ("x := 3", None, "syntax"),
    ("sin", 0, "function"),
    ("sum(*x)", 4, "one by one"),
    ("sum(x, dim=open)", 11, "number"),
    ("sum(x, out=y)", None, "argument"),
    ("1 < x < 2", 0, "one comparison"),
    ("2 * 3", 0, "no tensor"),
    ("", 0, "nothing"),
    ("x\n+ y", 1, "cannot stand"),
    ("x × y", 2, "cannot stand"),
    ("x" + "+x" * 300, None, "500"),
    ("(" * 240 + "x", None, "nested"),
    ("-" * 450 + "x", None, "levels"),
    ("_x + 1", 0, "not a name"),
    ("x @ y @ 3", None, ""),
]


@pytest.mark.parametrize(("text", "column", "said"), REFUSED, ids=[row[0][:24] for row in REFUSED])
def test_what_is_not_allowed_is_refused_with_its_column(text, column, said):
    with pytest.raises(Problem) as caught:
        evaluate(text, {})
    assert caught.value.status == 422
    assert said in caught.value.detail
    if column is not None:
        assert caught.value.extra["column"] == column


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("（x*w + b)", "type ( instead"),
        ("max（x，y）", "type ( instead"),
        ("x，y", "type , instead"),
        ("x ＋ w", "type + instead"),
        ("x × w", "type * instead"),
        ("x² + 1", "type **2 instead"),
        ("x − 1", "type - instead"),
        ("√x", "sqrt(x)"),
        ("损失 * 2", "names are made of the letters a to z"),
        ("x^2", "a power is **"),
        ("|x|", "abs(x)"),
        ("x +", "missing at the end"),
        ("(x*w", "each ( needs a )"),
        ("sin x", "sin(x)"),
        ("w x", "a product needs *"),
        ("np.exp(x)", "write exp(x)"),
        ("ReLU(x)", "did you mean relu?"),
        ("tanh(x).backward()", "gradients come without being asked"),
        ("softmax(x)", "softmax(x, -1)"),
    ],
)
def test_a_refusal_says_what_to_type_instead(text, hint):
    with pytest.raises(Problem) as refused:
        ask(text)
    assert hint in refused.value.hint


def test_whole_numbers_are_written_with_a_point_so_that_torch_takes_them_as_leaves():
    assert "x = torch.tensor([1.0, 2.0], requires_grad=True)" in ask("sum(x**2)", {"x": [1, 2]})["program"]


def test_shapes_that_do_not_fit_fail_in_the_words_of_torch_at_the_operator():
    with pytest.raises(Problem) as caught:
        evaluate("1 + (a + b)", {"a": [1, 2, 3], "b": [1, 2, 3, 4]})
    assert (
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0"
        in caught.value.detail
    )
    assert caught.value.extra["column"] == 5 and caught.value.extra["shapes"] == [[3], [4]]


@pytest.mark.parametrize("text", ["x.t() * x", "x.reshape((64, 1)) * x.reshape((1, 64)) * y", "x.t() @ x"])
def test_a_result_that_would_be_large_is_refused_before_it_is_made(text):
    row = [[1.0] * 2000]
    with pytest.raises(Problem, match=r"elements|size|shape"):
        evaluate(text, {"x": row, **({"y": 1.0} if "y" in text else {})})


@pytest.mark.parametrize(
    "value", ["text", None, True, [1, [2]], [[1, 2], [3]], {"value": "x"}, [[[[[[[[[[1]]]]]]]]]], [1, None]]
)
def test_inputs_have_to_be_rectangles_of_numbers(value):
    with pytest.raises(Problem):
        evaluate("x*2", {"x": value})


def test_an_input_the_formula_does_not_use_is_an_error():
    with pytest.raises(Problem, match="does not use"):
        evaluate("x*2", {"x": 1.0, "z": 2.0})


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("((x*w + b) - y)**2", r"\left(x \cdot w + b - y\right)^{2}"),
        ("a/(b + c)", r"\frac{a}{b + c}"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("-(a + b)", r"-\left(a + b\right)"),
        ("exp(-x**2)", r"e^{-x^{2}}"),
        ("sigmoid(w1*x1)", r"\sigma\left(w_{1} \cdot x_{1}\right)"),
        ("theta*x.T", r"\theta \cdot x^{\top}"),
    ],
)
def test_latex(text, tex):
    assert formula.latex(formula.parse(text)) == tex


def test_the_program_of_a_formula_is_a_script_for_torch():
    told = ask("mean(relu(x*w))", {"x": [1.0, 2.0], "w": 3.0})
    assert told["program"] == (
        "import torch\n\nx = torch.tensor([1.0, 2.0], requires_grad=True)\n"
        "w = torch.tensor(3.0, requires_grad=True)\n\nout = torch.mean(torch.relu(x * w))\nprint(out)\nout.backward()\n"
    )


def test_evaluating_leaves_nothing_behind_in_the_engine():
    from engine.autograd import observer

    with pytest.raises(Problem):
        evaluate("a + b", {"a": [1, 2, 3], "b": [1, 2, 3, 4]})
    assert observer.active is None and observer.watch is None


@pytest.mark.parametrize("name", FORMATS)
def test_every_drawing_names_every_node_and_edge(name):
    told = ask("x + w * 2", {"x": [[1.0], [2.0]], "w": [3.0, 4.0]})
    text = FORMATS[name][1](told)
    for shown in ("x", "w", "×", "+"):
        assert shown in text
    assert text.count("→") == 2  # both operands of the sum are stretched


def test_a_picture_is_well_formed_and_escapes_names():
    from xml.etree import ElementTree

    told = ask("x < y", {"x": 1.0, "y": 2.0})
    ElementTree.fromstring(FORMATS["svg"][1](told))


def test_every_function_that_a_formula_may_use_is_there():
    from engine.ops.registry import TENSORS

    assert [name for name in formula.FUNCTIONS if name not in TENSORS] == []


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("leaky_relu(x, negative_slope=0.5)", [1, -1]),
        ("clamp(x, min=0)", [1, 0]),
        ("max(x)", 1),
        ("x.abs().sum()", 3),
        ("softmax(x - x, dim=0)", [0.5, 0.5]),
        ("maximum(x, -x)", [1, 2]),
    ],
)
def test_functions_take_their_arguments_as_in_torch(text, data):
    told = ask(text, {"x": [1.0, -2.0]})["result"]["data"]
    assert told == (data if isinstance(data, list) else [data])
