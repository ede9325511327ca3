import math

import numpy as np
import pytest

from kerasface.heads import CurricularFace
from tests.heads.autodiff import array


def on_the_circle(degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def logits(face, others, t):
    """Logits at scale 1 of a face at `face` degrees from its prototype, and at `others` from the others'."""
    head = CurricularFace(1 + len(others), scale=1.0)
    head.build((None, 2))
    head.prototypes.assign(on_the_circle([0.0, *(face + np.array(others))]))
    head.t.assign(t)
    return array(head(on_the_circle([face]).astype(np.float32), np.array([0])))[0]


@pytest.mark.parametrize("t", [0.0, 0.3, 0.9])
def test_reweighs_what_is_nearer_than_the_target_with_its_margin(t):
    # cos(40° + 28.6°) = 0.364: at 60° a negative is hard, at 75° it is not.
    values = logits(40.0, [60.0, 75.0], t)
    np.testing.assert_allclose(values[0], math.cos(math.radians(40) + 0.5), rtol=1e-5)
    np.testing.assert_allclose(values[1], 0.5 * (t + 0.5), rtol=1e-5)
    np.testing.assert_allclose(values[2], math.cos(math.radians(75)), rtol=1e-5)


@pytest.mark.parametrize("face", [152.0, 165.0, 180.0])
def test_compares_with_the_shifted_cosine_past_pi_too(face):
    # There the target's value is cos θ − m sin m < −1, below every negative; the authors compare with cos(θ + m).
    limit = math.cos(math.radians(face) + 0.5)
    easy, hard = (math.degrees(math.acos(c)) for c in (max(limit - 0.02, -1.0), limit + 0.02))
    values = logits(face, [easy, hard], 0.5)
    assert values[0] < -1.1
    np.testing.assert_allclose(values[1], math.cos(math.radians(easy)), rtol=1e-4)
    np.testing.assert_allclose(values[2], (limit + 0.02) * (0.5 + limit + 0.02), rtol=1e-4)
