"""How a program calls the blocks that no public function takes with the block's own arguments.

The same call is made of PyTorch and of the engine; `lib` is either. All other blocks are called by their public name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.ops.registry import REGISTRY

Lib = Any
Call = Callable[..., Any]  # (lib, tensors in the block's order, parameters)


def _rrelu(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    lib.manual_seed(0)
    return lib.nn.functional.rrelu(t[0], training=True)


def _slice(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return t[0][(slice(None),) * p.get("dim", 0) + (slice(p.get("start"), p.get("end"), p.get("step", 1)),)]


def _attention(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return lib.nn.functional.scaled_dot_product_attention(*t, is_causal=p.get("causal", False), scale=p.get("scale"))


def _safe_softmax(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return getattr(lib, "_safe_softmax", REGISTRY["safe_softmax"].call)(t[0], **p)


def _convolution(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return getattr(lib.nn.functional, f"conv{t[0].dim() - 2}d")(*t, **p)


def _transposed(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    options = {k: v for k, v in p.items() if k != "size"}
    return getattr(lib.nn.functional, f"conv_transpose{t[0].dim() - 2}d")(*t, **options)


def _batch_norm(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    x, weight, bias, mean, var = [*t, *[None] * (5 - len(t))]
    return lib.nn.functional.batch_norm(x, mean, var, weight, bias, training=p.get("training", True))


def _layer_norm(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return lib.nn.functional.layer_norm(t[0], p["normalized_shape"], *t[1:])


def _group_norm(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return lib.nn.functional.group_norm(t[0], p["num_groups"], *t[1:])


def _embedding(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return lib.nn.functional.embedding(t[1], t[0], **p)


def _loss(name: str, order: tuple[str, ...]) -> Call:
    def call(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
        given = dict(zip(order, t, strict=False))
        return getattr(lib.nn.functional, name)(given.pop("input"), given.pop("target"), **given, **p)

    return call


def _resample(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    mode = {"adaptive": "area", "linear": "bilinear"}.get(p["kind"], p["kind"])
    return lib.nn.functional.interpolate(t[0], size=p["output_size"], mode=mode)


def _solve(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
    return lib.linalg.solve(t[0], t[1], left=p["left"])


def _on_a_copy(name: str) -> Call:
    def call(lib: Lib, t: list[Any], p: dict[str, Any]) -> Any:
        return getattr(t[0].clone(), name)(*t[1:], *p.values())

    return call


CALLS: dict[str, Call] = {
    "rrelu_with_noise": _rrelu,
    "slice": _slice,
    "attention": _attention,
    "safe_softmax": _safe_softmax,
    "trilinear": lambda lib, t, p: lib.nn.functional.bilinear(t[0], t[2], t[1]),
    "convolution": _convolution,
    "convolution_transposed": _transposed,
    "native_batch_norm": _batch_norm,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "embedding_": _embedding,
    "binary_cross_entropy": _loss("binary_cross_entropy", ("input", "target", "weight")),
    "binary_cross_entropy_with_logits": _loss(
        "binary_cross_entropy_with_logits", ("input", "target", "weight", "pos_weight")
    ),
    "multi_margin_loss": _loss("multi_margin_loss", ("input", "target", "weight")),
    "nll_loss": _loss("nll_loss", ("input", "target", "weight")),
    "nll_loss2d": _loss("nll_loss", ("input", "target", "weight")),
    "packed": lambda lib, t, p: lib.nn.utils.rnn.pack_padded_sequence(t[0], **p).data,
    "resample": _resample,
    "repeat_pad": lambda lib, t, p: lib.nn.functional.pad(t[0], p["pad"], p["mode"]),
    "constant_pad_nd": lambda lib, t, p: lib.nn.functional.pad(t[0], p["pad"], value=p.get("value")),
    "im2col": lambda lib, t, p: lib.nn.functional.unfold(t[0], **p),
    "prelu_kernel": lambda lib, t, p: lib.nn.functional.prelu(t[0], t[1]),
    "solve_": _solve,
    "pow_base": lambda lib, t, p: lib.pow(p["base"], t[0]),
    "polygamma_": lambda lib, t, p: lib.polygamma(p["order"], t[0]),
    "copied": _on_a_copy("copy_"),
    "filled": _on_a_copy("fill_"),
    "filled_tensor": _on_a_copy("fill_"),
    "zeroed": _on_a_copy("zero_"),
    "swapped": _on_a_copy("transpose_"),
}
