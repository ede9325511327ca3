"""Linear steps that follow each other as one: batch norm into batch norm, into a convolution, 1×1 into 1×1."""

import dataclasses

import numpy as np

__all__ = [
    "LINEAR",
    "fold_normalization",
    "is_pointwise",
    "join_normalizations",
    "join_pointwise",
    "scale_and_shift",
    "without_bias",
]

LINEAR = ("convolution", "dense")


def scale_and_shift(node):
    """Returns s and t, float64, of a normalization as `s·x + t`."""
    gamma, beta, mean, variance = (
        np.asarray(node.values[field], np.float64) for field in ("gamma", "beta", "mean", "variance")
    )
    scale = gamma / np.sqrt(variance + node.epsilon)
    return scale, beta - mean * scale


def join_normalizations(node):
    """Joins a normalization with those right before it: `s₂(s₁x + t₁) + t₂ = s₂s₁x + s₂t₁ + t₂`.

    Args:
        node: `Node` of kind normalization.

    Returns:
        `Node` that reads what is no normalization; `node` itself where nothing was to be joined.
    """
    while node.source.kind == "normalization":
        (first_scale, first_shift), (scale, shift) = scale_and_shift(node.source), scale_and_shift(node)
        values = _normalization(scale * first_scale, scale * first_shift + shift)
        node = dataclasses.replace(node, inputs=node.source.inputs, values=values)
    return node


def fold_normalization(node):
    """Folds a normalization into the convolution or dense layer before it.

    Args:
        node: `Node` of kind normalization that reads one of `LINEAR`.

    Returns:
        `Node` of that kind, with a bias.
    """
    scale, shift = scale_and_shift(node)
    linear = node.source
    bias = shift if linear.bias is None else shift + scale * linear.bias
    return linear.replace(kernel=linear.kernel * scale, bias=bias)


def without_bias(linear):
    """Takes the bias off a linear step and gives it as the normalization that a model with batch norm keeps it in.

    Args:
        linear: `Node`, one of `LINEAR`.

    Returns:
        the `Node` without its bias, and the values of a normalization.
    """
    channels = linear.shape[-1]
    bias = np.zeros(channels) if linear.bias is None else np.asarray(linear.bias, np.float64)
    return linear.replace(bias=None), _normalization(np.ones(channels), bias)


def is_pointwise(node):
    """Whether a step maps each pixel's channels linearly and by itself."""
    if node.kind == "dense":
        return True
    plain = {"groups": 1, "strides": (1, 1), "padding": (0, 0, 0, 0)}
    return (
        node.kind == "convolution"
        and node.kernel.shape[:2] == (1, 1)
        and all(node.values[field] == value for field, value in plain.items())
    )


def join_pointwise(node):
    """Joins two pointwise linear steps: `W₂(W₁x + b₁) + b₂ = (W₂W₁)x + W₂b₁ + b₂`.

    Args:
        node: `Node` that `is_pointwise` and reads one.

    Returns:
        `Node` that reads what the first one read.
    """
    first, kernel = node.source, np.asarray(node.kernel, np.float64)
    bias = np.zeros(node.shape[-1]) if node.bias is None else np.asarray(node.bias, np.float64)
    if first.bias is not None:
        bias = bias + np.asarray(first.bias, np.float64) @ kernel.reshape(-1, kernel.shape[-1])
    joined = node.replace(kernel=np.asarray(first.kernel, np.float64) @ kernel, bias=bias)
    return dataclasses.replace(joined, inputs=first.inputs)


def _normalization(scale, shift):
    ones = np.ones_like(scale)
    return {"gamma": scale, "beta": shift, "mean": 0 * ones, "variance": ones, "epsilon": 0.0}
