"""Crop, read off pictures whose pixels are their own coordinates, and both maps as one."""

import numpy as np
import tensorflow as tf

from kerasface.data import Augmentation
from kerasface.data.effects.geometry import cropped, linear_map, resampled
from tests.data.test_augmentation import HEIGHT, SEEDS, WIDTH, augmented, maps


def test_crop_enlarges_a_part_that_lies_inside():
    found = maps(Augmentation(crop=0.4))
    scale_x, scale_y = found[:, 0, 0], found[:, 1, 1]
    np.testing.assert_allclose(found[:, 0, 1], 0.0, atol=1e-3)
    np.testing.assert_allclose(found[:, 1, 0], 0.0, atol=1e-3)
    for scale in (scale_x, scale_y):
        assert scale.min() >= 0.6 - 1e-3
        assert scale.max() <= 1 + 1e-3
        assert scale.min() < 0.65
        assert scale.max() > 0.95
    assert abs(np.corrcoef(scale_x, scale_y)[0, 1]) < 0.4
    # The part's borders, half a pixel outside of its outermost pixels' centers, lie within the picture's.
    for axis, (scale, side) in enumerate(((scale_x, WIDTH), (scale_y, HEIGHT))):
        middle = found[:, axis, 2]
        left = side / 2 + middle - scale * side / 2
        assert (left >= -1e-2).all()
        assert (left + scale * side <= side + 1e-2).all()
        room = (1 - scale) * side
        where = left[room > 1] / room[room > 1]
        assert where.min() < 0.1
        assert where.max() > 0.9


def test_the_whole_picture_is_no_crop(rng):
    image = rng.uniform(0, 255, (9, 7, 3)).astype(np.float32)
    for draw in ((0.0, 0.0, 0.3, 0.8), (0.0, 0.0, 0.0, 0.0)):
        np.testing.assert_allclose(resampled(tf.constant(image), cropped((9.0, 7.0), 0.5, draw)), image, atol=0.01)


def test_half_of_the_picture_is_doubled():
    image = np.arange(8, dtype=np.float32)[None, :, None].repeat(8, axis=0).repeat(3, axis=2)
    left = resampled(tf.constant(image), cropped((8.0, 8.0), 0.5, (0.0, 1.0, 0.0, 0.0))).numpy()
    # Output centers 0.5, 1.5, … of 8 lie at 0.25, 0.75, … of the left four pixels.
    np.testing.assert_allclose(left[3, 1:, 0], (np.arange(1, 8) + 0.5) / 2 - 0.5, atol=1e-4)


def test_crop_and_motion_are_one_map():
    both = maps(Augmentation(crop=0.3, rotation=10.0, zoom=0.1))
    moved, crop = maps(Augmentation(rotation=10.0, zoom=0.1)), maps(Augmentation(crop=0.3))
    expected = moved[:, :, :2] @ crop[:, :, :2]
    offset = (moved[:, :, :2] @ crop[:, :, 2:])[..., 0] + moved[:, :, 2]
    np.testing.assert_allclose(both[:, :, :2], expected, atol=2e-3)
    np.testing.assert_allclose(both[:, :, 2], offset, atol=2e-2)
    assert len(both) == SEEDS


def test_a_linear_map_leaves_the_center(rng):
    matrix = linear_map((9.0, 7.0), ((0.9, 0.2), (-0.1, 1.1)), (1.0, -2.0)).numpy()
    np.testing.assert_allclose(matrix @ [3 + 1, 4 - 2, 1], [3, 4, 1], atol=1e-5)
    np.testing.assert_allclose(matrix[:2, :2], [[0.9, 0.2], [-0.1, 1.1]], atol=1e-6)


def test_what_is_worn_moves_with_the_face(rng):
    face = np.full((112, 112, 3), 128.0, np.float32)
    worn = augmented(Augmentation(mask=1.0), face, 6)
    turned = augmented(Augmentation(mask=1.0, mirror=1.0), face, 6)
    np.testing.assert_array_equal(turned, worn[:, :, ::-1])
