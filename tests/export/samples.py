"""The small networks that the export tests convert."""

import keras
import numpy as np

from kerasface.export import embedder_id
from kerasface.spec import EmbedderSpec

SIZE, DIMENSION = 32, 16


def small_backbone(*, seed=0, dtype=None):
    """The layers of our backbones in small, with batch norm statistics and slopes as if trained."""
    layers, rng = keras.layers, np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    x = images = keras.Input((SIZE, SIZE, 3))
    x = layers.ZeroPadding2D(1, dtype=dtype)(x)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, dtype=dtype)(x)
    x = layers.BatchNormalization(dtype=dtype)(x)
    x = shortcut = layers.PReLU(shared_axes=[1, 2], dtype=dtype)(x)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, dtype=dtype)(x)
    x = layers.BatchNormalization(dtype=dtype)(x)
    x = layers.PReLU(shared_axes=[1, 2], dtype=dtype)(x)
    x = layers.Add(dtype=dtype)([x, shortcut])
    x = layers.Flatten(dtype=dtype)(x)
    backbone = keras.Model(images, layers.Dense(DIMENSION, dtype=dtype)(x))
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, 8) for _ in range(4)])
        if isinstance(layer, keras.layers.PReLU):
            layer.set_weights([rng.uniform(0.05, 0.5, (1, 1, 8))])
    return backbone


def spec_of(backbone, **fields):
    """The spec of a bare backbone, its id computed."""
    height, width = backbone.input_shape[1:3]
    defaults = {"name": "small", "embedder_id": "", "embedding_size": DIMENSION, "template": "none"}
    spec = EmbedderSpec(**{**defaults, "input_height": height, "input_width": width, **fields})
    return spec.replace(embedder_id=embedder_id(backbone, spec))


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)
