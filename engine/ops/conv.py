"""Convolution, sliding windows, pooling, padding and resizing: everything that moves over space.

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
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine import dtypes
from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.op import TENSORS, Failing, Sample, op
from engine.ops.vocabulary import constant, word

Array = Any
Tensor = Any
Ints = tuple[int, ...]

_SITE = "https://pytorch.org/docs/stable/generated/torch.nn.functional."
IMAGE = ([[[[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [2.0, 1.0, -2.0]]]],)
KERNEL = ([[[[1.0, -1.0], [0.5, 2.0]]]],)
LINE = ([[[1.0, 2.0, 0.5, -1.0, 3.0]]],)


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


def _conv(x: Array, w: Array, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Array:
    columns, out = _columns(x, w.shape[2:], stride, padding, dilation, groups)
    filters = w.reshape(groups, w.shape[0] // groups, -1)
    y = np.matmul(filters, columns) if groups > 1 else np.matmul(filters[0], columns[:, 0])
    return y.reshape(x.shape[0], w.shape[0], *out)


def _conv_input(g: Array, w: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Array:
    n, out = g.shape[0], g.shape[2:]
    filters = w.reshape(groups, w.shape[0] // groups, -1)
    rows = g.reshape(n, groups, w.shape[0] // groups, -1)
    if groups > 1:
        columns = np.matmul(filters.transpose(0, 2, 1), rows)
    else:
        columns = np.matmul(filters[0].T, rows[:, 0])
    return _add_columns(columns, shape, w.shape[2:], stride, padding, dilation, out)


def _conv_weight(g: Array, x: Array, shape: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Array:
    columns, _ = _columns(x, shape[2:], stride, padding, dilation, groups)
    return _from_columns(g, columns, shape, groups)


def _from_columns(g: Array, columns: Array, shape: Ints, groups: int) -> Array:
    rows = g.reshape(g.shape[0], groups, shape[0] // groups, -1)
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
            f"Given {'transposed=1' if transposed else f'groups={groups}'}, weight of size {list(w.shape)}, expected "
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
    latex=r"x \star w + b",
    latex_partials={
        "input": r"g \star^{\top} w",
        "weight": r"x \star g",
        "bias": r"\textstyle\sum g",
    },
    doc="Cross-correlation of (N, C, *) with filters (O, C / groups, *kernel), any number of dimensions.",
    source=_SITE + "conv2d.html",
    samples=[
        Sample((IMAGE[0], KERNEL[0]), {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}),
        Sample((IMAGE[0], KERNEL[0], [0.5]), {"stride": (2, 1), "padding": (1, 1), "dilation": (1, 1)}),
        Sample((LINE[0], [[[1.0, -2.0]]]), {"dilation": (2,)}),
    ],
    method=False,
    public="convolution",
)
def convolution(
    input: Array, weight: Array, bias: Array | None, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> tuple[Array, Array]:
    _check_convolution(input, weight, bias, groups, False, len(stride))
    _check_kernel_fits(input, weight, padding, dilation)
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
    latex=r"g \star^{\top} w",
    latex_partials={"grad": r"x \star w", "weight": r"x \star g"},
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
    latex=r"x \star g",
    latex_partials={"grad": r"x \star w", "input": r"g \star^{\top} w"},
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
    latex=r"x \star^{\top} w + b",
    latex_partials={"input": r"g \star w", "weight": r"g \star x", "bias": r"\textstyle\sum g"},
    doc="The transpose of a convolution: (N, C, *) with filters (C, O / groups, *kernel) to the spatial `size`.",
    source=_SITE + "conv_transpose2d.html",
    samples=[
        Sample(
            (IMAGE[0], KERNEL[0], [0.5]), {"size": (4, 4), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
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
    vjps={"input": "col2im(g, input_shape[2:], kernel_size, dilation, padding, stride)"},
    node="Im2ColBackward0",
    latex=r"\operatorname{im2col}(x)",
    latex_partials={"input": r"\operatorname{col2im}(g)"},
    doc="Every window of (N, C, H, W) as a column: (N, C kh kw, L).",
    source=_SITE + "unfold.html",
    samples=[
        Sample(IMAGE, {"kernel_size": (2, 2), "dilation": (1, 1), "padding": (0, 0), "stride": (1, 1)}),
    ],
    method=False,
    public="im2col",
)
def im2col(input: Array, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Array:
    columns, _ = _columns(input, kernel_size, stride, padding, dilation, 1)
    return columns[:, 0]


@op(
    "col2im(input, output_size, kernel_size, dilation, padding, stride)",
    vjps={"input": "im2col(g, kernel_size, dilation, padding, stride)"},
    node="Col2ImBackward0",
    latex=r"\operatorname{col2im}(x)",
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
    n, rows, length = input.shape
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
    return _add_columns(input, (n, rows // area, *size), kernel_size, stride, padding, dilation, out)


# ---- pooling ----------------------------------------------------------------------------------------------------


def pooled_size(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows a pooling takes; with ceil_mode the last may hang over, but must start inside."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return span // stride + 1
    n = -(-span // stride) + 1
    return n - 1 if (n - 1) * stride >= size + padding else n


def _pool_sizes(
    x: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool, name: str
) -> Ints:
    if any(p > k // 2 for p, k in zip(padding, kernel, strict=True)):
        place = next(i for i in range(len(kernel)) if padding[i] > kernel[i] // 2)
        raise RuntimeFault(
            f"pad should be at most half of effective kernel size, but got pad={padding[place]}, "
            f"kernel_size={kernel[place]} and dilation={dilation[place]}"
        )
    out = tuple(
        pooled_size(x.shape[2 + i], kernel[i], stride[i], padding[i], dilation[i], ceil_mode)
        for i in range(len(kernel))
    )
    if min(out) < 1:
        inside = "x".join(str(d) for d in (x.shape[1], *x.shape[2:]))
        outside = "x".join(str(d) for d in (x.shape[1], *out))
        raise RuntimeFault(
            f"Given input size: ({inside}). Calculated output size: ({outside}). Output size is too small",
            hint="the images have become smaller than the window: pool less, or pad",
        )
    return out


def _reached(x: Array, out: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, fill: float) -> Array:
    """x padded on both sides, and as far to the right as the last window reaches."""
    need = tuple((o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(out, stride, dilation, kernel, strict=True))
    have = x.shape[2:]
    if not any(padding) and all(n <= h for n, h in zip(need, have, strict=True)):
        return x
    big = np.full(x.shape[:2] + tuple(max(n, h + 2 * p) for n, h, p in zip(need, have, padding, strict=True)), fill, x.dtype)
    big[(slice(None), slice(None), *(slice(p, p + h) for p, h in zip(padding, have, strict=True)))] = x
    return big


def _positions(kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> list[tuple[slice, ...]]:
    """For each kernel position, in row order, the strided slice of the padded array it reads."""
    return [
        (
            slice(None),
            slice(None),
            *(
                slice(place[i] * dilation[i], place[i] * dilation[i] + stride[i] * (out[i] - 1) + 1, stride[i])
                for i in range(len(kernel))
            ),
        )
        for place in itertools.product(*(range(k) for k in kernel))
    ]


def _max_pool(x: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool) -> tuple[Array, Array]:
    """The largest value of each window, and which kernel position it came from (the first of equals)."""
    out = _pool_sizes(x, kernel, stride, padding, dilation, ceil_mode, "max")
    big = _reached(x, out, kernel, stride, padding, dilation, -np.inf)
    places = _positions(kernel, stride, dilation, out)
    best = big[places[0]].copy()
    which = np.zeros(best.shape, np.uint8 if len(places) < 256 else np.int32)
    for k, place in enumerate(places[1:], 1):
        v = big[place]
        better = v > best
        better |= v != v  # torch: nan wins, the last of several
        np.copyto(which, which.dtype.type(k), where=better)
        np.maximum(best, v, best)
    return best, which


def _max_unpool(
    g: Array, which: Array, shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> Array:
    """g sent to where each maximum came from."""
    out = g.shape[2:]
    need = tuple((o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(out, stride, dilation, kernel, strict=True))
    size = tuple(max(n, h + 2 * p) for n, h, p in zip(need, shape[2:], padding, strict=True))
    big = np.zeros((*shape[:2], *size), g.dtype)
    apart = all(s >= d * (k - 1) + 1 for s, d, k in zip(stride, dilation, kernel, strict=True))
    for k, place in enumerate(_positions(kernel, stride, dilation, out)):
        part = g * (which == k)
        if apart:
            big[place] = part
        else:
            big[place] += part
    if size == shape[2:]:
        return big
    return np.ascontiguousarray(
        big[(slice(None), slice(None), *(slice(p, p + n) for p, n in zip(padding, shape[2:], strict=True)))]
    )


def _max_regather(
    x: Array, which: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> Array:
    """From x, the values at the places the maxima came from."""
    out = which.shape[2:]
    big = _reached(x, out, kernel, stride, padding, dilation, 0.0)
    result = np.zeros(which.shape, x.dtype)
    for k, place in enumerate(_positions(kernel, stride, dilation, out)):
        np.copyto(result, big[place], where=which == k)
    return result


_POOL = "kernel_size, stride, padding, dilation"


@op(
    "max_pool(input, kernel_size, stride, padding, dilation, ceil_mode=False)",
    vjps={"input": f"max_unpool(g, which, input_shape, {_POOL})"},
    aux=("which",),
    node="MaxPool2DWithIndicesBackward0",
    latex=r"\max_{\text{window}} x",
    latex_partials={"input": r"\mathbb{1}[x \text{ is the largest of its window}]"},
    doc="The largest value of each window; the gradient goes there (to the first of equals).",
    source=_SITE + "max_pool2d.html",
    samples=[
        Sample(IMAGE, {"kernel_size": (2, 2), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}),
        Sample(IMAGE, {"kernel_size": (2, 2), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}),
    ],
    method=False,
    public="max_pool2d",
)
def max_pool(
    input: Array, kernel_size: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> tuple[Array, Array]:
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode)


@op(
    "max_unpool(grad, which, input_size, kernel_size, stride, padding, dilation)",
    inputs=2,
    vjps={"grad": f"max_regather(g, which, {_POOL})"},
    node="MaxPool2DWithIndicesBackwardBackward0",
    latex=r"g \to \arg\max",
    latex_partials={"grad": r"x_{\arg\max}"},
    doc="The derivative of max_pool: each gradient sent to where the maximum came from.",
    source="",
    method=False,
    public="max_pool2d_with_indices_backward",
)
def max_unpool(
    grad: Array, which: Array, input_size: Ints, kernel_size: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> Array:
    return _max_unpool(grad, which, tuple(input_size), kernel_size, stride, padding, dilation)


@op(
    "max_regather(input, which, kernel_size, stride, padding, dilation)",
    inputs=2,
    vjps={"input": f"max_unpool(g, which, input_shape, {_POOL})"},
    node="GatherBackward0",
    latex=r"x_{\arg\max}",
    latex_partials={"input": r"g \to \arg\max"},
    doc="The values at the places the maxima of a pooling came from.",
    source="",
    method=False,
    public="max_pool2d_with_indices_backward_backward",
)
def max_regather(
    input: Array, which: Array, kernel_size: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> Array:
    return _max_regather(input, which, kernel_size, stride, padding, dilation)


def max_pool_indices(
    x: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Array:
    """Where each maximum lies in its plane, as torch numbers it: row * width + column."""
    _, which = _max_pool(x, kernel, stride, padding, dilation, ceil_mode)
    place = np.unravel_index(which.astype(np.int64), kernel)
    flat = np.zeros(which.shape, np.int64)
    for i, k in enumerate(place):
        start = np.arange(which.shape[2 + i]) * stride[i] - padding[i]
        start = start.reshape((-1,) + (1,) * (len(kernel) - 1 - i))
        flat = flat * x.shape[2 + i] + start + k * dilation[i]
    return flat


def _divisors(
    shape: Ints, out: Ints, kernel: Ints, stride: Ints, padding: Ints, count_include_pad: bool, divisor: int | None
) -> Array:
    """How many elements each window counts."""
    if divisor is not None:
        return np.full(out, divisor)
    total: Array = np.ones((), np.int64)
    for i, o in enumerate(out):
        start = np.arange(o) * stride[i] - padding[i]
        end = np.minimum(start + kernel[i], shape[i] + padding[i])
        if not count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, shape[i])
        total = total[..., None] * (end - start)
    return total


def _average(
    x: Array, kernel: Ints, stride: Ints, padding: Ints, ceil_mode: bool, include: bool, divisor: int | None
) -> Array:
    one = (1,) * len(kernel)
    out = _pool_sizes(x, kernel, stride, padding, one, ceil_mode, "avg")
    big = _reached(x, out, kernel, stride, padding, one, 0.0)
    first, *rest = _positions(kernel, stride, one, out)
    total = big[first].copy()
    for place in rest:
        total += big[place]
    return total / _divisors(x.shape[2:], out, kernel, stride, padding, include, divisor).astype(x.dtype)


def _spread_average(
    g: Array, shape: Ints, kernel: Ints, stride: Ints, padding: Ints, include: bool, divisor: int | None
) -> Array:
    out = g.shape[2:]
    one = (1,) * len(kernel)
    share = g / _divisors(shape[2:], out, kernel, stride, padding, include, divisor).astype(g.dtype)
    need = tuple((o - 1) * s + k for o, s, k in zip(out, stride, kernel, strict=True))
    size = tuple(max(n, h + 2 * p) for n, h, p in zip(need, shape[2:], padding, strict=True))
    big = np.zeros((*shape[:2], *size), g.dtype)
    for place in _positions(kernel, stride, one, out):
        big[place] += share
    return np.ascontiguousarray(
        big[(slice(None), slice(None), *(slice(p, p + n) for p, n in zip(padding, shape[2:], strict=True)))]
    )


@op(
    "average_pool(input, kernel_size, stride, padding, ceil_mode=False, count_include_pad=True, divisor_override=None)",
    vjps={
        "input": "average_unpool(g, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, "
        "divisor_override)"
    },
    node="AvgPool2DBackward0",
    latex=r"\tfrac{1}{k}\textstyle\sum_{\text{window}} x",
    latex_partials={"input": r"\tfrac{1}{k}"},
    doc="The mean of each window.",
    source=_SITE + "avg_pool2d.html",
    samples=[
        Sample(IMAGE, {"kernel_size": (2, 2), "stride": (1, 1), "padding": (0, 0)}),
        Sample(IMAGE, {"kernel_size": (2, 2), "stride": (2, 2), "padding": (1, 1), "count_include_pad": False}),
    ],
    method=False,
    public="avg_pool2d",
)
def average_pool(
    input: Array, kernel_size: Ints, stride: Ints, padding: Ints, ceil_mode: bool, count_include_pad: bool,
    divisor_override: int | None,
) -> Array:  # fmt: skip
    return _average(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@op(
    "average_unpool(grad, input_size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)",
    vjps={
        "grad": "average_pool(g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)"
    },
    node="AvgPool2DBackwardBackward0",
    latex=r"g / k",
    latex_partials={"grad": r"\tfrac{1}{k}\textstyle\sum_{\text{window}} x"},
    doc="The derivative of average_pool: each gradient shared among its window.",
    source="",
    method=False,
    public="avg_pool2d_backward",
)
def average_unpool(
    grad: Array, input_size: Ints, kernel_size: Ints, stride: Ints, padding: Ints, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Array:  # fmt: skip
    return _spread_average(
        grad, tuple(input_size), kernel_size, stride, padding, count_include_pad, divisor_override
    )


# ---- maps that act on each dimension by a small matrix: adaptive means, resizing ----------------------------------


def adaptive_bounds(size: int, out: int) -> list[tuple[int, int]]:
    """Where each of `out` windows over `size` elements starts and ends."""
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def _adaptive_matrix(size: int, out: int) -> Array:
    m = np.zeros((out, size))
    for i, (a, b) in enumerate(adaptive_bounds(size, out)):
        m[i, a:b] = 1 / (b - a)
    return m


def _nearest_matrix(size: int, out: int, scale: float | None) -> Array:
    step = np.float32(1 / scale) if scale else np.float32(size) / np.float32(out)
    source = np.minimum(np.floor(np.arange(out, dtype=np.float32) * step).astype(int), size - 1)
    m = np.zeros((out, size))
    m[np.arange(out), source] = 1
    return m


def _linear_matrix(size: int, out: int, scale: float | None, align_corners: bool) -> Array:
    if align_corners:
        source = np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0.0)
    else:
        source = np.maximum((np.arange(out) + 0.5) * (1 / scale if scale else size / out) - 0.5, 0)
    low = np.minimum(source.astype(int), size - 1)
    high = np.minimum(low + 1, size - 1)
    share = np.where(high > low, source - low, 0.0)
    m = np.zeros((out, size))
    np.add.at(m, (np.arange(out), low), 1 - share)
    np.add.at(m, (np.arange(out), high), share)
    return m


def _matrices(kind: str, sizes: Ints, out: Ints, scales: Any, align_corners: bool) -> list[Array]:
    if kind == "adaptive":
        return [_adaptive_matrix(n, o) for n, o in zip(sizes, out, strict=True)]
    scales = scales or (None,) * len(out)
    if kind == "nearest":
        return [_nearest_matrix(n, o, s) for n, o, s in zip(sizes, out, scales, strict=True)]
    return [_linear_matrix(n, o, s, align_corners) for n, o, s in zip(sizes, out, scales, strict=True)]


def _resample(x: Array, matrices: Sequence[Array], transposed: bool) -> Array:
    for i, m in enumerate(matrices):
        m = (m.T if transposed else m).astype(x.dtype)
        x = np.moveaxis(np.tensordot(x, m, ([2 + i], [1])), -1, 2 + i)
    return np.ascontiguousarray(x)


_RESIZED = {
    "adaptive": "AdaptiveAvgPool{n}DBackward0",
    "nearest": "UpsampleNearest{n}DBackward0",
    "linear": {1: "UpsampleLinear1DBackward0", 2: "UpsampleBilinear2DBackward0", 3: "UpsampleTrilinear3DBackward0"},
}


def _resized_node(params: dict[str, Any]) -> str:
    name = _RESIZED[params["kind"]]
    n = len(params["output_size"])
    return name[n] if isinstance(name, dict) else name.format(n=n)


@op(
    "resample(input, kind, output_size, scales=None, align_corners=False)",
    vjps={"input": "resample_back(g, kind, input_shape, scales, align_corners)"},
    node=_resized_node,
    latex=r"R\,x\,R^{\top}",
    latex_partials={"input": r"R^{\top} g\, R"},
    doc="Another spatial size by a matrix per dimension: adaptive means, nearest neighbours, linear interpolation.",
    source=_SITE + "interpolate.html",
    samples=[
        Sample(IMAGE, {"kind": "adaptive", "output_size": (2, 2)}),
        Sample(IMAGE, {"kind": "nearest", "output_size": (6, 6)}),
        Sample(IMAGE, {"kind": "linear", "output_size": (5, 6)}),
    ],
    method=False,
    public="interpolate",
)
def resample(input: Array, kind: str, output_size: Ints, scales: Any, align_corners: bool) -> Array:
    return _resample(input, _matrices(kind, input.shape[2:], tuple(output_size), scales, align_corners), False)


@op(
    "resample_back(grad, kind, input_size, scales=None, align_corners=False)",
    vjps={"grad": "resample(g, kind, grad_shape[2:], scales, align_corners)"},
    node="UpsampleBackwardBackward0",
    latex=r"R^{\top} g\, R",
    latex_partials={"grad": r"R\,x\,R^{\top}"},
    doc="The derivative of resample: its transpose.",
    source="",
    method=False,
    public="interpolate_backward",
)
def resample_back(grad: Array, kind: str, input_size: Ints, scales: Any, align_corners: bool) -> Array:
    sizes = tuple(input_size)[2:]
    return _resample(grad, _matrices(kind, sizes, grad.shape[2:], scales, align_corners), True)


def _adaptive_max(x: Array, out: Ints) -> tuple[Array, Array]:
    """The largest value of each adaptive window, and where it lies in its plane."""
    result = np.empty((*x.shape[:2], *out), x.dtype)
    where = np.empty(result.shape, np.int64)
    bounds = [adaptive_bounds(n, o) for n, o in zip(x.shape[2:], out, strict=True)]
    plane = np.arange(kernels.numel(x.shape[2:])).reshape(x.shape[2:])
    for place in itertools.product(*(range(o) for o in out)):
        cut = tuple(slice(*bounds[i][p]) for i, p in enumerate(place))
        window = x[(slice(None), slice(None), *cut)].reshape(*x.shape[:2], -1)
        best = window.argmax(-1)
        at = (slice(None), slice(None), *place)
        result[at] = np.take_along_axis(window, best[..., None], -1)[..., 0]
        where[at] = plane[cut].reshape(-1)[best]
    return result, where


def _plane_scatter(g: Array, where: Array, shape: Ints) -> Array:
    out = np.zeros((shape[0] * shape[1], kernels.numel(shape[2:])), g.dtype)
    rows = where.reshape(len(out), -1)
    np.add.at(out, (np.arange(len(out))[:, None], rows), g.reshape(rows.shape))
    return out.reshape(shape)


def _plane_scatter_tensors(g: Tensor, where: Tensor, shape: Ints) -> Tensor:
    flat = (shape[0], shape[1], -1)
    zeros = constant(np.zeros((shape[0], shape[1], kernels.numel(shape[2:])), g._a.dtype))
    return zeros.scatter_add(2, where.reshape(flat), g.reshape(flat)).reshape(shape)


word("plane_scatter", _plane_scatter, _plane_scatter_tensors)


@op(
    "adaptive_max_pool(input, output_size)",
    vjps={"input": "plane_scatter(g, where_, input_shape)"},
    aux=("where_",),
    node="AdaptiveMaxPool2DBackward0",
    latex=r"\max_{\text{window}} x",
    latex_partials={"input": r"\mathbb{1}[x \text{ is the largest of its window}]"},
    doc="The largest value of as many windows as asked for.",
    source=_SITE + "adaptive_max_pool2d.html",
    samples=[Sample(IMAGE, {"output_size": (2, 2)})],
    method=False,
    public="adaptive_max_pool2d",
)
def adaptive_max_pool(input: Array, output_size: Ints) -> tuple[Array, Array]:
    return _adaptive_max(input, tuple(output_size))


def adaptive_max_indices(x: Array, out: Ints) -> Array:
    """Where each adaptive maximum lies in its plane."""
    return _adaptive_max(x, out)[1]


# ---- padding ------------------------------------------------------------------------------------------------------


def _sides(ndim: int, pad: Sequence[int]) -> list[tuple[int, int]]:
    """(before, after) of every dimension, from torch's last-dimension-first list."""
    sides = [(0, 0)] * ndim
    for i in range(len(pad) // 2):
        sides[ndim - 1 - i] = (pad[2 * i], pad[2 * i + 1])
    return sides


def _crop(x: Array, sides: Sequence[tuple[int, int]]) -> Array:
    return x[tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape, sides, strict=True))]


@op(
    "constant_pad_nd(input, pad, value=0.0)",
    vjps={"input": "unpad(g, pad)"},
    node="ConstantPadNdBackward0",
    latex=r"\operatorname{pad}(x)",
    latex_partials={"input": r"\operatorname{crop}(g)"},
    doc="Extended with a value (negative amounts cut off); (left, right) of the last dimension first.",
    source=_SITE + "pad.html",
    samples=[Sample((([1.0, 2.0], [3.0, 4.0]),), {"pad": (1, 2)}), Sample(([1.0, 2.0, 3.0],), {"pad": (-1, 1)})],
    fails=[
        Failing(
            ([1.0, 2.0],), {"pad": (1, 1, 1, 1)}, RuntimeError,
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is 4 while "
            "the input has 1 dimensions.",
        )
    ],
    method=False,
)  # fmt: skip
def constant_pad_nd(input: Array, pad: Sequence[int], value: float) -> Array:
    if len(pad) % 2:
        raise RuntimeFault(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * input.ndim:
        raise RuntimeFault(
            f"Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(pad)} while the input has {input.ndim} dimensions."
        )
    sides = _sides(input.ndim, pad)
    for i, (n, (a, b)) in enumerate(zip(input.shape, sides, strict=True)):
        if n + a + b < 0:
            raise RuntimeFault(
                f"The input size {n}, plus negative padding {a} and {b} resulted in a negative output size, "
                f"which is invalid. Check dimension {i} of your input."
            )
    grown = [(max(0, a), max(0, b)) for a, b in sides]
    return np.pad(_crop(input, sides), grown, constant_values=value)


word(
    "unpad",
    lambda g, pad: np.ascontiguousarray(
        _crop(np.pad(g, [(max(0, -a), max(0, -b)) for a, b in _sides(g.ndim, pad)]), [
            (-max(0, a), -max(0, b)) for a, b in _sides(g.ndim, pad)
        ])
    ),
    lambda g, pad: TENSORS["constant_pad_nd"](g, tuple(-p for p in pad)),
)  # fmt: skip

_NUMPY_MODE = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
_PAD_NODE = {"reflect": "ReflectionPad{n}DBackward0", "replicate": "ReplicationPad{n}DBackward0"}


def _source_index(n: int, before: int, after: int, mode: str) -> Array:
    return np.pad(np.arange(n), (before, after), mode=_NUMPY_MODE[mode])


def _pad_matrices(sizes: Ints, pad: Sequence[int], mode: str) -> list[Array]:
    """For each padded dimension, from the last: which element each place repeats."""
    return [
        _source_index(sizes[len(sizes) - 1 - i], pad[2 * i], pad[2 * i + 1], mode) for i in range(len(pad) // 2)
    ]


def _repeat_pad(x: Array, pad: Sequence[int], mode: str) -> Array:
    for i, index in enumerate(_pad_matrices(x.shape, pad, mode)):
        x = np.take(x, index, axis=x.ndim - 1 - i)
    return x


def _repeat_unpad(g: Array, shape: Ints, pad: Sequence[int], mode: str) -> Array:
    for i, index in enumerate(_pad_matrices(shape, pad, mode)):
        axis = g.ndim - 1 - i
        size = list(g.shape)
        size[axis] = shape[axis]
        out = np.zeros(size, g.dtype)
        np.add.at(np.moveaxis(out, axis, 0), index, np.moveaxis(g, axis, 0))
        g = out
    return g


@op(
    "repeat_pad(input, pad, mode)",
    vjps={"input": "repeat_unpad(g, input_shape, pad, mode)"},
    node=lambda p: _PAD_NODE.get(p["mode"], "CopySlices").format(n=len(p["pad"]) // 2),
    latex=r"\operatorname{pad}(x)",
    latex_partials={"input": r"\operatorname{fold}(g)"},
    doc="Extended by what is there already: mirrored (reflect), the border (replicate), the other end (circular).",
    source=_SITE + "pad.html",
    samples=[
        Sample(LINE, {"pad": (1, 2), "mode": "reflect"}),
        Sample(LINE, {"pad": (1, 2), "mode": "replicate"}),
        Sample(IMAGE, {"pad": (1, 1, 2, 0), "mode": "circular"}),
    ],
    method=False,
    public="pad",
)
def repeat_pad(input: Array, pad: Sequence[int], mode: str) -> Array:
    for i in range(len(pad) // 2):
        axis = input.ndim - 1 - i
        n, before, after = input.shape[axis], pad[2 * i], pad[2 * i + 1]
        if mode == "reflect" and (before >= n or after >= n):
            raise RuntimeFault(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({before}, {after}) at dimension {axis} of input {list(input.shape)}"
            )
        if mode == "circular" and (before > n or after > n):
            raise RuntimeFault("Padding value causes wrapping around more than once.")
    return _repeat_pad(input, pad, mode)


@op(
    "repeat_unpad(grad, input_size, pad, mode)",
    vjps={"grad": "repeat_pad(g, pad, mode)"},
    node="PadBackwardBackward0",
    latex=r"\operatorname{fold}(g)",
    latex_partials={"grad": r"\operatorname{pad}(x)"},
    doc="The derivative of repeat_pad: repeated places add up.",
    source="",
    method=False,
    public="pad_backward",
)
def repeat_unpad(grad: Array, input_size: Ints, pad: Sequence[int], mode: str) -> Array:
    return _repeat_unpad(grad, tuple(input_size), pad, mode)


# ---- pixel shuffle ------------------------------------------------------------------------------------------------


@op(
    "pixel_shuffle(input, upscale_factor)",
    vjps={"input": "pixel_unshuffle(g, upscale_factor)"},
    node="PixelShuffleBackward0",
    latex=r"\operatorname{shuffle}(x)",
    latex_partials={"input": r"\operatorname{unshuffle}(g)"},
    doc="(*, C r^2, H, W) -> (*, C, H r, W r).",
    source=_SITE + "pixel_shuffle.html",
    method=False,
)
def pixel_shuffle(input: Array, upscale_factor: int) -> Array:
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeFault(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeFault(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    x = input.reshape(*lead, c // (r * r), r, r, h, w)
    k = len(lead)
    return x.transpose(*range(k), k, k + 3, k + 1, k + 4, k + 2).reshape(*lead, c // (r * r), h * r, w * r)


@op(
    "pixel_unshuffle(input, downscale_factor)",
    vjps={"input": "pixel_shuffle(g, downscale_factor)"},
    node="PixelUnshuffleBackward0",
    latex=r"\operatorname{unshuffle}(x)",
    latex_partials={"input": r"\operatorname{shuffle}(g)"},
    doc="(*, C, H r, W r) -> (*, C r^2, H, W).",
    source=_SITE + "pixel_unshuffle.html",
    method=False,
)
def pixel_unshuffle(input: Array, downscale_factor: int) -> Array:
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeFault(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    *lead, c, h, w = input.shape
    for name, size in (("height", h), ("width", w)):
        if size % r:
            raise RuntimeFault(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size(-{2 if name == 'height' else 1})={size} is not divisible by {r}"
            )
    x = input.reshape(*lead, c, h // r, r, w // r, r)
    k = len(lead)
    return x.transpose(*range(k), k, k + 2, k + 4, k + 1, k + 3).reshape(*lead, c * r * r, h // r, w // r)


__all__ = [
    "adaptive_max_indices", "adaptive_max_pool", "average_pool", "average_unpool", "col2im", "constant_pad_nd",
    "convolution", "convolution_input", "convolution_transposed", "convolution_weight", "im2col", "max_pool",
    "max_pool_indices", "max_regather", "max_unpool", "pixel_shuffle", "pixel_unshuffle", "repeat_pad",
    "repeat_unpad", "resample", "resample_back",
]  # fmt: skip
