"""The small network that embeds a digit in two or three dimensions."""

import keras
from keras import initializers, layers

from kerasface.backbones.blocks import convolution, normalization, prelu

__all__ = ["toy_network"]

_CHANNELS = (8, 16, 32)


def toy_network(embedding_dim, *, last_relu=False):
    """Three convolutions of stride 2 with batch norm and PReLU, then a linear layer: 28×28 grey to (N, D).

    Args:
        embedding_dim: D, 2 or 3 to be drawn.
        last_relu: end with a ReLU, which the SphereFace paper takes away: it leaves features only the directions whose
            coordinates are all positive.

    Returns:
        Built `keras.Model`.

    Example:
        >>> toy_network(2)(images).shape
        (8, 2)
    """
    images = keras.Input((28, 28, 1), name="images")
    x = images
    for stage, filters in enumerate(_CHANNELS, start=1):
        x = convolution(x, filters, 3, strides=2, name=f"stage{stage}")
        x = normalization(x, name=f"stage{stage}_norm")
        x = prelu(x, name=f"stage{stage}_prelu")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(embedding_dim, kernel_initializer=initializers.LecunUniform(), name="embedding")(x)
    if last_relu:
        x = layers.ReLU(name="embedding_relu")(x)
    return keras.Model(images, x, name="toy")
