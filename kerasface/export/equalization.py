"""Equal ranges for the channels of an activation, so that one scale of 8 bits serves them all."""

import keras
import numpy as np

from kerasface.export.channels import consumers, is_plain_convolution, is_scalable, producer, scale_outputs
from kerasface.export.prelu import SlopedMaximum

__all__ = ["equalize"]

_BATCH = 32
# A channel that never wakes up is not blown up for it.
_QUIETEST = 1e-3


def equalize(embedder, images):
    """Scales the channels around every rewritten PReLU against each other, in place; embeddings stay the same.

    An integer activation has one scale for all of its channels: where one is a hundred times wider than another, the
    other has two or three steps left. `f(s·x) = s·f(x)` for s > 0 and f = max(x, a·x), so what a convolution's output
    is multiplied by, the next one's kernel can be divided by. With A the range of a channel and W the largest weight
    that takes it in, the factor is 1/A before a depthwise convolution, whose kernels have a scale for each channel
    anyway, and √(W/A) before others, which leaves the same range to both.

    Args:
        embedder: `strip` of what `without_prelu` gave.
        images: uint8 (N, H, W, 3) RGB faces that show the ranges.

    Example:
        >>> equalize(strip(without_prelu(backbone), spec), crops)

    Reference:
        Nagel et al., Data-free quantization through weight equalization and bias correction, ICCV 2019, section 4.1;
        Xiao et al., SmoothQuant, ICML 2023, eq. 4, for the ranges of activations in the place of weights.
    """
    backbone = next(layer for layer in embedder.layers if isinstance(layer, keras.Model))
    layers = [layer for layer in backbone.layers if isinstance(layer, SlopedMaximum) and _can_be_scaled(layer)]
    if not layers:
        return
    for layer, seen in zip(layers, _ranges(embedder, backbone, layers, images), strict=True):
        reach = np.maximum(seen, _QUIETEST * seen.max())
        (behind,) = consumers(layer)
        kernel, *bias = behind.get_weights()
        if isinstance(behind, keras.layers.DepthwiseConv2D):
            factors = 1 / reach
        else:
            taken = np.abs(kernel).max(axis=(0, 1, 3))
            factors = np.sqrt(np.maximum(taken, _QUIETEST * taken.max()) / reach)
        factors /= np.exp(np.log(factors).mean())
        scale_outputs(producer(layer), factors)
        behind.set_weights([kernel / factors[:, None], *bias])


def _can_be_scaled(layer):
    before, behind = producer(layer), consumers(layer)
    alone = len(before._outbound_nodes) == 1 and len(behind) == 1
    return alone and is_scalable(before) and is_plain_convolution(behind[0])


def _ranges(embedder, backbone, layers, images):
    """The largest magnitude of each channel, at the input and at the output of each layer."""
    prepared = keras.Model(embedder.input, embedder.get_layer("standardize").output)
    watched = keras.Model(
        backbone.input, [tensor for layer in layers for tensor in (producer(layer).output, layer.output)]
    )
    reach = None
    for start in range(0, len(images), _BATCH):
        pixels = prepared(images[start : start + _BATCH].astype(embedder.input.dtype))
        seen = [np.abs(np.asarray(x)).max(axis=(0, 1, 2)) for x in watched(pixels, training=False)]
        reach = seen if reach is None else [np.maximum(*pair) for pair in zip(reach, seen, strict=True)]
    return [np.maximum(before, after) for before, after in zip(reach[::2], reach[1::2], strict=True)]
