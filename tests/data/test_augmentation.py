"""Augmentation: every field does what it says and no more, measured on the pixels that come out."""

import dataclasses

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from PIL import Image

from kerasface.data import Augmentation

HEIGHT, WIDTH = 28, 24
SEEDS = 80
FIELDS = [field.name for field in dataclasses.fields(Augmentation)]


def augmented(augmentation, image, seeds=SEEDS):
    """The image under the seeds (3, 0), (3, 1), …: (seeds, H, W, 3)."""
    image = tf.constant(image, tf.float32)
    stream = tf.data.Dataset.range(seeds).map(lambda position: augmentation(image, seed=tf.stack([3, position])))
    return np.stack(list(stream.as_numpy_iterator()))


def random_image(rng, low=0, high=256):
    return rng.integers(low, high, (HEIGHT, WIDTH, 3)).astype(np.float32)


def test_zeros_leave_an_image_alone(rng):
    image = random_image(rng)
    np.testing.assert_array_equal(augmented(Augmentation(), image, 3), np.stack([image] * 3))


@pytest.mark.parametrize("field", FIELDS)
def test_the_seed_decides(field, rng):
    # A bright, colored image with an edge, so that every field shows.
    image = random_image(rng, 40, 200)
    augmentation = Augmentation(**{field: 20.0 if field == "rotation" else 0.5})
    first, again = augmented(augmentation, image, 12), augmented(augmentation, image, 12)
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(first, axis=0)) > 1


def test_values_stay_in_range(rng):
    extreme = Augmentation(**{**dict.fromkeys(FIELDS, 0.9), "rotation": 180.0})
    for image in (random_image(rng), np.full((HEIGHT, WIDTH, 3), 255.0), np.zeros((HEIGHT, WIDTH, 3))):
        found = augmented(extreme, image, 30)
        assert found.shape == (30, HEIGHT, WIDTH, 3)
        assert found.dtype == np.float32
        assert found.min() >= 0
        assert found.max() <= 255
        assert np.isfinite(found).all()


def test_one_field_does_not_move_another(rng):
    image = random_image(rng, 60, 190)
    alone = augmented(Augmentation(brightness=0.1), image)
    # A probability of nothing: switched on, the mirror must not change what brightness draws.
    with_mirror = augmented(Augmentation(brightness=0.1, mirror=1.0), image)
    np.testing.assert_allclose(with_mirror[:, :, ::-1], alone, atol=1e-4)


def test_mirror_flips_left_and_right(rng):
    image = random_image(rng)
    np.testing.assert_array_equal(augmented(Augmentation(mirror=1.0), image, 3), np.stack([image[:, ::-1]] * 3))


def test_mirror_is_a_probability(rng):
    image = random_image(rng)
    flipped = (augmented(Augmentation(mirror=0.3), image, 400) == image[:, ::-1]).all(axis=(1, 2, 3))
    assert 0.22 < flipped.mean() < 0.38


def maps(augmentation):
    """The affine maps from output to input pixels (x, y), read off an image whose pixels are their own coordinates.

    Returns:
        (SEEDS, 2, 3): linear part and offset, relative to the image's center.
    """
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    image = 9 * np.stack([columns, rows, np.zeros_like(rows)], axis=-1)
    found = augmented(augmentation, image) / 9
    inside = np.s_[HEIGHT // 3 : -HEIGHT // 3, WIDTH // 3 : -WIDTH // 3]  # away from the repeated border
    center = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    output = np.stack([columns[inside].ravel() - center[0], rows[inside].ravel() - center[1]], axis=1)
    output = np.concatenate([output, np.ones((len(output), 1))], axis=1)
    result = []
    for picture in found:
        source = picture[inside][..., :2].reshape(-1, 2) - center
        solution, residual, _, _ = np.linalg.lstsq(output, source, rcond=None)
        assert (residual < 1e-3).all()  # bilinear interpolation of a plane is exact
        result.append(solution.T)
    return np.stack(result)


def spans(values, limit, *, slack=1e-3):
    """Values within ±limit that come near both ends."""
    return abs(values).max() <= limit + slack and values.max() > 0.85 * limit and values.min() < -0.85 * limit


def test_shift_moves_by_at_most_its_fraction():
    found = maps(Augmentation(shift=0.1))
    np.testing.assert_allclose(found[:, :, :2], np.tile(np.eye(2), (SEEDS, 1, 1)), atol=1e-3)
    assert spans(found[:, 0, 2], 0.1 * WIDTH)
    assert spans(found[:, 1, 2], 0.1 * HEIGHT)
    assert abs(np.corrcoef(found[:, 0, 2], found[:, 1, 2])[0, 1]) < 0.4


def test_rotation_turns_about_the_center():
    found = maps(Augmentation(rotation=15.0))
    linear = found[:, :, :2]
    np.testing.assert_allclose(linear @ linear.transpose(0, 2, 1), np.tile(np.eye(2), (SEEDS, 1, 1)), atol=1e-3)
    assert (np.linalg.det(linear) > 0).all()
    np.testing.assert_allclose(found[:, :, 2], 0.0, atol=1e-3)
    assert spans(np.degrees(np.arctan2(linear[:, 1, 0], linear[:, 0, 0])), 15.0, slack=0.01)


def test_zoom_scales_about_the_center():
    found = maps(Augmentation(zoom=0.2))
    scale = found[:, 0, 0]
    np.testing.assert_allclose(found[:, :, :2], scale[:, None, None] * np.eye(2), atol=1e-3)
    np.testing.assert_allclose(found[:, :, 2], 0.0, atol=1e-3)
    assert spans(1 / scale - 1, 0.2)


def test_moved_pixels_are_scipys(rng):
    image = random_image(rng)
    moving = Augmentation(shift=0.1, rotation=15.0, zoom=0.2)
    center = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    for picture, transform in zip(augmented(moving, image)[:10], maps(moving)[:10], strict=True):
        linear, offset = transform[::-1, 1::-1], transform[::-1, 2]  # (x, y) to (row, column)
        expected = np.stack(
            [
                scipy.ndimage.affine_transform(
                    channel, linear, center + offset - linear @ center, order=1, mode="nearest"
                )
                for channel in np.moveaxis(image, -1, 0)
            ],
            axis=-1,
        )
        np.testing.assert_allclose(picture, expected, atol=0.5)


def test_brightness_adds_one_number_to_all_pixels(rng):
    image = random_image(rng, 60, 190)
    change = augmented(Augmentation(brightness=0.2), image) - image
    assert np.ptp(change, axis=(1, 2, 3)).max() < 1e-3
    assert spans(change[:, 0, 0, 0], 0.2 * 255)


def test_contrast_scales_around_the_mean(rng):
    image = random_image(rng, 80, 170)
    found = augmented(Augmentation(contrast=0.5), image)
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), image.mean(), rtol=1e-4)
    factor = found.std(axis=(1, 2, 3)) / image.std()
    expected = image.mean() + factor[:, None, None, None] * (image - image.mean())
    np.testing.assert_allclose(found, expected, atol=1e-2)
    assert spans(factor - 1, 0.5)


def luma(image):
    return image @ np.array([0.299, 0.587, 0.114])


def test_saturation_keeps_the_luma(rng):
    image = random_image(rng, 90, 160)
    found = augmented(Augmentation(saturation=0.8), image)
    np.testing.assert_allclose(luma(found), np.tile(luma(image), (SEEDS, 1, 1)), rtol=1e-3)
    color, before = found - luma(found)[..., None], image - luma(image)[..., None]
    factor = (color * before).sum(axis=(1, 2, 3)) / (before**2).sum()
    np.testing.assert_allclose(color, factor[:, None, None, None] * before, atol=1e-2)
    assert spans(factor - 1, 0.8)


def test_gray_takes_the_color_away(rng):
    image = random_image(rng)
    expected = np.repeat(luma(image)[..., None], 3, axis=-1)
    np.testing.assert_allclose(augmented(Augmentation(gray=1.0), image, 2), np.stack([expected] * 2), rtol=1e-4)
    found = augmented(Augmentation(gray=0.3), image, 400)
    gray = np.ptp(found, axis=-1).max(axis=(1, 2)) < 1e-3
    assert 0.22 < gray.mean() < 0.38
    np.testing.assert_allclose(found[~gray], np.stack([image] * (~gray).sum()), atol=1e-3)


def shrunk_and_back(image, height, width):
    """Each small pixel the mean of the area that it covers, then Pillow's bilinear interpolation up again."""
    small = np.einsum("ij,jkc->ikc", coverage(height, HEIGHT), image)
    small = np.einsum("ij,kjc->kic", coverage(width, WIDTH), small)
    channels = (Image.fromarray(channel) for channel in np.moveaxis(small.astype(np.float32), -1, 0))
    return np.stack(
        [np.asarray(channel.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)) for channel in channels], -1
    )


def coverage(small, large):
    """(small, large): how much of each small pixel every large one makes up."""
    edges, factor = np.arange(large), large / small
    low, high = factor * np.arange(small)[:, None], factor * np.arange(1, small + 1)[:, None]
    return np.clip(np.minimum(high, edges + 1) - np.maximum(low, edges), 0, None) / factor


def test_low_resolution_is_a_smaller_copy(rng):
    image = random_image(rng)
    sizes = sorted({(int(HEIGHT * f + 1e-6), int(WIDTH * f + 1e-6)) for f in np.linspace(1 / 3, 1, 2000)})
    candidates = np.stack([shrunk_and_back(image, *size) for size in sizes])
    found = augmented(Augmentation(low_resolution=1.0), image)
    distance = abs(found[:, None] - candidates).max(axis=(2, 3, 4))
    assert distance.min(axis=1).max() < 0.5
    heights = [sizes[size][0] for size in distance.argmin(axis=1)]
    assert min(heights) <= 11  # a third of 28 is 9
    assert max(heights) >= 26


def test_low_resolution_is_a_probability(rng):
    image = random_image(rng)
    touched = (augmented(Augmentation(low_resolution=0.3), image, 400) != image).any(axis=(1, 2, 3))
    assert 0.2 < touched.mean() < 0.38


def test_erase_fills_one_rectangle_with_one_gray(rng):
    image = random_image(rng)
    grays, heights, widths = [], [], []
    for picture in augmented(Augmentation(erase=1.0), image):
        rows, columns = np.nonzero((picture != image).any(axis=-1))
        box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert len(np.unique(picture[box])) == 1
        grays.append(picture[box][0, 0, 0])
        heights.append(np.ptp(rows) + 1)
        widths.append(np.ptp(columns) + 1)
    assert max(heights) <= np.ceil(0.4 * HEIGHT)
    assert max(widths) <= np.ceil(0.4 * WIDTH)
    assert min(heights) <= 0.15 * HEIGHT
    assert max(heights) >= 0.35 * HEIGHT
    assert min(grays) < 30
    assert max(grays) > 225


def test_erase_is_a_probability(rng):
    image = random_image(rng)
    touched = (augmented(Augmentation(erase=0.3), image, 400) != image).any(axis=(1, 2, 3))
    assert 0.22 < touched.mean() < 0.38


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_out_of_range_is_named(field):
    with pytest.raises(ValueError, match=f"{field} must lie in .* Received: {field}=-0.1"):
        Augmentation(**{field: -0.1})
    with pytest.raises(ValueError, match=f"{field} must lie in .* Received: {field}=181"):
        Augmentation(**{field: 181})
