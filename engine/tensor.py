"""The Tensor class: torch's surface over a payload, a graph node and a shape.

Operations come from the registry (engine/ops) and are put on the class by operators.py; what stands here is everything
that is not an operation: storage, leaves, conversion, indexing syntax, the protocols of Python.

Note [Payload]
    `_a` is an ndarray or, for one-element tensors of any shape, often a NumPy scalar. As soon as storage is to be
    shared (.data, .detach(), views, .numpy()) `_array()` boxes the scalar into a real array, in place.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import float32 as F
from numpy import ndarray

from engine import dtypes
from engine.autograd import versions
from engine.autograd.backward import run_fast
from engine.autograd.graph import GraphNode, RemovableHandle, add_hook, wrap
from engine.autograd.hooks import hooked
from engine.autograd.nodes import revive
from engine.errors import RuntimeFault, TypeFault, ValueFault
from engine.missing import TORCH_NAMES, missing
from engine.ops import kernels, subscripts
from engine.ops.axes import axis_of
from engine.ops.custom import PORT
from engine.ops.kernels import ONE
from engine.ops.registry import BW, E0, LEAF_SEQ, META, NAMESPACE, RULES, SHAPE, TENSORS
from engine.shapes import Size as Size

new = object.__new__

CPU = dtypes.device("cpu")
# what `_viewed` holds for a result of .data: it shares storage, but its changes are not counted as versions
DATA: tuple[Any, ...] = ()


class Tensor:
    """A multi-dimensional array that can take part in a graph of derivatives."""

    __slots__ = ("_a", "_n", "_s", "_viewed", "_views", "_twin", "__dict__", "__weakref__")
    __module__ = "torch"
    __array_priority__ = 1000

    _a: Any  # payload, see Note [Payload]
    _n: Any  # graph node, or None
    _s: tuple[int, ...]  # shape
    _viewed: Any  # (base, op, params, other inputs) of a view; unset otherwise: read it as _b
    _views: Any  # weak references to its views; unset while it has none: read it as _v
    _twin: Any  # what shares its number, see Note [Twins] in autograd/versions.py; may be unset

    if TYPE_CHECKING:  # the operators follow from the op blocks; this tells the type checker that they do
        def __add__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __lshift__(self, other: Any) -> Tensor: ...
        def __rshift__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __getattr__(self, name: str) -> Any: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return TENSORS["legacy_constructor"](cls, *args, **kwargs)

    # Note [No __getattr__]: with one, CPython no longer specialises the reading of slots, and every `t._a` costs ten
    # times as much. So unset slots are read through properties, and names that torch has and we lack are descriptors.

    @property
    def _b(self) -> Any:
        """What it is a view of; None when it is none."""
        try:
            return self._viewed
        except AttributeError:
            return None

    @property
    def _v(self) -> Any:
        """Its views; None when it never had one."""
        try:
            return self._views
        except AttributeError:
            return None

    # ---- storage -----------------------------------------------------------------------------------

    def _array(self) -> ndarray[Any, Any]:
        """The real array of this tensor; a scalar payload is boxed for good."""
        a = self._a
        if type(a) is not ndarray:
            fresh = np.empty(self._s, a.dtype)
            fresh.fill(a)
            if versions.version_of(a) or getrefcount(a) > 3:  # this name, self, the call; more: a node saved it
                versions.moved_storage(a, fresh)
            twin = versions.twin_of(self)
            if twin is not None:
                twin._a = fresh
                versions.part(self)
            a = self._a = fresh
        return a  # type: ignore[no-any-return]

    @property
    def data(self) -> Tensor:
        """The same storage outside of the graph; changing it in place is not tracked."""
        r: Tensor = new(Tensor)
        r._n = None
        r._s = self._s
        r._viewed = DATA
        a = self._a
        if type(a) is not ndarray:
            try:
                twin = self._twin
            except AttributeError:
                twin = None
            # references: the slot, this name, the call; more: the program holds an earlier result, or this is one
            if twin is not None and (getrefcount(twin) > 3 or type(twin) is weakref.ref):
                a = self._array()
            else:
                r._twin = weakref.ref(self)
                self._twin = r
        r._a = a
        if NAMESPACE["_watch"] is not None:
            r.__dict__["_data_of"] = weakref.ref(self)
        return r

    @data.setter
    def data(self, other: Tensor) -> None:
        if not isinstance(other, Tensor):
            raise TypeFault(f"Variable data has to be a tensor, but got {type(other).__name__}")
        watch = NAMESPACE["_watch"]
        before = None if NAMESPACE["_obs"] is None else np.array(self._a).reshape(self._s)
        a = other._a
        alone = getrefcount(other) <= 3  # as in `w.data = w.data - ...`
        if type(a) is not ndarray:
            if not alone:
                a = other._array()
        elif alone and a.size == 1 and a.base is None and getrefcount(a) <= 3:
            a = a[kernels.ORIGIN[a.ndim]]  # nobody else holds it, so it may be a number again
        if other is not self:
            versions.part(self)
        self._a = a
        self._s = other._s
        n = self._n
        if n is not None:
            n[SHAPE] = other._s
        if watch is not None:
            now = None if before is None else np.array(self._a).reshape(self._s)
            watch.update(self, before, now, None, {})

    def detach(self) -> Tensor:
        """The same storage outside of the graph; in-place changes are tracked by version."""
        r: Tensor = new(Tensor)
        r._a = self._array()
        r._n = None
        r._s = self._s
        return r

    def detach_(self) -> Tensor:
        """Taken out of the graph for good."""
        if self._b:
            raise RuntimeFault(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
                "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
                "detach_() cannot be called on these gradients. To fix this error, please refer to the "
                "Optimizer.zero_grad() function in torch/optim/optimizer.py as a solution."
            )
        self._n = None
        return self

    def numpy(self, *, force: bool = False) -> ndarray[Any, Any]:
        """The storage as a NumPy array."""
        if self._n is not None and not force:
            raise RuntimeFault(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
                hint="x.detach().numpy()",
            )
        return self._array()

    def __array__(self, dtype: Any = None, copy: Any = None) -> ndarray[Any, Any]:
        a = self.numpy()
        return a if dtype is None else a.astype(dtype, copy=False)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
        """What NumPy's functions of tensors give: np.sqrt(x) is a tensor, outside of the graph."""
        return wrap_array(array.astype(np.uint8) if array.dtype == bool else array)

    def item(self) -> Any:
        """The only element as a Python number."""
        a = self._a
        if a.size != 1:
            raise RuntimeFault(
                f"a Tensor with {a.size} elements cannot be converted to Scalar",
                hint="item() needs one element: reduce first (.sum(), .mean()), or use .tolist()",
            )
        v = a.item()
        return v if type(v) in (float, int, bool) else float(v)

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        a = np.asarray(self._a).reshape(self._s)
        return (a.astype(np.float32) if a.dtype.kind == "V" or a.dtype == dtypes.bfloat16.np else a).tolist()

    # ---- what it is ------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._s)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return Size(self._s) if dim is None else self._s[axis_of(dim, len(self._s))]

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.of(self._a)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._s)

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self._s)

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._a.size)

    nelement = numel

    def element_size(self) -> int:
        """Bytes an element."""
        return int(self._a.dtype.itemsize)

    @property
    def itemsize(self) -> int:
        """Bytes an element."""
        return int(self._a.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return int(self._a.nbytes)

    @property
    def device(self) -> dtypes.device:
        """Where it lies: the CPU."""
        return CPU

    @property
    def layout(self) -> Any:
        """Dense."""
        return NAMESPACE.get("strided_layout", "torch.strided")

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made it, or none that is tracked."""
        return self._n is None or self._n[E0] is None

    @property
    def grad_fn(self) -> GraphNode | None:
        """The node that made it."""
        n = self._n
        return None if n is None or n[E0] is None else wrap(n)

    @property
    def output_nr(self) -> int:
        """Which output of its node it is."""
        n = self._n
        return 0 if n is None or n[E0] is None or RULES.get(n[BW]) is not PORT else n[META]["index"]

    @property
    def _version(self) -> int:
        return versions.version_of(self._a)

    @property
    def _base(self) -> Tensor | None:
        b = self._b
        return b[0] if b else None

    def _is_view(self) -> bool:
        return bool(self._b)

    is_cuda = is_sparse = is_quantized = is_meta = is_mps = is_complex_ = False

    def is_floating_point(self) -> bool:
        """Whether the elements are floating point numbers."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """False: there are no complex numbers here."""
        return False

    def is_signed(self) -> bool:
        """Whether the elements have a sign."""
        return self.dtype.is_signed

    def is_inference(self) -> bool:
        """Whether it was made in inference mode."""
        return False

    def stride(self, dim: int | None = None) -> Any:
        """Steps in elements from one index to the next, per dimension."""
        a = self._array()
        k = a.itemsize
        s = tuple(x // k for x in a.strides)
        return s if dim is None else s[axis_of(dim, len(s))]

    def is_contiguous(self, *, memory_format: Any = None) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return type(self._a) is not ndarray or bool(self._a.flags.c_contiguous)

    def storage_offset(self) -> int:
        """Where in the storage the first element lies."""
        a = self._array()
        owner = versions.owner_of(a)
        return int((a.__array_interface__["data"][0] - owner.__array_interface__["data"][0]) // a.itemsize)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self._array().__array_interface__["data"][0])

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """This tensor where condition holds, other elsewhere."""
        r: Tensor = TENSORS["where"](condition, self, other)
        return r

    # ---- gradients ---------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through it."""
        return self._n is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        n = self._n
        if n is not None and n[E0] is not None:
            if not value:
                raise RuntimeFault(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                    "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            return
        if value:
            if n is None:
                if not self.dtype.is_floating_point:
                    raise RuntimeFault(
                        "only Tensors of floating point dtype can require gradients",
                        hint="make it with floating point numbers: torch.tensor([1.0, 2.0]) or dtype=torch.float32",
                    )
                held = self.__dict__.pop("_grad", None)
                self._n = [LEAF_SEQ, None, None, None, None, 0, None, self._s, held, weakref.ref(self)]
        elif n is not None:
            if n[META] is not None:
                self.__dict__["_grad"] = n[META]
            self._n = None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Track gradients of this leaf from now on."""
        if not isinstance(requires_grad, bool):
            raise TypeFault(
                f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {type(requires_grad).__name__}"
            )
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward accumulated here."""
        n = self._n
        if n is None:
            held: Tensor | None = self.__dict__.get("_grad")
            return held
        if n[E0] is None:
            return n[META]  # type: ignore[no-any-return]
        kept: Tensor | None = self.__dict__.get("_retained")
        if kept is None and not self.retains_grad:
            import warnings

            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
                "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
                "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
                "you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more informations.",
                UserWarning,
                stacklevel=2,
            )
        return kept

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeFault(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value is self:
                raise RuntimeFault("can't assign Variable as its own grad")
            if value.dtype is not self.dtype:
                raise RuntimeFault(
                    f"attempting to assign a gradient with dtype '{dtypes.C_NAMES[value.dtype.name]}' to a tensor with "
                    f"grad_dtype '{dtypes.SCALAR_NAMES[self.dtype]}'. The gradient must match the tensor's grad_dtype "
                    "(defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific "
                    "dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor "
                    "and its gradient may break downstream systems that assume they match.",
                    hint=f"x.grad = gradient.to({self.dtype!r})",
                )
            if value._s != self._s:
                raise RuntimeFault(
                    f"attempting to assign a gradient of size '{list(value._s)}' to a tensor of size '{list(self._s)}'. "
                    "Please ensure that the gradient and the tensor are the same size"
                )
        watch = NAMESPACE["_watch"]
        if watch is not None and value is None and self.is_leaf and self.grad is not None:
            watch.zero([self], "none")
        n = self._n
        if n is None:
            self.__dict__["_grad"] = value
        elif n[E0] is None:
            n[META] = value
        else:
            self.__dict__["_retained"] = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    def retain_grad(self) -> None:
        """Keep the gradient of a non-leaf in .grad."""
        n = self._n
        if n is None:
            raise RuntimeFault("can't retain_grad on Tensor that has requires_grad=False")
        if n[E0] is not None:
            hooked(n).retain = weakref.ref(self)
            self.__dict__["_retains"] = True

    @property
    def retains_grad(self) -> bool:
        """Whether retain_grad() was called on a non-leaf."""
        return "_retains" in self.__dict__

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """hook(grad) each time a gradient of this tensor is complete; it may return another."""
        if self._n is None:
            raise RuntimeFault("cannot register a hook on a tensor that doesn't require gradient")
        return add_hook(hooked(self._n).tensor_hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """hook(tensor) after .grad of this leaf was accumulated."""
        if self._n is None:
            raise RuntimeFault("cannot register a hook on a tensor that doesn't require gradient")
        if self._n[E0] is not None:
            raise RuntimeFault("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return add_hook(hooked(self._n).post, lambda *_: hook(self))

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Gradients of this tensor with respect to the leaves, added to their .grad."""
        n = self._n
        if (
            gradient is None
            and not retain_graph
            and not create_graph
            and inputs is None
            and n is not None
            and NAMESPACE["_obs"] is None
            and self._a.size == 1
            and not NAMESPACE.get("anomaly_on", False)
        ):
            one = ONE * ONE if type(self._a) is F else self._a.dtype.type(1.0)  # the cheapest fresh 1
            if NAMESPACE["_watch"] is not None:
                NAMESPACE["_watch"].seed(self, n, one, False, False, None)
            run_fast(n, one)
            return
        TENSORS["backward"]((self,), gradient, retain_graph, create_graph, inputs=inputs)

    # ---- Python ----------------------------------------------------------------------------------------------

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        from engine.printing import tensor_str

        return tensor_str(self)

    def __format__(self, spec: str) -> str:
        if self._s == () and type(self) is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __bool__(self) -> bool:
        a = self._a
        if a.size == 1:
            return bool(a.item() if type(a) is not ndarray else a.reshape(-1)[0])
        if a.size == 0:
            raise RuntimeFault("Boolean value of Tensor with no values is ambiguous")
        raise RuntimeFault(
            "Boolean value of Tensor with more than one value is ambiguous",
            hint="say which: (x > 0).all(), (x > 0).any(), or torch.equal(x, y)",
        )

    def _only(self) -> Any:
        if self._a.size != 1:
            raise ValueFault("only one element tensors can be converted to Python scalars", hint="reduce it first, or use .tolist()")
        return self.item()

    def __float__(self) -> float:
        return float(self._only())

    def __int__(self) -> int:
        return int(self._only())

    def __index__(self) -> int:
        if self.dtype.is_floating_point or self._a.size != 1:
            raise TypeFault("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __len__(self) -> int:
        if not self._s:
            raise TypeFault("len() of a 0-d tensor")
        return self._s[0]

    def __iter__(self) -> Iterator[Any]:
        if not self._s:
            raise TypeFault("iteration over a 0-d tensor")
        return iter(TENSORS["unbind"](self, 0))

    def __getitem__(self, key: Any) -> Tensor:
        return subscripts.getitem(self, key)  # type: ignore[no-any-return]

    def __setitem__(self, key: Any, value: Any) -> None:
        subscripts.setitem(self, key, value)

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def __hash__(self) -> int:
        return id(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeFault(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
                "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]
        r = new(type(self))
        r._a = self._a.copy()
        r._s = self._s
        r._n = None
        for k, v in self.__dict__.items():
            if k not in ("_grad", "_data_of", "_retained", "_retains"):
                r.__dict__[k] = v
        memo[id(self)] = r
        if self._n is not None:
            r.requires_grad = True
        if self.grad is not None:
            r.grad = self.grad.__deepcopy__(memo)
        return r

    def __setstate__(self, state: Any) -> None:
        raise TypeFault("tensors cannot be unpickled")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeFault("torch.save and pickle of tensors are not supported by Backstep")


NAMESPACE["Tensor"] = Tensor


def make(payload: Any, shape_: tuple[int, ...]) -> Tensor:
    """A tensor without history around a payload."""
    r: Tensor = new(Tensor)
    r._a = payload
    r._n = None
    r._s = shape_
    return r


def wrap_array(a: Any) -> Tensor:
    """A tensor that shares an array's memory (a scalar stays a scalar)."""
    return make(a, a.shape)


class Absent:
    """Stands on the class under a name that torch's tensors have and ours lack: says so when it is asked for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        raise missing("torch.Tensor", self.name, ())


def offered() -> list[str]:
    """The names a tensor answers to."""
    return [name for name in dir(Tensor) if hasattr(Tensor, name)]


def note_absent() -> None:
    """Put an `Absent` under every name that is still missing, once all operations are on the class."""
    for name in TORCH_NAMES["torch.Tensor"]:
        if not hasattr(Tensor, name):
            setattr(Tensor, name, Absent(name))


TENSORS.update(size_class=Size, revive=revive, wrap_array=wrap_array)


def cast(t: Tensor, numpy_type: Any) -> Tensor:
    """t in another NumPy dtype, part of the graph."""
    return t if t._a.dtype == numpy_type else TENSORS["to_dtype"](t, dtypes.OF_NUMPY[np.dtype(numpy_type)])


TENSORS["cast"] = cast
