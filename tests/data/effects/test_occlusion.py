"""Mask and sunglasses lie where the template's points say, and nowhere else."""

import numpy as np
import pytest

from kerasface.data import Augmentation
from kerasface.edge.align import TEMPLATES
from tests.data.test_augmentation import augmented

POINTS = np.array(TEMPLATES["arcface_112x112"].points)
LEFT_EYE, RIGHT_EYE, NOSE, LEFT_MOUTH, RIGHT_MOUTH = POINTS
SEEDS = 40
SIZES = {"arcface_112x112": (112, 112), "arcface_112x96": (112, 96)}


def drawn(field, size=(112, 112), seeds=SEEDS):
    """Pictures of a green face, and which of their pixels are something else's."""
    face = np.tile(np.float32([60, 200, 60]), (*size, 1))
    pictures = augmented(Augmentation(**{field: 1.0}), face, seeds)
    return pictures, abs(pictures - face).max(axis=-1) > 3


def at(covered, points):
    x, y = np.round(np.asarray(points)).astype(int).T
    return covered[:, y, x]


def test_a_mask_hides_nose_and_mouth_and_leaves_the_eyes():
    _, covered = drawn("mask")
    assert at(covered, [NOSE, LEFT_MOUTH, RIGHT_MOUTH, (LEFT_MOUTH + RIGHT_MOUTH) / 2]).all()
    assert not at(covered, [LEFT_EYE, RIGHT_EYE, (LEFT_EYE + RIGHT_EYE) / 2]).any()
    assert not covered[:, :50].any()
    # From cheek to cheek, but not over the ears.
    assert covered[:, 80].sum(axis=-1).min() > 45
    assert not covered[:, 80, [0, 1, 110, 111]].any()


def test_glasses_hide_the_eyes_and_leave_nose_and_mouth():
    _, covered = drawn("sunglasses")
    assert at(covered, [LEFT_EYE, RIGHT_EYE, LEFT_EYE - (8, 0), RIGHT_EYE - (-8, 0)]).all()
    assert not at(covered, [NOSE, LEFT_MOUTH, RIGHT_MOUTH]).any()
    assert not covered[:, 75:].any()
    # Bridge and temples: some row is dark from one side of the picture to the other.
    assert covered.all(axis=-1).any(axis=-1).all()


@pytest.mark.parametrize("field", ["mask", "sunglasses"])
def test_the_narrow_template_is_the_wide_one_cut(field):
    wide, _ = drawn(field, (112, 112), 5)
    narrow, _ = drawn(field, (112, 96), 5)
    np.testing.assert_allclose(narrow, wide[:, :, 8:-8], atol=1e-3)


@pytest.mark.parametrize("field", ["mask", "sunglasses"])
def test_a_larger_picture_is_the_same_drawing(field):
    small, _ = drawn(field, (112, 112), 5)
    large, _ = drawn(field, (224, 224), 5)
    halved = large.reshape(5, 112, 2, 112, 2, 3).mean(axis=(2, 4))
    assert abs(halved - small).mean() < 0.5


def test_masks_come_in_cloths_and_shapes():
    pictures, covered = drawn("mask")
    middles = pictures[:, 84, 56]
    assert len(np.unique(middles.round(), axis=0)) > 20
    brightness = middles.mean(axis=1)
    assert brightness.min() < 60
    assert brightness.max() > 190
    outlines = covered.reshape(SEEDS, -1)
    assert len(np.unique(outlines, axis=0)) > 30
    shapes = covered.mean(axis=0)
    assert 0.02 < ((shapes > 0.05) & (shapes < 0.95)).mean() < 0.3  # corners jitter; the rest stands


def test_glasses_are_dark():
    pictures, _ = drawn("sunglasses")
    lenses = pictures[:, 52, 38]
    assert lenses.max() < 100
    assert len(np.unique(lenses.round(), axis=0)) > 20


@pytest.mark.parametrize("field", ["mask", "sunglasses"])
def test_they_come_with_their_probability(field):
    face = np.full((28, 24, 3), 77.0, np.float32)
    touched = (augmented(Augmentation(**{field: 0.3}), face, 300) != face).any(axis=(1, 2, 3))
    assert 0.2 < touched.mean() < 0.4
