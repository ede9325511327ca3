"""MobileFaceNet: a million parameters, made for phones."""

import keras
from keras import layers

from kerasface.backbones._registry import backbones
from kerasface.backbones.blocks import convolution, depthwise, normalization, prelu, scaled_channels

__all__ = ["MobileFaceNet"]

# Expansion t, output channels c, repeats n, first stride s: the paper's table 1.
_BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))


@backbones.register("mobilefacenet")
class MobileFaceNet(keras.Model):
    """MobileFaceNet: inverted residual bottlenecks and a global *depthwise* convolution instead of pooling.

    conv3×3 64 s2 → depthwise 3×3 → bottlenecks (t, c, n, s) (2,64,5,2) (4,128,1,2) (2,128,6,1) (4,128,1,2)
    (2,128,2,1) → conv1×1 512 → linear global depthwise convolution → linear conv1×1 → embedding. Batch norm after
    every convolution, PReLU after all but the linear ones. 1.003 M trainable parameters at 128-d, 1.20 M at 512-d.

    Args:
        input_shape: (height, width, 3) in pixels; 112×112 in the paper, 112×96 allowed.
        width: multiplier of every channel count but the embedding's; results are multiples of 8.
        embedding_dim: D; 128 in the paper.
        padding: of the layers of stride 2: "symmetric" as PyTorch pads; "same", TensorFlow's own, for weights from there.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Example:
        >>> MobileFaceNet(width=0.5)(images).shape
        (8, 128)

    Reference:
        Chen et al., MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices,
        CCBR 2018, table 1.
    """

    def __init__(
        self,
        *,
        input_shape=(112, 112, 3),
        width=1.0,
        embedding_dim=128,
        padding="symmetric",
        dtype=None,
        name="mobilefacenet",
    ):
        def channels(count):
            return scaled_channels(count, width)

        images = keras.Input(input_shape, name="images")
        x = _convolution_unit(images, channels(64), 3, "stem", dtype, strides=2, padding=padding)
        x = _depthwise_unit(x, 3, "stem_depthwise", dtype)
        for stage, (expansion, filters, repeats, strides) in enumerate(_BOTTLENECKS, start=1):
            for block in range(repeats):
                x = _bottleneck(
                    x,
                    expansion,
                    channels(filters),
                    strides if block == 0 else 1,
                    f"stage{stage}_block{block + 1}",
                    dtype,
                    padding,
                )
        x = _convolution_unit(x, channels(512), 1, "last", dtype)
        x = layers.DepthwiseConv2D(
            x.shape[1:3], padding="valid", use_bias=False, depthwise_initializer="he_normal", dtype=dtype, name="global"
        )(x)
        x = normalization(x, name="global_bn", dtype=dtype)
        x = convolution(x, embedding_dim, 1, name="embedding", dtype=dtype)
        x = normalization(x, name="embedding_bn", dtype=dtype)
        super().__init__(images, layers.Flatten(dtype=dtype, name="flatten")(x), name=name)
        self._config = {
            "input_shape": input_shape,
            "width": width,
            "embedding_dim": embedding_dim,
            "padding": padding,
            "name": name,
        }

    def get_config(self):
        """Returns the arguments that rebuild this model."""
        return {**self._config, "dtype": keras.saving.serialize_keras_object(self.get_layer("stem").dtype_policy)}


def _convolution_unit(x, filters, kernel_size, name, dtype, strides=1, padding="symmetric"):
    x = convolution(x, filters, kernel_size, strides=strides, padding=padding, name=name, dtype=dtype)
    x = normalization(x, name=f"{name}_bn", dtype=dtype)
    return prelu(x, name=f"{name}_prelu", dtype=dtype)


def _depthwise_unit(x, kernel_size, name, dtype, strides=1, padding="symmetric"):
    x = depthwise(x, kernel_size, strides=strides, padding=padding, name=name, dtype=dtype)
    x = normalization(x, name=f"{name}_bn", dtype=dtype)
    return prelu(x, name=f"{name}_prelu", dtype=dtype)


def _bottleneck(x, expansion, filters, strides, name, dtype, padding):
    # The expansion is over the block's *input* channels in the paper's MobileNetV2 blocks.
    y = _convolution_unit(x, expansion * x.shape[-1], 1, f"{name}_expand", dtype)
    y = _depthwise_unit(y, 3, f"{name}_depthwise", dtype, strides=strides, padding=padding)
    y = convolution(y, filters, 1, name=f"{name}_project", dtype=dtype)
    y = normalization(y, name=f"{name}_project_bn", dtype=dtype)
    if strides == 1 and x.shape[-1] == filters:
        return layers.Add(dtype=dtype, name=f"{name}_add")([x, y])
    return y
