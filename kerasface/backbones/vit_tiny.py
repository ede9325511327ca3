"""ViTTiny: a vision transformer of the smallest usual size, with an ending made for faces."""

import keras
from keras import initializers, layers

from kerasface.backbones._registry import backbones
from kerasface.backbones.base import Backbone, image_input
from kerasface.backbones.blocks import global_depthwise, normalization

__all__ = ["PlaceEmbedding", "ViTTiny"]

_PATCH, _WIDTH, _HEADS, _EXPANSION = 8, 192, 3, 4
# PyTorch's epsilon of layer norm.
_EPSILON = 1e-5


@backbones.register("vit_tiny")
class ViTTiny(Backbone):
    """A vision transformer after insightface's, of the usual tiny size (192 channels, 3 heads, 12 blocks).

    conv8×8 of stride 8 → + place embedding → 12 × [x + attention(LN(x)); x + MLP(LN(x))] → LN → linear global depthwise
    convolution → Dense(D) → BN. The MLP is Dense – ReLU6 – Dense as in insightface. Insightface's ending, a dense layer
    over all tokens, would alone be larger than the rest at this size: MobileFaceNet's global depthwise convolution also
    weights each place by channel. 5.55 M parameters at 512-d.

    Args:
        depth: number of blocks; 12 as usual.
        input_shape: (height, width, 3) in pixels, multiples of 8: 112×112, 112×96, 160×160. A network belongs to its
            size: place embeddings are learned.
        embedding_dim: D; 512 in insightface.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: an input whose height or width is no multiple of 8.

    Example:
        >>> ViTTiny()(images).shape
        (8, 512)

    Reference:
        Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021; Touvron et al., DeiT, ICML 2021 (the tiny size);
        insightface, recognition/arcface_torch, `vit`.
    """

    def __init__(self, *, depth=12, input_shape=(112, 112, 3), embedding_dim=512, dtype=None, name="vit_tiny"):
        images = image_input(input_shape, least=_PATCH, multiple=_PATCH)
        x = layers.Conv2D(_WIDTH, _PATCH, _PATCH, kernel_initializer=_start(), dtype=dtype, name="patches")(images)
        rows, columns = x.shape[1:3]
        x = layers.Reshape((rows * columns, _WIDTH), dtype=dtype, name="tokens")(x)
        x = PlaceEmbedding(dtype=dtype, name="places")(x)
        for block in range(1, depth + 1):
            x = _block(x, name=f"block{block}", dtype=dtype)
        x = layers.LayerNormalization(epsilon=_EPSILON, dtype=dtype, name="last_norm")(x)
        x = layers.Reshape((rows, columns, _WIDTH), dtype=dtype, name="map")(x)
        x = global_depthwise(x, name="global", dtype=dtype)
        x = normalization(x, name="global_bn", dtype=dtype)
        x = layers.Flatten(dtype=dtype, name="flatten")(x)
        x = layers.Dense(embedding_dim, use_bias=False, kernel_initializer="he_normal", dtype=dtype, name="embedding")(
            x
        )
        x = normalization(x, name="embedding_bn", dtype=dtype)
        super().__init__(
            images, x, name=name, dtype=dtype, depth=depth, input_shape=input_shape, embedding_dim=embedding_dim
        )


@keras.saving.register_keras_serializable(package="kerasface")
class PlaceEmbedding(layers.Layer):
    """Adds a learned vector to each token: (N, T, C) to (N, T, C)."""

    # For `multiply_adds`: one addition a number.
    elementwise = True

    def build(self, input_shape):
        """Makes the (T, C) table."""
        self.table = self.add_weight(name="table", shape=input_shape[1:], initializer=_start())

    def call(self, tokens):
        """Tokens to tokens."""
        return tokens + self.table


def _start():
    return initializers.TruncatedNormal(stddev=0.02)


def _dense(x, units, *, name, dtype, **options):
    return layers.Dense(units, kernel_initializer=_start(), dtype=dtype, name=name, **options)(x)


def _block(x, *, name, dtype):
    y = layers.LayerNormalization(epsilon=_EPSILON, dtype=dtype, name=f"{name}_attention_norm")(x)
    attention = layers.MultiHeadAttention(
        _HEADS, _WIDTH // _HEADS, kernel_initializer=_start(), dtype=dtype, name=f"{name}_attention"
    )
    x = layers.Add(dtype=dtype, name=f"{name}_attention_add")([x, attention(y, y)])
    y = layers.LayerNormalization(epsilon=_EPSILON, dtype=dtype, name=f"{name}_mlp_norm")(x)
    y = _dense(y, _EXPANSION * _WIDTH, name=f"{name}_mlp_expand", dtype=dtype)
    y = layers.Activation("relu6", dtype=dtype, name=f"{name}_mlp_relu6")(y)
    y = _dense(y, _WIDTH, name=f"{name}_mlp_project", dtype=dtype)
    return layers.Add(dtype=dtype, name=f"{name}_mlp_add")([x, y])
