"""Augmentation of aligned faces inside tf.data, each draw decided by a seed and the image's place in the stream."""

import dataclasses
import math

import tensorflow as tf

__all__ = ["Augmentation"]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What may happen to a training image; every field at 0 leaves it alone.

    Args:
        mirror: probability of a left-right flip.
        shift: largest shift, as a fraction of the side.
        rotation: largest rotation, degrees.
        zoom: largest relative change of size.
        brightness: largest change, as a fraction of 255.
        contrast: largest relative change around the image's mean.
        saturation: largest relative change around gray.
        gray: probability of losing all colour.
        low_resolution: probability of shrinking to between a third and all of the size and back.
        erase: probability of one rectangle, up to 40 % of each side, of a random gray.

    Example:
        >>> faces = tf.data.Dataset.range(10).map(lambda i: Augmentation(mirror=0.5)(image, seed=(1, i)))
    """

    mirror: float = 0.0
    shift: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    gray: float = 0.0
    low_resolution: float = 0.0
    erase: float = 0.0

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            high = 180.0 if field.name == "rotation" else 1.0
            if not 0 <= value <= high:
                raise ValueError(f"{field.name} must lie in [0, {high:g}]. Received: {field.name}={value}")

    def __call__(self, image, seed):
        """Augments one image.

        Args:
            image: (H, W, 3) float32 tensor, 0…255.
            seed: two int64; the same image and seed give the same result.

        Returns:
            (H, W, 3) float32 tensor, 0…255.
        """
        # One draw for everything: a field's switch must not change the other fields' numbers.
        draw = tf.unstack(tf.random.stateless_uniform((17,), seed=seed), num=17)
        if self.mirror:
            image = tf.cond(draw[0] < self.mirror, lambda: tf.reverse(image, [1]), lambda: image)
        if self.shift or self.rotation or self.zoom:
            image = self._moved(image, *draw[1:5])
        if self.low_resolution:
            image = tf.cond(draw[5] < self.low_resolution, lambda: _low_resolution(image, draw[6]), lambda: image)
        if self.saturation or self.gray:
            amount = tf.where(draw[8] < self.gray, 0.0, 1.0 + self.saturation * _signed(draw[7]))
            luma = tf.tensordot(image, _LUMA, 1)[..., None]
            image = luma + (image - luma) * amount
        if self.contrast:
            mean = tf.reduce_mean(image)
            image = mean + (image - mean) * (1.0 + self.contrast * _signed(draw[9]))
        if self.brightness:
            image = image + 255.0 * self.brightness * _signed(draw[10])
        if self.erase:
            image = tf.cond(draw[11] < self.erase, lambda: _erased(image, draw[12:16], draw[16]), lambda: image)
        return tf.clip_by_value(image, 0.0, 255.0)

    def _moved(self, image, right, down, turn, grow):
        height, width = (tf.cast(side, tf.float32) for side in tf.unstack(tf.shape(image)[:2]))
        angle = _signed(turn) * self.rotation * (math.pi / 180.0)
        size = 1.0 + self.zoom * _signed(grow)
        cosine, sine = tf.cos(angle) / size, tf.sin(angle) / size
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        to_x = centre_x + self.shift * width * _signed(right)
        to_y = centre_y + self.shift * height * _signed(down)
        # Rows of the map from an output pixel to the input pixel that it shows.
        transform = tf.stack(
            [
                cosine, -sine, centre_x - cosine * to_x + sine * to_y,
                sine, cosine, centre_y - sine * to_x - cosine * to_y,
                0.0, 0.0,
            ]
        )  # fmt: skip
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=image[None],
            transforms=transform[None],
            output_shape=tf.shape(image)[:2],
            interpolation="BILINEAR",
            fill_mode="NEAREST",
            fill_value=0.0,
        )
        return tf.ensure_shape(moved[0], image.shape)


def _signed(uniform):
    return 2.0 * uniform - 1.0


def _low_resolution(image, uniform):
    size = tf.shape(image)[:2]
    small = tf.cast(tf.cast(size, tf.float32) * (1.0 + 2.0 * uniform) / 3.0, tf.int32)
    shrunk = tf.image.resize(image, small, method="area")
    return tf.ensure_shape(tf.image.resize(shrunk, size), image.shape)


def _erased(image, draw, gray):
    height, width = image.shape[:2]
    tall, wide = (0.1 + 0.3 * draw[0]) * height, (0.1 + 0.3 * draw[1]) * width
    top, left = draw[2] * (height - tall), draw[3] * (width - wide)
    rows = tf.range(height, dtype=tf.float32)[:, None, None]
    columns = tf.range(width, dtype=tf.float32)[None, :, None]
    inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
    return tf.where(inside, 255.0 * gray, image)
