"""The few layer groups that several architectures share, with symmetric padding and device-friendly layers."""

from keras import initializers, layers

from kerasface.backbones.batch_norm import BatchNormalization
from kerasface.backbones.prelu import PReLU

__all__ = [
    "convolution",
    "depthwise",
    "global_depthwise",
    "normalization",
    "prelu",
    "scaled_channels",
    "squeeze_excitation",
]

# Keras' default of .99 needs thousands of steps to settle; the field's recipes use .9 and PyTorch's epsilon.
_MOMENTUM = 0.9
_EPSILON = 1e-5


def convolution(x, filters, kernel_size, *, name, strides=1, padding="symmetric", dtype=None, **options):
    """2-D convolution padded by `kernel_size // 2` on every side, as Caffe and PyTorch pad.

    Keras' own SAME pads only bottom and right at stride 2, so that imported weights would not match.

    Args:
        x: (N, H, W, C) tensor.
        filters: output channels.
        kernel_size: odd, in pixels.
        name: of the layer; the padding's is `name_pad`.
        strides: 1 or 2.
        padding: "symmetric", or "same" for weights that TensorFlow trained with its own.
        dtype: the layers' dtype policy.
        **options: for `keras.layers.Conv2D`; no bias and He-normal weights unless told.

    Returns:
        (N, ceil(H / strides), ceil(W / strides), filters) tensor.
    """
    options = {"use_bias": False, "kernel_initializer": "he_normal", **options}
    x, padding = _padded(x, kernel_size, strides, padding, name, dtype)
    return layers.Conv2D(filters, kernel_size, strides, padding=padding, dtype=dtype, name=name, **options)(x)


def depthwise(x, kernel_size, *, name, strides=1, padding="symmetric", dtype=None):
    """Depthwise convolution without bias, padded like `convolution`; its kernel may be (height, width) at stride 1."""
    x, padding = _padded(x, kernel_size, strides, padding, name, dtype)
    return _depthwise(x, kernel_size, strides, padding, name, dtype)


def global_depthwise(x, *, name, dtype=None):
    """Depthwise convolution over the whole feature map, to one pixel: a mean that weights its places by channel."""
    return _depthwise(x, x.shape[1:3], 1, "valid", name, dtype)


def normalization(x, *, name, scale=True, dtype=None):
    """Batch normalisation (momentum .9, epsilon 1e-5), which converters fold into the convolution before it.

    Args:
        x: (N, …, C) tensor.
        name: of the layer.
        scale: False fixes gamma at 1.
        dtype: the layer's dtype policy.
    """
    return BatchNormalization(momentum=_MOMENTUM, epsilon=_EPSILON, scale=scale, dtype=dtype, name=name)(x)


def prelu(x, *, name, dtype=None):
    """PReLU with one slope a channel, from .25: shared axes keep it one op in TFLite at any input size."""
    slope = initializers.Constant(0.25)
    return PReLU(alpha_initializer=slope, shared_axes=[1, 2], dtype=dtype, name=name)(x)


def scaled_channels(channels, width, *, multiple=8):
    """Channels times `width`, rounded to the nearest multiple, at least one, as MobileNets scale theirs."""
    if width <= 0:
        raise ValueError(f"width must be positive. Received: width={width}")
    return max(multiple, int(channels * width / multiple + 0.5) * multiple)


def squeeze_excitation(x, channels, activation, gate, name, dtype):
    """Weights channels by what the whole map shows: mean → conv1×1 → activation → conv1×1 → gate → times x.

    Args:
        x: (N, H, W, C) tensor.
        channels: of the narrow layer between.
        activation: of the narrow layer; a function like `prelu`.
        gate: layer that maps to 0…1.
        name: prefix; the convolutions are `name_se_conv1` and `name_se_conv2`.
        dtype: the layers' dtype policy.

    Reference:
        Hu et al., Squeeze-and-Excitation Networks, CVPR 2018.
    """
    y = layers.GlobalAveragePooling2D(keepdims=True, dtype=dtype, name=f"{name}_se_mean")(x)
    y = convolution(y, channels, 1, use_bias=True, name=f"{name}_se_conv1", dtype=dtype)
    y = activation(y, name=f"{name}_se_prelu", dtype=dtype)
    y = convolution(y, x.shape[-1], 1, use_bias=True, name=f"{name}_se_conv2", dtype=dtype)
    return layers.Multiply(dtype=dtype, name=f"{name}_se")([x, gate(y)])


def _depthwise(x, kernel_size, strides, padding, name, dtype):
    # Keras counts all channels into a depthwise kernel's fan-in; each output sees one.
    height, width = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    initializer = initializers.RandomNormal(stddev=(2.0 / (height * width)) ** 0.5)
    return layers.DepthwiseConv2D(
        kernel_size, strides, padding=padding, use_bias=False, depthwise_initializer=initializer, dtype=dtype, name=name
    )(x)


def _padded(x, kernel_size, strides, padding, name, dtype):
    if padding not in ("symmetric", "same"):
        raise ValueError(f"padding must be 'symmetric' or 'same'. Received: padding={padding!r}")
    if kernel_size == 1:
        return x, "valid"
    if strides == 1 or padding == "same":
        return x, "same"
    return layers.ZeroPadding2D(kernel_size // 2, dtype=dtype, name=f"{name}_pad")(x), "valid"
