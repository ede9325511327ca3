"""What is special about MVSoftmax: which classes count as hard, and what becomes of them."""

import numpy as np
import pytest

from kerasface.heads import MVSoftmax
from tests.heads.autodiff import array


def logits(head, own_degrees, other_degrees):
    """The target's logit over the scale, and the others' beside it, for one embedding at these angles to prototypes."""
    angles = np.radians([own_degrees, *other_degrees])
    head.build((None, 2))
    head.prototypes.assign(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    values = array(head(np.array([[3.0, 0.0]], np.float32), np.array([0])))[0] / head.scale
    return values[0], values[1:]


def test_only_classes_nearer_than_the_margin_allows_are_hard():
    # cos(50° + 0.5) = 0.18: of 45°, 60° and 85°, the last (0.087) is easy.
    target, others = logits(MVSoftmax(4, margin=0.5, t=1.2), 50, [45, 60, 85])
    cosines = np.cos(np.radians([45, 60, 85]))
    assert target == pytest.approx(np.cos(np.radians(50) + 0.5), abs=1e-6)
    np.testing.assert_allclose(others, [1.2 * cosines[0] + 0.2, 1.2 * cosines[1] + 0.2, cosines[2]], atol=1e-6)


def test_am_compares_with_its_own_target():
    # cos 50° − 0.35 = 0.293: 75° (0.259) is easy, 70° (0.342) is hard.
    target, others = logits(MVSoftmax(3, margin=0.35, t=1.3, kind="am"), 50, [75, 70])
    assert target == pytest.approx(np.cos(np.radians(50)) - 0.35, abs=1e-6)
    np.testing.assert_allclose(others, [np.cos(np.radians(75)), 1.3 * np.cos(np.radians(70)) + 0.3], atol=1e-6)


@pytest.mark.parametrize(("kind", "margin", "gate"), [("arc", 0.5, 90.0), ("am", 0.35, np.degrees(np.arccos(0.35)))])
def test_a_target_past_its_gate_keeps_its_cosine(kind, margin, gate):
    for degrees, has_margin in ((gate - 1, True), (gate + 1, False)):
        cosine = np.cos(np.radians(degrees))
        target, others = logits(MVSoftmax(3, margin=margin, kind=kind), degrees, [degrees + 2, 10])
        assert (target < cosine - 0.1) == has_margin
        # Without a margin, the class that is farther away than the own one isn't hard; with it, it is.
        plain = np.cos(np.radians(degrees + 2))
        assert others[0] == pytest.approx(1.2 * plain + 0.2 if has_margin else plain, abs=1e-5)


def test_t_of_one_weighs_nothing():
    _, others = logits(MVSoftmax(4, t=1.0), 50, [10, 60, 85])
    np.testing.assert_allclose(others, np.cos(np.radians([10, 60, 85])), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "cos"}, 'kind must be "arc" or "am". Received: kind=\'cos\''),
        ({"margin": 1.6}, "margin"),
        ({"margin": 1.0, "kind": "am"}, "margin"),
        ({"t": 0.9}, "t must lie in"),
    ],
)
def test_bad_arguments_are_errors(options, words):
    with pytest.raises(ValueError, match=words):
        MVSoftmax(5, **options)
