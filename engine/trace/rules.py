"""What each optimizer does to one parameter, in NumPy, from the terms its `update` event gives. For verify.py only.

Written down a second time on purpose: it must not share a mistake with engine/optim. float64 throughout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Terms = dict[str, Any]


def apply(optimizer: str | None, before: Values, terms: Terms) -> Values | None:
    """The parameter after the update, or None when the terms do not say enough."""
    rule = RULES.get(optimizer or "")
    if rule is None or any(v is None for v in terms.values()) or "grad" not in terms or "lr" not in terms:
        return None
    with np.errstate(all="ignore"):
        return rule(before.astype(np.float64), {k: _wide(v) for k, v in terms.items()})


def _wide(value: Any) -> Any:
    return value.astype(np.float64) if isinstance(value, np.ndarray) else value


def _by_hand(w: Values, t: Terms) -> Values:
    result: Values = w - t["lr"] * t["grad"]
    return result


RULES: dict[str, Callable[[Values, Terms], Values | None]] = {"": _by_hand}
