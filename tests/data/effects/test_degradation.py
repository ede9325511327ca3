"""Blur is SciPy's Gaussian, JPEG is Pillow's file, each with the probability that was asked for."""

import io

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from kerasface.data import Augmentation
from kerasface.data.effects.degradation import blurred, jpeg
from tests.data.test_augmentation import augmented


@pytest.fixture(scope="module")
def face():
    """A smooth picture with some detail, as a photo has."""
    noise = np.random.default_rng(3).normal(size=(56, 48, 3))
    smooth = scipy.ndimage.gaussian_filter(noise, (3, 3, 0))
    return np.clip(127 + 400 * smooth, 0, 255).round().astype(np.float32)


@pytest.mark.parametrize("uniform", [0.2, 0.6, 1.0])
def test_blur_is_scipys_gaussian(face, uniform):
    sigma = uniform * 2 / 112 * 56
    expected = scipy.ndimage.gaussian_filter(face, (sigma, sigma, 0), mode="mirror", radius=3)
    np.testing.assert_allclose(blurred(face, uniform), expected, atol=1e-3)


def test_a_blur_of_nothing_is_the_picture(face):
    np.testing.assert_array_equal(blurred(face, 0.0), face)


@pytest.mark.parametrize(("uniform", "quality"), [(0.0, 20), (0.4, 50), (1.0, 95)])
def test_jpeg_is_pillows_file_of_that_quality(face, uniform, quality):
    def pillows(quality):
        content = io.BytesIO()
        Image.fromarray(face.astype(np.uint8)).save(content, "JPEG", quality=quality)
        return np.asarray(Image.open(content)).astype(np.float32)

    found = jpeg(face, uniform).numpy()
    # Two encoders round in their own ways; of all qualities, this one's file is nearest.
    distance = {candidate: abs(found - pillows(candidate)).mean() for candidate in range(20, 96, 5)}
    assert min(distance, key=distance.get) == quality
    assert distance[quality] < 0.5 * abs(found - face).mean()


def test_they_come_with_their_probability(face):
    for field in ("blur", "jpeg"):
        touched = (augmented(Augmentation(**{field: 0.3}), face, 300) != face).any(axis=(1, 2, 3))
        assert 0.2 < touched.mean() < 0.4


def test_jpeg_uses_all_qualities(face):
    errors = [abs(picture - face).mean() for picture in augmented(Augmentation(jpeg=1.0), face, 40)]
    worst, best = (abs(jpeg(face, uniform).numpy() - face).mean() for uniform in (0.0, 1.0))
    assert 0.8 * worst < max(errors) <= 1.001 * worst
    assert 0.999 * best <= min(errors) < 1.5 * best
