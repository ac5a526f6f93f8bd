"""The Tensor class: torch's surface over a payload, a graph node and a shape.

Operations come from the registry (engine/ops) and are put on the class at import; what stands here is everything that
is not an operation: storage, leaves, in-place changes, conversion, indexing syntax, the protocols of Python.

Note [Payload]
    `_a` is an ndarray or, for one-element tensors of any shape, often a NumPy scalar. As soon as storage is to be
    shared (.data, .detach(), views, .numpy()) `_array()` boxes the scalar into a real array, in place.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
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
from engine.ops.compiler import compile_pointwise
from engine.ops.custom import PORT
from engine.ops.kernels import ONE
from engine.ops.refusals import failed
from engine.ops.registry import (
    BW,
    COMPOSITES,
    E0,
    LEAF_SEQ,
    META,
    METHODLESS,
    NAMESPACE,
    REGISTRY,
    RULES,
    SAVED,
    SEQ,
    SHAPE,
    TENSORS,
)  # fmt: skip

new = object.__new__


class Size(tuple):  # type: ignore[type-arg]
    """A shape: a tuple that prints itself as torch's."""

    __slots__ = ()
    __module__ = "torch"

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    __str__ = __repr__

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        return kernels.numel(self)

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __getitem__(self, i: Any) -> Any:
        r = tuple.__getitem__(self, i)
        return Size(r) if isinstance(i, slice) else r

    def __mul__(self, n: Any) -> Size:
        return Size(tuple.__mul__(self, n))

    __rmul__ = __mul__


CPU = dtypes.device("cpu")
# what `_viewed` holds for a result of .data: it shares storage, but its changes are not counted as versions
DATA: tuple[Any, ...] = ()
LEAF_OF_VIEW = "a view of a leaf Variable that requires grad is being used in an in-place operation."
# operations that may write one place several times
ANYWHERE = frozenset(("filled", "filled_tensor", "zeroed", "masked_fill_number", "masked_fill_tensor", "index_put"))
LEAF = "a leaf Variable that requires grad is being used in an in-place operation."


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


# ---- in place ---------------------------------------------------------------------------------------------------


def store(out: Tensor, r: Tensor) -> Tensor:
    """`out=`: write the result into a given tensor."""
    if not isinstance(out, Tensor):
        raise TypeFault(f"argument 'out' must be Tensor, not {type(out).__name__}")
    if r._n is not None or out._n is not None:
        raise RuntimeFault(
            "out=... arguments don't support automatic differentiation, but one of the arguments requires grad.",
            hint="leave out= away, or compute under torch.no_grad()",
        )
    if not dtypes.can_cast(r.dtype, out.dtype):
        raise RuntimeFault(
            f"result type {dtypes.SCALAR_NAMES[r.dtype]} can't be cast to the desired output type "
            f"{dtypes.SCALAR_NAMES[out.dtype]}"
        )
    if out._s == r._s:
        write(out, r._a)
    else:
        versions.part(out)
        out._a = r._a.astype(out._a.dtype)
        out._s = r._s
    return out


def write(t: Tensor, value: Any) -> None:
    """Change t's storage to `value` (broadcast and cast), counting the version; no graph."""
    a = t._a
    watch = NAMESPACE["_watch"]
    before = None
    if NAMESPACE["_obs"] is not None:
        before = np.array(a).reshape(t._s)
    if type(a) is ndarray:
        a[...] = value
        if t._b is not DATA:
            versions.bump(a)
    else:
        v = value.reshape(-1)[0] if type(value) is ndarray else value
        versions.renew(t, a.dtype.type(v), counted=True)
    if watch is not None:
        known = t.__dict__.get("_data_of")
        owner = t if known is None else known()
        _observe_write(watch, t if owner is None else owner, before, t)


def _observe_write(watch: Any, owner: Tensor, before: Any, t: Tensor) -> None:
    known = getattr(watch, "is_gradient", None)
    if known is not None and known(t):
        if not np.any(t._a):
            watch.zero([t], "zero")
        return
    if owner.is_leaf and owner._n is not None:
        now = None if before is None else np.array(t._a).reshape(t._s)
        watch.update(owner, before, now, None, {})


def before_inplace(t: Tensor, o: Any = None, *others: Any) -> None:
    """Raise where autograd forbids a change of t: this comes before anything else that may be wrong with it."""
    n = t._n
    if not NAMESPACE["grad_on"] or (n is None and not any(isinstance(x, Tensor) and x._n is not None for x in others)):
        return
    b = t._b
    if b:
        view = t
        while b:
            if b[2].name == "piece":
                name = "View" if n is None else NAMESPACE["node_name"](wrap(n)._node).rstrip("0123456789").removesuffix("Backward")
                raise failed(o, (t,), RuntimeFault(
                    f"Output {t.output_nr} of {name} is a view and is being modified inplace. This view is the output of a "
                    "function that returns multiple views. Such functions do not allow the output views to be modified inplace. "
                    "You should replace the inplace operation by an out-of-place one.",
                    hint="index instead: x[i] is a view that may be changed"))  # fmt: skip
            view = b[1]
            b = view._b
        if n is not None and view._n is not None and view._n[E0] is None:
            raise failed(o, (t,), RuntimeFault(
                LEAF_OF_VIEW, hint="change it under torch.no_grad(), or clone the leaf first"))  # fmt: skip
    if n is not None and n[E0] is None:
        raise failed(o, (t,), RuntimeFault(
            LEAF, hint="change it under torch.no_grad(), or make a new tensor: w = w - lr * w.grad"))  # fmt: skip


def forbid_overlap(t: Tensor, o: Any = None) -> None:
    """Raise where several elements of t lie in one place."""
    a = t._array()
    if a.size and any(step == 0 and n > 1 for step, n in zip(a.strides, a.shape, strict=True)):
        raise failed(o, (t,), RuntimeFault(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation.", hint="an expanded tensor repeats its elements"))  # fmt: skip


def forbid_partial_overlap(t: Tensor, others: Iterable[Any], o: Any = None) -> None:
    """Raise where t is to be written from memory it shares in part; the very same elements are fine."""
    a = t._a
    for other in others:
        if not isinstance(other, Tensor):
            continue
        b = other._a
        if type(b) is not ndarray or not np.may_share_memory(a, b) or not (_dense(a) and _dense(b)):
            continue
        if a.shape != b.shape or a.strides != b.strides or a.__array_interface__["data"] != b.__array_interface__["data"]:
            raise failed(o, (t,), RuntimeFault(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
                "location. Please clone() the tensor before performing the operation.",
                hint="what is read would already be overwritten: x[1:] += x[:-1].clone()"))  # fmt: skip


def _dense(a: ndarray[Any, Any]) -> bool:
    """Whether the elements lie in one block without gaps, in any order of dimensions."""
    size = a.itemsize
    for step, n in sorted((step, n) for step, n in zip(a.strides, a.shape, strict=True) if n != 1):
        if step != size:
            return False
        size *= n
    return True


def apply_inplace(t: Tensor, r: Tensor, o: Any = None) -> Tensor:
    """Make r, computed from t, the new value of t: storage, version and history."""
    before_inplace(t, o, r)
    if r._s != t._s:
        if kernels.broadcast_shapes(r._s, t._s) != t._s:
            raise RuntimeFault(
                f"output with shape {list(t._s)} doesn't match the broadcast shape {list(r._s)}",
                hint="an in-place operation cannot change the shape; use the form without the underscore",
            )
    if not dtypes.can_cast(r.dtype, t.dtype):
        raise RuntimeFault(
            f"result type {dtypes.SCALAR_NAMES[r.dtype]} can't be cast to the desired output type "
            f"{dtypes.SCALAR_NAMES[t.dtype]}",
            hint="an in-place operation keeps the dtype: use the form without the underscore, or x = x.float() first",
        )
    if type(t._a) is ndarray and 0 in t._a.strides and (o is None or o.name not in ANYWHERE):
        forbid_overlap(t, o)
    if NAMESPACE["grad_on"] and r._n is not None:
        rule = RULES.get(r._n[BW])
        if rule is not None and rule.op.inputs and rule.op.inputs[0] in rule.saved:
            place = SAVED + rule.saved.index(rule.op.inputs[0])  # torch: an in-place operation saves original_self
            if r._n[place] is t._a:
                r._n[place] = t._a.copy()
    write(t, r._a)
    if NAMESPACE["grad_on"]:
        m = r._n
        if m is not None:
            rule = RULES.get(m[BW])
            if rule is not None and "out" in rule.saved:
                m[SAVED + rule.saved.index("out")] = t._a
                m[SEQ] = NAMESPACE["seq"]()
        if m is not None:
            versions.remember(t._a, m, bool(t._b))
        if t._b:
            TENSORS["rebase_view"](t, m)
        else:
            t._n = m
            if t._v:
                TENSORS["rebase_views"](t)
    return t


def inplace(name: str) -> Callable[..., Tensor]:
    """The `name_` form of an operation."""
    f = TENSORS[name]
    o = REGISTRY.get(name) or REGISTRY.get(name + "_number")

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if NAMESPACE["_obs"] is not None:
            NAMESPACE["_obs"].target = self  # the operation that follows computes its new value
        before_inplace(self, o, *args)
        if type(self._a) is ndarray and args:
            forbid_partial_overlap(self, args, o)
        return apply_inplace(self, f(self, *args, **kwargs), o)

    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"In-place form of {name}()."
    return method


NAMESPACE.update(store=store)
TENSORS.update(
    size_class=Size, forbid_overlap=forbid_overlap, revive=revive, wrap_array=wrap_array
)


def cast(t: Tensor, numpy_type: Any) -> Tensor:
    """t in another NumPy dtype, part of the graph."""
    return t if t._a.dtype == numpy_type else TENSORS["to_dtype"](t, dtypes.OF_NUMPY[np.dtype(numpy_type)])


TENSORS["cast"] = cast


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
