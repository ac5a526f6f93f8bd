"""The recurrences behind RNN, LSTM and GRU, as torch composes them from smaller operations on a CPU.

Note [A graph for every gate]
    When it was built with oneDNN, torch computes a float32 LSTM layer in one node (MkldnnRnnLayerBackward0). Here an
    LSTM is always the graph torch builds otherwise (float64, or oneDNN switched off): every gate can be looked at,
    and second derivatives exist.

source  https://github.com/pytorch/pytorch/blob/v2.13.0/aten/src/ATen/native/RNN.cpp
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.errors import RuntimeFault
from engine.nn.functional.dropout import dropout
from engine.nn.functional.linear import linear
from engine.ops.recurrent import gates
from engine.ops.registry import TENSORS
from engine.tensor import Tensor

Weights = Sequence[Tensor | None]  # weight_ih, weight_hh, bias_ih, bias_hh, weight_hr; None where there is none
Share = Callable[[], Tensor]  # what the input contributes to the gates, when it is wanted
State = Any  # h, or (h, c) of an LSTM


def _from_hidden(h: Tensor, weights: Weights) -> Tensor:
    weight = weights[1]
    assert weight is not None
    return linear(h, weight, weights[3])


def tanh_step(share: Share, h: Tensor, weights: Weights) -> Tensor:
    """One step of a tanh RNN."""
    return (_from_hidden(h, weights) + share()).tanh()


def relu_step(share: Share, h: Tensor, weights: Weights) -> Tensor:
    """One step of a ReLU RNN."""
    return (_from_hidden(h, weights) + share()).relu()


def lstm_step(share: Share, state: tuple[Tensor, Tensor], weights: Weights) -> tuple[Tensor, Tensor]:
    """One step of an LSTM; the state is (h, c)."""
    h, c = state
    i, f, g, o = gates(_from_hidden(h, weights) + share(), 4)
    ingate, forgetgate, cellgate, outgate = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = forgetgate * c + ingate * cellgate
    h = outgate * c.tanh()
    if weights[4] is not None:
        h = linear(h, weights[4])
    return h, c


def gru_step(share: Share, h: Tensor, weights: Weights) -> Tensor:
    """One step of a GRU."""
    i = gates(share(), 3)
    k = gates(_from_hidden(h, weights), 3)
    reset = (k[0] + i[0]).sigmoid()
    keep = (k[1] + i[1]).sigmoid()
    new = (i[2] + k[2] * reset).tanh()
    return (h - new) * keep + new


STEPS: dict[str, Callable[[Share, State, Weights], State]] = {
    "RNN_TANH": tanh_step,
    "RNN_RELU": relu_step,
    "LSTM": lstm_step,
    "GRU": gru_step,
}


def cell(mode: str, input: Tensor, state: State, weights: Weights) -> State:
    """One step from an input (N, C): RNNCell, LSTMCell, GRUCell."""
    weight = weights[0]
    assert weight is not None
    return STEPS[mode](lambda: linear(input, weight, weights[2]), state, weights)


def _run(mode: str, input: Tensor, state: State, weights: Weights, backwards: bool) -> tuple[Tensor, State]:
    """One layer in one direction over (L, N, C): all outputs stacked, and the last state."""
    step = STEPS[mode]
    weight = weights[0]
    assert weight is not None
    shares = list(linear(input, weight, weights[2]).unbind(0))
    if not shares:
        raise RuntimeFault("Expected sequence length to be larger than 0 in RNN")
    outputs = []
    for share in reversed(shares) if backwards else shares:
        state = step(lambda share=share: share, state, weights)  # type: ignore[misc]
        outputs.append(state[0] if mode == "LSTM" else state)
    if backwards:
        outputs.reverse()
    return TENSORS["stack"](outputs, 0), state


def _rows(state: State, first: int, last: int) -> State:
    """The states of some members of the batch."""
    if isinstance(state, tuple):
        return tuple(part.narrow(0, first, last - first) for part in state)
    return state.narrow(0, first, last - first)


def _together(states: Sequence[State]) -> State:
    """The states of several groups of members, one after the other."""
    if isinstance(states[0], tuple):
        return tuple(TENSORS["cat"](parts, 0) for parts in zip(*states, strict=True))
    return TENSORS["cat"](list(states), 0)


def _run_packed(
    mode: str, input: Tensor, state: State, weights: Weights, sizes: Sequence[int], backwards: bool
) -> tuple[Tensor, State]:
    """One layer in one direction over packed sequences, the longest first: `sizes` of them take part in each step.

    Forwards the members that have ended drop out and keep their last state; backwards they join as they begin.
    """
    step = STEPS[mode]
    weight = weights[0]
    assert weight is not None
    shares = list(linear(input, weight, weights[2]).split(list(sizes), 0))
    outputs, ended = [], []
    active = sizes[-1] if backwards else sizes[0]
    initial, state = state, _rows(state, 0, active) if backwards else state
    for size, share in zip(reversed(sizes), reversed(shares), strict=True) if backwards else zip(sizes, shares, strict=True):
        if size < active:
            ended.append(_rows(state, size, active))
            state = _rows(state, 0, size)
        elif size > active:
            state = _together([state, _rows(initial, active, size)])
        active = size
        state = step(lambda share=share: share, state, weights)  # type: ignore[misc]
        outputs.append(state[0] if mode == "LSTM" else state)
    if backwards:
        outputs.reverse()
        return TENSORS["cat"](outputs, 0), state
    return TENSORS["cat"](outputs, 0), _together([state, *reversed(ended)])


def layers(
    mode: str,
    input: Tensor,
    states: Sequence[State],
    weights: Sequence[Weights],
    *,
    directions: int,
    dropout_p: float,
    training: bool,
    sizes: Sequence[int] | None = None,
) -> tuple[Tensor, list[State]]:
    """Stacked layers over (L, N, C); states and weights are given per layer and direction.

    sizes   of a packed input (entries, C): how many sequences take part in each step
    """
    final: list[State] = []
    count = len(weights) // directions
    for layer in range(count):
        outputs = []
        for direction in range(directions):
            i = layer * directions + direction
            if sizes is None:
                out, state = _run(mode, input, states[i], weights[i], direction == 1)
            else:
                out, state = _run_packed(mode, input, states[i], weights[i], sizes, direction == 1)
            outputs.append(out)
            final.append(state)
        input = outputs[0] if directions == 1 else TENSORS["cat"](outputs, input.dim() - 1)
        if dropout_p != 0 and training and layer < count - 1:
            input = dropout(input, dropout_p)
    return input, final
