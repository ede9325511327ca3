"""MobileFaceNet: a million parameters, made for phones."""

from keras import layers

from kerasface.backbones._registry import backbones
from kerasface.backbones.base import Backbone, image_input
from kerasface.backbones.blocks import (
    convolution,
    depthwise,
    global_depthwise,
    normalization,
    prelu,
    scaled_channels,
)

__all__ = ["MobileFaceNet"]

# Expansion t, output channels c, repeats n, first stride s: the paper's table 1.
_BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))


@backbones.register("mobilefacenet")
class MobileFaceNet(Backbone):
    """MobileFaceNet: inverted residual bottlenecks and a global *depthwise* convolution instead of pooling.

    conv3×3 64 s2 → depthwise 3×3 → bottlenecks (t, c, n, s) (2,64,5,2) (4,128,1,2) (2,128,6,1) (4,128,1,2)
    (2,128,2,1) → conv1×1 512 → linear global depthwise convolution → linear conv1×1 → embedding. Batch norm after
    every convolution, PReLU after all but the linear ones. 1.003 M trainable parameters at 128-d, 1.20 M at 512-d.

    Args:
        input_shape: (height, width, 3) in pixels, any from 16×16 on: 112×112 in the paper; the global convolution's
            kernel is a sixteenth of it, rounded up.
        width: multiplier of every channel count but the embedding's; results are multiples of 8.
        embedding_dim: D; 128 in the paper.
        padding: of the layers of stride 2: "symmetric" as PyTorch pads; "same", TensorFlow's, for weights from there.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: an input below 16×16, or a width that isn't positive.

    Example:
        >>> MobileFaceNet(width=0.5)(images).shape
        (8, 128)

    Reference:
        Chen et al., MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices,
        CCBR 2018, table 1.
    """

    def __init__(
        self, *, input_shape=(112, 112, 3), width=1.0, embedding_dim=128, padding="symmetric", dtype=None,
        name="mobilefacenet",
    ):  # fmt: skip
        def channels(count):
            return scaled_channels(count, width)

        images = image_input(input_shape, least=16)
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
        x = global_depthwise(x, name="global", dtype=dtype)
        x = normalization(x, name="global_bn", dtype=dtype)
        x = convolution(x, embedding_dim, 1, name="embedding", dtype=dtype)
        x = normalization(x, name="embedding_bn", dtype=dtype)
        x = layers.Flatten(dtype=dtype, name="flatten")(x)
        super().__init__(
            images, x, name=name, dtype=dtype, input_shape=input_shape, width=width, embedding_dim=embedding_dim,
            padding=padding,
        )  # fmt: skip


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
