"""Augmentation of aligned faces inside tf.data, each draw decided by a seed and the image's place in the stream."""

import dataclasses
import itertools

import tensorflow as tf

from kerasface.data.effects.degradation import blurred, jpeg, low_resolution
from kerasface.data.effects.geometry import cropped, linear_map, moved, resampled, signed, size_of
from kerasface.data.effects.occlusion import erased, masked, with_sunglasses
from kerasface.data.effects.rand_augment import LUMA, rand_augmented

__all__ = ["Augmentation"]

# How many uniforms each effect draws. One draw is made for everything, so that a field's switch doesn't change the
# other fields' numbers; what is added comes last for the same reason.
_DRAWS = {
    "mirror": 1, "move": 4, "low_resolution": 2, "saturation": 1, "gray": 1, "contrast": 1, "brightness": 1, "erase": 6,
    "crop": 4, "blur": 2, "jpeg": 2, "rand_augment": 4, "mask": 18, "sunglasses": 6,
}  # fmt: skip
_ENDS = list(itertools.accumulate(_DRAWS.values()))


def _field(high=1.0):
    return dataclasses.field(default=0.0, metadata={"high": high})


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What may happen to a training image; every field at 0 leaves it alone.

    Args:
        mirror: probability of a left-right flip.
        shift: largest shift, as a fraction of the side.
        rotation: largest rotation, degrees.
        zoom: largest relative change of size.
        crop: largest part of each side that is cut away; what is left fills the picture again.
        rand_augment: strength of RandAugment's two operations, the paper's M ÷ 30.
        brightness: largest change, as a fraction of 255.
        contrast: largest relative change around the image's mean.
        saturation: largest relative change around gray.
        gray: probability of losing all color.
        blur: probability of a Gaussian blur of up to 2/112 of the height.
        low_resolution: probability of shrinking to between a third and all of the size and back.
        jpeg: probability of being written as a JPEG of quality 20 to 95 and read again.
        mask: probability of a drawn medical mask.
        sunglasses: probability of drawn sunglasses.
        erase: probability of one rectangle, up to 40 % of each side, of a random gray.

    Example:
        >>> faces = tf.data.Dataset.range(10).map(lambda i: Augmentation(mirror=0.5)(image, seed=(1, i)))
    """

    mirror: float = _field()
    shift: float = _field()
    rotation: float = _field(high=180.0)
    zoom: float = _field()
    crop: float = _field(high=0.9)
    rand_augment: float = _field()
    brightness: float = _field()
    contrast: float = _field()
    saturation: float = _field()
    gray: float = _field()
    blur: float = _field()
    low_resolution: float = _field()
    jpeg: float = _field()
    mask: float = _field()
    sunglasses: float = _field()
    erase: float = _field()

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value, high = getattr(self, field.name), field.metadata["high"]
            if not 0 <= value <= high:
                raise ValueError(f"{field.name} must lie in [0, {high:g}]. Received: {field.name}={value}")

    def __call__(self, image, seed):
        """Augments one image.

        What is worn comes first, then where the face is, then light, lens and transport, then what stands before it.

        Args:
            image: (H, W, 3) float32 tensor, 0…255, aligned; H and W known.
            seed: two int64; the same image and seed give the same result.

        Returns:
            (H, W, 3) float32 tensor, 0…255.
        """
        uniforms = tf.unstack(tf.random.stateless_uniform((_ENDS[-1],), seed=seed), num=_ENDS[-1])
        draw = {name: uniforms[end - count : end] for (name, count), end in zip(_DRAWS.items(), _ENDS, strict=True)}
        image = self._worn(image, draw)
        image = self._moved(image, draw)
        if self.rand_augment:
            image = rand_augmented(tf.clip_by_value(image, 0.0, 255.0), self.rand_augment, draw["rand_augment"])
        image = self._lit(image, draw)
        for name, effect in (("blur", blurred), ("low_resolution", low_resolution), ("jpeg", jpeg)):
            image = self._sometimes(name, draw, image, lambda image, draw, effect=effect: effect(image, draw[0]))
        image = self._sometimes("erase", draw, image, lambda image, draw: erased(image, draw[:4], draw[4]))
        return tf.clip_by_value(image, 0.0, 255.0)

    def _sometimes(self, name, draw, image, effect):
        """The effect with the field's probability; an effect that isn't drawn costs nothing."""
        first, *rest = draw[name]
        if not getattr(self, name):
            return image
        return tf.cond(first < getattr(self, name), lambda: effect(image, rest), lambda: image)

    def _worn(self, image, draw):
        return self._sometimes("sunglasses", draw, self._sometimes("mask", draw, image, masked), with_sunglasses)

    def _moved(self, image, draw):
        """All motion as one map, so that pixels are interpolated once."""
        mirrored = draw["mirror"][0] < self.mirror
        if not (self.shift or self.rotation or self.zoom or self.crop):
            return tf.cond(mirrored, lambda: tf.reverse(image, [1]), lambda: image) if self.mirror else image
        size = size_of(image)
        matrix = moved(size, self.shift, self.rotation, self.zoom, draw["move"])
        if self.crop:
            matrix = matrix @ cropped(size, self.crop, draw["crop"])
        if self.mirror:
            matrix = tf.where(mirrored, linear_map(size, ((-1.0, 0.0), (0.0, 1.0))) @ matrix, matrix)
        return resampled(image, matrix)

    def _lit(self, image, draw):
        """Saturation, contrast and brightness, all linear in the colors: one product of every pixel with a matrix."""
        if not (self.saturation or self.gray or self.contrast or self.brightness):
            return image
        color = tf.where(draw["gray"][0] < self.gray, 0.0, 1.0 + self.saturation * signed(draw["saturation"][0]))
        contrast = 1.0 + self.contrast * signed(draw["contrast"][0])
        matrix = color * tf.eye(3) + (1.0 - color) * tf.constant(LUMA)[:, None]
        # One axis after the other: both at once takes TensorFlow eight times as long.
        channels = tf.reduce_mean(tf.reduce_mean(image, axis=0), axis=0)
        mean = tf.reduce_mean(tf.linalg.matvec(matrix, channels, transpose_a=True))
        light = (1.0 - contrast) * mean + 255.0 * self.brightness * signed(draw["brightness"][0])
        pixels = tf.reshape(image, (-1, 3)) @ (contrast * matrix) + light
        return tf.reshape(pixels, image.shape)
