"""MicroFaceNet: less than half a million parameters, for devices that wait for nothing."""

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
    squeeze_excitation,
)

__all__ = ["MicroFaceNet"]

_STEM, _LAST = 16, 384
# Kernel, expanded channels, output channels, squeeze-and-excitation, stride, repeats (of which the first strides).
_BOTTLENECKS = (
    (3, 32, 16, False, 1, 1),
    (3, 64, 32, False, 2, 1),
    (3, 96, 32, False, 1, 2),
    (5, 128, 48, True, 2, 1),
    (5, 160, 48, True, 1, 6),
    (5, 200, 80, True, 2, 1),
    (5, 240, 80, True, 1, 2),
)
_SQUEEZE = 1 / 8


@backbones.register("micro")
class MicroFaceNet(Backbone):
    """A MobileNetV3-style network with MobileFaceNet's ending, below half a million parameters with a 128-d embedding.

    conv3×3 16 s2 → inverted residuals (conv1×1 – depthwise 3×3 or, deeper, 5×5 – squeeze-and-excitation – linear
    conv1×1) to 28, 14 and 7 pixels → conv1×1 384 → linear global depthwise convolution → linear conv1×1 to D. What
    MobileNetV3 found is kept: large kernels and excitation deep in the network, few channels early. What faces want is
    too: PReLU, fast shrinking, and weights instead of a mean over the last map. Most blocks are at 14 pixels, where a
    parameter is cheap and a face still has its parts.

    475,792 parameters are trained, 487,216 stored with batch norm's statistics; 58 M multiply-adds at 112×112, a
    quarter of MobileFaceNet's. Every operator of the exported file between the cast of the pixels and the last
    normalisation runs in XNNPACK. The excitation squeezes to an eighth, half of MobileNetV3's quarter, because at that
    size it would outweigh the convolutions it serves.

    Args:
        input_shape: (height, width, 3) in pixels, any from 16×16 on: made for 112×112; the global convolution's kernel
            is a sixteenth of it, rounded up.
        embedding_dim: D; 128 keeps to half a million parameters.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: an input below 16×16.

    Example:
        >>> MicroFaceNet()(images).shape
        (8, 128)

    Reference:
        Howard et al., Searching for MobileNetV3, ICCV 2019; Chen et al., MobileFaceNets, CCBR 2018. The table is ours.
    """

    def __init__(self, *, input_shape=(112, 112, 3), embedding_dim=128, dtype=None, name="micro"):
        images = image_input(input_shape, least=16)
        x = _convolution(images, _STEM, 3, strides=2, name="stem", dtype=dtype)
        x = prelu(x, name="stem_prelu", dtype=dtype)
        for stage, (kernel, expanded, filters, excited, stride, repeats) in enumerate(_BOTTLENECKS, start=1):
            for block in range(repeats):
                name_of_block = f"stage{stage}_block{block + 1}"
                strides = stride if block == 0 else 1
                x = _bottleneck(x, kernel, expanded, filters, excited, strides, name=name_of_block, dtype=dtype)
        x = _convolution(x, _LAST, 1, name="last", dtype=dtype)
        x = prelu(x, name="last_prelu", dtype=dtype)
        x = global_depthwise(x, name="global", dtype=dtype)
        x = normalization(x, name="global_bn", dtype=dtype)
        x = _convolution(x, embedding_dim, 1, name="embedding", dtype=dtype)
        x = layers.Flatten(dtype=dtype, name="flatten")(x)
        super().__init__(images, x, name=name, dtype=dtype, input_shape=input_shape, embedding_dim=embedding_dim)


def _convolution(x, filters, kernel_size, *, name, dtype, strides=1):
    x = convolution(x, filters, kernel_size, strides=strides, name=name, dtype=dtype)
    return normalization(x, name=f"{name}_bn", dtype=dtype)


def _bottleneck(x, kernel, expanded, filters, excited, strides, *, name, dtype):
    y = _convolution(x, expanded, 1, name=f"{name}_expand", dtype=dtype)
    y = prelu(y, name=f"{name}_expand_prelu", dtype=dtype)
    y = depthwise(y, kernel, strides=strides, name=f"{name}_depthwise", dtype=dtype)
    y = normalization(y, name=f"{name}_depthwise_bn", dtype=dtype)
    y = prelu(y, name=f"{name}_depthwise_prelu", dtype=dtype)
    if excited:
        gate = layers.Activation("hard_sigmoid", dtype=dtype, name=f"{name}_se_gate")
        y = squeeze_excitation(y, scaled_channels(expanded, _SQUEEZE), prelu, gate, name, dtype)
    y = _convolution(y, filters, 1, name=f"{name}_project", dtype=dtype)
    if strides == 1 and x.shape[-1] == filters:
        return layers.Add(dtype=dtype, name=f"{name}_add")([x, y])
    return y
