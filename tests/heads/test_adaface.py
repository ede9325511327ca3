import numpy as np
import pytest

from kerasface.heads import AdaFace, ArcFace, CosFace
from tests.heads.autodiff import array, losses_and_gradients


def ready(head, prototypes):
    head.build((None, np.shape(prototypes)[1]))
    head.prototypes.assign(prototypes)
    return head


@pytest.mark.shared_data
def test_equals_the_shared_vectors_at_its_first_step(vectors):
    x, labels = np.array(vectors["x"], np.float32), np.array(vectors["y"])
    expected = vectors["heads"]["adaface_s64_m0.4_h0.333"]
    logits = ready(AdaFace(9), vectors["prototypes"])(x, labels, training=True)
    losses = ready(AdaFace(9), vectors["prototypes"]).loss(x, labels, training=True)
    np.testing.assert_allclose(array(logits), expected["logits"], rtol=1e-4, atol=1e-4 * 64)
    np.testing.assert_allclose(array(losses), expected["loss"], rtol=1e-4, atol=1e-4)


def test_quality_runs_from_arcface_over_cosface_to_a_negative_angle(rng, float64):
    # The paper's three corners, at z = −1, 0 and 1 (with its additive margin m + m z).
    prototypes = rng.normal(size=(3, 8))
    x = prototypes[[0, 0, 0]] + rng.normal(size=8)
    x *= np.array([5.0, 20.0, 50.0])[:, None] / np.linalg.norm(x, axis=1, keepdims=True)
    labels = np.zeros(3, int)
    head = ready(AdaFace(3, scale=1.0, dtype="float64"), prototypes)
    head.norm_deviation.assign(0.01)
    ours = array(head(x, labels))[:, 0]
    arc = array(ready(ArcFace(3, scale=1.0, margin=0.4, dtype="float64"), prototypes)(x, labels))[0, 0]
    cos = array(ready(CosFace(3, scale=1.0, margin=0.4, dtype="float64"), prototypes)(x, labels))[1, 0]
    theta = np.arccos(cos + 0.4)
    np.testing.assert_allclose(ours, [arc, cos, np.cos(theta - 0.4) - 0.8], rtol=1e-6)


@pytest.mark.parametrize(("theta", "length", "angle"), [(0.1, 50.0, 1e-3), (3.0, 5.0, np.pi - 1e-3)])
def test_the_angle_stops_at_both_ends(theta, length, angle):
    # z = 1 would turn θ = 0.1 to −0.3, and z = −1 turns 3.0 to 3.4, where cosines rise again.
    head = ready(AdaFace(2, scale=1.0), np.eye(2))
    head.norm_deviation.assign(0.01)
    x = length * np.array([[np.cos(theta), np.sin(theta)]], np.float32)
    z = np.sign(length - 20.0)
    assert float(array(head(x, np.array([0])))[0, 0]) == pytest.approx(np.cos(angle) - 0.4 * (1 + z), abs=1e-6)


def test_no_gradient_flows_through_the_quality(rng, float64):
    x, labels = rng.normal(size=(6, 8)) * 6, rng.integers(0, 4, 6)
    head = ready(AdaFace(4, dtype="float64"), rng.normal(size=(4, 8)))
    head.norm_deviation.assign(10.0)  # z far from its limits, where it would have a slope
    _, by_x, _ = losses_and_gradients(head, x, labels)
    # A loss of the direction alone has no slope along x.
    np.testing.assert_allclose(np.sum(by_x * x, axis=1), 0.0, atol=1e-9)
    assert np.abs(by_x).max() > 1e-2


def test_a_batch_of_one_has_no_deviation(rng):
    head = ready(AdaFace(4), rng.normal(size=(4, 8)))
    head(rng.normal(size=(1, 8)).astype(np.float32), np.array([2]), training=True)
    assert float(head.norm_deviation) == 100.0
    assert float(head.norm_mean) < 20.0


@pytest.mark.parametrize("options", [{"margin": 2.0}, {"margin": -0.1}, {"h": -1.0}])
def test_bad_arguments_are_errors(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        AdaFace(5, **options)
