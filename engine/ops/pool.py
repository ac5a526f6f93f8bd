"""Pooling: maximum and average over windows, adaptive windows.

Spatial dimensions are the last ones, as many as the window has; what comes before them is batch.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from engine.errors import RuntimeFault
from engine.ops import kernels
from engine.ops.op import Sample, op
from engine.ops.vocabulary import constant, word

Array = Any
Tensor = Any
Ints = tuple[int, ...]
_SITE = "https://pytorch.org/docs/stable/generated/torch.nn.functional."

IMAGE = [[[[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [2.0, 1.0, -2.0]]]]

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
        pooled_size(x.shape[i - len(kernel)], kernel[i], stride[i], padding[i], dilation[i], ceil_mode)
        for i in range(len(kernel))
    )
    if min(out) < 1:
        *_, channels = x.shape[: -len(kernel)]
        inside = "x".join(str(d) for d in (channels, *x.shape[-len(kernel) :]))
        outside = "x".join(str(d) for d in (channels, *out))
        raise RuntimeFault(
            f"Given input size: ({inside}). Calculated output size: ({outside}). Output size is too small",
            hint="the images have become smaller than the window: pool less, or pad",
        )
    return out


def _reached(x: Array, out: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, fill: float) -> Array:
    """x padded on both sides, and as far to the right as the last window reaches."""
    need = tuple((o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(out, stride, dilation, kernel, strict=True))
    have = x.shape[-len(kernel) :]
    if not any(padding) and all(n <= h for n, h in zip(need, have, strict=True)):
        return x
    size = tuple(max(n, h + 2 * p) for n, h, p in zip(need, have, padding, strict=True))
    big = np.full(x.shape[: -len(kernel)] + size, fill, x.dtype)
    big[(..., *(slice(p, p + h) for p, h in zip(padding, have, strict=True)))] = x
    return big


def _positions(kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> list[tuple[Any, ...]]:
    """For each kernel position, in row order, the strided slice of the padded array it reads."""
    return [
        (
            ...,
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
    best = np.ascontiguousarray(big[places[0]])
    best = best.copy() if best.base is not None or best is big else best
    which = np.zeros(best.shape, np.uint8 if len(places) < 256 else np.int32)
    number = which.dtype.type
    for k, place in enumerate(places[1:], 1):
        v = np.ascontiguousarray(big[place])
        # a later position is stored only where it is larger, so the largest number stored is the last winner's
        np.maximum(which, (v > best).view(np.uint8) * number(k), out=which)
        np.maximum(best, v, out=best)
    if np.isnan(best.max(initial=-np.inf)):
        for k, place in enumerate(places):  # torch: nan wins, the last of several
            v = big[place]
            which[v != v] = k
    return best, which


def _max_unpool(
    g: Array, which: Array, shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> Array:
    """g sent to where each maximum came from."""
    out = g.shape[-len(kernel) :]
    need = tuple((o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(out, stride, dilation, kernel, strict=True))
    have = shape[-len(kernel) :]
    size = tuple(max(n, h + 2 * p) for n, h, p in zip(need, have, padding, strict=True))
    big = np.zeros((*shape[: -len(kernel)], *size), g.dtype)
    apart = all(s >= d * (k - 1) + 1 for s, d, k in zip(stride, dilation, kernel, strict=True))
    for k, place in enumerate(_positions(kernel, stride, dilation, out)):
        if apart:
            np.multiply(g, which == k, out=big[place])
        else:
            big[place] += g * (which == k)
    if apart:
        big += 0.0  # no -0 where a negative gradient did not go
    if size == have:
        return big
    return np.ascontiguousarray(big[(..., *(slice(p, p + n) for p, n in zip(padding, have, strict=True)))])


def _max_regather(
    x: Array, which: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> Array:
    """From x, the values at the places the maxima came from."""
    out = which.shape[-len(kernel) :]
    big = _reached(x, out, kernel, stride, padding, dilation, 0.0)
    result = np.zeros(which.shape, x.dtype)
    for k, place in enumerate(_positions(kernel, stride, dilation, out)):
        np.copyto(result, big[place], where=which == k)
    return result


_POOL = "kernel_size, stride, padding, dilation"


@op(
    "max_pool(input, kernel_size, stride, padding, dilation, ceil_mode=False)",
    vjps={"input": f"through(max_unpool(g, which, input_shape, {_POOL}), input)"},
    aux=("which",),
    node="MaxPool2DWithIndicesBackward0",
    latex=r"\max_{\text{window}} {input}",
    latex_partials={"input": r"\mathbb{1}[{input} \text{ is the largest of its window}]"},
    doc="The largest value of each window; the gradient goes there (to the first of equals).",
    source=_SITE + "max_pool2d.html",
    samples=[
        Sample((IMAGE,), {"kernel_size": (2, 2), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}),
        Sample((IMAGE,), {"kernel_size": (2, 2), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}),
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
    latex=r"{input}_{\arg\max}",
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
        axis = i - len(kernel)
        start = np.arange(which.shape[axis]) * stride[i] - padding[i]
        flat = flat * x.shape[axis] + start.reshape((-1,) + (1,) * (-1 - axis)) + k * dilation[i]
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
    return total / _divisors(x.shape[-len(kernel) :], out, kernel, stride, padding, include, divisor).astype(x.dtype)


def _spread_average(
    g: Array, shape: Ints, kernel: Ints, stride: Ints, padding: Ints, include: bool, divisor: int | None
) -> Array:
    out = g.shape[-len(kernel) :]
    one = (1,) * len(kernel)
    share = g / _divisors(shape[-len(kernel) :], out, kernel, stride, padding, include, divisor).astype(g.dtype)
    need = tuple((o - 1) * s + k for o, s, k in zip(out, stride, kernel, strict=True))
    have = shape[-len(kernel) :]
    size = tuple(max(n, h + 2 * p) for n, h, p in zip(need, have, padding, strict=True))
    big = np.zeros((*shape[: -len(kernel)], *size), g.dtype)
    for place in _positions(kernel, stride, one, out):
        big[place] += share
    return np.ascontiguousarray(big[(..., *(slice(p, p + n) for p, n in zip(padding, have, strict=True)))])


@op(
    "average_pool(input, kernel_size, stride, padding, ceil_mode=False, count_include_pad=True, divisor_override=None)",
    vjps={
        "input": "through(average_unpool(g, input_shape, kernel_size, stride, padding, ceil_mode, "
        "count_include_pad, divisor_override), input)"
    },
    node=lambda p: f"AvgPool{len(p['kernel_size'])}DBackward0",
    latex=r"\tfrac{1}{k}\textstyle\sum_{\text{window}} {input}",
    latex_partials={"input": r"\tfrac{1}{k}"},
    doc="The mean of each window.",
    source=_SITE + "avg_pool2d.html",
    samples=[
        Sample((IMAGE,), {"kernel_size": (2, 2), "stride": (1, 1), "padding": (0, 0)}),
        Sample((IMAGE,), {"kernel_size": (2, 2), "stride": (2, 2), "padding": (1, 1), "count_include_pad": False}),
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
    node=lambda p: f"AvgPool{len(p['kernel_size'])}DBackwardBackward0",
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


# ---- adaptive windows ---------------------------------------------------------------------------------------------


def adaptive_bounds(size: int, out: int) -> list[tuple[int, int]]:
    """Where each of `out` windows over `size` elements starts and ends."""
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def _adaptive_max(x: Array, out: Ints) -> tuple[Array, Array]:
    """The largest value of each adaptive window, and where it lies in its plane."""
    lead, sizes = x.shape[: -len(out)], x.shape[-len(out) :]
    result = np.empty((*lead, *out), x.dtype)
    where = np.empty(result.shape, np.int64)
    bounds = [adaptive_bounds(n, o) for n, o in zip(sizes, out, strict=True)]
    plane = np.arange(kernels.numel(sizes)).reshape(sizes)
    for place in itertools.product(*(range(o) for o in out)):
        cut = tuple(slice(*bounds[i][p]) for i, p in enumerate(place))
        window = x[(..., *cut)].reshape(*lead, plane[cut].size)
        best = window.argmax(-1)
        at = (..., *place)
        result[at] = np.take_along_axis(window, best[..., None], -1)[..., 0]
        where[at] = plane[cut].reshape(-1)[best]
    return result, where


def _plane_scatter(g: Array, where: Array, shape: Ints) -> Array:
    out = np.zeros((kernels.numel(shape[:-2]), kernels.numel(shape[-2:])), g.dtype)
    rows = where.reshape(len(out), kernels.numel(where.shape[-2:]))
    np.add.at(out, (np.arange(len(out))[:, None], rows), g.reshape(rows.shape))
    return out.reshape(shape)


def _plane_scatter_tensors(g: Tensor, where: Tensor, shape: Ints) -> Tensor:
    flat = (*shape[:-2], -1)
    zeros = constant(np.zeros((*shape[:-2], kernels.numel(shape[-2:])), g._a.dtype))
    return zeros.scatter_add(len(shape) - 2, where.reshape(flat), g.reshape(flat)).reshape(shape)


word("plane_scatter", _plane_scatter, _plane_scatter_tensors)


@op(
    "adaptive_max_pool(input, output_size)",
    vjps={"input": "through(plane_scatter(g, where_, input_shape), input)"},
    aux=("where_",),
    node="AdaptiveMaxPool2DBackward0",
    latex=r"\max_{\text{window}} {input}",
    latex_partials={"input": r"\mathbb{1}[{input} \text{ is the largest of its window}]"},
    doc="The largest value of as many windows as asked for.",
    source=_SITE + "adaptive_max_pool2d.html",
    samples=[Sample((IMAGE,), {"output_size": (2, 2)})],
    method=False,
    public="adaptive_max_pool2d",
)
def adaptive_max_pool(input: Array, output_size: Ints) -> tuple[Array, Array]:
    return _adaptive_max(input, tuple(output_size))


def adaptive_max_indices(x: Array, out: Ints) -> Array:
    """Where each adaptive maximum lies in its plane."""
    return _adaptive_max(x, out)[1]
