"""The neighbors of an activation in a functional graph, and factors on its channels that they take up."""

import keras

__all__ = ["consumers", "is_plain_convolution", "is_scalable", "producer", "scale_outputs"]


def producer(layer):
    """Returns the layer that gives `layer` its input."""
    (node,) = layer._inbound_nodes
    return node.input_tensors[0]._keras_history.operation


def consumers(layer):
    """Returns the layers that take what `layer` gives; zero padding is looked through."""
    found = []
    for node in layer._outbound_nodes:
        # Zeros stay zeros whatever their channel is multiplied by.
        is_padding = isinstance(node.operation, keras.layers.ZeroPadding2D)
        found += consumers(node.operation) if is_padding else [node.operation]
    return found


def is_plain_convolution(layer):
    """Whether factors on the channels of its input can go into its kernel."""
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    return depthwise or (isinstance(layer, keras.layers.Conv2D) and layer.groups == 1)


def is_scalable(layer):
    """Whether factors on the channels of its output can go into its weights."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return layer.scale and layer.center
    return is_plain_convolution(layer) and layer.activation is keras.activations.linear


def scale_outputs(layer, factors):
    """Multiplies the channels of its output, in its weights.

    Args:
        layer: of which `is_scalable` says so.
        factors: (C,).
    """
    if isinstance(layer, keras.layers.BatchNormalization):
        gamma, beta, *statistics = layer.get_weights()
        layer.set_weights([gamma * factors, beta * factors, *statistics])
        return
    kernel, *bias = layer.get_weights()
    # A depthwise kernel ends in (channels, multiplier), which is the order of its outputs.
    shape = kernel.shape[-2:] if isinstance(layer, keras.layers.DepthwiseConv2D) else (-1,)
    layer.set_weights([kernel * factors.reshape(shape), *(values * factors for values in bias)])
