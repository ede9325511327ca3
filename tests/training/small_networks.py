"""A network with batch norm that is traced in a second; those of the zoo have fifty of it, and take a minute."""

import keras
from keras import layers

from kerasface import backbones
from kerasface.backbones.base import Backbone, image_input

NAME = "small_normalised"


@keras.saving.register_keras_serializable(package="tests")
class SmallNormalised(Backbone):
    """Two convolutions with batch norm, and a dense embedding."""

    def __init__(self, *, input_shape, embedding_dim, dtype=None, name=NAME):
        images = image_input(input_shape, least=8)
        x = images
        for filters in (8, 16):
            x = layers.Conv2D(filters, 3, strides=2, use_bias=False, dtype=dtype)(x)
            x = layers.PReLU(shared_axes=(1, 2), dtype=dtype)(layers.BatchNormalization(dtype=dtype)(x))
        embeddings = layers.Dense(embedding_dim, dtype=dtype)(layers.Flatten(dtype=dtype)(x))
        super().__init__(
            images, embeddings, name=name, dtype=dtype, input_shape=tuple(input_shape), embedding_dim=embedding_dim
        )


def register():
    """Lets recipes of this process name it; never while tests are collected, which list all names."""
    backbones.register(NAME)(SmallNormalised)
