"""The trace's vocabulary: one struct per event kind, declared once. The waist of the hourglass.

It declares what may stand in a trace; it records nothing, reads nothing and knows no engine object.
The JSON schema, the browser's types (`static/js/types.js`) and the validation of every line that comes out
of a sandboxed child are derived from this file.

A trace is a list of events, one JSON line each, `seq` counting from 0. One word per idea:

    tensor        a value with a shape; named by a small integer that is local to the trace
    node          what PyTorch calls a grad_fn: one step of the backward graph; same kind of number
    step          one training iteration: everything up to the first forward op that follows a backward's
                  update or zeroing; a program that never trains is a single step
    window        the events of one recorded step. It is self-contained: every tensor that a window uses and
                  did not make is introduced by a `leaf` in that window, so State(t) is a fold over the
                  window's events up to t and needs nothing from before it
    contribute    what one node sends through one of its inputs
    ready         the sum of all contributions to a node: its complete incoming gradient
    accumulate    what finally reaches a leaf's .grad

Ids. A number says what it numbers by its remainder modulo 4:

    4k      a parameter: a tensor the program made that requires grad. Kept for the whole trace
    4k + 1  any other tensor that no op of the window made
    4k + 2  a result of an op
    4k + 3  a node; it is the number of its first output plus one

All but the parameters' are dealt anew in each window in order of appearance, so that two steps of the same
shape have the same numbers and the page can keep its layout. An op in place makes a new number for the same
memory; an update of a parameter does not.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

SCHEMA = 1

INLINE_LIMIT = 1024  # values: up to here an array travels whole as JSON numbers
BINARY_LIMIT = 65_536  # values: up to here whole as base64; above, statistics and a preview

Number = float | int | bool | Literal["NaN", "Infinity", "-Infinity"]
"""JSON has no NaN and no infinities; they travel as these strings and are never turned into null."""


class Stats(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of all elements that are finite; `nan` and `inf` count the others."""

    min: Number
    max: Number
    mean: Number
    std: Number
    norm: Number
    zeros: int = 0
    nan: int = 0
    inf: int = 0


class Array(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of a tensor. Exactly one of `data`, `b64`, `preview` is set (`data` is `[]` when it is empty).

    shape    () for a scalar
    dtype    torch's name without the module: "float32", "int64", "bool"
    data     all values in row-major order; float32 as the shortest decimal that reads back
    b64      all values, little-endian in `dtype` (bool as one byte), base64
    preview  the first values of what was left out; `stats` then describes the whole
    """

    shape: tuple[int, ...]
    dtype: str
    data: list[Number] | None = None
    b64: str | None = None
    preview: list[Number] | None = None
    stats: Stats | None = None


class Broadcast(msgspec.Struct, frozen=True):
    """How one input was stretched. `axes`: the output axes along which it was repeated."""

    source: tuple[int, ...]
    target: tuple[int, ...]
    axes: tuple[int, ...]


class Input(msgspec.Struct, frozen=True, omit_defaults=True):
    """One input of an op: a tensor by number, or a Python constant. `name` is the op's own parameter name."""

    name: str
    tensor: int | None = None
    const: Number | str | None = None
    broadcast: Broadcast | None = None


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """One result of an op. Nearly always the only one; `split`, `max(dim)` … have several."""

    tensor: int
    value: Array
    requires_grad: bool = False
    index: int = 0


class Saved(msgspec.Struct, frozen=True):
    """One value a node keeps for backward: `name` is the formula's name (`a`, `b`, `out`), `tensor` its number."""

    name: str
    tensor: int


class Event(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag=str.lower):
    """What all events carry.

    seq   position in the trace from 0; the parent process numbers the lines, whatever a child wrote (-1: not yet)
    at    (line, column, end line, end column) in the learner's program: lines from 1, columns from 0 in
          characters, of the sub-expression that caused the event; None when no line of theirs did
    via   the lines of the calls that led there, innermost first (`loss(x, y)` in the loop, say)
    """

    seq: int = -1
    at: tuple[int, int, int, int] | None = None
    via: tuple[int, ...] = ()


class Begin(Event, frozen=True):
    """The first event. Everything that determines the trace stands here; `run` is the hash of it."""

    schema: int
    engine: str
    source: str
    seed: int
    dtype: str = "float32"
    detail: tuple[int, ...] = ()
    """steps asked for in full by number; empty: the first `limits["detail_steps"]`"""
    limits: dict[str, int | float] = {}
    run: str = ""
    probe: str = ""
    """what was asked of the step, as engine.trace.probe reads it; the trace then holds the answer only"""


class Leaf(Event, frozen=True):
    """A tensor that no op of this window made: by `torch.tensor(…)`, a parameter, or a result of an earlier step."""

    tensor: int
    value: Array
    role: Literal["parameter", "input", "constant", "buffer", "earlier"] = "input"
    """parameter: requires grad; input: does not; constant: wrapped Python number; earlier: made in a former step"""
    requires_grad: bool = False
    grad: Array | None = None
    """its .grad as the window begins; None is None, not zero"""
    name: str = ""


class Bind(Event, frozen=True):
    """The tensor is now called `name` in the program (`loss`, `w1`, `net.0.weight`). A later bind wins."""

    tensor: int
    name: str


class Enter(Event, frozen=True):
    """A module's forward begins. `scope` is its path (`net.0`; "" is never sent), `type` its class."""

    scope: str
    type: str


class Exit(Event, frozen=True):
    """The module's forward ended. `tensor`: what it returned, when that is one tensor."""

    scope: str
    type: str
    tensor: int | None = None


class Forward(Event, frozen=True):
    """An op ran. `node` is None when nothing will be differentiated.

    op        the catalogue's name: "mul"
    grad_fn   torch's: "MulBackward0"
    params    the rest of the call: {"dim": 1, "keepdim": False}
    saved     what the node keeps for backward
    scope     path of the module it ran in, "" outside
    view_of   the tensor whose memory the output shares
    inplace   the output is the first input, changed
    """

    op: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    node: int | None = None
    grad_fn: str | None = None
    params: dict[str, Any] = {}
    saved: tuple[Saved, ...] = ()
    scope: str = ""
    view_of: int | None = None
    inplace: bool = False


class Seed(Event, frozen=True):
    """A backward pass starts at `root` with `grad` (1 for a scalar loss)."""

    root: int
    grad: Array
    node: int | None = None
    retain_graph: bool = False
    create_graph: bool = False


class Ready(Event, frozen=True):
    """All consumers of the node have reported; `grad` is the sum of what they sent: ∂L/∂(the node's output)."""

    node: int
    grad: Array
    tensor: int | None = None
    """the node's output"""


class Contribute(Event, frozen=True):
    """What a node sends through its input number `index`.

    local    the local derivative ∂out/∂input, elementwise ops only
    product  before broadcasting is undone; absent when nothing was summed (it equals `result`)
    axes     the axes of `product` that were summed
    result   what arrives at the input
    """

    node: int
    index: int
    result: Array
    tensor: int | None = None
    to: int | None = None
    """the node that receives it; None for a leaf"""
    local: Array | None = None
    product: Array | None = None
    axes: tuple[int, ...] = ()


class Accumulate(Event, frozen=True):
    """A leaf's .grad: `before` + `delta` = `after`. `before` None: it had none."""

    tensor: int
    delta: Array
    after: Array
    before: Array | None = None


class Release(Event, frozen=True):
    """The saved tensors of these nodes were freed; a second backward through them fails."""

    nodes: tuple[int, ...]


class Zero(Event, frozen=True):
    """Gradients were cleared, to None or to zeros."""

    tensors: tuple[int, ...]
    to: Literal["none", "zero"]


class Update(Event, frozen=True):
    """A parameter changed in place: by an optimizer, or by hand (`optimizer` None)."""

    tensor: int
    before: Array
    after: Array
    optimizer: str | None = None
    terms: dict[str, Number | Array] = {}
    """what the rule read: lr, grad, momentum_buffer, exp_avg, …"""


class Print(Event, frozen=True):
    """Text the program wrote, with its newlines."""

    text: str
    stream: Literal["stdout", "stderr"] = "stdout"


class Figure(Event, frozen=True):
    """A picture the program drew; `data` is SVG text or base64 PNG."""

    format: Literal["svg", "png"]
    data: str


class Probe(Event, frozen=True):
    """One row of a grid: what the loss, or a prediction, would have been there (engine.trace.probe).

    x       the columns' positions; y: the row's
    values  one per column, or several in turn when a prediction has several
    """

    row: int
    rows: int
    x: tuple[Number, ...]
    y: Number
    values: tuple[Number, ...]


class Note(Event, frozen=True):
    """An author's remark (lessons), or what the machinery has to say about the run (`topic` "machine")."""

    text: str
    topic: str = ""


class Step(Event, frozen=True):
    """One training iteration in brief. Ends its window.

    loop     the loop variables in scope as the backward pass began: {"epoch": 3, "i": 1}
    loss     the value backward started from; None when there was no backward
    params   by name: the parameter after the step; of a large model only some steps list them (and the grads)
    grads    by name: the gradient its update (or its zeroing) saw; None is None
    window   the events of the step stand in this trace (else ask for the step)
    lines    first and last line of the program that the step touched
    """

    index: int
    loss: Number | None = None
    loss_name: str = ""
    loop: dict[str, int | float | str] = {}
    params: dict[str, Array] = {}
    grads: dict[str, Array | None] = {}
    window: bool = False
    lines: tuple[int, int] | None = None


class Fail(Event, frozen=True):
    """The program raised. `message` is torch's, to the letter; `hint` is ours. `at` is the learner's line.

    traceback  their frames only, outermost first: (line, function, text)
    tensors    the inputs of the op that refused, `op` its name
    """

    type: str
    message: str
    hint: str = ""
    traceback: tuple[tuple[int, str, str], ...] = ()
    op: str = ""
    tensors: tuple[int, ...] = ()


Status = Literal["ok", "fail", "timeout", "limit", "killed", "forged", "cancelled"]


class End(Event, frozen=True):
    """The last event, added by the parent, never by a child. Its absence means the trace was cut off.

    message  a sentence for the learner, in English; `limit` names the limit that ended it, for translations
    """

    status: Status
    message: str = ""
    hint: str = ""
    limit: str = ""
    events: int = 0
    steps: int = 0
    seconds: float = 0.0


AnyEvent = (
    Begin | Leaf | Bind | Enter | Exit | Forward | Seed | Ready | Contribute | Accumulate | Release | Zero
    | Update | Print | Figure | Probe | Note | Step | Fail | End
)  # fmt: skip
"""Every kind, in the order a learner meets them. A new kind = a struct above, its name here, reducer twins."""

KINDS: tuple[type[Event], ...] = get_args(AnyEvent)
