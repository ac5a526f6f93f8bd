"""torch.autograd: the names under which differentiation is found there. Nothing is defined here but Variable."""

from __future__ import annotations

from typing import Any

from engine.autograd import functional as functional
from engine.autograd.function import Function as Function
from engine.autograd.functional import backward as backward
from engine.autograd.functional import grad as grad
from engine.autograd.gradcheck import gradcheck as gradcheck
from engine.autograd.gradcheck import gradgradcheck as gradgradcheck
from engine.autograd.modes import detect_anomaly as detect_anomaly
from engine.autograd.modes import enable_grad as enable_grad
from engine.autograd.modes import inference_mode as inference_mode
from engine.autograd.modes import no_grad as no_grad
from engine.autograd.modes import set_detect_anomaly as set_detect_anomaly
from engine.autograd.modes import set_grad_enabled as set_grad_enabled
from engine.ops.registry import NAMESPACE


class _VariableMeta(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, NAMESPACE["Tensor"])


class Variable(metaclass=_VariableMeta):
    """What tensors with gradients were called before torch 0.4: now simply the tensor itself."""

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        t = data.detach() if isinstance(data, NAMESPACE["Tensor"]) else NAMESPACE["Tensor"](data)
        t.requires_grad = requires_grad
        return t
