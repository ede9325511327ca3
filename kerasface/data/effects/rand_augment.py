"""RandAugment: two of fourteen operations, all of one strength.

Reference:
    Cubuk et al., RandAugment: Practical automated data augmentation with a reduced search space, NeurIPS 2020, section
    3; the ranges: Cubuk et al., AutoAugment, CVPR 2019, table 6; the operations themselves are Pillow's.
"""

import math

import tensorflow as tf

from kerasface.data.effects.geometry import linear_map, resampled, signed, size_of

__all__ = ["OPERATIONS", "rand_augmented"]

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def rand_augmented(image, strength, draw):
    """Two operations, drawn with repetition.

    Args:
        image: (H, W, 3) float32 in 0…255.
        strength: [0, 1], of the operations' ranges; the paper's M is 30 times as large.
        draw: four uniforms, for both operations and their directions.
    """
    names = list(OPERATIONS)
    for chosen, direction in ((draw[0], draw[1]), (draw[2], draw[3])):
        amount = strength * tf.sign(signed(direction) + 1e-12)
        branches = [lambda name=name, image=image, amount=amount: OPERATIONS[name](image, amount) for name in names]
        image = tf.switch_case(tf.cast(chosen * len(names), tf.int32), branches)
    return image


def _autocontrast(image, _):
    low, high = tf.reduce_min(image, axis=(0, 1)), tf.reduce_max(image, axis=(0, 1))
    return tf.where(high > low, (image - low) * (255.0 / tf.maximum(high - low, 1e-6)), image)


def _equalize(image, _):
    whole = tf.cast(tf.round(image), tf.int32) + tf.constant([0, 256, 512])
    counts = tf.reshape(tf.math.bincount(tf.reshape(whole, [-1]), minlength=768, maxlength=768), (3, 256))
    brightest = tf.reduce_max(tf.where(counts > 0, tf.range(256), 0), axis=1)
    last = tf.gather(counts, brightest, batch_dims=1)
    step = (tf.reduce_sum(counts, axis=1) - last)[:, None] // 255
    below = tf.cumsum(counts, axis=1, exclusive=True)
    levels = tf.minimum((step // 2 + below) // tf.maximum(step, 1), 255)
    levels = tf.where(step > 0, levels, tf.range(256))
    return tf.cast(tf.gather(tf.reshape(levels, [-1]), whole), tf.float32)


def _solarize(image, amount):
    return tf.where(image < 256.0 * (1.0 - tf.abs(amount)), image, 255.0 - image)


def _posterize(image, amount):
    step = 2.0 ** tf.round(4.0 * tf.abs(amount))
    return tf.floor(image / step) * step


def _toward(image, other, amount):
    """Pillow's enhancement: away from `other` (amount > 0) or towards it, by up to nine tenths."""
    return tf.clip_by_value(other + (image - other) * (1.0 + 0.9 * amount), 0.0, 255.0)


def _luma(image):
    return tf.tensordot(image, LUMA, 1)[..., None]


def _smooth(image):
    kernel = tf.constant([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13.0
    kernel = tf.tile(kernel[..., None, None], (1, 1, 3, 1))
    inner = tf.nn.depthwise_conv2d(image[None], kernel, (1, 1, 1, 1), "VALID")[0]
    # Pillow's filter leaves the border alone.
    rows = tf.concat([image[:1, 1:-1], inner, image[-1:, 1:-1]], axis=0)
    return tf.concat([image[:, :1], rows, image[:, -1:]], axis=1)


def _linear(image, matrix, shift=(0.0, 0.0)):
    return resampled(image, linear_map(size_of(image), matrix, shift))


def _rotate(image, amount):
    angle = amount * (30.0 * math.pi / 180.0)
    return _linear(image, ((tf.cos(angle), -tf.sin(angle)), (tf.sin(angle), tf.cos(angle))))


def _translate(image, amount, axis):
    shift = [0.0, 0.0]
    shift[axis] = 0.45 * amount * size_of(image)[1 - axis]
    return _linear(image, ((1.0, 0.0), (0.0, 1.0)), shift)


# The paper's fourteen. `amount` is the strength with the drawn sign, [−1, 1].
OPERATIONS = {
    "identity": lambda image, amount: image,
    "autocontrast": _autocontrast,
    "equalize": _equalize,
    "rotate": _rotate,
    "solarize": _solarize,
    "color": lambda image, amount: _toward(image, _luma(image), amount),
    "posterize": _posterize,
    "contrast": lambda image, amount: _toward(image, tf.round(tf.reduce_mean(_luma(image))), amount),
    "brightness": lambda image, amount: _toward(image, 0.0, amount),
    "sharpness": lambda image, amount: _toward(image, _smooth(image), amount),
    "shear_x": lambda image, amount: _linear(image, ((1.0, 0.3 * amount), (0.0, 1.0))),
    "shear_y": lambda image, amount: _linear(image, ((1.0, 0.0), (0.3 * amount, 1.0))),
    "translate_x": lambda image, amount: _translate(image, amount, 0),
    "translate_y": lambda image, amount: _translate(image, amount, 1),
}
