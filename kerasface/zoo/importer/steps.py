"""The steps that readers of every format build alike: convolutions with their padding, and constants by channel."""

import numpy as np

from kerasface.zoo.importer.nodes import Node

__all__ = ["by_channel", "convolution", "padded", "same_padding"]


def same_padding(shape, kernel_shape, strides, *, upper=True):
    """TensorFlow's SAME: ceil(size / stride) outputs; an odd pixel goes below and right unless not `upper`.

    Args:
        shape: of the input, (height, width, channels).
        kernel_shape: (height, width, …).
        strides: (rows, columns).
        upper: as ONNX's SAME_UPPER.

    Returns:
        (top, bottom, left, right).
    """
    padding = []
    for size, kernel, stride in zip(shape[:2], kernel_shape[:2], strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        padding += [total // 2, total - total // 2] if upper else [total - total // 2, total // 2]
    return tuple(padding)


def padded(name, source, padding):
    """Returns the node of zeros around a picture."""
    top, bottom, left, right = padding
    height, width, channels = source.shape
    shape = (height + top + bottom, width + left + right, channels)
    return Node("pad", (source,), name, shape, {"padding": padding}, channels_first=source.channels_first)


def convolution(name, source, kernel, bias, strides, padding, groups, *, channels_first=False, layer=None):
    """Returns the node of a convolution; zeros that were put around the picture before belong to it.

    Args:
        name, source, kernel, bias, strides, padding, groups, layer: as `Node` has them.
        channels_first: see `Node`.

    Returns:
        `Node`; a dense one where the picture is a single pixel.
    """
    if source.kind == "pad":
        padding = tuple(int(a) + int(b) for a, b in zip(padding, source.padding, strict=True))
        source = source.source
    padding, strides = tuple(int(p) for p in padding), tuple(int(s) for s in strides)
    height, width = (
        (size + sum(padding[2 * axis : 2 * axis + 2]) - kernel.shape[axis]) // strides[axis] + 1
        for axis, size in enumerate(source.shape[:2])
    )
    shape = (height, width, kernel.shape[-1])
    if source.shape[:2] == (1, 1) and kernel.shape[:2] == (1, 1) and groups == 1 and not any(padding):
        values = {"kernel": kernel[0, 0], "bias": bias}
        return Node("dense", (source,), name, shape, values, layer=layer, channels_first=channels_first)
    values = {"kernel": kernel, "bias": bias, "strides": strides, "padding": padding, "groups": int(groups)}
    return Node("convolution", (source,), name, shape, values, layer=layer, channels_first=channels_first)


def by_channel(constant, node):
    """Brings a constant to one number or one a channel.

    Args:
        constant: array that is broadcast against `node`, in the source's layout.
        node: `Node`.

    Returns:
        (channels,) or () float64; None where it varies within a picture.
    """
    constant = np.asarray(constant, np.float64)
    if constant.size == 1:
        return constant.reshape(())
    rank = len(node.shape) + 1
    axis = 1 if node.channels_first and rank == 4 else rank - 1
    shape = (1,) * (rank - constant.ndim) + constant.shape
    if len(shape) != rank or shape[axis] != constant.size:
        return None
    return constant.reshape(-1)
