"""`Module`, the base class of every layer: registration, attributes, casts, repr. Its longer methods stand beside it.

Knows no arithmetic. Semantics, error texts and `repr` are torch.nn.Module's. Calling a module costs one flag test
beyond `forward` when nothing watches and no hook is registered (Note [Fast call]).
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from engine.autograd import observer
from engine.dtypes import dtype as DType
from engine.nn.modules import hooked, state, traversal
from engine.nn.modules.hooked import EVERY_MODULE
from engine.nn.modules.hooked import register_module_forward_hook as register_module_forward_hook
from engine.nn.modules.hooked import register_module_forward_pre_hook as register_module_forward_pre_hook
from engine.nn.modules.hooked import register_module_full_backward_hook as register_module_full_backward_hook
from engine.nn.modules.hooked import register_module_full_backward_pre_hook as register_module_full_backward_pre_hook
from engine.nn.parameter import Buffer, Parameter, typename
from engine.ops.registry import NAMESPACE
from engine.tensor import Tensor


def indent(text: str, spaces: int) -> str:
    """`text` with every line but the first moved right."""
    return text.replace("\n", "\n" + spaces * " ")


class Module:
    """Base class of all layers and models: assign parameters, buffers and submodules as attributes, write `forward`.

    Note [Fast call]: `_plain` is True until the first hook is registered, so that an ordinary call tests two flags and
    goes straight to `forward`.

    source  https://pytorch.org/docs/stable/generated/torch.nn.Module.html
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _version: ClassVar[int] = 1
    call_super_init: ClassVar[bool] = False
    dump_patches: ClassVar[bool] = False
    _plain: bool
    _is_full_backward_hook: bool | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                name = next(iter(kwargs))
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{name}'")
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        # straight into __dict__: our own __setattr__ sorts parameters, buffers and modules and needs these first
        self.__dict__.update(
            training=True,
            _plain=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
            _is_full_backward_hook=None,
            _forward_hooks=OrderedDict(),
            _forward_hooks_with_kwargs=OrderedDict(),
            _forward_hooks_always_called=OrderedDict(),
            _forward_pre_hooks=OrderedDict(),
            _forward_pre_hooks_with_kwargs=OrderedDict(),
            _state_dict_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # ---- calling ---------------------------------------------------------------------------------------------

    def forward(self, *input: Any) -> Any:
        """The computation; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._plain and observer.active is None and not EVERY_MODULE:
            return self.forward(*args, **kwargs)
        return hooked.call(self, args, kwargs)

    # ---- registration ----------------------------------------------------------------------------------------

    def _check_name(self, kind: str, name: Any, table: Mapping[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in table:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add state that is not a parameter (a running mean); `persistent` buffers are part of `state_dict`."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, reachable as the attribute `name`."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = param

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module, reachable as the attribute `name`."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """Alias of `add_module`."""
        self.add_module(name, module)

    # ---- attributes ------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        here = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if table in here and name in here[table]:
                return here[table][name]
        if name == "_plain":  # a call before __init__: torch stumbles over the table of hooks it looks at first
            name = "_backward_hooks"
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _drop(self, name: str, *tables: str) -> None:
        """Forget what `name` meant before it is given another kind."""
        self.__dict__.pop(name, None)
        for table in tables:
            self.__dict__[table].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __setattr__(self, name: str, value: Any) -> None:
        here = self.__dict__
        params, buffers, modules = here.get("_parameters"), here.get("_buffers"), here.get("_modules")
        if isinstance(value, Parameter):
            if params is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._drop(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif params is not None and name in params:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._drop(name, "_parameters", "_buffers")
            modules[name] = value
        elif modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            modules[name] = value
        elif isinstance(value, Buffer) or (buffers is not None and name in buffers):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            persistent = value.persistent if isinstance(value, Buffer) else name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, persistent)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]  # type: ignore[attr-defined]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    # ---- looking up by path ----------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Module:
        """The submodule at a dotted path; "" is the module itself."""
        module: Module = self
        for item in target.split(".") if target else ():
            if not hasattr(module, item):
                raise AttributeError(module._get_name() + " has no attribute `" + item + "`")
            module = getattr(module, item)
            if not isinstance(module, Module):
                raise AttributeError("`" + item + "` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at a dotted path; `strict` refuses to create a new name."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        *path, name = target.split(".")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(".".join(path))
        if strict and not hasattr(parent, name):
            raise AttributeError(parent._get_name() + " has no attribute `" + name + "`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError("`" + name + "` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(module._get_name() + " has no attribute `" + name + "`")
        param = getattr(module, name)
        if not isinstance(param, Parameter):
            raise AttributeError("`" + name + "` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(module._get_name() + " has no attribute `" + name + "`")
        if name not in module._buffers:
            raise AttributeError("`" + name + "` is not a buffer")
        buffer: Tensor = getattr(module, name)
        return buffer

    # ---- everything below: traversal.py ----------------------------------------------------------------------

    named_modules = traversal.named_modules
    modules = traversal.modules
    named_children = traversal.named_children
    children = traversal.children
    _named_members = traversal._named_members
    named_parameters = traversal.named_parameters
    parameters = traversal.parameters
    named_buffers = traversal.named_buffers
    buffers = traversal.buffers
    apply = traversal.apply
    _apply = traversal._apply

    # ---- changing everything below ---------------------------------------------------------------------------

    def _cast(self, convert: Callable[[Tensor], Tensor]) -> Self:
        return self._apply(lambda t: convert(t) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Cast floating point parameters and buffers to float32."""
        return self._cast(lambda t: t.float())

    def double(self) -> Self:
        """Cast floating point parameters and buffers to float64."""
        return self._cast(lambda t: t.double())

    def half(self) -> Self:
        """Cast floating point parameters and buffers to float16."""
        return self._cast(lambda t: t.half())

    def bfloat16(self) -> Self:
        """Cast floating point parameters and buffers to bfloat16."""
        return self._cast(lambda t: t.bfloat16())

    def type(self, dst_type: Any) -> Self:
        """Cast all parameters and buffers to `dst_type`."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self) -> Self:
        """Stay where one is: everything lives on the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Fails as torch without CUDA does."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self) -> Self:
        """Nothing is shared between processes here; returns itself."""
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """`to(device)`, `to(dtype)`, `to(tensor)` and their keywords; casts floating point members only."""
        target: DType | None = kwargs.get("dtype")
        for arg in args:
            if isinstance(arg, DType):
                target = arg
            elif isinstance(arg, Tensor):
                target = arg.dtype
        if target is not None and not target.is_floating_point:
            raise TypeError(
                "nn.Module.to only accepts floating point or complex "
                f"dtypes, but got desired dtype={target}"
            )
        return self._apply(lambda t: t.to(*args, **kwargs) if t.is_floating_point() else t)

    def train(self, mode: bool = True) -> Self:
        """Set training mode here and below: Dropout drops, BatchNorm uses the batch."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """`train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze or thaw every parameter."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear every parameter's gradient: to None, or to zeros."""
        for param in self.parameters():
            grad = param.grad
            if grad is None:
                continue
            if set_to_none:
                param.grad = None
            else:
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()

    def _draw(self) -> None:
        """A layer's first values: drawn unobserved, then its parameters are announced as leaves, values and all."""
        watching, brief = NAMESPACE["_obs"], NAMESPACE["_watch"]
        if watching is None and brief is None:
            self.reset_parameters()
            return
        NAMESPACE["_obs"] = NAMESPACE["_watch"] = None
        try:
            self.reset_parameters()
        finally:
            NAMESPACE["_obs"], NAMESPACE["_watch"] = watching, brief
        if watching is not None:
            for param in self._parameters.values():
                if param is not None:
                    watching.leaf(param, "parameter")

    # ---- state: state.py -------------------------------------------------------------------------------------

    get_extra_state = state.get_extra_state
    set_extra_state = state.set_extra_state
    _save_to_state_dict = state._save_to_state_dict
    state_dict = state.state_dict
    _load_from_state_dict = state._load_from_state_dict
    _load_one = state._load_one
    load_state_dict = state.load_state_dict

    # ---- hooks: hooked.py ------------------------------------------------------------------------------------

    _hook = hooked._hook
    register_forward_pre_hook = hooked.register_forward_pre_hook
    register_forward_hook = hooked.register_forward_hook
    register_full_backward_pre_hook = hooked.register_full_backward_pre_hook
    register_full_backward_hook = hooked.register_full_backward_hook
    register_backward_hook = hooked.register_backward_hook
    _choose_backward_hooks = hooked._choose_backward_hooks
    _register_state_dict_hook = hooked._register_state_dict_hook
    register_state_dict_post_hook = hooked.register_state_dict_post_hook
    register_state_dict_pre_hook = hooked.register_state_dict_pre_hook
    register_load_state_dict_pre_hook = hooked.register_load_state_dict_pre_hook
    register_load_state_dict_post_hook = hooked.register_load_state_dict_post_hook

    # ---- printing --------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The text between a leaf layer's parentheses; override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        child_lines = [f"({name}): " + indent(repr(module), 2) for name, module in self._modules.items()]
        lines = extra_lines + child_lines
        if not lines:
            return self._get_name() + "()"
        if len(extra_lines) == 1 and not child_lines:
            return f"{self._get_name()}({extra_lines[0]})"
        return self._get_name() + "(\n  " + "\n  ".join(lines) + "\n)"


for _name, _member in vars(Module).items():
    if inspect.isfunction(_member):
        _member.__qualname__ = f"Module.{_name}"  # as a TypeError about its arguments names it
