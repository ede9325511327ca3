"""Moving the pixels of a face: shift, rotation, zoom and crop as one map, so that it is resampled once."""

import math

import tensorflow as tf

__all__ = ["cropped", "linear_map", "moved", "resampled", "signed", "size_of"]


def signed(uniform):
    """Maps [0, 1) to [−1, 1)."""
    return 2.0 * uniform - 1.0


def size_of(image):
    """Height and width as float32 scalars."""
    return tf.unstack(tf.cast(tf.shape(image)[:2], tf.float32))


def moved(size, shift, rotation, zoom, draw):
    """The map of a random similarity about the center.

    Args:
        size: (height, width).
        shift, rotation, zoom: largest shift as a fraction of the side, turn in degrees and relative change of size.
        draw: four uniforms, for right, down, turn and growth.

    Returns:
        (3, 3) from an output pixel (x, y, 1) to the input pixel that it shows.
    """
    height, width = size
    right, down, turn, grow = draw
    angle = signed(turn) * rotation * (math.pi / 180.0)
    scale = 1.0 + zoom * signed(grow)
    cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
    return linear_map(
        size, ((cosine, -sine), (sine, cosine)), (shift * width * signed(right), shift * height * signed(down))
    )


def linear_map(size, matrix, shift=(0.0, 0.0)):
    """The map of a linear one about the center, after which the picture is shifted by (x, y) pixels."""
    height, width = size
    (a, b), (c, d) = matrix
    x, y = (width - 1) / 2, (height - 1) / 2
    to_x, to_y = x + shift[0], y + shift[1]
    rows = [a, b, x - a * to_x - b * to_y, c, d, y - c * to_x - d * to_y, 0.0, 0.0, 1.0]
    return tf.reshape(tf.stack(rows), (3, 3))


def cropped(size, crop, draw):
    """The map that fills the picture with a part of it.

    Args:
        size: (height, width).
        crop: the largest part of each side that is cut away.
        draw: four uniforms, for how much of the height and of the width, and where.

    Returns:
        (3, 3), as `moved`.
    """
    height, width = size
    tall, wide, down, right = draw
    kept_x, kept_y = 1.0 - crop * wide, 1.0 - crop * tall
    # Borders onto borders: pixel centers lie half a pixel inside of them.
    left = right * (1.0 - kept_x) * width + 0.5 * kept_x - 0.5
    top = down * (1.0 - kept_y) * height + 0.5 * kept_y - 0.5
    return tf.reshape(tf.stack([kept_x, 0.0, left, 0.0, kept_y, top, 0.0, 0.0, 1.0]), (3, 3))


@tf.function(jit_compile=True)  # one loop over the pixels: each of these operations alone would go through memory
def resampled(image, matrix):
    """Draws a picture through a map, bilinear; outside, the border repeats.

    Args:
        image: (H, W, 3) float32, H and W at least 2 and known.
        matrix: (3, 3) from output to input pixels, the last row (0, 0, 1).

    Returns:
        (H, W, 3) float32.
    """
    height, width = image.shape[:2]
    x, y = tf.range(width, dtype=tf.float32)[None, :], tf.range(height, dtype=tf.float32)[:, None]
    column = tf.clip_by_value(matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2], 0.0, width - 1.0)
    row = tf.clip_by_value(matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2], 0.0, height - 1.0)
    left, top = tf.minimum(tf.floor(column), width - 2.0), tf.minimum(tf.floor(row), height - 2.0)
    right, down = (column - left)[..., None], (row - top)[..., None]
    place = tf.cast(top * width + left, tf.int32)
    pixels = tf.reshape(image, (-1, 3))
    corners = [tf.gather(pixels, place + step) for step in (0, 1, width, width + 1)]
    above = corners[0] + (corners[1] - corners[0]) * right
    below = corners[2] + (corners[3] - corners[2]) * right
    return above + (below - above) * down
