"""Which values were changed in place, and whether a node that is about to run saved one of them.

Note [Versions cost nothing forwards]
    Saving a value records nothing. An in-place operation notes (sequence number, version) under the identity of the
    array that owns the memory, and the newest sequence number in `last_inplace`. Only a node older than that is
    looked at in backward, and only its saved arrays are looked up. Arrays noted here are kept alive, so that an
    identity is never that of another array; those nobody else holds are dropped when the table grows.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from sys import getrefcount
from typing import Any
from weakref import ref

import numpy as np
from numpy import ndarray

from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops.registry import BW, E0, E1, FOLDED, META, NAMESPACE, REST, RULES, SAVED, SEQ, SHAPE, Node

# the sequence number at the last in-place operation; numbers fall, so nodes older than it have larger ones
last_inplace: list[int] = [1 << 62]

# what as_strided, and so a broadcast view, has for a base: it holds the array looked at
_STAND_IN: Any = type(np.lib.stride_tricks.as_strided(np.zeros(1)).base)
# identity of the owner -> [owner, version, sequence numbers of its last changes, one a version]
Entry = list[Any]
_changed: dict[int, Entry] = {}
_limit = [256]
HISTORY = 64  # changes remembered an array: enough to tell the expected version of any node still alive in practice


def owner_of(a: Any) -> Any:
    """The array whose memory `a` looks at; a scalar payload owns itself."""
    while type(a) is ndarray:
        base: Any = a.base
        if type(base) is not ndarray:
            if type(base) is not _STAND_IN:
                return a
            base = base.base
        a = base
    return a


def version_of(a: Any) -> int:
    """How often the memory of `a` has been changed in place."""
    found = _changed.get(id(owner_of(a)))
    return 0 if found is None else int(found[1])


def entry_of(a: Any) -> Entry:
    """What is noted about the memory of `a`, from now on at least."""
    owner = owner_of(a)
    found = _changed.get(id(owner))
    if found is None:
        if len(_changed) > _limit[0]:
            _prune()
        found = _changed[id(owner)] = [owner, 0, deque(maxlen=HISTORY)]
    return found


def bump(a: Any) -> None:
    """Note that the memory of `a` is about to be, or has been, changed in place."""
    found = entry_of(a)
    found[1] += 1
    found[2].append(moment())


def moved(old: Any, new: Any) -> None:
    """A tensor's scalar payload was replaced by an in-place operation: its version goes with it."""
    bump(old)
    found = entry_of(old)
    successor = _changed[id(owner_of(new))] = [owner_of(new), found[1], deque(maxlen=HISTORY)]
    found[3:] = [successor]  # what becomes of it from here on


def moment() -> int:
    """The number of a change that happens now: for who notes it in the entries itself."""
    seq: int = NAMESPACE["seq"]()
    last_inplace[0] = seq
    return seq


def changed(arrays: Iterable[Any]) -> None:
    """`bump` for many arrays at one moment: what an optimizer's step does to its parameters."""
    seq = moment()
    for a in arrays:
        found = _changed.get(id(a)) or entry_of(a)
        found[1] += 1
        found[2].append(seq)


def carried(old: Any, new: Any) -> None:
    """A scalar payload was replaced through `.data`: torch counts no version for that, but what it has counted stays."""
    found = _changed.get(id(old))
    if found is not None:
        successor = _changed[id(new)] = [new, found[1], deque(maxlen=HISTORY)]
        found[3:] = [successor]


# ---- numbers that two tensors share ------------------------------------------------------------------------------
#
# Note [Twins]: the result of `.data` shares its tensor's storage. For a number that would mean to box it, which costs
# more than the arithmetic of a small step. Instead the two know one another (`_twin`: strongly from the tensor, weakly
# back) and whoever replaces the number in place replaces both. Boxing gives both the array, and parts them.


def renew(t: Any, fresh: Any, *, counted: bool = False) -> None:
    """Give a tensor that holds a number another one, in place.

    counted   the version rises in any case; otherwise only if the old number is still held somewhere: an optimizer's
              numbers change every step, and nobody asks for their versions
    """
    old = t._a
    t._a = fresh
    try:
        twin = t._twin
    except AttributeError:
        twin = t._twin = None
    if twin is not None:
        if type(twin) is ref:  # t is a result of .data, whose changes torch does not count
            owner = twin()
            if owner is not None and owner._twin is t:
                owner._a = fresh
            carried(old, fresh)
            return
        twin._a = fresh
    # references: the caller's name, this one, getrefcount's argument
    if counted or getrefcount(old) > 3 or id(old) in _changed:
        moved(old, fresh)


def twin_of(t: Any) -> Any:
    """The tensor that shares t's number, or None."""
    try:
        other = t._twin
    except AttributeError:
        t._twin = None
        return None
    if type(other) is ref:
        other = other()
        if other is not None and other._twin is not t:
            return None
    return other


def part(t: Any) -> None:
    """t is about to get storage of its own."""
    other = twin_of(t)
    if other is not None:
        other._twin = None
        t._twin = None


def remember(a: Any, node: Node, through_view: bool) -> None:
    """Note which operation gave the memory of `a` its present value: torch's message names that one."""
    found = _changed.get(id(owner_of(a)))
    if found is not None:
        found[3:] = ["torch::autograd::CopySlices" if through_view else NAMESPACE["node_name"](node)]


def moved_storage(old: Any, new: Any) -> None:
    """A scalar payload was boxed: the memory is the same to the program, so its version goes along unchanged.

    What saved the number finds by it the array it became.
    """
    if len(_changed) > _limit[0]:
        _prune()
    found = _changed.setdefault(id(old), [old, 0, deque(maxlen=HISTORY)])
    fresh = _changed[id(owner_of(new))] = [owner_of(new), found[1], found[2], *found[3:]]
    found[2:] = [deque(maxlen=HISTORY), fresh]


def _prune() -> None:
    # references: the entry's list, the local name, getrefcount's argument
    for key in [k for k, v in _changed.items() if getrefcount(v[0]) <= 2]:
        del _changed[key]
    _limit[0] = max(256, 2 * len(_changed))


def check(n: Node) -> None:
    """Raise torch's error if a value this node saved was changed after it was saved."""
    rule = RULES.get(getattr(n[1], "inner", n[1]))  # type: ignore[arg-type]
    if rule is None:
        return
    saved: Iterable[tuple[str, Any]] = zip(rule.saved, n[SAVED:], strict=False)
    if rule.flavour == "G" and n[META][3]:
        saved = (*saved, *n[META][3])
    for name, a in saved:
        if not isinstance(a, (ndarray, np.generic)):
            continue
        found = _changed.get(id(owner_of(a)))
        while found is not None and not found[2] and len(found) > 3 and isinstance(found[3], list):
            found = found[3]
        if found is None or not found[2] or found[2][-1] > n[SEQ]:
            continue
        if n[BW] in FOLDED:  # its parents are named in the message
            FOLDED[n[BW]](n)
            check(n)
            return
        expected = found[1] - sum(seq < n[SEQ] for seq in found[2])
        if name == "out":
            source: Node | None = n
            found[3:] = []
        else:
            edges = [e for e in (n[E0], n[E1], *(n[REST] or ())) if e is not None]
            source = dict(zip(rule.names, edges, strict=False)).get(name)
        raise modified(a, source, expected, found[1])


def modified(a: Any, source: Node | None, expected: int, actual: int) -> RuntimeFault:
    """torch's sentence about a saved value that was modified."""
    which = ""
    found = _changed.get(id(owner_of(a)), ())
    while len(found) > 3 and isinstance(found[3], list):
        found = found[3]
        actual = found[1]
    shape = np.shape(a) or (() if source is None else source[SHAPE])
    if source is not None and source[E0] is not None and len(source) >= SAVED:
        if len(found) > 3:
            name = "AsStridedBackward0" if RULES[getattr(source[1], "inner", source[1])].op.view else found[3]  # type: ignore[index]
        else:
            name = NAMESPACE["node_name"](source)
        if name in ("AccumulateGrad", "CopySlices", "CopyBackwards"):
            name = "torch::autograd::" + name
        which = f", which is output 0 of {re.sub(r'Backward0?(?=[0-9]*$)', '', name)},"
    anomaly = NAMESPACE.get("anomaly_on", False)
    hint = (
        "the backtrace further above shows the operation that failed to compute its gradient. The variable in "
        "question was changed in there or anywhere later. Good luck!"
        if anomaly
        else "enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
    return RuntimeFault(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{dtypes.TYPE_NAMES[dtypes.of(a)]} {list(shape)}]{which} is at version {actual}; "
        f"expected version {expected} instead. Hint: {hint}",
        hint="use the out-of-place form (y = y + 1 instead of y += 1), or change a copy: y = y.clone()",
    )
