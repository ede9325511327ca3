"""The demo's network: small enough to learn in a minute or two on two cores."""

import keras
from keras import layers

from kerasface.backbones.blocks import convolution, normalization, prelu

__all__ = ["demo_network"]

_CHANNELS = (24, 48, 96, 144)


def demo_network(embedding_dim=128):
    """Four strided convolution blocks on half-size faces; a stand-in for the real backbones, which want hours.

    2×2 mean → 4 × [conv3×3 stride 2 – BN – PReLU – (from the second on) + conv3×3 – BN – PReLU] → flatten → dropout →
    dense → BN. Any model from images to vectors is a backbone to `FaceModel`.

    Args:
        embedding_dim: D.

    Returns:
        `keras.Model`, normalised float (N, 112, 112, 3) to (N, D).
    """
    images = keras.Input((112, 112, 3), name="images")
    x = layers.AveragePooling2D(2, name="half")(images)
    for stage, filters in enumerate(_CHANNELS, start=1):
        x = _unit(x, filters, f"stage{stage}", strides=2)
        if stage > 1:
            x = layers.Add(name=f"stage{stage}_add")([x, _unit(x, filters, f"stage{stage}_residual")])
    x = layers.Dropout(0.25, name="dropout")(layers.Flatten(name="flatten")(x))
    x = layers.Dense(embedding_dim, use_bias=False, name="embedding")(x)
    return keras.Model(images, normalization(x, name="embedding_bn"), name="demo_network")


def _unit(x, filters, name, strides=1):
    x = convolution(x, filters, 3, strides=strides, name=name)
    return prelu(normalization(x, name=f"{name}_bn"), name=f"{name}_prelu")
