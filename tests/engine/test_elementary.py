"""engine/ops/elementary.py: float32 results are the exact ones, rounded."""

import math

import numpy as np
import pytest

from engine.ops import elementary

F = np.float32
NAMES = ("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "tanh", "sin", "cos")
X = np.random.RandomState(0).uniform(0.01, 8.0, elementary.LARGE).astype(F)


@pytest.mark.parametrize("name", NAMES)
def test_an_element_is_the_exact_result_rounded(name):
    exact = np.array([getattr(math, name)(float(x)) for x in X]).astype(F)
    assert (getattr(elementary, name)(X) == exact).mean() > 0.99  # float64 itself errs, near half-way
    assert getattr(elementary, name)(X).dtype == F


@pytest.mark.parametrize("name", NAMES)
def test_one_number_is_what_it_is_in_an_array(name):
    f = getattr(elementary, name)
    alone = [f(x) for x in X[:200]]
    assert {type(v) for v in alone} == {F}
    assert alone == f(X[:200]).tolist()


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [("exp", 1000.0, math.inf), ("exp", 100.0, math.inf), ("exp", -1000.0, 0.0), ("log", 0.0, -math.inf), ("log1p", -1.0, -math.inf)],
)
def test_where_the_c_library_raises_there_is_infinity(name, x, y):
    assert getattr(elementary, name)(F(x)) == y
    assert getattr(elementary, name)(np.full(3, x, F)).tolist() == [y] * 3


def test_nan_stays_nan():
    assert math.isnan(elementary.log(F(-1)))
    assert math.isnan(elementary.sin(F("inf")))


def test_large_arrays_go_the_short_way():
    x = np.concatenate([X, X])
    assert (elementary.exp(x) == np.exp(x)).all()


def test_other_dtypes_are_numpys():
    x = X.astype(np.float64)
    assert (elementary.exp(x) == np.exp(x)).all()
    assert elementary.tanh(X.astype(np.float16)).dtype == np.float16
