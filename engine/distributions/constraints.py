"""What a parameter or a sample may be. Checks look at numbers only: they leave nothing in the graph or the trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Constraint:
    """`text` is how torch prints it; `holds` says of an array where it is met."""

    text: str
    holds: Callable[[Array], Array]

    def __repr__(self) -> str:
        return self.text


def _simplex(a: Array) -> Array:
    return (a >= 0).all(-1) & (np.abs(a.sum(-1) - 1) < 1e-6)


real = Constraint("Real()", lambda a: a == a)
real_vector = Constraint("IndependentConstraint(Real(), 1)", lambda a: (a == a).all(-1))
positive = Constraint("GreaterThan(lower_bound=0.0)", lambda a: a > 0)
unit_interval = Constraint("Interval(lower_bound=0.0, upper_bound=1.0)", lambda a: (a >= 0) & (a <= 1))
boolean = Constraint("Boolean()", lambda a: (a == 0) | (a == 1))
simplex = Constraint("Simplex()", _simplex)
one_hot = Constraint("OneHot()", lambda a: (((a == 0) | (a == 1)).all(-1)) & (a.sum(-1) == 1))


def integer_interval(low: int, high: int) -> Constraint:
    """Whole numbers from low to high."""
    return Constraint(
        f"IntegerInterval(lower_bound={low}, upper_bound={high})", lambda a: (a % 1 == 0) & (a >= low) & (a <= high)
    )


def interval(low: Any, high: Any) -> Constraint:
    """From low to high, tensors."""
    return Constraint(
        f"Interval(lower_bound={low}, upper_bound={high})", lambda a: (a >= low._array()) & (a <= high._array())
    )


def less_than(high: Any) -> Constraint:
    """Below high, a tensor."""
    return Constraint(f"LessThan(upper_bound={high})", lambda a: a < high._array())


def greater_than(low: Any) -> Constraint:
    """Above low, a tensor."""
    return Constraint(f"GreaterThan(lower_bound={low})", lambda a: a > low._array())


def multinomial(total: int) -> Constraint:
    """Counts that add up to total."""
    return Constraint("Multinomial()", lambda a: (a >= 0).all(-1) & (a.sum(-1) <= total))
