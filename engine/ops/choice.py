"""One value or another, elementwise: maximum and minimum, limits, where."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault, TypeFault
from engine.ops.op import ARRAYS, NAMESPACE, REGISTRY, TENSORS, Sample, composite, general, op
from engine.ops.samples import Number

Array = Any
Tensor = Any

op("maximum(input, other)", inputs=2, numbers=False, forward="maximum(other, input)", node="MaximumBackward0",
   partials={"input": "(input > other) + (input == other) * 0.5", "other": "(other > input) + (input == other) * 0.5"},
   vjps={"input": "where(input == other, g / 2, select_if(~(input < other), g))",
         "other": "where(input == other, g / 2, select_if(~(input > other), g))"}, inplace=False,
   latex=r"\max({input}, {other})", latex_partials={"input": r"\mathbb{1}[{input} > {other}]",
   "other": r"\mathbb{1}[{other} > {input}]"}, doc="The larger; at a tie each side gets half of the gradient.")  # fmt: skip
op("minimum(input, other)", inputs=2, numbers=False, forward="minimum(other, input)", node="MinimumBackward0",
   partials={"input": "(input < other) + (input == other) * 0.5", "other": "(other < input) + (input == other) * 0.5"},
   vjps={"input": "where(input == other, g / 2, select_if(~(input > other), g))",
         "other": "where(input == other, g / 2, select_if(~(input < other), g))"}, inplace=False,
   latex=r"\min({input}, {other})", latex_partials={"input": r"\mathbb{1}[{input} < {other}]",
   "other": r"\mathbb{1}[{other} < {input}]"}, doc="The smaller; at a tie each side gets half of the gradient.")  # fmt: skip
op("fmax(input, other)", inputs=2, numbers=False, forward="fmax(input, other)", general=np.fmax, node="FmaxBackward0", inplace=False,
   partials={"input": "(input >= other) | isnan(other)", "other": "~((input >= other) | isnan(other))"},
   vjps={"input": "select_if((input >= other) | isnan(other), g)", "other": "select_if(~((input >= other) | isnan(other)), g)"},
   latex=r"\operatorname{fmax}({input}, {other})", doc="The larger, ignoring nan.")  # fmt: skip
op("fmin(input, other)", inputs=2, numbers=False, forward="fmin(input, other)", general=np.fmin, node="FminBackward0", inplace=False,
   partials={"input": "(input <= other) | isnan(other)", "other": "~((input <= other) | isnan(other))"},
   vjps={"input": "select_if((input <= other) | isnan(other), g)", "other": "select_if(~((input <= other) | isnan(other)), g)"},
   latex=r"\operatorname{fmin}({input}, {other})", doc="The smaller, ignoring nan.")  # fmt: skip


def clip(a: Array, low: Any, high: Any) -> Array:
    """a limited to [low, high]; nan stays, and of equals (0 and -0) a, which NumPy takes when it comes second."""
    t = a.dtype.type
    if low is not None:
        a = np.maximum(t(low), a)
    if high is not None:
        a = np.minimum(t(high), a)
    return a


def _inside(x: Any, low: Any, high: Any) -> Any:
    """Where clamp passes the gradient: inside the limits, the limits included."""
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) & (x <= high)


ARRAYS.update(clip=clip, inside=_inside)
TENSORS.update(inside=_inside)
op("clamp_numbers(input, min, max)", forward="clip(input, min, max)", public="clamp", method=False, inplace=False,
   partials={"input": "inside(input, min, max)"}, vjps={"input": "select_if(inside(input, min, max), g)"},
   node="ClampBackward1", latex=r"\operatorname{clamp}({input}, {min}, {max})",
   latex_partials={"input": r"\mathbb{1}[{min} \le {input} \le {max}]"}, doc="Limited to [min, max].",
   samples=[Sample(([-2.0, 0.0, 0.5, 1.0, 3.0, float("nan")],), {"min": 0.0, "max": 1.0}),
            Sample(([-2.0, 3.0],), {"min": None, "max": 1}), Sample(([[-2.0, 3.0]],), {"min": 1.0, "max": None}),
            Sample(([-2, 3],), {"min": 0, "max": 2})])  # fmt: skip
op("clamp_min(input, min)", forward="clip(input, min, None)", public="clamp_min",
   partials={"input": "input >= min"}, vjps={"input": "select_if(input >= min, g)"}, node="ClampMinBackward0",
   latex=r"\max({input}, {min})", latex_partials={"input": r"\mathbb{1}[{input} \ge {min}]"}, doc="Not below min.",
   samples=[Sample(([-2.0, 0.0, 3.0],), {"min": 0.0})])  # fmt: skip
op("clamp_max(input, max)", forward="clip(input, None, max)", public="clamp_max",
   partials={"input": "input <= max"}, vjps={"input": "select_if(input <= max, g)"}, node="ClampMaxBackward0",
   latex=r"\min({input}, {max})", latex_partials={"input": r"\mathbb{1}[{input} \le {max}]"}, doc="Not above max.",
   samples=[Sample(([-2.0, 0.0, 3.0],), {"max": 0.0})])  # fmt: skip
op("clamp_tensors(input, min, max)", inputs=3, forward="minimum(maximum(input, min), max)", public="clamp", method=False,
   inplace=False, node="ClampBackward0", partials={"input": "(input >= min) & (input <= max)",
   "min": "(input < min) & (min < max)", "max": "(input > max) | (max < min)"},
   vjps={"input": "select_if((input >= min) & (input <= max), g)", "min": "select_if((min < max) & (input < min), g)",
         "max": "select_if((input > max) | (max < min), g)"}, latex=r"\operatorname{clamp}({input}, {min}, {max})",
   doc="Limited to [min, max], element by element.",
   samples=[Sample(([-2.0, 0.5, 3.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]))])  # fmt: skip
op("clamp_min_tensor(input, min)", inputs=2, forward="maximum(input, min)", public="clamp", method=False, inplace=False,
   node="ClampBackward0", partials={"input": "input >= min", "min": "input < min"},
   vjps={"input": "select_if(input >= min, g)", "min": "select_if(input < min, g)"}, latex=r"\max({input}, {min})",
   doc="Not below min, element by element.", samples=[Sample(([-2.0, 0.5, 3.0], [0.0, 0.5, 1.0]))])  # fmt: skip
op("clamp_max_tensor(input, max)", inputs=2, forward="minimum(input, max)", public="clamp", method=False, inplace=False,
   node="ClampBackward0", partials={"input": "input <= max", "max": "input > max"},
   vjps={"input": "select_if(input <= max, g)", "max": "select_if(input > max, g)"}, latex=r"\min({input}, {max})",
   doc="Not above max, element by element.", samples=[Sample(([-2.0, 0.5, 3.0], [0.0, 0.5, 1.0]))])  # fmt: skip


@composite()
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor = None) -> Tensor:
    """input limited to [min, max]; either may be left out, numbers or tensors."""
    tensor = NAMESPACE["Tensor"]
    if min is None and max is None:
        raise RuntimeFault("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, tensor) or isinstance(max, tensor):
        if max is None:
            r = TENSORS["clamp_min_tensor"](input, min)
        elif min is None:
            r = TENSORS["clamp_max_tensor"](input, max)
        else:
            r = TENSORS["clamp_tensors"](input, min, max)
    else:
        kind = dtypes.category(dtypes.of(input._a))
        for limit in (min, max):
            if limit is not None and dtypes.category(dtypes.of_number(limit)) > kind:
                input = TENSORS["to_dtype"](
                    input, dtypes.get_default_dtype() if isinstance(limit, float) else dtypes.int64
                )
                kind = dtypes.category(dtypes.of(input._a))
        r = TENSORS["clamp_numbers"](input, min, max)
    return r if out is None else NAMESPACE["store"](out, r)


op("where_(condition, input, other)", inputs=3, forward="where(condition, input, other)", public="where", method=False,
   vjps={"input": "select_if(condition, g)", "other": "select_if(~condition, g)"},
   partials={"input": "condition", "other": "~condition"}, inplace=False, condition="condition",
   node="WhereBackward0", latex=r"\begin{cases}{input} & {condition}\\ {other}\end{cases}",
   latex_partials={"input": r"\mathbb{1}[{condition}]", "other": r"\mathbb{1}[\neg {condition}]"},
   doc="input where condition holds, other elsewhere.",
   samples=[Sample(([True, False, True], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0])), Sample(([[True], [False]], [1.0, 2.0], 3.0)),
            Sample(([True, False], [1.0, 2.0], Number(0.0)))])  # fmt: skip


@composite()
def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor = None) -> Any:
    """input where condition holds, other elsewhere; with the condition alone, the indices where it holds."""
    if input is None and other is None:
        return TENSORS["nonzero"](condition, as_tuple=True)
    if not isinstance(condition, NAMESPACE["Tensor"]):
        raise TypeFault(f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}")
    if condition._a.dtype != bool:
        if condition._a.dtype != np.uint8:
            raise RuntimeFault(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {dtypes.SCALAR_NAMES[condition.dtype]}",
                hint="a comparison makes a condition: x != 0",
            )
        condition = condition != 0
    r = general(REGISTRY["where_"], (condition, input, other), {})
    return r if out is None else NAMESPACE["store"](out, r)
