"""Where the engine answers otherwise than PyTorch, and why. Each entry is a promise that the difference is known, not a licence.

A key is a case's (`block/sample/dtype`), `*` for any; the words before the colon say which part of the answer differs
(see `differences` in cases.py), and only that part may: all others are compared. An entry that no longer differs fails
the tests. Read by the tests and by docs/parity.md.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

KNOWN: dict[str, str] = {
    "hardsigmoid/*/float64": "error: torch has no second derivative and raises; here it is 0",
    "attention/*/float64": "error: torch's kernel has no second derivative and raises; here it exists",
    "cdist()/*/float64": "error: torch has no second derivative and raises; here it exists",
    "vector_norm_/0/*": "gradient: of the 0-norm torch has none (None); here it is 0",
    "var_/4/float64": "second: of the variance of one number torch has none; here it is nan",
    "var()/4/float64": "second: of the variance of one number torch has none; here it is nan",
    "atan2/2/bfloat16": "gradient: a sum that cancels, rounded to eight bits at another place",
}


def excused(key: str) -> dict[str, str]:
    """The parts in which a case may differ, and why."""
    found = [reason for pattern, reason in KNOWN.items() if fnmatchcase(key, pattern)]
    return {part: why for part, _, why in (reason.partition(": ") for reason in found)}
