"""Where the engine answers otherwise than PyTorch, and why. Each entry is a promise that the difference is known, not a licence.

Key: the beginning of a case's key (`name/sample/dtype`), possibly ending in a dtype after `*`. Read by the tests and by docs.
"""

from __future__ import annotations

KNOWN: dict[str, str] = {
    "hardsigmoid/": "torch computes its derivative in float32 and has no second one",
    "rrelu_with_noise/": "the block takes the noise that torch draws inside",
    "var_/4": "the second derivative of the variance of one number: zeros here, undefined in torch",
    "var()/4": "the second derivative of the variance of one number: zeros here, undefined in torch",
    "vector_norm_/": "second derivatives of the 1- and inf-norm exist as zeros here; torch leaves them undefined",
    "norm()/": "second derivatives of the 1- and inf-norm exist as zeros here; torch leaves them undefined",
    "norm_along/": "second derivatives of the 1- and inf-norm exist as zeros here; torch leaves them undefined",
    "slice/": "torch has no function for it: it is x[a:b:c]",
    "solve_/": "torch names the arguments A and B",
    "cross_/": "rounding of a second derivative that is 0",
    "digamma/": "no derivative of trigamma",
    "clamp_min_tensor/": "one edge less: torch's node keeps a place for the limit that was not given",
    "clamp_max_tensor/": "one edge less: torch's node keeps a place for the limit that was not given",
    "attention/": "the block takes what torch computes inside; second derivatives exist here",
    "binary_cross_entropy": "torch's functions take other arguments than the block, and refuse a weight that requires grad",
    "nll_loss": "torch refuses a weight that requires grad",
    "multi_margin_loss/": "torch refuses a weight that requires grad, and half precision",
    "multilabel_margin_loss/": "torch refuses half precision",
    "cross_entropy": "torch refuses a weight that requires grad",
    "native_batch_norm/": "torch's functions take other arguments than the block",
    "native_layer_norm/2": "torch's function takes other arguments than the block",
    "native_group_norm/": "rounding where the values cancel",
    "embedding_/": "the block takes its arguments in another order than torch.embedding",
    "nansum()": "two nodes here, one in torch",
    "nanmean()": "one node more",
    "unique()": "no node for what has no derivative",
    "quantile()": "other nodes on the way; half precision is allowed",
    "inner()": "fewer view nodes",
    "kron()": "view nodes are called otherwise",
    "matrix_power()": "the 0th power has no node; half precision is refused",
    "cdist()": "made of several nodes here",
    "det": "half precision is refused in other words",
    "logdet()": "half precision is refused in other words",
    "inverse": "half precision is refused in other words",
    "round/1": "torch rounds to decimals in half precision otherwise",
    "floor_divide/14/uint8": "a negative number does not fit uint8: refused here, wrapped in torch",
    "floor_divide/15/uint8": "a negative number does not fit uint8: refused here, wrapped in torch",
    "pow_number/8/uint8": "a negative number does not fit uint8: refused here, wrapped in torch",
    "pow_number/10/uint8": "a negative number does not fit uint8: refused here, wrapped in torch",
    "pow_base/": "torch takes the base first",
    "remainder/13/": "a second derivative at nan: nan here, undefined in torch",
    "fmod/13/": "a second derivative at nan: nan here, undefined in torch",
    "clamp_numbers/3/uint8": "a negative number does not fit uint8: refused here, wrapped in torch",
    "bitwise_not/0/uint8": "a negative number does not fit uint8: refused here, wrapped in torch",
    "smooth_l1_loss/": "bfloat16 gives float32",
    "huber_loss/": "bfloat16 gives float32",
    "masked_products/0/bfloat16": "bfloat16 gives float32",
    "repeat_pad/": "one node here; torch's circular padding is a chain of copies",
    "swapped/": "the block is an in-place form",
}


def why(key: str) -> str | None:
    """The reason for which a case may differ, or None."""
    return next((reason for start, reason in KNOWN.items() if key.startswith(start)), None)
