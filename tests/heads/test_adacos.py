import math

import numpy as np
import pytest

from kerasface.heads import AdaCos
from tests.heads.autodiff import array


@pytest.mark.parametrize("dynamic", [True, False])
def test_starts_at_the_closed_form(dynamic, rng):
    head = AdaCos(10, dynamic=dynamic)
    x = rng.normal(size=(3, 12)).astype(np.float32)
    head.build(x.shape)
    head.prototypes.assign(np.eye(10, 12))
    cosines = (x / np.linalg.norm(x, axis=1, keepdims=True))[:, :10]
    np.testing.assert_allclose(array(head(x)), math.sqrt(2) * math.log(9) * cosines, rtol=1e-5)


def test_first_scale_is_where_faces_at_right_angles_keep_it():
    # All cosines 0: B_avg = C − 1 and θ_med = π/2, so ln(B_avg) / cos(π/4) is √2 ln(C − 1) again.
    head = AdaCos(10)
    x = np.zeros((4, 12), np.float32)
    x[:, 11] = 3.0
    head.build(x.shape)
    head.prototypes.assign(np.eye(10, 12))
    head.loss(x, np.arange(4), training=True)
    assert float(head.adaptive_scale) == pytest.approx(math.sqrt(2) * math.log(9), rel=1e-5)


def test_scale_falls_as_faces_reach_their_prototypes():
    head = AdaCos(10)
    labels = np.arange(10)
    head.build((None, 12))
    head.prototypes.assign(np.eye(10, 12))
    head.loss(np.eye(10, 12, dtype=np.float32), labels, training=True)
    assert float(head.adaptive_scale) == pytest.approx(math.log(9), rel=1e-5)  # θ_med = 0


@pytest.mark.parametrize("angles", [[0.1, 0.2, 0.7], [0.1, 0.2, 0.4, 0.7], [0.1, 0.9, 1.0], [0.1]])
def test_divides_by_the_cosine_of_the_median_angle_of_at_most_45_degrees(angles):
    head = AdaCos(10)
    labels = np.arange(len(angles))
    head.build((None, 12))
    head.prototypes.assign(np.eye(10, 12))
    faces = np.cos(angles)[:, None] * np.eye(10, 12)[labels] + np.sin(angles)[:, None] * np.eye(12)[11]
    head.loss(faces.astype(np.float32), labels, training=True)
    # Every face is at right angles to all but its own prototype: ln(B_avg) = ln 9.
    expected = math.log(9) / math.cos(min(np.median(angles), math.pi / 4))
    assert float(head.adaptive_scale) == pytest.approx(expected, rel=1e-5)


def test_a_fixed_scale_stays(rng):
    head = AdaCos(10, dynamic=False)
    head.loss(rng.normal(size=(4, 12)).astype(np.float32), np.arange(4), training=True)
    assert not head.non_trainable_variables


@pytest.mark.parametrize(
    ("build", "words"),
    [(lambda: AdaCos(2), "num_classes"), (lambda: AdaCos(10, scale=30.0), "sets its scale itself")],
)
def test_bad_arguments_are_errors(build, words):
    with pytest.raises(ValueError, match=words):
        build()
