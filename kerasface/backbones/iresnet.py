"""IResNet: the improved residual network of ArcFace, as arcface_torch publishes it."""

from keras import initializers, layers

from kerasface.backbones._registry import backbones
from kerasface.backbones.base import Backbone, image_input
from kerasface.backbones.blocks import convolution, normalization, prelu, squeeze_excitation

__all__ = ["IResNet"]

_CHANNELS = (64, 128, 256, 512)
# Residual blocks in each of the four stages.
_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 200: (6, 26, 60, 6)}
_REDUCTION = 16


@backbones.register("iresnet18", depth=18)
@backbones.register("iresnet34", depth=34)
@backbones.register("iresnet50", depth=50)
@backbones.register("iresnet100", depth=100)
@backbones.register("iresnet200", depth=200)
class IResNet(Backbone):
    """IResNet-18/34/50/100/200.

    conv3×3 64 – BN – PReLU, then four stages of blocks BN – conv3×3 – BN – PReLU – conv3×3 – BN plus a shortcut; the
    first block of every stage has stride 2 and a 1×1 convolution with BN as its shortcut. The head is ArcFace's "E":
    BN – dropout – flatten – Dense(D) – BN with gamma fixed at 1. 24.03 / 34.14 / 43.59 / 65.16 / 118.8 M parameters at
    512-d and 112×112.

    Layers are named as arcface_torch's state dict with dots as underscores (`layer1_0_bn1`, `fc`, `features`), and
    start as arcface_torch's do. A block's first batch norm follows an addition, so that converters can't fold it into a
    convolution: it stays a MUL and an ADD in exported files.

    Args:
        depth: 18, 34, 50, 100 or 200; `backbones.get("iresnet50")` is depth 50.
        input_shape: (height, width, 3) in pixels, any from 16×16 on: 112×112 in the paper; the last feature map, and
            with it the dense layer, is a sixteenth of it, rounded up.
        embedding_dim: D; 512 in the paper.
        dropout: rate before the dense layer; 0 as in arcface_torch's recipes, .4 in the paper's MXNet code.
        squeeze_excitation: let each block weight its channels before the addition, as the MXNet code's "SE" networks
            do: mean → conv1×1 to a sixteenth of the channels → PReLU → conv1×1 → sigmoid.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model; `iresnet<depth>` by default.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: a depth that the authors don't have, or an input below 16×16.

    Example:
        >>> IResNet(depth=50)(images).shape
        (8, 512)

    Reference:
        Deng et al., ArcFace: Additive Angular Margin Loss for Deep Face Recognition, CVPR 2019, section 3.1 and the
        authors' code; blocks after Duta et al., Improved Residual Networks for Image and Video Recognition, ICPR 2020.
    """

    def __init__(
        self, *, depth=50, input_shape=(112, 112, 3), embedding_dim=512, dropout=0.0, squeeze_excitation=False,
        dtype=None, name=None,
    ):  # fmt: skip
        if depth not in _BLOCKS:
            raise ValueError(f"depth must be one of {sorted(_BLOCKS)}. Received: depth={depth}")
        images = image_input(input_shape, least=16)
        x = _convolution(images, _CHANNELS[0], 3, name="conv1", dtype=dtype)
        x = normalization(x, name="bn1", dtype=dtype)
        x = prelu(x, name="prelu", dtype=dtype)
        for stage, (filters, blocks) in enumerate(zip(_CHANNELS, _BLOCKS[depth], strict=True), start=1):
            for block in range(blocks):
                strides = 2 if block == 0 else 1
                x = _block(x, filters, strides, squeeze_excitation, name=f"layer{stage}_{block}", dtype=dtype)
        x = normalization(x, name="bn2", dtype=dtype)
        x = layers.Dropout(dropout, dtype=dtype, name="dropout")(x)
        x = layers.Flatten(dtype=dtype, name="flatten")(x)
        # PyTorch's own start of a linear layer.
        uniform = initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
        x = layers.Dense(embedding_dim, kernel_initializer=uniform, dtype=dtype, name="fc")(x)
        x = normalization(x, scale=False, name="features", dtype=dtype)
        super().__init__(
            images, x, name=name or f"iresnet{depth}", dtype=dtype, depth=depth, input_shape=input_shape,
            embedding_dim=embedding_dim, dropout=dropout, squeeze_excitation=squeeze_excitation,
        )  # fmt: skip


def _convolution(x, filters, kernel_size, *, name, dtype, strides=1):
    normal = initializers.RandomNormal(stddev=0.1)
    return convolution(x, filters, kernel_size, strides=strides, kernel_initializer=normal, name=name, dtype=dtype)


def _block(x, filters, strides, excited, *, name, dtype):
    y = normalization(x, name=f"{name}_bn1", dtype=dtype)
    y = _convolution(y, filters, 3, name=f"{name}_conv1", dtype=dtype)
    y = normalization(y, name=f"{name}_bn2", dtype=dtype)
    y = prelu(y, name=f"{name}_prelu", dtype=dtype)
    y = _convolution(y, filters, 3, strides=strides, name=f"{name}_conv2", dtype=dtype)
    y = normalization(y, name=f"{name}_bn3", dtype=dtype)
    if excited:
        y = squeeze_excitation(y, filters // _REDUCTION, prelu, layers.Activation("sigmoid", dtype=dtype), name, dtype)
    if strides > 1:
        x = _convolution(x, filters, 1, strides=strides, name=f"{name}_downsample_0", dtype=dtype)
        x = normalization(x, name=f"{name}_downsample_1", dtype=dtype)
    return layers.Add(dtype=dtype, name=f"{name}_add")([x, y])
