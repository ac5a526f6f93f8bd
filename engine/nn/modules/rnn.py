"""Recurrent layers and cells: RNN, LSTM, GRU. The steps are in nn/recurrence.py."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from numbers import Number
from typing import Any, ClassVar

from engine.creation import zeros
from engine.nn import init, recurrence
from engine.nn.modules.module import Module
from engine.nn.parameter import Parameter, undrawn
from engine.nn.utils.rnn import PackedSequence
from engine.ops.registry import TENSORS
from engine.tensor import Tensor

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """Stacked, possibly bidirectional recurrent layers over (L, N, C), or (N, L, C) with batch_first."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check(dropout)
        out_size = proj_size or hidden_size
        directions = 2 if bidirectional else 1
        gates = GATES[mode] * hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for direction in range(directions):
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (gates, input_size if layer == 0 else out_size * directions),
                    "weight_hh": (gates, out_size),
                }
                if bias:
                    shapes.update(bias_ih=(gates,), bias_hh=(gates,))
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                for name, shape in shapes.items():
                    setattr(self, name + suffix, undrawn(shape, device=device, dtype=dtype))
                self._all_weights.append([name + suffix for name in shapes])
        self._draw()

    def _check(self, dropout: Any) -> None:
        if not isinstance(dropout, Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):  # type: ignore[operator]
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:  # type: ignore[operator]
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
        for name in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")

    def reset_parameters(self) -> None:
        """Draw new weights, uniform in +-1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing to do on a CPU."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters per layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def _weights(self) -> list[list[Tensor | None]]:
        """Per layer and direction: weight_ih, weight_hh, bias_ih, bias_hh, weight_hr."""
        found = []
        for names in self._all_weights:
            by_kind = {name[: name.index("_l")]: getattr(self, name) for name in names}
            found.append([by_kind.get(k) for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")])
        return found

    def _expected(self, input: Tensor, size: int) -> tuple[int, int, int]:
        batch = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def check_input(self, input: Tensor) -> None:
        """torch's complaints about an input of another dtype or width."""
        dtype = getattr(self, self._all_weights[0][0]).dtype
        if input.dtype is not dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). "
                f"Convert input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        if self.input_size != input.size(-1):
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.size(-1)}"
            )

    def check_hidden_size(
        self, hx: Tensor, expected: tuple[int, ...], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """torch's complaint about an initial state of another shape."""
        if tuple(hx.size()) != expected:
            raise RuntimeError(msg.format(expected, list(hx.size())))

    def _batched(self, input: Any) -> tuple[Tensor, bool]:
        if input.dim() not in (2, 3):
            extra = " tensor" if self.mode.startswith("RNN") else ""
            name = "RNN" if self.mode.startswith("RNN") else self.mode
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D{extra} instead")
        if input.dim() == 3:
            return input, True
        return input.unsqueeze(0 if self.batch_first else 1), False

    def _layers(self, input: Tensor, states: list[Any]) -> tuple[Tensor, list[Any]]:
        if self.batch_first:
            input = input.transpose(0, 1)
        out, final = recurrence.layers(
            self.mode,
            input,
            states,
            self._weights(),
            directions=2 if self.bidirectional else 1,
            dropout_p=self.dropout,
            training=self.training,
        )
        if not self.batch_first:
            return out, final
        if self.mode == "LSTM":
            return out.transpose(0, 1), final
        return TENSORS["swapped"](out, 0, 1), final  # torch: transpose_, whose node has another name

    def _packed(self, input: PackedSequence, states: Sequence[Tensor]) -> tuple[PackedSequence, list[Any]]:
        """The layers over a packed sequence; states are stacked tensors, one or two of them."""
        data, batch_sizes, order, back = input
        self.check_input(data)
        if order is not None:
            states = [state.index_select(1, order) for state in states]
        parts = [state.unbind(0) for state in states]
        out, final = recurrence.layers(
            self.mode,
            data,
            list(parts[0]) if len(parts) == 1 else list(zip(*parts, strict=True)),
            self._weights(),
            directions=2 if self.bidirectional else 1,
            dropout_p=self.dropout,
            training=self.training,
            sizes=batch_sizes.tolist(),
        )
        columns = [final] if len(parts) == 1 else list(zip(*final, strict=True))
        stacked = [TENSORS["stack"](list(column), 0) for column in columns]
        if back is not None:
            stacked = [state.index_select(1, back) for state in stacked]
        return PackedSequence(out, batch_sizes, order, back), stacked

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text


class _OneState(RNNBase):
    """RNN and GRU: the state is one tensor (num_layers * directions, N, hidden_size)."""

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        if isinstance(input, PackedSequence):
            size = (self.num_layers * (2 if self.bidirectional else 1), int(input.batch_sizes[0]), self.hidden_size)
            if hx is None:
                hx = zeros(size, dtype=input.data.dtype)
            self.check_hidden_size(hx, size)
            packed, states = self._packed(input, [hx])
            return packed, states[0]
        input, batched = self._batched(input)
        if hx is None:
            hx = zeros(self._expected(input, self.hidden_size), dtype=input.dtype)
        elif not batched:
            if hx.dim() != 2:
                raise RuntimeError(f"For unbatched 2-D input, hx should also be 2-D but got {hx.dim()}-D tensor")
            hx = hx.unsqueeze(1)
        elif hx.dim() != 3:
            raise RuntimeError(f"For batched 3-D input, hx should also be 3-D but got {hx.dim()}-D tensor")
        self.check_input(input)
        self.check_hidden_size(hx, self._expected(input, self.hidden_size))
        out, final = self._layers(input, list(hx.unbind(0)))
        h = TENSORS["stack"](final, 0)
        if not batched:
            return out.squeeze(0 if self.batch_first else 1), h.squeeze(1)
        return out, h


class RNN(_OneState):
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    source  https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_" + nonlinearity.upper(), *args, **kwargs)
        self.nonlinearity = nonlinearity


class GRU(_OneState):
    """Gated recurrent unit (Cho et al. 2014).

    source  https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter & Schmidhuber 1997); the state is (h, c).

    source  https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Tensor, Tensor]]:
        if isinstance(input, PackedSequence):
            rows, n = self.num_layers * (2 if self.bidirectional else 1), int(input.batch_sizes[0])
            h_size, c_size = (rows, n, self.proj_size or self.hidden_size), (rows, n, self.hidden_size)
            if hx is None:
                hx = (zeros(h_size, dtype=input.data.dtype), zeros(c_size, dtype=input.data.dtype))
            self.check_hidden_size(hx[0], h_size, "Expected hidden[0] size {}, got {}")
            self.check_hidden_size(hx[1], c_size, "Expected hidden[1] size {}, got {}")
            packed, (h, c) = self._packed(input, hx)
            return packed, (h, c)
        input, batched = self._batched(input)
        h_size = self._expected(input, self.proj_size or self.hidden_size)
        c_size = self._expected(input, self.hidden_size)
        if hx is None:
            hx = (zeros(h_size, dtype=input.dtype), zeros(c_size, dtype=input.dtype))
        else:
            n = 3 if batched else 2
            if hx[0].dim() != n or hx[1].dim() != n:
                raise RuntimeError(
                    f"For {'batched 3-D' if batched else 'unbatched 2-D'} input, hx and cx should also be {n}-D "
                    f"but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
                )
            if not batched:
                hx = (hx[0].unsqueeze(1), hx[1].unsqueeze(1))
        self.check_input(input)
        self.check_hidden_size(hx[0], h_size, "Expected hidden[0] size {}, got {}")
        self.check_hidden_size(hx[1], c_size, "Expected hidden[1] size {}, got {}")
        states = list(zip(hx[0].unbind(0), hx[1].unbind(0), strict=True))
        out, final = self._layers(input, states)
        h, c = (TENSORS["stack"]([state[i] for state in final], 0) for i in (0, 1))
        if not batched:
            return out.squeeze(0 if self.batch_first else 1), (h.squeeze(1), c.squeeze(1))
        return out, (h, c)


class RNNCellBase(Module):
    """One step of a recurrent layer, (N, input_size) or (input_size,)."""

    mode: ClassVar[str]
    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = undrawn((rows, input_size), device=device, dtype=dtype)
        self.weight_hh = undrawn((rows, hidden_size), device=device, dtype=dtype)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, undrawn(rows, device=device, dtype=dtype) if bias else None)
        self._draw()

    def reset_parameters(self) -> None:
        """Draw new weights, uniform in +-1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = self.__dict__.get("nonlinearity", "tanh")
        if nonlinearity != "tanh":
            text += f", nonlinearity={nonlinearity}"
        return text

    def _step(self, mode: str, input: Tensor, state: Any) -> Any:
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        parts = list(state) if isinstance(state, (tuple, list)) else [] if state is None else [state]
        for i, part in enumerate(parts):
            if part.dim() not in (1, 2):
                what = f"hx[{i}]" if mode == "LSTM" else "hidden"
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {part.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            parts = [part.unsqueeze(0) for part in parts]
        if not parts:
            zero = zeros(input.size(0), self.hidden_size, dtype=input.dtype)
            parts = [zero, zero]
        self._check_sizes(input, parts)
        weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None]
        result = recurrence.cell(mode, input, (parts[0], parts[1]) if mode == "LSTM" else parts[0], weights)
        if batched:
            return result
        return tuple(r.squeeze(0) for r in result) if mode == "LSTM" else result.squeeze(0)

    def _check_sizes(self, input: Tensor, parts: list[Tensor]) -> None:
        if input.size(1) != self.input_size:
            raise RuntimeError(
                f"input has inconsistent input_size: got {input.size(1)} expected {self.input_size}"
            )
        for i, part in enumerate(parts[: 2 if self.mode == "LSTM" else 1]):
            label = str(i)
            if part.size(0) != input.size(0):
                raise RuntimeError(
                    f"Input batch size {input.size(0)} doesn't match hidden{label} batch size {part.size(0)}"
                )
            if part.size(1) != self.hidden_size:
                raise RuntimeError(
                    f"hidden{label} has inconsistent hidden_size: got {part.size(1)}, expected {self.hidden_size}"
                )


class RNNCell(RNNCellBase):
    """tanh (or relu) of W_ih x + b_ih + W_hh h + b_hh."""

    mode = "RNN"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        result: Tensor = self._step("RNN_" + self.nonlinearity.upper(), input, hx)
        return result


class LSTMCell(RNNCellBase):
    """One step of an LSTM; takes and returns (h, c)."""

    mode = "LSTM"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        result: tuple[Tensor, Tensor] = self._step("LSTM", input, hx)
        return result


class GRUCell(RNNCellBase):
    """One step of a GRU."""

    mode = "GRU"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        result: Tensor = self._step("GRU", input, hx)
        return result
