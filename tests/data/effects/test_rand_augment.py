"""RandAugment's operations are Pillow's, its strength scales them, and every one of them comes."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from kerasface.data import Augmentation
from kerasface.data.effects.rand_augment import OPERATIONS
from tests.data.test_augmentation import augmented

SIZE = (20, 16)


@pytest.fixture
def picture(rng):
    """Of few dark colors, so that contrast and histogram have something to do."""
    return rng.integers(20, 180, (*SIZE, 3), dtype=np.uint8)


def ours(name, picture, amount):
    return OPERATIONS[name](tf.constant(picture, tf.float32), tf.constant(amount, tf.float32)).numpy()


PILLOW = {
    "identity": lambda image, amount: image,
    "autocontrast": lambda image, amount: ImageOps.autocontrast(image),
    "equalize": lambda image, amount: ImageOps.equalize(image),
    "solarize": lambda image, amount: ImageOps.solarize(image, 256 * (1 - abs(amount))),
    "posterize": lambda image, amount: ImageOps.posterize(image, 8 - round(4 * abs(amount))),
    "color": lambda image, amount: ImageEnhance.Color(image).enhance(1 + 0.9 * amount),
    "contrast": lambda image, amount: ImageEnhance.Contrast(image).enhance(1 + 0.9 * amount),
    "brightness": lambda image, amount: ImageEnhance.Brightness(image).enhance(1 + 0.9 * amount),
    "sharpness": lambda image, amount: ImageEnhance.Sharpness(image).enhance(1 + 0.9 * amount),
}
TOLERANCE = {"identity": 0, "equalize": 0, "solarize": 0, "posterize": 0}  # others: Pillow rounds between its steps


@pytest.mark.parametrize("name", PILLOW)
@pytest.mark.parametrize("amount", [0.3, -0.3, 1.0, -1.0])
def test_colors_are_pillows(name, amount, picture):
    expected = np.asarray(PILLOW[name](Image.fromarray(picture), amount)).astype(np.float32)
    assert abs(ours(name, picture, amount) - expected).max() <= TOLERANCE.get(name, 2)


def test_a_flat_picture_stays(picture):
    flat = np.full_like(picture, 90)
    for name in ("autocontrast", "equalize", "sharpness"):
        np.testing.assert_allclose(ours(name, flat, 1.0), flat, atol=1e-3)


# What each shows at (x, y), as offsets from the center, for an amount a.
WHERE = {
    "rotate": lambda x, y, a: (np.cos(a * np.pi / 6) * x - np.sin(a * np.pi / 6) * y,
                               np.sin(a * np.pi / 6) * x + np.cos(a * np.pi / 6) * y),
    "shear_x": lambda x, y, a: (x + 0.3 * a * y, y),
    "shear_y": lambda x, y, a: (x, y + 0.3 * a * x),
    "translate_x": lambda x, y, a: (x - 0.45 * a * SIZE[1], y),
    "translate_y": lambda x, y, a: (x, y - 0.45 * a * SIZE[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", WHERE)
@pytest.mark.parametrize("amount", [0.2, -0.5])
def test_motions_show_what_they_should(name, amount):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    coordinates = np.stack([columns, rows, np.zeros(SIZE)], axis=-1)
    center = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2])
    x, y = WHERE[name](columns - center[0], rows - center[1], amount)
    inside = (abs(x) < center[0] - 0.01) & (abs(y) < center[1] - 0.01)
    found = ours(name, coordinates, amount)[..., :2] - center
    np.testing.assert_allclose(found[inside], np.stack([x, y], axis=-1)[inside], atol=0.01)
    assert inside.sum() > 80


def test_they_are_the_papers_fourteen():
    assert set(OPERATIONS) == {*PILLOW, *WHERE}
    assert len(OPERATIONS) == 14


def test_two_operations_come_each_as_often(picture):
    strength, seeds = 0.4, 600
    found = augmented(Augmentation(rand_augment=strength), picture.astype(np.float32), seeds)
    results = {}
    for first in OPERATIONS:
        for sign in (1, -1):
            once = np.clip(ours(first, picture, sign * strength), 0, 255)
            results.setdefault(first, []).append(once)
    # With identity as one of the two, the other is seen alone: 1/7 − 1/196 of all pictures hold such a pair.
    alone = dict.fromkeys(OPERATIONS, 0)
    for image in found:
        for name, candidates in results.items():
            if any(abs(image - candidate).max() < 0.01 for candidate in candidates):
                alone[name] += 1
    assert all(count > 0 for count in alone.values()), alone
    assert 0.08 < sum(alone.values()) / seeds < 0.22


def test_a_strength_of_nothing_leaves_what_has_a_strength(picture):
    for name in set(OPERATIONS) - {"autocontrast", "equalize"}:
        np.testing.assert_allclose(ours(name, picture, 0.0), picture, atol=0.01)
