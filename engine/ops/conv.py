"""Convolutions and sliding windows. (Pooling and resizing are in pool.py, padding in pad.py.)

Note [Three forms of one product]
    A convolution y = x * w is linear in x and in w. Its two derivatives (`convolution_input`, given g and w, and
    `convolution_weight`, given g and x) are operations too, and each one's derivatives are the other two: so every
    order exists, and a transposed convolution is `convolution_input` called forwards.

Note [Columns]
    Windows are copied side by side into columns (im2col), so that the product becomes one matrix product per
    sample, which BLAS does; going back, columns are added into place (col2im), one strided addition per kernel
    position. torch: aten/src/ATen/native/im2col.h
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.op import TENSORS, Sample, op
from engine.ops.vocabulary import word

Array = Any
Ints = tuple[int, ...]

_SITE = "https://pytorch.org/docs/stable/generated/torch.nn.functional."
IMAGE = [[[[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [2.0, 1.0, -2.0]]]]
KERNEL = [[[[1.0, -1.0], [0.5, 2.0]]]]
LINE = [[[1.0, 2.0, 0.5, -1.0, 3.0]]]


# ---- windows ------------------------------------------------------------------------------------------------


def out_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows fit."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def _padded(x: Array, padding: Sequence[int], fill: float = 0.0) -> Array:
    """Spatial dimensions (from 2 on) of x extended on both sides."""
    if not any(padding):
        return x
    shape = x.shape[:2] + tuple(n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True))
    out = np.full(shape, fill, x.dtype) if fill else np.zeros(shape, x.dtype)
    inner = tuple(slice(p, p + n) for n, p in zip(x.shape[2:], padding, strict=True))
    out[(slice(None), slice(None), *inner)] = x
    return out


def windows(x: Array, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Array:
    """A view (N, C, *kernel, *out) of every window of the padded array x."""
    n = len(kernel)
    out = tuple(out_size(x.shape[2 + i], kernel[i], stride[i], 0, dilation[i]) for i in range(n))
    s = x.strides
    strides = (
        *s[:2],
        *(s[2 + i] * dilation[i] for i in range(n)),
        *(s[2 + i] * stride[i] for i in range(n)),
    )
    return as_strided(x, (*x.shape[:2], *kernel, *out), strides, writeable=False)


def _columns(x: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> tuple[Array, Ints]:
    """im2col: (N, groups, C/groups * prod(kernel), L), and the spatial shape L stands for."""
    view = windows(_padded(x, padding), kernel, stride, dilation)
    out = view.shape[2 + len(kernel) :]
    n, c = x.shape[:2]
    return view.reshape(n, groups, c // groups * kernels.numel(kernel), kernels.numel(out)), out


def _add_columns(
    columns: Array, shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> Array:
    """col2im: columns (N, C, *kernel, *out) added into an array of `shape`."""
    n = len(kernel)
    big = shape[:2] + tuple(d + 2 * p for d, p in zip(shape[2:], padding, strict=True))
    x = np.zeros(big, columns.dtype)
    columns = columns.reshape(*shape[:2], *kernel, *out)
    for place in itertools.product(*(range(k) for k in kernel)):
        slices = tuple(
            slice(place[i] * dilation[i], place[i] * dilation[i] + stride[i] * (out[i] - 1) + 1, stride[i])
            for i in range(n)
        )
        x[(slice(None), slice(None), *slices)] += columns[(slice(None), slice(None), *place)]
    if any(padding):
        x = x[(slice(None), slice(None), *(slice(p, p + d) for d, p in zip(shape[2:], padding, strict=True)))]
        return np.ascontiguousarray(x)
    return x


# ---- the three forms ------------------------------------------------------------------------------------------


def _in_float32(f: Callable[..., Array]) -> Callable[..., Array]:
    """A product of two arrays that computes half precision in float32, as torch does."""

    def widened(a: Array, b: Array, *geometry: Any) -> Array:
        if a.dtype.itemsize != 2:
            return f(a, b, *geometry)
        return f(a.astype(np.float32), b.astype(np.float32), *geometry).astype(a.dtype)

    return widened


@_in_float32
def _conv(x: Array, w: Array, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Array:
    columns, out = _columns(x, w.shape[2:], stride, padding, dilation, groups)
    filters = w.reshape(groups, w.shape[0] // groups, -1)
    y = np.matmul(filters, columns) if groups > 1 else np.matmul(filters[0], columns[:, 0])
    return y.reshape(x.shape[0], w.shape[0], *out)


@_in_float32
def _conv_input(g: Array, w: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Array:
    n, out = g.shape[0], g.shape[2:]
    filters = w.reshape(groups, w.shape[0] // groups, -1)
    rows = g.reshape(n, groups, w.shape[0] // groups, kernels.numel(out))
    if groups > 1:
        columns = np.matmul(filters.transpose(0, 2, 1), rows)
    else:
        columns = np.matmul(filters[0].T, rows[:, 0])
    return _add_columns(columns, shape, w.shape[2:], stride, padding, dilation, out)


@_in_float32
def _conv_weight(g: Array, x: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Array:
    columns, _ = _columns(x, shape[2:], stride, padding, dilation, groups)
    return _from_columns(g, columns, shape, groups)


@_in_float32
def _from_columns(g: Array, columns: Array, shape: Ints, groups: int) -> Array:
    rows = g.reshape(g.shape[0], groups, shape[0] // groups, kernels.numel(g.shape[2:]))
    if groups == 1:
        per_sample = np.matmul(rows[:, 0], columns[:, 0].transpose(0, 2, 1))
    else:
        per_sample = np.matmul(rows, columns.transpose(0, 1, 3, 2))
    return np.add.reduce(per_sample, 0).reshape(shape)


_GEOMETRY = "stride, padding, dilation, groups"
word(
    "convolution_weight_saved",
    lambda g, input, columns, shape, stride, padding, dilation, groups: _from_columns(g, columns, shape, groups),
    lambda g, input, columns, *geometry: TENSORS["convolution_weight"](g, input, *geometry),
)
word(
    "bias_sum",
    lambda g: kernels.sum_axes(g, (0, *range(2, g.ndim))).reshape(-1),
    lambda g: g.sum((0, *range(2, g.dim()))),
)


def _check_convolution(x: Array, w: Array, bias: Array | None, groups: int, transposed: bool, spatial: int) -> None:
    if x.dtype != w.dtype or (bias is not None and bias.dtype != x.dtype):
        a, b = (dtypes.SCALAR_NAMES[dtypes.of(v)] for v in (x, w if x.dtype != w.dtype else bias))
        kind = "weight" if x.dtype != w.dtype else "bias"
        if kind == "bias":
            raise RuntimeFault(f"Input type ({a.lower()}) and bias type ({b.lower()}) should be the same")
        raise RuntimeFault(
            f"expected scalar type {a} but found {b}",
            hint="convert one of them: x.float(), or model.double()",
        )
    if w.ndim < 3:
        raise RuntimeFault("weight should have at least three dimensions")
    if w.ndim != spatial + 2:
        raise RuntimeFault(
            f"expected stride to be a single integer value or a list of {w.ndim - 2} values to match the convolution "
            f"dimensions, but got stride=[{', '.join(['1'] * spatial)}]",
            hint=f"the weight has {w.ndim} dimensions; this convolution needs {spatial + 2}: (out, in / groups, *kernel)",
        )
    channels = x.shape[1]
    expected = w.shape[0] if transposed else w.shape[1] * groups
    if channels != expected:
        what = f"Given {'transposed=1' if transposed else f'groups={groups}'}, weight of size {list(w.shape)}, "
        raise RuntimeFault(
            what + f"expected input{list(x.shape)} to have {expected} channels, but got {channels} channels instead",
            hint=f"channels are dimension 1; the layer was made for in_channels={expected}",
        )
    outputs = w.shape[1] * groups if transposed else w.shape[0]
    if bias is not None and bias.shape != (outputs,):
        raise RuntimeFault(
            f"Given {'transposed=1, ' if transposed else ''}weight of size {list(w.shape)}, expected "
            f"bias to be 1-dimensional with {outputs} elements, but got bias of size {list(bias.shape)} instead"
        )


def _check_kernel_fits(x: Array, w: Array, padding: Ints, dilation: Ints) -> None:
    sizes = [n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True)]
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    if any(n < k for n, k in zip(sizes, spans, strict=True)):
        padded, kernel = (" x ".join(map(str, v)) for v in (sizes, spans))
        raise RuntimeFault(
            f"Calculated padded input size per channel: ({padded}). Kernel size: ({kernel}). "
            "Kernel size can't be greater than actual input size",
            hint="the images have become too small here: use less pooling or stride, or padding",
        )


@op(
    "convolution(input, weight, bias=None, stride=(1,), padding=(0,), dilation=(1,), groups=1)",
    inputs=("input", "weight", "bias"),
    optional=("bias",),
    vjps={
        "input": f"convolution_input(g, weight, input_shape, {_GEOMETRY})",
        "weight": f"convolution_weight_saved(g, input, columns, weight_shape, {_GEOMETRY})",
        "bias": "bias_sum(g)",
    },
    aux=("columns",),
    node="ConvolutionBackward0",
    latex=r"{input} \star {weight} + {bias}",
    latex_partials={
        "input": r"g \star^{\top} {weight}",
        "weight": r"{input} \star g",
        "bias": r"\textstyle\sum g",
    },
    doc="Cross-correlation of (N, C, *) with filters (O, C / groups, *kernel), any number of dimensions.",
    source=_SITE + "conv2d.html",
    samples=[
        Sample((IMAGE, KERNEL), {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}),
        Sample((IMAGE, KERNEL, [0.5]), {"stride": (2, 1), "padding": (1, 1), "dilation": (1, 1)}),
        Sample((LINE, [[[1.0, -2.0]]]), {"dilation": (2,)}),
    ],
    method=False,
    public="convolution",
)
def convolution(
    input: Array, weight: Array, bias: Array | None, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> tuple[Array, Array]:
    _check_convolution(input, weight, bias, groups, False, len(stride))
    _check_kernel_fits(input, weight, padding, dilation)
    if input.dtype.itemsize == 2:
        wide = [None if a is None else a.astype(np.float32) for a in (input, weight, bias)]
        y, columns = convolution.kernel(*wide, stride, padding, dilation, groups)
        return y.astype(input.dtype), columns.astype(input.dtype)
    columns, out = _columns(input, weight.shape[2:], stride, padding, dilation, groups)
    filters = weight.reshape(groups, weight.shape[0] // groups, -1)
    y = np.matmul(filters, columns) if groups > 1 else np.matmul(filters[0], columns[:, 0])
    if bias is not None:
        y += bias.reshape(groups, -1, 1) if groups > 1 else bias[:, None]
    return y.reshape(input.shape[0], weight.shape[0], *out), columns


@op(
    "convolution_input(grad, weight, input_size, stride, padding, dilation, groups)",
    inputs=2,
    vjps={
        "grad": f"convolution_plain(g, weight, {_GEOMETRY})",
        "weight": f"convolution_weight(grad, g, weight_shape, {_GEOMETRY})",
    },
    node="ConvolutionBackwardBackward0",
    latex=r"g \star^{\top} {weight}",
    latex_partials={"grad": r"x \star {weight}", "weight": r"x \star g"},
    doc="The derivative of a convolution by its input.",
    source="",
    method=False,
    public="convolution_backward",
)
def convolution_input(
    grad: Array, weight: Array, input_size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Array:
    return _conv_input(grad, weight, tuple(input_size), stride, padding, dilation, groups)


@op(
    "convolution_weight(grad, input, weight_size, stride, padding, dilation, groups)",
    inputs=2,
    vjps={
        "grad": f"convolution_plain(input, g, {_GEOMETRY})",
        "input": f"convolution_input(grad, g, input_shape, {_GEOMETRY})",
    },
    node="ConvolutionBackwardBackward0",
    latex=r"{input} \star g",
    latex_partials={"grad": r"{input} \star w", "input": r"g \star^{\top} w"},
    doc="The derivative of a convolution by its weight.",
    source="",
    method=False,
    public="convolution_backward",
)
def convolution_weight(
    grad: Array, input: Array, weight_size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Array:
    return _conv_weight(grad, input, tuple(weight_size), stride, padding, dilation, groups)


word(
    "convolution_plain",
    _conv,
    lambda x, w, *geometry: TENSORS["convolution"](x, w, None, *geometry),
)


@op(
    "convolution_transposed(input, weight, bias=None, size=(), stride=(1,), padding=(0,), dilation=(1,), groups=1)",
    inputs=("input", "weight", "bias"),
    optional=("bias",),
    vjps={
        "input": f"convolution_plain(g, weight, {_GEOMETRY})",
        "weight": f"convolution_weight(input, g, weight_shape, {_GEOMETRY})",
        "bias": "bias_sum(g)",
    },
    node="ConvolutionBackward0",
    latex=r"{input} \star^{\top} {weight} + {bias}",
    latex_partials={"input": r"g \star {weight}", "weight": r"g \star {input}", "bias": r"\textstyle\sum g"},
    doc="The transpose of a convolution: (N, C, *) with filters (C, O / groups, *kernel) to the spatial `size`.",
    source=_SITE + "conv_transpose2d.html",
    samples=[
        Sample(
            (IMAGE, KERNEL, [0.5]), {"size": (4, 4), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
        )
    ],
    method=False,
    public="convolution",
)
def convolution_transposed(
    input: Array, weight: Array, bias: Array | None, size: Ints, stride: Ints, padding: Ints, dilation: Ints,
    groups: int,
) -> Array:  # fmt: skip
    _check_convolution(input, weight, bias, groups, True, len(stride))
    if min(size) <= 0:
        raise RuntimeFault(
            f"Given input size per channel: ({' x '.join(map(str, input.shape[2:]))}). Calculated output size per "
            f"channel: ({' x '.join(map(str, size))}). Output size is too small"
        )
    shape = (input.shape[0], weight.shape[1] * groups, *size)
    y = _conv_input(input, weight, shape, stride, padding, dilation, groups)
    if bias is not None:
        y += bias.reshape(1, -1, *(1 for _ in size))
    return y


# ---- unfold and fold --------------------------------------------------------------------------------------------


@op(
    "im2col(input, kernel_size, dilation, padding, stride)",
    vjps={"input": "col2im(g, input_shape[-2:], kernel_size, dilation, padding, stride)"},
    node="Im2ColBackward0",
    latex=r"\operatorname{im2col}({input})",
    latex_partials={"input": r"\operatorname{col2im}(g)"},
    doc="Every window of (N, C, H, W) as a column: (N, C kh kw, L).",
    source=_SITE + "unfold.html",
    samples=[
        Sample((IMAGE,), {"kernel_size": (2, 2), "dilation": (1, 1), "padding": (0, 0), "stride": (1, 1)}),
    ],
    method=False,
    public="im2col",
)
def im2col(input: Array, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Array:
    columns, _ = _columns(input if input.ndim == 4 else input[None], kernel_size, stride, padding, dilation, 1)
    if not columns.flags.writeable:  # still a view of windows: its elements would be the input's
        columns = columns.copy()
    return columns[:, 0] if input.ndim == 4 else columns[0, 0]


@op(
    "col2im(input, output_size, kernel_size, dilation, padding, stride)",
    vjps={"input": "im2col(g, kernel_size, dilation, padding, stride)"},
    node="Col2ImBackward0",
    latex=r"\operatorname{col2im}({input})",
    latex_partials={"input": r"\operatorname{im2col}(g)"},
    doc="Columns added back into images: the transpose of im2col.",
    source=_SITE + "fold.html",
    method=False,
    public="col2im",
)
def col2im(
    input: Array, output_size: Ints, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints
) -> Array:
    size = tuple(output_size)
    area = kernels.numel(kernel_size)
    out = tuple(out_size(size[i], kernel_size[i], stride[i], padding[i], dilation[i]) for i in range(len(size)))
    single = input.ndim == 2
    n, rows, length = (1, *input.shape) if single else input.shape
    if rows % area:
        raise RuntimeFault(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={rows} and kernel_size=({', '.join(map(str, kernel_size))})."
        )
    if length != kernels.numel(out):
        inside = ", ".join(map(str, out))
        raise RuntimeFault(
            f"Given output_size=({', '.join(map(str, size))}), kernel_size=({', '.join(map(str, kernel_size))}), "
            f"dilation=({', '.join(map(str, dilation))}), padding=({', '.join(map(str, padding))}), "
            f"stride=({', '.join(map(str, stride))}), expected size of input's dimension 2 to match the calculated "
            f"number of sliding blocks {inside.replace(', ', ' * ')} = {kernels.numel(out)}, "
            f"but got input.size(2)={length}."
        )
    images = _add_columns(input, (n, rows // area, *size), kernel_size, stride, padding, dilation, out)
    return images[0] if single else images


__all__ = ["col2im", "convolution", "convolution_input", "convolution_transposed", "convolution_weight", "im2col"]
