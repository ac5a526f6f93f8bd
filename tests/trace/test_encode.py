"""engine/trace/encode.py: decimals, limits, statistics."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.trace.encode import brief, decode, encode, number, numbers, stats
from engine.trace.events import BINARY_LIMIT, INLINE_LIMIT

finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def test_float32_travels_as_the_shortest_decimal():
    assert encode(np.float32(0.1)).data == [0.1]
    assert msgspec.json.encode(encode(np.array([0.1, 0.01, 16777216.0], "f4")).data) == b"[0.1,0.01,16777216.0]"


@given(hnp.arrays(np.float32, st.integers(41, 80), elements=finite32))
def test_many_values_get_the_digits_that_str_gives_each(a):
    assert numbers(a) == [float(str(v)) for v in a]


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=3, max_side=6), elements=st.floats(width=32)))
def test_decoding_gives_the_array_back(a):
    back = decode(msgspec.json.decode(msgspec.json.encode(encode(a))))
    assert back.dtype == a.dtype and back.shape == a.shape
    assert np.array_equal(back, a, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "int32", "uint8", "bool"])
def test_every_dtype_comes_back(dtype):
    a = np.arange(6).reshape(2, 3).astype(dtype)
    encoded = encode(a)
    assert encoded.dtype == dtype
    assert np.array_equal(decode(encoded), a)


def test_nan_and_infinities_are_words_not_null():
    encoded = encode(np.array([np.nan, np.inf, -np.inf, 1.0], "f4"))
    assert encoded.data == ["NaN", "Infinity", "-Infinity", 1.0]
    long = np.ones(100, "f4")
    long[7] = np.inf
    assert encode(long).data[6:9] == [1.0, "Infinity", 1.0]
    assert encode(np.float32(np.nan)).data == ["NaN"]


def test_an_empty_array_has_empty_data():
    assert encode(np.zeros((0, 3), "f4")).data == []


def test_a_scalar_stands_for_the_shape_it_is_given():
    assert encode(np.float32(2), (2, 2)).data == [2.0] * 4


def test_above_the_inline_limit_values_travel_as_bytes():
    a = np.random.default_rng(0).normal(size=INLINE_LIMIT + 1).astype("f4")
    encoded = encode(a)
    assert encoded.data is None and encoded.b64 is not None
    assert np.array_equal(decode(encoded), a)


def test_above_the_binary_limit_only_statistics_travel():
    a = np.ones(BINARY_LIMIT + 1, "f4")
    encoded = encode(a)
    assert encoded.data is None and encoded.b64 is None
    assert encoded.preview == [1.0] * 16
    assert encoded.stats.mean == 1.0 and encoded.stats.max == 1.0
    assert decode(encoded) is None


def test_statistics_describe_the_finite_values_and_count_the_others():
    s = stats(np.array([3.0, -4.0, 0.0, np.nan, np.inf, np.inf], "f4"))
    assert (s.min, s.max, s.norm, s.zeros, s.nan, s.inf) == (-4.0, 3.0, 5.0, 1, 1, 2)
    assert s.mean == pytest.approx(-1 / 3)
    assert s.std == pytest.approx(math.sqrt(25 / 3 - 1 / 9))


def test_statistics_of_values_whose_squares_overflow():
    s = stats(np.array([3e30, 3e30], "f4"))
    assert s.mean == pytest.approx(3e30) and s.inf == 0


def test_a_brief_is_whole_up_to_64_values():
    assert len(brief(np.ones(64, "f4")).data) == 64
    short = brief(np.ones(65, "f4"))
    assert short.data is None and len(short.preview) == 8


def test_a_column_of_a_transposed_array_is_previewed_in_its_own_order():
    a = np.arange(2 * 70_000, dtype="f4").reshape(2, 70_000).T
    assert encode(a).preview[:4] == [0.0, 70000.0, 1.0, 70001.0]


def test_number_keeps_kinds_apart():
    assert number(True) is True and number(3) == 3 and number(float("inf")) == "Infinity"
    assert number(np.float32(0.3)) == 0.3 and number(np.int64(2)) == 2
