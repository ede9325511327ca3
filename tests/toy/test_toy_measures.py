import numpy as np
import pytest

from kerasface.toy import angular_fisher_score, angular_spread, extreme_angles, keeps_margin, without_outliers


def _at(degrees, lengths=1.0):
    return (np.asarray(lengths) * [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]).T


def test_spread_of_points_at_known_angles():
    # Three classes around 0°, 90° and 200°: 10° to each side, 20° to each side, and not at all.
    features = _at([-10, 10, 70, 110, 200, 200], lengths=[1, 3, 0.5, 2, 7, 7])
    spread = angular_spread(features, np.array([4, 4, 1, 1, 9, 9]))
    assert spread.within_degrees == pytest.approx((10 + 20 + 0) / 3)
    assert spread.nearest_degrees == pytest.approx((90 + 90 + 110) / 3)
    assert spread.between_degrees == pytest.approx((90 + 110 + 160) / 3)


def test_extremes_of_points_at_known_angles():
    features = _at([-10, 12, 70, 110, 200, 203], lengths=[1, 3, 0.5, 2, 7, 7])
    assert extreme_angles(features, [0, 0, 1, 1, 2, 2]) == pytest.approx((40, 58))
    assert extreme_angles(_at([0, 180, 180, 60]), [0, 0, 1, 1]) == pytest.approx((180, 0), abs=1e-5)


def test_extremes_against_all_pairs(rng):
    features, labels = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    intra, inter = [], []
    for a in range(40):
        for b in range(a):
            cosine = features[a] @ features[b] / np.linalg.norm(features[a]) / np.linalg.norm(features[b])
            (intra if labels[a] == labels[b] else inter).append(np.degrees(np.arccos(cosine)))
    assert extreme_angles(features, labels) == pytest.approx((max(intra), min(inter)))


def test_angular_fisher_score_by_hand():
    # Means of the features as they are: (2, 1) of class 0, which is not the direction of the unit ones; (0, 3) of
    # class 1; (1, 2) of all.
    features, labels = np.array([[1, 0], [3, 2], [0, 2], [0, 4]]), np.array([0, 0, 1, 1])
    within = (1 - 2 / np.sqrt(5)) + (1 - 8 / np.sqrt(13 * 5))
    between = 2 * (1 - 4 / 5) + 2 * (1 - 2 / np.sqrt(5))
    assert angular_fisher_score(features, labels) == pytest.approx(within / between)


def test_fisher_weighs_classes_by_their_size():
    features, labels = _at([0, 0, 0, 60, 90]), np.array([0, 0, 0, 1, 1])
    first, second = np.array([1, 0]), _at([75])[0]
    mean = 3 * first + _at([60])[0] + _at([90])[0]
    mean /= np.linalg.norm(mean)
    within = 2 * (1 - np.cos(np.radians(15)))
    between = 3 * (1 - first @ mean) + 2 * (1 - second @ mean)
    assert angular_fisher_score(features, labels) == pytest.approx(within / between)


def test_outliers_are_the_furthest_of_each_class():
    degrees = np.concatenate([np.arange(19), [90], 180 + np.arange(20)])
    labels = np.repeat([0, 1], 20)
    kept = without_outliers(_at(degrees), labels, share=0.05)
    assert np.flatnonzero(~kept).tolist()[0] == 19
    assert (~kept[20:]).sum() == 1
    assert not kept[20] or not kept[39]
    assert without_outliers(_at(degrees), labels, share=0.04).all()


def test_a_margin_is_kept_where_the_own_angle_is_small_enough():
    # Prototypes at 0° and 50°: m θ < 50° − θ below 50° / (m + 1), and beyond the prototype m θ < 50° + θ.
    prototypes = _at([0, 50], lengths=[2, 0.1])
    degrees, labels = np.array([9.9, 10.1, -16.6, -16.7, 40.1, 39.9]), np.array([0, 0, 0, 0, 1, 1])
    assert keeps_margin(_at(degrees, lengths=3), labels, prototypes, 4).tolist() == [1, 0, 1, 0, 1, 0]
    assert keeps_margin(_at([24.9, 25.1]), np.array([0, 0]), prototypes, 1).tolist() == [1, 0]


def test_a_feature_without_direction_is_orthogonal():
    features = np.array([[1.0, 0], [0, 0], [-1, 0], [-1, 0]])
    assert extreme_angles(features, [0, 0, 1, 1]) == pytest.approx((90, 90))
    assert np.isfinite(angular_fisher_score(features, [0, 0, 1, 1]))


@pytest.mark.parametrize(
    ("features", "labels"), [(np.ones((3, 2)), [0, 1]), (np.ones(3), [0, 1, 0]), (np.ones((2, 2)), [1, 1])]
)
def test_what_can_not_be_measured_is_refused(features, labels):
    for measure in (angular_spread, extreme_angles, angular_fisher_score):
        with pytest.raises(ValueError, match="Received"):
            measure(features, labels)
