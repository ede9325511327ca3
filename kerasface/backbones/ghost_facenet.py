"""GhostFaceNet V1 and V2: half of each layer's maps are computed, the other half made of them by a cheap filter."""

from keras import layers, ops

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

__all__ = ["GhostFaceNet"]

_STEM = 16
# Kernel, expanded channels, output channels, squeeze-and-excitation, stride: GhostNet's table.
_BOTTLENECKS = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
    (5, 960, 160, False, 1),
    # V1's last expansion is as wide as its last convolution.
    (5, {1: 512, 2: 960}, 160, True, 1),
)
_LAST = {1: 512, 2: 960}
# V2 leaves the first bottlenecks, whose maps are largest, without attention.
_PLAIN_BOTTLENECKS = 2


@backbones.register("ghostfacenetv1", version=1)
@backbones.register("ghostfacenetv2", version=2)
class GhostFaceNet(Backbone):
    """GhostFaceNet V1 and V2.

    A ghost module is a 1×1 convolution to half the channels, concatenated with a depthwise 3×3 convolution of these. A
    bottleneck is ghost module → (depthwise convolution of stride 2) → (squeeze-and-excitation) → linear ghost module,
    plus the input or, when the shape changes, its depthwise and 1×1 convolution. Sixteen of them, then conv1×1 → linear
    global depthwise convolution → conv1×1 to D → BN. PReLU for every ReLU of GhostNet. V2 multiplies, from the third
    bottleneck on, the first ghost module by attention over whole rows and columns: mean 2×2 → conv1×1 → depthwise 1×5 →
    depthwise 5×1 → sigmoid → bilinear resize.

    The paper's GhostFaceNetV1-1 and V2-1 have width 1.3 and stride 1: 4.09 M and 6.88 M parameters as published, batch
    norm's statistics counted, of which 4.06 M and 6.80 M are trained; at width 1 it is 2.49 M and 4.20 M. Strides pad
    symmetrically here, as everywhere in this package; the authors' code pads as TensorFlow does. The gate of the
    excitation is relu6(x + 3) / 6 in both versions; the authors' V1 has Keras 2's clip(x / 5 + 1 / 2).

    Args:
        version: 1 or 2; `backbones.get("ghostfacenetv2")` is version 2.
        width: multiplier of every channel count but the embedding's, rounded to multiples of 4; 1 and 1.3 in the paper.
        strides: of the stem: 1 in the paper's best networks, 2 for a quarter of the arithmetic.
        input_shape: (height, width, 3) in pixels; 112×112 in the paper. Any from 16×16 on, 32×32 for V2, whose
            attention halves the last map too; twice that with strides=2. The global convolution spans a sixteenth,
            or with strides=2 a thirty-second, of it, rounded up.
        embedding_dim: D; 512 in the paper.
        dtype: dtype policy of all layers; the global policy by default.
        name: of the model; `ghostfacenetv<version>` by default.

    Call arguments:
        images: (N, H, W, 3) float, already normalised to about [-1, 1] (`FaceModel` does it).

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: a version or strides that the paper doesn't have, a width of 0 or less, or too small an input.

    Example:
        >>> GhostFaceNet(version=2, width=1.3, strides=2)(images).shape
        (8, 512)

    Reference:
        Alansari et al., GhostFaceNets: Lightweight Face Recognition Model From Cheap Operations, IEEE Access 2023, and
        the authors' Keras code; Han et al., GhostNet, CVPR 2020; Tang et al., GhostNetV2, NeurIPS 2022.
    """

    def __init__(
        self, *, version=1, width=1.0, strides=1, input_shape=(112, 112, 3), embedding_dim=512, dtype=None, name=None
    ):
        if version not in _LAST:
            raise ValueError(f"version must be 1 or 2. Received: version={version}")
        if strides not in (1, 2):
            raise ValueError(f"strides must be 1 or 2. Received: strides={strides}")

        def channels(count):
            return _scaled(count[version] if isinstance(count, dict) else count, width)

        images = image_input(input_shape, least=16 * version * strides)
        x = _convolution(images, channels(_STEM), 3, strides=strides, name="stem", dtype=dtype)
        x = prelu(x, name="stem_prelu", dtype=dtype)
        for number, (kernel, expanded, filters, excited, stride) in enumerate(_BOTTLENECKS, start=1):
            attentive = version == 2 and number > _PLAIN_BOTTLENECKS
            x = _bottleneck(
                x, kernel, channels(expanded), channels(filters), stride, excited, attentive,
                name=f"block{number}", dtype=dtype,
            )  # fmt: skip
        x = _convolution(x, channels(_LAST), 1, name="last", dtype=dtype)
        x = prelu(x, name="last_prelu", dtype=dtype)
        x = global_depthwise(x, name="global", dtype=dtype)
        x = normalization(x, name="global_bn", dtype=dtype)
        # Only the authors' networks of stride 1 have a bias here; batch norm takes it away again.
        x = convolution(x, embedding_dim, 1, use_bias=version == 1 and strides == 1, name="embedding", dtype=dtype)
        x = layers.Flatten(dtype=dtype, name="flatten")(x)
        x = normalization(x, name="embedding_bn", dtype=dtype)
        super().__init__(
            images, x, name=name or f"ghostfacenetv{version}", dtype=dtype, version=version, width=width,
            strides=strides, input_shape=input_shape, embedding_dim=embedding_dim,
        )  # fmt: skip


def _scaled(channels, width):
    # To multiples of 4, but never down by more than a tenth, as the authors' code has it from MobileNet.
    rounded = scaled_channels(channels, width, multiple=4)
    return rounded if rounded >= 0.9 * channels * width else rounded + 4


def _convolution(x, filters, kernel_size, *, name, dtype, strides=1):
    x = convolution(x, filters, kernel_size, strides=strides, name=name, dtype=dtype)
    return normalization(x, name=f"{name}_bn", dtype=dtype)


def _depthwise(x, kernel_size, *, name, dtype, strides=1):
    x = depthwise(x, kernel_size, strides=strides, name=name, dtype=dtype)
    return normalization(x, name=f"{name}_bn", dtype=dtype)


def _ghost_module(x, filters, activation, *, name, dtype):
    intrinsic = activation(_convolution(x, filters // 2, 1, name=f"{name}_primary", dtype=dtype), f"{name}_primary")
    ghosts = activation(_depthwise(intrinsic, 3, name=f"{name}_cheap", dtype=dtype), f"{name}_cheap")
    return layers.Concatenate(dtype=dtype, name=f"{name}_concatenate")([intrinsic, ghosts])


def _attention(x, filters, *, name, dtype):
    """Decoupled fully connected attention: a gate for each place that has seen its row and its column."""
    y = layers.AveragePooling2D(2, dtype=dtype, name=f"{name}_mean")(x)
    y = _convolution(y, filters, 1, name=f"{name}_mix", dtype=dtype)
    y = _depthwise(y, (1, 5), name=f"{name}_rows", dtype=dtype)
    y = _depthwise(y, (5, 1), name=f"{name}_columns", dtype=dtype)
    y = layers.Activation("sigmoid", dtype=dtype, name=f"{name}_gate")(y)
    return ops.image.resize(y, x.shape[1:3], interpolation="bilinear")


def _bottleneck(x, kernel, expanded, filters, strides, excited, attentive, *, name, dtype):
    def activated(y, prefix):
        return prelu(y, name=f"{prefix}_prelu", dtype=dtype)

    def linear(y, _):
        return y

    y = _ghost_module(x, expanded, activated, name=f"{name}_expand", dtype=dtype)
    if attentive:
        gate = _attention(x, expanded, name=f"{name}_attention", dtype=dtype)
        y = layers.Multiply(dtype=dtype, name=f"{name}_attend")([y, gate])
    if strides > 1:
        y = _depthwise(y, kernel, strides=strides, name=f"{name}_stride", dtype=dtype)
    if excited:
        narrow = _scaled(expanded, 0.25)
        gate = layers.Activation("hard_sigmoid", dtype=dtype, name=f"{name}_se_gate")
        y = squeeze_excitation(y, narrow, prelu, gate, name, dtype)
    y = _ghost_module(y, filters, linear, name=f"{name}_project", dtype=dtype)
    if strides > 1 or x.shape[-1] != filters:
        x = _depthwise(x, kernel, strides=strides, name=f"{name}_shortcut_depthwise", dtype=dtype)
        x = _convolution(x, filters, 1, name=f"{name}_shortcut", dtype=dtype)
    return layers.Add(dtype=dtype, name=f"{name}_add")([x, y])
