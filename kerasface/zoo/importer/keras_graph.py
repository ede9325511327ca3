"""Describes one of our own networks in the terms that sources are read into."""

import keras
import numpy as np

from kerasface.zoo.importer.nodes import Node
from kerasface.zoo.importer.steps import convolution, padded, same_padding

__all__ = ["read_keras"]


def read_keras(model):
    """Describes a functional Keras model by nodes; those with weights know their layer.

    Args:
        model: `keras.Model` of the layers that face networks are made of.

    Returns:
        the `Node` of its output.

    Raises:
        ValueError: a layer that no source could be matched with.
    """
    nodes = {}
    for layer in model.layers:
        parts = layer.input if isinstance(layer.input, list) else [layer.input]
        sources = [] if isinstance(layer, keras.layers.InputLayer) else [nodes[id(part)] for part in parts]
        nodes[id(layer.output)] = _node(layer, sources)
    return nodes[id(model.output)]


def _node(layer, sources):  # noqa: PLR0911 (one return a kind of layer)
    shape = tuple(layer.output.shape[1:])
    kinds = keras.layers
    match layer:
        case kinds.InputLayer():
            return Node("input", (), layer.name, shape, layer=layer)
        case kinds.DepthwiseConv2D():
            rows, columns, channels, multiplier = layer.kernel.shape
            return _convolution(layer, sources[0], (rows, columns, multiplier, channels), channels)
        case kinds.Conv2D():
            return _convolution(layer, sources[0], layer.kernel.shape, layer.groups)
        case kinds.Dense():
            values = {"kernel": _placeholder(layer.kernel.shape), "bias": layer.bias}
            return Node("dense", (sources[0],), layer.name, shape, values, layer=layer)
        case kinds.BatchNormalization():
            return Node("normalization", (sources[0],), layer.name, shape, layer=layer)
        case kinds.PReLU():
            return Node("prelu", (sources[0],), layer.name, shape, layer=layer)
        case kinds.ZeroPadding2D():
            (top, bottom), (left, right) = layer.padding
            return padded(layer.name, sources[0], (top, bottom, left, right))
        case kinds.Add():
            return Node("add", tuple(sources), layer.name, shape)
        case kinds.Flatten():
            return Node("flatten", (sources[0],), layer.name, shape)
        case kinds.Dropout():
            return sources[0]
    raise ValueError(f"networks with {type(layer).__name__} layers can't be imported into. Received: {layer.name!r}")


def _convolution(layer, source, shape, groups):
    padding = (0, 0, 0, 0)
    if layer.padding == "same":
        padding = same_padding(source.shape, shape, layer.strides)
    kernel = _placeholder(shape)
    return convolution(layer.name, source, kernel, layer.bias, layer.strides, padding, groups, layer=layer)


def _placeholder(shape):
    """A kernel's shape without its values, which nobody asks of our side."""
    return np.broadcast_to(np.float32(0), shape)
