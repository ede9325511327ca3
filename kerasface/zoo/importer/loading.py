"""Puts the weights of a source into our layers."""

import keras
import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["load", "load_all"]


def load_all(model, pairs):
    """Loads every layer of a model.

    Args:
        model: `keras.Model`.
        pairs: (layer, `Node` of its kind), from `match` or from a state dict.

    Raises:
        KerasfaceError: a layer gets no weights, or some that it can't hold; named.
    """
    for layer, node in pairs:
        load(layer, node)
    loaded = {layer.name for layer, _ in pairs}
    empty = [layer.name for layer in model.layers if layer.weights and layer.name not in loaded]
    if empty:
        raise KerasfaceError(f"the source has no weights for {len(empty)} layers: {', '.join(empty[:5])}")


def load(layer, node):
    """Loads one layer.

    Args:
        layer: Keras layer: convolution, dense, batch norm or PReLU.
        node: `Node` with its values.

    Raises:
        KerasfaceError: values that are not finite, or a scale that a layer without gamma can't hold.
    """
    for name, values in node.values.items():
        numeric = name not in ("strides", "padding", "groups")
        if numeric and values is not None and not np.all(np.isfinite(values)):
            raise KerasfaceError(f"{node} has values that are not finite (its {name}): the source is damaged.")
    if isinstance(layer, keras.layers.BatchNormalization):
        _load_normalization(layer, node)
    elif isinstance(layer, keras.layers.PReLU):
        layer.alpha.assign(np.broadcast_to(node.slope, layer.alpha.shape))
    else:
        # Dense for us may be a 1×1 convolution for Keras; a depthwise kernel has its two last axes swapped.
        layer.kernel.assign(np.reshape(node.kernel, layer.kernel.shape))
        if layer.bias is not None:
            layer.bias.assign(np.zeros(layer.bias.shape) if node.bias is None else node.bias)


def _load_normalization(layer, node):
    """Loads `γ(x − μ) / √(σ² + ε) + β` into a layer with another ε, and perhaps without gamma.

    σ² takes the difference of the two ε; where it would fall below zero, gamma takes it. A folded batch norm (γ = 1,
    μ = 0, σ² + ε = 1) so becomes gamma 1, mean 0, variance 1 − ε.
    """
    gamma, beta, mean, variance = (
        np.broadcast_to(np.asarray(node.values[field], np.float64), (node.shape[-1],))
        for field in ("gamma", "beta", "mean", "variance")
    )
    wide = variance + node.epsilon
    if layer.gamma is None:
        if np.any(gamma <= 0):
            raise KerasfaceError(
                f"{node} scales by {gamma.min():.3g}, but the layer {layer.name!r} has a gamma fixed at 1, which only "
                "takes positive scales."
            )
        wide, gamma = wide / gamma**2, np.ones_like(gamma)
    kept = np.maximum(wide - layer.epsilon, 0.0)
    scale = gamma * np.sqrt((kept + layer.epsilon) / wide)
    if layer.gamma is not None:
        layer.gamma.assign(scale)
    elif not np.allclose(scale, 1.0, rtol=1e-6):
        raise KerasfaceError(
            f"{node} scales by up to {gamma.max():.3g} ÷ {np.sqrt(wide.min()):.3g}, but the layer {layer.name!r} has a "
            "gamma fixed at 1, which can't scale as far."
        )
    layer.beta.assign(beta)
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(kept)
