"""mbf: the MobileFaceNet that insightface trains and ships, twice as wide as the paper's."""

from keras import initializers, layers

from kerasface.backbones._registry import backbones
from kerasface.backbones.base import Backbone, image_input
from kerasface.backbones.blocks import convolution, depthwise, global_depthwise, normalization, prelu

__all__ = ["MBF"]

_STEM, _LAST = 128, 512
# Each of three stages: a block of stride 2 that expands to `first`, then `repeats` residual ones that expand to `rest`.
_STAGES = ((128, 128, 128, 4), (256, 256, 256, 6), (256, 512, 256, 2))  # channels, first, rest, repeats


@backbones.register("mbf")
class MBF(Backbone):
    """insightface's `mbf`: MobileFaceNet with block widths doubled (64→128, 128→256) and expansions that are not.

    conv3×3 128 s2 → conv3×3 in 64 groups → three stages of inverted residuals (128, 256, 256 channels; 1+4, 1+6, 1+2
    blocks; expanded to 128, 256, and 512 then 256) → conv1×1 512 → linear global depthwise convolution → flatten →
    Dense(D) → BN. Batch norm after every convolution, PReLU after all but the linear ones. 2,059,520 trainable
    parameters at 512-d.

    Layers are named as arcface_torch's state dict with dots as underscores (`layers_3_layers_0_layers_1_layers_0`,
    `conv_sep_layers_0`, `features_layers_2`).

    Args:
        input_shape: (height, width, 3) in pixels, any from 16×16 on: 112×112 in insightface; the global convolution's
            kernel is a sixteenth of it, rounded up.
        embedding_dim: D; 512 in insightface.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: an input below 16×16.

    Example:
        >>> MBF()(images).shape
        (8, 512)

    Reference:
        insightface, recognition/arcface_torch, `mbf`; after Chen et al., MobileFaceNets, CCBR 2018.
    """

    def __init__(self, *, input_shape=(112, 112, 3), embedding_dim=512, dtype=None, name="mbf"):
        images = image_input(input_shape, least=16)
        x = convolution(images, _STEM, 3, strides=2, name="layers_0_layers_0", dtype=dtype)
        x = _activated(x, "layers_0", dtype)
        # Not depthwise: 64 groups over 128 channels, so that each output sees two inputs.
        x = convolution(x, _STEM, 3, groups=_STEM // 2, name="layers_1_layers_0", dtype=dtype)
        x = _activated(x, "layers_1", dtype)
        for stage, (filters, first, rest, repeats) in enumerate(_STAGES, start=1):
            x = _block(x, first, filters, 2, f"layers_{2 * stage}", dtype)
            for block in range(repeats):
                name_of_block = f"layers_{2 * stage + 1}_layers_{block}"
                y = _block(x, rest, filters, 1, name_of_block, dtype)
                x = layers.Add(dtype=dtype, name=f"{name_of_block}_add")([x, y])
        x = convolution(x, _LAST, 1, name="conv_sep_layers_0", dtype=dtype)
        x = _activated(x, "conv_sep", dtype)
        x = global_depthwise(x, name="features_layers_0_layers_0", dtype=dtype)
        x = normalization(x, name="features_layers_0_layers_1", dtype=dtype)
        x = layers.Flatten(dtype=dtype, name="features_layers_1")(x)
        x = layers.Dense(
            embedding_dim, use_bias=False, kernel_initializer=initializers.HeNormal(), dtype=dtype,
            name="features_layers_2",
        )(x)  # fmt: skip
        x = normalization(x, name="features_layers_3", dtype=dtype)
        super().__init__(images, x, name=name, dtype=dtype, input_shape=input_shape, embedding_dim=embedding_dim)


def _activated(x, name, dtype):
    x = normalization(x, name=f"{name}_layers_1", dtype=dtype)
    return prelu(x, name=f"{name}_layers_2", dtype=dtype)


def _block(x, expanded, filters, strides, name, dtype):
    x = convolution(x, expanded, 1, name=f"{name}_layers_0_layers_0", dtype=dtype)
    x = _activated(x, f"{name}_layers_0", dtype)
    x = depthwise(x, 3, strides=strides, name=f"{name}_layers_1_layers_0", dtype=dtype)
    x = _activated(x, f"{name}_layers_1", dtype)
    x = convolution(x, filters, 1, name=f"{name}_layers_2_layers_0", dtype=dtype)
    return normalization(x, name=f"{name}_layers_2_layers_1", dtype=dtype)
