"""What hides a part of a face: a rectangle, a drawn medical mask, drawn sunglasses.

Mask and glasses are drawn over the points to which the face was aligned, so they need no detector; they come before
anything that moves the face.
"""

import tensorflow as tf

from kerasface.data.effects.geometry import signed, size_of
from kerasface.edge.align import TEMPLATES

__all__ = ["erased", "masked", "with_sunglasses"]

_TEMPLATE = TEMPLATES["arcface_112x112"]
_LEFT_EYE, _RIGHT_EYE, _NOSE, _LEFT_MOUTH, _RIGHT_MOUTH = _TEMPLATE.points
_EYES = _RIGHT_EYE[0] - _LEFT_EYE[0]

# Corners of a worn mask, clockwise from the bridge of the nose: over the cheeks, along the jaw, under the chin.
_BRIDGE = (_NOSE[0], 0.55 * _NOSE[1] + 0.45 * _LEFT_EYE[1])
_MASK = (
    _BRIDGE,
    (_RIGHT_EYE[0] + 0.50 * _EYES, _NOSE[1] - 0.15 * _EYES),
    (_RIGHT_EYE[0] + 0.35 * _EYES, _RIGHT_MOUTH[1] + 0.15 * _EYES),
    (_RIGHT_MOUTH[0], _RIGHT_MOUTH[1] + 0.65 * _EYES),
    (_LEFT_MOUTH[0], _LEFT_MOUTH[1] + 0.65 * _EYES),
    (_LEFT_EYE[0] - 0.35 * _EYES, _LEFT_MOUTH[1] + 0.15 * _EYES),
    (_LEFT_EYE[0] - 0.50 * _EYES, _NOSE[1] - 0.15 * _EYES),
)
_MASK_JITTER = 3.0  # pixels of the template
_PLEATS = (0.40, 0.58, 0.76)  # of the way from the bridge to the chin
_CLOTHS = ((150.0, 190.0, 220.0), (235.0, 235.0, 235.0), (45.0, 45.0, 50.0), (120.0, 170.0, 140.0))


def erased(image, draw, gray):
    """One rectangle of a tenth to four tenths of each side, of one gray.

    Args:
        image: (H, W, 3).
        draw: four uniforms, for height, width, top and left.
        gray: a uniform.
    """
    height, width = size_of(image)
    tall, wide = (0.1 + 0.3 * draw[0]) * height, (0.1 + 0.3 * draw[1]) * width
    top, left = draw[2] * (height - tall), draw[3] * (width - wide)
    x, y = _pixels(image)
    inside = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide)
    return tf.where(inside[..., None], 255.0 * gray, image)


def masked(image, draw):
    """A medical mask from the bridge of the nose to under the chin.

    Args:
        image: (H, W, 3), aligned to the ArcFace template or a scaled one.
        draw: 17 uniforms, for color and shade (3) and the seven corners.
    """
    x, y = _template_pixels(image)
    corners = tf.constant(_MASK) + _MASK_JITTER * signed(tf.reshape(tf.stack(draw[3:17]), (7, 2)))
    ahead = tf.roll(corners, -1, axis=0)
    along = ahead - corners
    along /= tf.norm(along, axis=1, keepdims=True)
    # How far inside of each edge, in pixels of the template; clockwise in a picture, inside is on the right.
    inside = along[:, 0] * (y[..., None] - corners[:, 1]) - along[:, 1] * (x[..., None] - corners[:, 0])
    cover = _edge(tf.reduce_min(inside, axis=-1), image)
    cloth = tf.gather(tf.constant(_CLOTHS), tf.cast(draw[0] * len(_CLOTHS), tf.int32))
    top, bottom = _MASK[0][1], _MASK[3][1]
    folds = tf.add_n([tf.exp(-(((y - top - part * (bottom - top)) / 1.3) ** 2)) for part in _PLEATS])
    side = tf.abs(x - _NOSE[0]) / _EYES
    shade = (0.85 + 0.3 * draw[1]) * (1.0 - 0.12 * folds) * (1.0 - 0.2 * draw[2] * side)
    return _painted(image, cloth * shade[..., None], cover)


def with_sunglasses(image, draw):
    """Dark glasses over both eyes, with bridge and temples.

    Args:
        image: (H, W, 3), aligned to the ArcFace template or a scaled one.
        draw: five uniforms, for width, height, place, color and opacity.
    """
    x, y = _template_pixels(image)
    wide, tall = (0.36 + 0.12 * draw[0]) * _EYES, (0.26 + 0.16 * draw[1]) * _EYES
    level = (_LEFT_EYE[1] + _RIGHT_EYE[1]) / 2 + 0.08 * _EYES * signed(draw[2])
    lenses = [_inside_ellipse(x - eye[0], y - level, wide, tall) for eye in (_LEFT_EYE, _RIGHT_EYE)]
    # One bar behind both lenses is bridge and temples at once.
    bar = 0.06 * _EYES - tf.abs(y - level + 0.3 * tall)
    cover = _edge(tf.maximum(tf.maximum(lenses[0], lenses[1]), bar), image)
    color = tf.constant([25.0, 25.0, 30.0]) + 45.0 * draw[3] * tf.constant([1.0, 0.7, 0.4])
    return _painted(image, color, cover * (0.8 + 0.2 * draw[4]))


def _inside_ellipse(x, y, wide, tall):
    # The distance to the edge to first order: value over slope of (x/a)² + (y/b)² − 1.
    value = (x / wide) ** 2 + (y / tall) ** 2
    slope = 2.0 * tf.sqrt((x / wide**2) ** 2 + (y / tall**2) ** 2)
    return (1.0 - value) / tf.maximum(slope, 1e-3)


def _edge(inside, image):
    """Coverage of each pixel by what reaches `inside` pixels of the template beyond it; edges are one pixel soft."""
    return tf.clip_by_value(inside * (image.shape[0] / _TEMPLATE.height) + 0.5, 0.0, 1.0)


def _painted(image, color, cover):
    return image + (tf.clip_by_value(color, 0.0, 255.0) - image) * cover[..., None]


def _pixels(image):
    """x and y of each pixel, (H, W)."""
    return tf.meshgrid(tf.range(image.shape[1], dtype=tf.float32), tf.range(image.shape[0], dtype=tf.float32))


def _template_pixels(image):
    """Where each pixel lies in the template, scaled to the picture's height and put in the middle of its width."""
    x, y = _pixels(image)
    scale = _TEMPLATE.height / image.shape[0]
    return (x + 0.5 - image.shape[1] / 2) * scale + _TEMPLATE.width / 2 - 0.5, (y + 0.5) * scale - 0.5
