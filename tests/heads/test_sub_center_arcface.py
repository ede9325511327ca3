import numpy as np
import pytest

from kerasface.heads import ArcFace, SubCenterArcFace
from tests.heads import reference
from tests.heads.autodiff import array, losses_and_gradients


def test_is_arcface_on_the_nearest_sub_centre(rng):
    x, prototypes, labels = rng.normal(size=(20, 8)) * 3, rng.normal(size=(5, 3, 8)), rng.integers(0, 5, 20)
    head = SubCenterArcFace(5)
    head.build((None, 8))
    head.prototypes.assign(prototypes)
    cosines = np.array([[max(reference.cosines(face[None], own)[0]) for own in prototypes] for face in x])
    target = reference.arcface_target(np.arccos(cosines[np.arange(20), labels]), 0.5)
    expected = 64 * reference.with_target(cosines, labels, target)
    x32 = x.astype(np.float32)
    np.testing.assert_allclose(array(head(x32, labels)), expected, rtol=1e-4, atol=1e-4 * 64)
    np.testing.assert_allclose(array(head(x32)), 64 * cosines, rtol=1e-4, atol=1e-4)
    losses = reference.cross_entropy(expected, labels)
    np.testing.assert_allclose(array(head.loss(x32, labels)), losses, rtol=1e-4, atol=1e-4)


def test_only_the_nearest_sub_centre_learns(rng, float64):
    x, prototypes, labels = rng.normal(size=(1, 8)), rng.normal(size=(4, 3, 8)), np.array([1])
    head = SubCenterArcFace(4, scale=4.0, dtype="float64")
    head.build((None, 8))
    head.prototypes.assign(prototypes)
    _, _, (by_prototypes,) = losses_and_gradients(head, x, labels)
    nearest = np.argmax([reference.cosines(x, own)[0] for own in prototypes], axis=1)
    learns = np.abs(by_prototypes).max(axis=-1) > 1e-9
    np.testing.assert_array_equal(learns, nearest[:, None] == np.arange(3))


def test_one_centre_is_arcface(rng):
    x, prototypes, labels = rng.normal(size=(6, 8)), rng.normal(size=(5, 8)), rng.integers(0, 5, 6)
    pair = [SubCenterArcFace(5, centers=1), ArcFace(5)]
    for head in pair:
        head.build((None, 8))
        head.prototypes.assign(prototypes)
    np.testing.assert_array_equal(*(array(head(x.astype(np.float32), labels)) for head in pair))


def test_centers_must_be_some():
    with pytest.raises(ValueError, match="centers"):
        SubCenterArcFace(5, centers=0)


def test_config_round_trips():
    head = SubCenterArcFace(5, centers=2, margin=0.3, easy_margin=True)
    assert SubCenterArcFace.from_config(head.get_config()).get_config() == head.get_config()
