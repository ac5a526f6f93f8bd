"""Everything below a module, visited in order or changed: the methods of Module that walk its tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from engine.autograd.modes import no_grad
from engine.nn.parameter import Parameter
from engine.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

M = TypeVar("M", bound="Module")


def named_modules(
    self: Module, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
) -> Iterator[tuple[str, Module]]:
    """Itself and every module below, depth first, with dotted paths; a shared module comes once."""
    memo = set() if memo is None else memo
    if self in memo:
        return
    if remove_duplicate:
        memo.add(self)
    yield prefix, self
    for name, module in self._modules.items():
        if module is not None:
            yield from module.named_modules(memo, prefix + ("." if prefix else "") + name, remove_duplicate)


def modules(self: Module, remove_duplicate: bool = True) -> Iterator[Module]:
    """Itself and every module below, depth first."""
    for _, module in self.named_modules(remove_duplicate=remove_duplicate):
        yield module


def named_children(self: Module) -> Iterator[tuple[str, Module]]:
    """The direct children with their names."""
    memo: set[Module] = set()
    for name, module in self._modules.items():
        if module is not None and module not in memo:
            memo.add(module)
            yield name, module


def children(self: Module) -> Iterator[Module]:
    """The direct children."""
    for _, module in self.named_children():
        yield module


def _named_members(
    self: Module,
    get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]],
    prefix: str = "",
    recurse: bool = True,
    remove_duplicate: bool = True,
) -> Iterator[tuple[str, Any]]:
    memo: set[int] = set()
    modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
    for path, module in modules:
        for name, value in get_members_fn(module):
            if value is None or id(value) in memo:
                continue
            if remove_duplicate:
                memo.add(id(value))
            yield path + ("." if path else "") + name, value


def named_parameters(
    self: Module, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
) -> Iterator[tuple[str, Parameter]]:
    """Every parameter with its dotted name, in order of registration."""
    yield from self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)


def parameters(self: Module, recurse: bool = True) -> Iterator[Parameter]:
    """Every parameter: what one hands to an optimizer."""
    for _, param in self.named_parameters(recurse=recurse):
        yield param


def named_buffers(
    self: Module, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
) -> Iterator[tuple[str, Tensor]]:
    """Every buffer with its dotted name."""
    yield from self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)


def buffers(self: Module, recurse: bool = True) -> Iterator[Tensor]:
    """Every buffer."""
    for _, buffer in self.named_buffers(recurse=recurse):
        yield buffer


def apply(self: M, fn: Callable[[Module], None]) -> M:
    """Call `fn` on every module below, children first, then on itself."""
    for module in self.children():
        module.apply(fn)
    fn(self)
    return self


def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
    """Replace the data of every parameter, gradient and buffer by `fn` of it; parameters stay the same objects."""
    if recurse:
        for module in self.children():
            module._apply(fn)
    for param in self._parameters.values():
        if param is None:
            continue
        grad = param.grad
        with no_grad():
            if (moved := fn(param)) is not param:  # model.to("cpu") changes nothing, and nothing is to be told of it
                param.data = moved
            if grad is not None:
                param.grad = fn(grad)
    for name, buffer in self._buffers.items():
        if buffer is not None:
            self._buffers[name] = fn(buffer)
    return self
