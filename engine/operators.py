"""Operations put on the Tensor class: methods, their in-place forms, Python's operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from engine.errors import RuntimeFault, TypeFault
from engine.ops import kernels
from engine.ops.compiler import compile_pointwise
from engine.ops.registry import COMPOSITES, METHODLESS, REGISTRY, TENSORS
from engine.tensor import Tensor
from engine.writing import inplace


def install_methods() -> None:
    """Put the registry's operations on the class: method, in-place form."""
    for name, f in COMPOSITES.items():
        if not hasattr_own(name) and name not in METHODLESS:
            setattr(Tensor, name, f)
    for name, o in REGISTRY.items():
        if not o.method:
            continue
        for alias in (name, *o.aliases):
            if not hasattr_own(alias):
                setattr(Tensor, alias, o.call)
            if o.inplace:
                setattr(Tensor, alias + "_", inplace(name))


def hasattr_own(name: str) -> bool:
    """Whether the class body itself defines a name."""
    return name in Tensor.__dict__


def _binary(name: str, reverse: bool = False) -> Callable[[Tensor, Any], Any]:
    """Python's operator for an operation; what is no number and no tensor is left to the other operand."""
    f = TENSORS[name]

    def operator(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (Tensor, float, int, np.generic)):
            if not isinstance(other, ndarray):
                return NotImplemented
            other = TENSORS["as_tensor"](other)
        return f(other, self) if reverse else f(self, other)

    return operator


def _direct(name: str) -> Callable[[Tensor, Any], Any]:
    """The operation itself as operator: no wrapper on the hot path; `general` answers NotImplemented to strangers."""
    o = REGISTRY[name]
    return compile_pointwise(o, operator=True)


def rtruediv(self: Tensor, other: Any) -> Any:
    """number / x: a reciprocal times the number, as torch has it."""
    if isinstance(other, (float, int, np.generic)):
        return TENSORS["mul"](TENSORS["reciprocal"](self), other)
    return NotImplemented


def matmul_operator(self: Tensor, other: Any) -> Any:
    """x @ y."""
    return TENSORS["matmul"](self, other) if isinstance(other, Tensor) else NotImplemented


squared, cubed = TENSORS["pow_2"], TENSORS["pow_3"]


def power(self: Tensor, exponent: Any) -> Any:
    """x ** exponent; squares and cubes of float32 without detours."""
    if type(exponent) is int and (exponent == 2 or exponent == 3) and self._a.dtype is kernels.F32:
        return squared(self) if exponent == 2 else cubed(self)
    if not isinstance(exponent, (Tensor, float, int, np.generic)):
        return NotImplemented
    return TENSORS["pow"](self, exponent)


def rpow(self: Tensor, base: Any) -> Any:
    """number ** x."""
    return TENSORS["pow"](base, self) if isinstance(base, (float, int, np.generic)) else NotImplemented


def invert(self: Tensor) -> Tensor:
    """~x."""
    if self.dtype.is_floating_point:
        raise TypeFault("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    r: Tensor = TENSORS["bitwise_not"](self)
    return r


def install_operators() -> None:
    """Python's operators."""
    for symbol, name in (
        ("add", "add"), ("sub", "sub"), ("mul", "mul"), ("truediv", "div"), ("radd", "add"), ("rmul", "mul"),
        ("rsub", "rsub"), ("lt", "lt"), ("le", "le"), ("gt", "gt"), ("ge", "ge"), ("eq", "eq"), ("ne", "ne"),
    ):  # fmt: skip
        setattr(Tensor, f"__{symbol}__", _direct(name))
    for symbol, name in (
        ("floordiv", "floor_divide"), ("mod", "remainder"), ("and", "bitwise_and"), ("or", "bitwise_or"),
        ("xor", "bitwise_xor"), ("lshift", "bitwise_left_shift"), ("rshift", "bitwise_right_shift"),
        ("rand", "bitwise_and"), ("ror", "bitwise_or"), ("rxor", "bitwise_xor"),
    ):  # fmt: skip
        setattr(Tensor, f"__{symbol}__", _binary(name))
    for symbol, name in (
        ("rfloordiv", "floor_divide"), ("rmod", "remainder"), ("rlshift", "bitwise_left_shift"),
        ("rrshift", "bitwise_right_shift"),
    ):  # fmt: skip
        setattr(Tensor, f"__{symbol}__", _binary(name, True))
    for symbol, name in (
        ("iadd", "add"), ("isub", "sub"), ("imul", "mul"), ("itruediv", "div"), ("ifloordiv", "floor_divide"),
        ("imod", "remainder"), ("ipow", "pow"), ("iand", "bitwise_and"), ("ior", "bitwise_or"), ("ixor", "bitwise_xor"),
        ("ilshift", "bitwise_left_shift"), ("irshift", "bitwise_right_shift"),
    ):  # fmt: skip
        setattr(Tensor, f"__{symbol}__", inplace(name))
    for symbol, f in (
        ("rtruediv", rtruediv), ("rpow", rpow), ("pow", power), ("neg", TENSORS["neg"]), ("abs", TENSORS["abs"]),
        ("pos", TENSORS["positive"]),
        ("invert", invert), ("matmul", matmul_operator),
    ):  # fmt: skip
        setattr(Tensor, f"__{symbol}__", f)
    Tensor.T = property(transposed)  # type: ignore[attr-defined]
    Tensor.mT = property(matrix_transposed)  # type: ignore[attr-defined]


def transposed(self: Tensor) -> Tensor:
    """All dimensions reversed."""
    n = len(self._s)
    if n not in (0, 2):
        import warnings

        warnings.warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an "
            "error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
            UserWarning,
            stacklevel=2,
        )
    r: Tensor = TENSORS["permute_dims"](self, (1, 0) if n == 2 else tuple(range(n))[::-1])
    return r


def matrix_transposed(self: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    if len(self._s) < 2:
        raise RuntimeFault(f"tensor.mT is only supported on matrices or batches of matrices. Got {len(self._s)}-D tensor.")
    r: Tensor = TENSORS["transpose"](self, -2, -1)
    return r


install_methods()
install_operators()
