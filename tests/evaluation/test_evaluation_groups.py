import numpy as np
import pytest

from kerasface.evaluation import verify_by_group


def _case():
    """Two groups of 40 genuine and 40 impostor pairs; the second has ten misses and four false matches more."""
    same = np.tile(np.repeat([True, False], 40), 2)
    group = np.repeat(["a", "b"], 80)
    scores = np.where(same, 0.9, 0.1)
    scores[80:90] = 0.2
    scores[120:124] = 0.8
    return scores, same, np.zeros(160, int), {"g": group}


def test_rates_by_group_at_the_common_threshold():
    scores, same, folds, groups = _case()
    first, second = verify_by_group(scores, same, folds, [0.5], groups)
    assert (first.group, first.accuracy, first.fmr, first.fnmr) == ("a", 1.0, 0.0, 0.0)
    assert (second.group, second.fmr, second.fnmr) == ("b", 0.1, 0.25)
    assert second.accuracy == pytest.approx(1 - 14 / 80)
    assert second.fmr_interval is None


def test_each_fold_is_judged_with_its_own_threshold():
    scores, same, _, groups = _case()
    folds = np.where(np.arange(160) % 2, 7, 3)
    (_, second) = verify_by_group(scores, same, folds, [0.05, 0.5], groups)
    assert second.fmr == pytest.approx((20 + 2) / 40)
    assert second.fnmr == pytest.approx(5 / 40)


def test_people_widen_the_interval_of_a_rate():
    scores, same, folds, groups = _case()
    # The ten misses are ten pairs of one person in the first case, of ten people in the second.
    one = np.stack([np.arange(160) // 10] * 2, axis=1)
    many = np.stack([np.arange(160)] * 2, axis=1)
    one[~same, 1] += 100
    many[~same, 1] += 1000
    widths = []
    for people in (one, many):
        low, high = verify_by_group(scores, same, folds, [0.5], groups, people=people)[1].fnmr_interval
        assert low < 0.25 < high
        widths.append(high - low)
    assert widths[0] > 1.5 * widths[1]


def test_small_groups_are_counted_but_not_rated():
    scores, same, folds, groups = _case()
    groups["h"] = np.where(np.arange(160) < 20, "few", "")
    few = [result for result in verify_by_group(scores, same, folds, [0.5], groups) if result.group == "few"]
    assert [(r.genuine_pairs, r.impostor_pairs, r.accuracy, r.fnmr, r.fmr) for r in few] == [(20, 0, None, None, None)]
    with pytest.raises(ValueError, match="160 pairs"):
        verify_by_group(scores, same, folds, [0.5], {"g": np.array(["a"])})
