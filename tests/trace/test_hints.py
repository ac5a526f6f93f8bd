"""engine/trace/hints.py: the mistakes of those who learn."""

import pytest

import engine
from engine.trace.hints import ABSENT, hint


def fails(text, **names):
    """The hint for what running or compiling the text raises."""
    try:
        exec(compile(text, "<program>", "exec"), dict(names))
    except BaseException as error:
        return hint(error, text, names)
    raise AssertionError("it ran")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print（1）", "full-width"),
        ("x = [1，2]", "type ',' instead"),
        ("x = “a”", "full-width"),
        ("print 'a'", "print('a')"),
        ("if 1:\n\tx = 1\n        y = 2", "spaces"),
        ("for i in range(3):\nprint(i)", "must be indented"),
        ("x = 1\n  y = 2", "further right"),
        ("for i in range(3)\n    print(i)", "end with a colon"),
        ("x = (1 + 2", "opened here and not closed"),
        ("x = 'abc", "quotation mark"),
        ("if x = 1: pass", "== compares"),
        (">>> x = 1", "without the prompt"),
        ("%matplotlib inline", "notebooks"),
        ("import torchvision", "torchvision"),
        ("from matplotlib import pyplot as plt", "drawn by the page"),
        ("import tourch", "did you mean 'torch'?"),
        ("np.ones(3)", "import numpy as np"),
        ("nn.Linear(1, 1)", "import torch.nn as nn"),
        ("raise RecursionError", "calls itself"),
        ("raise MemoryError", "too large"),
        ("raise EOFError('EOF when reading a line')", "no keyboard"),
        ("open('/nowhere/data.csv')", "cannot read files"),
        ("x = 3 \u2212 2", "type - instead"),
        ("y = x\u00b2", "type **2 instead"),
        ("x =\u00a01", "a space that cannot be seen"),
        ("x = 1\u200b", "a mark that cannot be seen"),
        ("```python\nx = 1\n```", "web page: delete it"),
        ("raise SystemError", ""),
    ],
)
def test_hint(text, said):
    found = fails(text)
    assert said in found if said else found == ""


def test_a_part_of_torch_that_is_not_here():
    for name, said in (
        ("torch.jit", "torch.jit is not supported by Backstep: leave torch.jit away"),
        ("torch.utils.tensorboard", "torch.utils.tensorboard is not supported by Backstep"),
    ):
        assert said in hint(ModuleNotFoundError(f"No module named {name!r}", name=name), "")


def test_a_misspelt_name_is_compared_with_those_the_program_has():
    assert fails("print(learning_rat)", learning_rate=1) == "did you mean 'learning_rate'?"


def test_a_misspelt_name_of_a_tensor_is_compared_with_those_it_has():
    assert fails("x.baward()", x=engine.tensor(1.0)) == "did you mean 'backward'?"
    assert "to_sparse" not in fails("x.to_spars()", x=engine.tensor(1.0))  # which torch has and we lack


def test_a_name_used_before_it_has_a_value():
    assert "not before this line" in fails("print(weight_of_it)\nweight_of_it = 1")


def test_a_hint_that_the_error_brings_wins():
    error = NameError("x")
    error.hint = "ours"
    assert hint(error, "") == "ours"


def test_every_absent_module_has_a_sentence():
    assert all(len(sentence) > 15 for sentence in ABSENT.values())
