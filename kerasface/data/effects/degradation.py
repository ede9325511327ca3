"""What lenses, sensors and transport do to a picture: blur, low resolution, JPEG."""

import math

import tensorflow as tf

from kerasface.data.effects.geometry import size_of

__all__ = ["blurred", "jpeg", "low_resolution"]

# Of the height: 2 pixels of a face of 112, where eyes and mouth are still told apart.
_MAX_SIGMA = 2.0 / 112
_QUALITIES = 20.0, 95.0  # messengers' thumbnails to cameras


def blurred(image, uniform):
    """A Gaussian blur of up to 2/112 of the height, cut at three standard deviations; borders are mirrored."""
    height, width = image.shape[:2]
    largest = _MAX_SIGMA * height
    radius = min(math.ceil(3 * largest), height - 1, width - 1)
    sigma = tf.maximum(largest * uniform, 1e-3)
    taps = tf.exp(-0.5 * (tf.range(-radius, radius + 1, dtype=tf.float32) / sigma) ** 2)
    taps /= tf.reduce_sum(taps)
    padded = tf.pad(image, [[radius, radius], [radius, radius], [0, 0]], mode="REFLECT")
    for shape in ((-1, 1, 1, 1), (1, -1, 1, 1)):
        kernel = tf.tile(tf.reshape(taps, shape), (1, 1, 3, 1))
        padded = tf.nn.depthwise_conv2d(padded[None], kernel, (1, 1, 1, 1), "VALID")[0]
    return tf.ensure_shape(padded, image.shape)


def low_resolution(image, uniform):
    """Shrunk to between a third and all of its size, by areas, and enlarged again, bilinear."""
    height, width = size_of(image)
    small = tf.cast(tf.stack([height, width]) * (1.0 + 2.0 * uniform) / 3.0, tf.int32)
    shrunk = tf.image.resize(image, small, method="area")
    return tf.ensure_shape(tf.image.resize(shrunk, tf.shape(image)[:2]), image.shape)


def jpeg(image, uniform):
    """Written as a JPEG of quality 20 to 95 and read again."""
    low, high = _QUALITIES
    quality = tf.cast(tf.round(low + (high - low) * uniform), tf.int32)
    whole = tf.cast(tf.round(tf.clip_by_value(image, 0.0, 255.0)), tf.uint8)
    written = tf.raw_ops.EncodeJpegVariableQuality(images=whole, quality=quality)
    decoded = tf.io.decode_jpeg(written, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(tf.cast(decoded, tf.float32), image.shape)
