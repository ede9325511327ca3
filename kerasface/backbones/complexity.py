"""What a network costs: parameters, and the arithmetic of one image, counted layer by layer."""

import math

from keras import layers

from kerasface.backbones.batch_norm import BatchNormalization
from kerasface.backbones.prelu import PReLU

__all__ = ["flops", "multiply_adds", "parameters"]

# Operations an element: normalisation multiplies and adds.
_ELEMENTWISE = {
    BatchNormalization: 2,
    PReLU: 1,
    layers.BatchNormalization: 2,
    layers.LayerNormalization: 2,
    layers.PReLU: 1,
}


def parameters(model):
    """Counts the trainable parameters; batch norm's moving statistics, which Keras' count_params adds, are not.

    Args:
        model: built `keras.Model`.

    Returns:
        int.

    Example:
        >>> parameters(backbones.get("mbf"))
        2059520
    """
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def multiply_adds(model):
    """Counts the multiply-adds of one image, which converters leave of a network.

    Counted are convolutions, dense layers and the products of attention, each tap of a kernel at every output, those on
    padding too. Not counted are biases, normalisation, activations, additions, pooling and resizing.

    Args:
        model: functional `keras.Model` of single layers.

    Returns:
        int.

    Raises:
        ValueError: a layer with weights of another kind.

    Example:
        >>> multiply_adds(backbones.get("mbf"))
        437520896
    """
    return sum(_multiply_adds(layer) for layer in model.layers)


def flops(model):
    """Counts as ptflops does, whose figures insightface publishes: what papers on faces call FLOPs.

    That is `multiply_adds`, each counted once, and one operation for each bias and each output of a PReLU, two for each
    of a normalisation, as if none were folded.

    Args:
        model: functional `keras.Model` of single layers.

    Returns:
        int.

    Raises:
        ValueError: a layer with weights of another kind.

    Example:
        >>> flops(backbones.get("mbf"))
        448787456
    """
    return multiply_adds(model) + sum(_elementwise(layer) for layer in model.layers)


def _elementwise(layer):
    biased = getattr(layer, "bias", None) is not None
    operations = 1 if biased else _ELEMENTWISE.get(type(layer), 0)
    return operations * math.prod(layer.output.shape[1:])


def _multiply_adds(layer):
    match layer:
        case layers.DepthwiseConv2D():
            return math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:2])
        # A kernel has the inputs of its group only.
        case layers.Conv2D():
            return math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:3])
        case layers.Dense():
            return math.prod(layer.output.shape[1:]) * layer.kernel.shape[0]
        case layers.MultiHeadAttention():
            tokens = layer.output.shape[1]
            projections = sum(math.prod(weight.shape) for weight in layer.weights if weight.name == "kernel")
            # Each token's query with every key, and its weights with every value.
            products = 2 * tokens * layer.num_heads * layer.key_dim
            return tokens * (projections + products)
    if layer.weights and type(layer) not in _ELEMENTWISE and not getattr(layer, "elementwise", False):
        raise ValueError(f"expected convolutions, dense layers, attention and elementwise layers. Received: {layer!r}")
    return 0
