import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from kerasface.evaluation import (
    RocCurve,
    area_under_curve,
    corners,
    equal_error_rate,
    impostors_needed,
    roc_curve,
    tar_at_far,
    threshold_at_far,
)


@st.composite
def _scored(draw):
    """Scores on a coarse grid, so that ties are common, with both kinds present."""
    same = [True, False, *draw(st.lists(st.booleans(), max_size=60))]
    scores = draw(st.lists(st.integers(-8, 8), min_size=len(same), max_size=len(same)))
    return np.array(scores) / 8, np.array(same)


@given(_scored())
def test_curve_and_area_equal_scikit_learn(scored):
    scores, same = scored
    curve = roc_curve(scores, same)
    far, tar, thresholds = metrics.roc_curve(same, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.far, far)
    np.testing.assert_allclose(curve.tar, tar)
    np.testing.assert_array_equal(curve.thresholds[1:], thresholds[1:])
    np.testing.assert_allclose(area_under_curve(curve), metrics.roc_auc_score(same, scores))


@given(_scored())
def test_every_point_is_what_its_threshold_does(scored):
    scores, same = scored
    curve = roc_curve(scores, same)
    accepted = scores >= curve.thresholds[:, None]
    np.testing.assert_allclose(curve.far, accepted[:, ~same].mean(axis=1))
    np.testing.assert_allclose(curve.tar, accepted[:, same].mean(axis=1))


@given(_scored(), st.randoms())
def test_neither_order_nor_a_rising_transform_nor_duplicates_matter(scored, random):
    scores, same = scored
    order = list(range(len(scores)))
    random.shuffle(order)
    curve = roc_curve(scores, same)
    for other in (
        roc_curve(scores[order], same[order]),
        roc_curve(np.exp(3 * scores), same),
        roc_curve(np.tile(scores, 3), np.tile(same, 3)),
    ):
        np.testing.assert_allclose(other.far, curve.far)
        np.testing.assert_allclose(other.tar, curve.tar)
        assert area_under_curve(other) == pytest.approx(area_under_curve(curve))
        assert equal_error_rate(other) == pytest.approx(equal_error_rate(curve))


@given(_scored())
def test_curves_are_monotone_and_span_everything(scored):
    curve = roc_curve(*scored)
    assert (np.diff(curve.far) >= 0).all()
    assert (np.diff(curve.tar) >= 0).all()
    assert (np.diff(curve.thresholds) < 0).all()
    assert np.isfinite(curve.thresholds).all()
    assert (curve.far[0], curve.tar[0], curve.far[-1], curve.tar[-1]) == (0, 0, 1, 1)


@given(_scored())
def test_equal_error_rate_lies_where_the_two_errors_cross(scored):
    curve = roc_curve(*scored)
    # Independently: the errors as functions along the polyline, cut by bisection.
    position = np.arange(len(curve.far))
    low, high = 0.0, len(curve.far) - 1.0
    for _ in range(60):
        middle = (low + high) / 2
        false_accepts = np.interp(middle, position, curve.far)
        false_rejects = 1 - np.interp(middle, position, curve.tar)
        low, high = (middle, high) if false_accepts < false_rejects else (low, middle)
    assert equal_error_rate(curve) == pytest.approx(np.interp(high, position, curve.far), abs=1e-9)


@given(_scored(), st.sampled_from([0.1, 0.3, 0.8]))
def test_corners_are_the_same_staircase_in_no_more_points_than_it_needs(scored, far):
    curve = roc_curve(np.tile(scored[0], 30), np.tile(scored[1], 30))
    few = corners(curve)
    assert area_under_curve(few) == pytest.approx(area_under_curve(curve))
    assert equal_error_rate(few) == pytest.approx(equal_error_rate(curve))
    assert tar_at_far(few, far) == tar_at_far(curve, far)
    assert set(few.thresholds) <= set(curve.thresholds)
    moves = np.sign(np.diff([few.far, few.tar]))
    assert not (((moves[:, 1:] == moves[:, :-1]).all(axis=0)) & (moves == 0).any(axis=0)[1:]).any()


_SEPARATED = np.repeat([0.9, 0.1], 5), np.repeat([True, False], 5)
_INVERTED = np.repeat([0.1, 0.9], 5), np.repeat([True, False], 5)
_EQUAL = np.full(10, 0.3), np.repeat([True, False], 5)


@pytest.mark.parametrize(("scored", "area", "error"), [(_SEPARATED, 1, 0), (_INVERTED, 0, 1), (_EQUAL, 0.5, 0.5)])
def test_known_answers(scored, area, error):
    curve = roc_curve(*scored)
    assert area_under_curve(curve) == area
    assert equal_error_rate(curve) == error


def test_tar_at_far_is_the_largest_tar_that_keeps_to_the_far():
    # Ten strangers above 0.5, ninety below; genuine pairs on both sides and between.
    scores = np.concatenate([np.linspace(0.6, 0.69, 10), np.linspace(0, 0.4, 90), [0.7, 0.65, 0.5, 0.2]])
    same = np.arange(104) >= 100
    curve = roc_curve(scores, same)
    assert tar_at_far(curve, 0.1) == 0.75
    # Nothing is interpolated towards the next point: 0.109 allows ten strangers as 0.1 does.
    assert tar_at_far(curve, 0.109) == 0.75
    assert tar_at_far(curve, 0.0299) is None
    assert tar_at_far(curve, 0.0999) == 0.5
    assert threshold_at_far(curve, 0.1) == 0.5  # nobody lies between 0.6 and 0.5 but a genuine pair
    assert threshold_at_far(curve, 0.0299) is None


@given(_scored(), st.sampled_from([0.1, 0.2, 0.5, 0.9]))
def test_tar_at_far_equals_a_search_over_all_thresholds(scored, far):
    scores, same = np.tile(scored[0], 100), np.tile(scored[1], 100)
    candidates = [*np.unique(scores), 9.0]
    kept = [t for t in candidates if (scores[~same] >= t).sum() <= far * (~same).sum() + 1e-9]
    assert tar_at_far(roc_curve(scores, same), far) == max((scores[same] >= t).mean() for t in kept)


@pytest.mark.parametrize(("far", "needed"), [(0.1, 30), (1e-3, 3_000), (1e-6, 3_000_000), (0.3, 10)])
def test_impostors_needed(far, needed):
    assert impostors_needed(far) == needed


def test_a_rate_is_given_exactly_from_the_supporting_number_on(rng):
    for impostors, supported in ((299, False), (300, True)):
        same = np.arange(impostors + 50) >= impostors
        assert (tar_at_far(roc_curve(rng.normal(size=same.size), same), 0.01) is not None) == supported


def test_json_round_trip():
    curve = roc_curve(*_SEPARATED)
    read = RocCurve.from_json(curve.to_json())
    for field in ("far", "tar", "thresholds"):
        np.testing.assert_array_equal(getattr(read, field), getattr(curve, field))
    assert (read.genuine_pairs, read.impostor_pairs) == (5, 5)


@pytest.mark.parametrize("far", [0.0, 1.0, -0.1, float("nan")])
def test_a_far_outside_its_range_is_refused(far):
    with pytest.raises(ValueError, match="Received"):
        tar_at_far(roc_curve(*_SEPARATED), far)
