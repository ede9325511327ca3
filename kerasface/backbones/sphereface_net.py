"""SphereFaceNet: the residual network without batch norm that the SphereFace paper trains."""

from keras import initializers, layers

from kerasface.backbones._registry import backbones
from kerasface.backbones.base import Backbone, image_input
from kerasface.backbones.blocks import convolution, prelu, scaled_channels

__all__ = ["SphereFaceNet"]

_CHANNELS = (64, 128, 256, 512)
# Residual units in each of the four stages: the paper's table 2.
_UNITS = {4: (0, 0, 0, 0), 10: (0, 1, 2, 0), 20: (1, 2, 4, 1), 36: (2, 4, 8, 2), 64: (3, 8, 16, 3)}


@backbones.register("spherefacenet")
class SphereFaceNet(Backbone):
    """SphereFace-4/10/20/36/64.

    Each of four stages is conv3×3 stride 2 (bias) → PReLU → n × [x + (conv3×3 → PReLU → conv3×3 → PReLU)]: the PReLU
    comes before the addition and nothing after it. Then flatten → Dense(D), linear: the authors removed the last ReLU
    so that features may point everywhere. No batch norm. Depth 20 has 22.67 M parameters at 112×96, 24.50 M at 112×112.

    Args:
        depth: 4, 10, 20, 36 or 64: convolutions and the dense layer.
        input_shape: (height, width, 3) in pixels, any from 16×16 on: (112, 96, 3) in the paper; the dense layer sees a
            sixteenth of it, rounded up.
        width: multiplier of the stages' channels; results are multiples of 8.
        embedding_dim: D; 512 in the paper.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model; `sphereface<depth>` by default.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: a depth that the paper doesn't have, an input below 16×16, or a width that isn't positive.

    Example:
        >>> SphereFaceNet(depth=20)(images).shape
        (8, 512)

    Reference:
        Liu et al., SphereFace: Deep Hypersphere Embedding for Face Recognition, CVPR 2017, table 2; initialisers and
        biases from the authors' prototxt.
    """

    def __init__(self, *, depth=20, input_shape=(112, 96, 3), width=1.0, embedding_dim=512, dtype=None, name=None):
        if depth not in _UNITS:
            raise ValueError(f"depth must be one of {sorted(_UNITS)}. Received: depth={depth}")
        images = image_input(input_shape, least=16)
        x = images
        for stage, (filters, units) in enumerate(zip(_CHANNELS, _UNITS[depth], strict=True), start=1):
            filters = scaled_channels(filters, width)  # noqa: PLW2901
            # Caffe's xavier is uniform over the fan-in: Keras' lecun_uniform.
            x = convolution(
                x, filters, 3, strides=2, name=f"stage{stage}", dtype=dtype,
                use_bias=True, kernel_initializer="lecun_uniform",
            )  # fmt: skip
            x = prelu(x, name=f"stage{stage}_prelu", dtype=dtype)
            for unit in range(1, units + 1):
                x = _residual(x, filters, f"stage{stage}_unit{unit}", dtype)
        x = layers.Flatten(dtype=dtype, name="flatten")(x)
        x = layers.Dense(embedding_dim, kernel_initializer="lecun_uniform", dtype=dtype, name="embedding")(x)
        super().__init__(
            images, x, name=name or f"sphereface{depth}", dtype=dtype, depth=depth, input_shape=input_shape,
            width=width, embedding_dim=embedding_dim,
        )  # fmt: skip


def _residual(x, filters, name, dtype):
    y = x
    for index in (1, 2):
        initializer = initializers.RandomNormal(stddev=0.01)
        y = convolution(y, filters, 3, name=f"{name}_conv{index}", dtype=dtype, kernel_initializer=initializer)
        y = prelu(y, name=f"{name}_prelu{index}", dtype=dtype)
    return layers.Add(dtype=dtype, name=f"{name}_add")([x, y])
