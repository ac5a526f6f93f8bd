"""The operations: one block each, gathered in `engine.ops.op.REGISTRY`.

Here is the list of the families; to import any of them is to have them all.
"""

from engine.ops import (  # noqa: F401  (the blocks fill the registry)
    activation,
    attention,
    broadcasting,
    conv,
    copies,
    counts,
    diagonals,
    extremes,
    index,
    joining,
    linear,
    loss,
    matmul,
    norm,
    norms,
    orderings,
    pad,
    parts,
    pointwise,
    pool,
    rearrangement,
    recurrent,
    scans,
    shape,
    sums,
    variance,
    views,
)
