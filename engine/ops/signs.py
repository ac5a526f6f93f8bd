"""Signs, rounding, and numbers in place of nan and infinity, elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops.op import ARRAYS, Sample, op
from engine.ops.vocabulary import floats_only, refuse_bool, sign_of

Array = Any


def _keep_integers(f: Any) -> Any:
    def kernel(a: Array) -> Array:
        if a.dtype == bool:
            raise refuse_bool(f"{f.__name__}_vml_cpu")
        return a.copy() if a.dtype.kind in "bui" else f(a)

    return kernel


for _name, _f, _tex in (
    ("floor", np.floor, r"\lfloor {input} \rfloor"),
    ("ceil", np.ceil, r"\lceil {input} \rceil"),
    ("trunc", np.trunc, r"\operatorname{trunc} {input}"),
):
    op(f"{_name}(input)", forward=f"{_name}(input)", general=_keep_integers(_f), partials={"input": "0"},
       vjps={"input": "zero(g)"}, node=f"{_name.capitalize()}Backward0", latex=_tex, latex_partials={"input": "0"},
       doc=f"{_name.capitalize()}, element by element; flat, so its derivative is 0.",
       aliases=("fix",) if _name == "trunc" else ())  # fmt: skip


def _round(a: Array, decimals: int) -> Array:
    if a.dtype.kind in "bui":
        return a.copy()
    if decimals == 0:
        return np.rint(a)
    if a.dtype == np.float16:
        return _round(a.astype(np.float32), decimals).astype(np.float16)
    k = a.dtype.type(10.0 ** abs(decimals))
    return np.rint(a * k) / k if decimals > 0 else np.rint(a / k) * k


ARRAYS["round"] = lambda a, decimals=0: _round(a, decimals)
op("round(input, *, decimals=0)", forward="round(input, decimals)", general=_round, partials={"input": "0"},
   vjps={"input": "zero(g)"}, node=lambda p: "RoundBackward1" if p.get("decimals") else "RoundBackward0",
   latex=r"\operatorname{round} {input}", latex_partials={"input": "0"}, doc="Nearest integer, halves to even.",
   samples=[Sample(([0.5, 1.5, -2.5, 2.4],)), Sample(([0.55, 1.234],), {"decimals": 1}), Sample(([1, 2],))])  # fmt: skip
op("frac(input)", forward="input - trunc(input)", partials={"input": "1"}, node="FracBackward0",
   latex=r"{input} - \operatorname{trunc} {input}", latex_partials={"input": "1"}, doc="Fractional part.",
   general=floats_only("frac_cpu", lambda a: a - np.trunc(a)))  # fmt: skip
op("sign(input)", forward="sign(input)", general=sign_of,
   partials={"input": "0"}, vjps={"input": "zero(g)"}, node="SignBackward0", latex=r"\operatorname{sign} {input}",
   latex_partials={"input": "0"}, doc="-1, 0 or 1.")  # fmt: skip
op("sgn(input)", forward="sgn(input)", general=sign_of,
   partials={"input": "0"}, vjps={"input": "zero(g)"}, node="SgnBackward0", latex=r"\operatorname{sgn} {input}",
   latex_partials={"input": "0"}, doc="As sign().")  # fmt: skip
op("copysign(input, other)", inputs=2, fast=False, forward="copysign(input, other)", general=np.copysign, promote="float",
   partials={"input": "where(input == 0, 0.0, out / input)", "other": "0"},
   vjps={"input": "where(input == 0, 0.0, g * (out / input))", "other": "zero(g)"}, node=lambda p: "CopysignBackward0" if p.get("tensors", 2) == 2 else "CopysignBackward1",
   latex=r"\operatorname{copysign}({input}, {other})",
   latex_partials={"input": r"\pm 1", "other": "0"}, doc="Magnitude of the first, sign of the second.")  # fmt: skip
def _same_types(args: Any) -> None:
    if dtypes.of(args[0]._a) is not dtypes.of(args[1]._a):
        raise RuntimeFault("heaviside is not yet implemented for tensors with different dtypes.")


op("heaviside(input, values)", inputs=2, numbers=False, check=_same_types, fast=False, forward="heaviside(input, values)",
   general=lambda a, b: np.where(a == 0, b, (a > 0).astype(a.dtype)), node="NotImplemented",
   vjps={"input": "no_derivative('heaviside')", "values": "no_derivative('heaviside')"},
   latex=r"H({input})", doc="0, `values` or 1 for negative, zero or positive.")  # fmt: skip
op("nan_to_num(input, nan=0.0, posinf=None, neginf=None)", forward="nan_to_num(input, nan, posinf, neginf)",
   general=lambda a, nan, posinf, neginf: _nan_to_num(a, nan, posinf, neginf),
   partials={"input": "isfinite(input)"}, vjps={"input": "select_if(isfinite(input), g)"},
   node="NanToNumBackward0", latex=r"\operatorname{nan\_to\_num}({input})",
   latex_partials={"input": r"\mathbb{1}[{input}\ \text{finite}]"}, doc="nan and infinities replaced by numbers.",
   samples=[Sample(([1.0, float("nan"), float("inf"), -float("inf")],)), Sample(([float("nan"), 1.0],), {"nan": 3.0})])  # fmt: skip


def _nan_to_num(a: Array, nan: Any, posinf: Any, neginf: Any) -> Array:
    if a.dtype.kind in "bui":
        return a.copy()
    limits = dtypes.finfo(dtypes.of(a))
    t = a.dtype.type
    r = np.where(np.isnan(a), t(0.0 if nan is None else nan), a)
    r = np.where(r == np.inf, t(limits.max if posinf is None else posinf), r)
    return np.where(r == -np.inf, t(limits.min if neginf is None else neginf), r)


ARRAYS["nan_to_num"] = _nan_to_num
