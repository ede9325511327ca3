import numpy as np
import pytest
from sklearn import metrics

from kerasface.evaluation import Intervals, identity_intervals, roc_curve, sample_pairs, tar_at_far, verify
from kerasface.evaluation.bootstrap import identity_weights


def _scored(rng, people=12, images=4, noise=0.4, folds=3):
    """Pairs of a set whose people differ in how well they are recognised."""
    labels = np.repeat(np.arange(people), images)
    pairs = sample_pairs(labels, num_pairs=40 * folds, seed=3, folds=folds)
    ease = rng.normal(0, 0.5, people)[pairs.people].mean(axis=1)
    scores = np.round(np.where(pairs.same, 0.7, 0) + ease * 0.5 + rng.normal(0, noise, len(pairs)), 1)
    return scores, pairs


def _accuracy(scores, same, folds, weights):
    """Every fold judged with the middle one of the best thresholds of the others, pair by pair."""
    rates = []
    candidates = np.append(np.unique(scores)[::-1], -np.inf)  # accept above none, above the highest, …
    for fold in np.unique(folds):
        held_out = folds == fold
        if not weights[held_out].sum():
            continue
        gains = []
        for rank in range(len(candidates)):
            accepted = scores > candidates[rank]
            right = (accepted == same) & ~held_out
            gains.append(weights[right].sum())
        best = np.flatnonzero(np.array(gains) == max(gains))
        accepted = scores > candidates[best[best.size // 2]]
        rates.append(np.average(accepted[held_out] == same[held_out], weights=weights[held_out]))
    return np.mean(rates)


def test_every_replicate_equals_the_figures_of_the_pairs_repeated(rng):
    scores, pairs = _scored(rng)
    fars = (0.1, 0.3, 1e-4)
    intervals = identity_intervals(scores, pairs.same, pairs.people, folds=pairs.folds, fars=fars, replicates=40)
    areas, errors, tars, accuracies = [], [], [], []
    for weights in identity_weights(pairs.people, replicates=40):
        times = weights.astype(int)
        same, drawn = np.repeat(pairs.same, times), np.repeat(scores, times)
        areas.append(metrics.roc_auc_score(same, drawn))
        far, tar, _ = metrics.roc_curve(same, drawn, drop_intermediate=False)
        tars.append([tar[far <= limit + 1e-12].max() for limit in fars[:2]])
        crossing = np.linspace(0, 1, 20_001)
        gap = np.interp(crossing, np.arange(far.size) / (far.size - 1), far + tar - 1)
        errors.append(np.interp(crossing[np.argmax(gap >= 0)], np.arange(far.size) / (far.size - 1), far))
        accuracies.append(_accuracy(scores, pairs.same, pairs.folds, weights))
    assert intervals.auc == pytest.approx(np.percentile(areas, [2.5, 97.5]))
    assert intervals.eer == pytest.approx(np.percentile(errors, [2.5, 97.5]), abs=1e-3)
    assert intervals.accuracy == pytest.approx(np.percentile(accuracies, [2.5, 97.5]))
    for far, column in zip(fars, np.array(tars).T, strict=False):
        assert intervals.tar_at_far[far] == pytest.approx(np.percentile(column, [2.5, 97.5]))
    assert intervals.tar_at_far[1e-4] is None
    assert (intervals.people, intervals.replicates, intervals.level) == (12, 40, 0.95)


def test_weights_are_products_of_how_often_both_people_were_drawn():
    people = np.array([[4, 4], [4, 9], [9, 9], [9, 2], [2, 4]])
    for weights in identity_weights(people, replicates=30, seed=5):
        four, nine = weights[0], weights[2]
        two = 3 - four - nine
        assert weights.tolist() == [four, four * nine, nine, nine * two, two * four]


def test_intervals_hold_the_spread_over_people_that_pairs_alone_hide(rng):
    # Ten people: three are never recognised. Pairs as if independent would make accuracy look settled.
    people = np.repeat(np.arange(10), 100)
    same = np.ones(1000, bool)
    scores = np.where(people < 3, -1.0, 1.0)
    strangers = np.stack([np.arange(100) % 10, (np.arange(100) % 10 + 1) % 10], axis=1)
    intervals = identity_intervals(
        np.append(scores, np.zeros(100)),
        np.append(same, np.zeros(100, bool)),
        np.concatenate([np.stack([people, people], axis=1), strangers]),
        fars=(0.1,),
    )
    low, high = intervals.tar_at_far[0.1]
    expected = np.percentile(rng.binomial(10, 0.7, 100_000) / 10, [2.5, 97.5])
    np.testing.assert_allclose((low, high), expected, atol=0.11)
    assert intervals.accuracy is None


def test_the_interval_covers_the_true_area_about_as_often_as_it_says(rng):
    # True AUC of two normals one apart: Φ(1/√2) = 0.76, with people as noise of their own.
    hits = 0
    for _ in range(60):
        pairs = sample_pairs(np.repeat(np.arange(40), 3), num_pairs=80, seed=int(rng.integers(9999)), folds=2)
        scores = rng.normal(size=80) + pairs.same
        low, high = identity_intervals(scores, pairs.same, pairs.people, fars=(), replicates=150).auc
        hits += low <= 0.7602 <= high
    assert 50 <= hits <= 60


def test_a_row_for_each_fold_uses_each_pairs_own(rng):
    scores, pairs = _scored(rng)
    arguments = {"folds": pairs.folds, "fars": (0.1,), "replicates": 20}
    one = identity_intervals(scores, pairs.same, pairs.people, **arguments)
    assert identity_intervals(np.tile(scores, (3, 1)), pairs.same, pairs.people, **arguments) == one


def test_verify_carries_them_where_people_are_known(rng):
    scores, pairs = _scored(rng)
    result = verify(scores, pairs.same, pairs.folds, people=pairs.people)
    low, high = result.intervals.accuracy
    assert low <= result.accuracy_mean <= high
    low, high = result.intervals.auc
    assert low < result.auc < high
    assert verify(scores, pairs.same, pairs.folds).intervals is None
    assert Intervals.from_json(result.intervals.to_json()) == result.intervals
    assert type(result).from_json(result.to_json()) == result


def test_a_sample_without_impostors_says_nothing(rng):
    # Half of the samples of two people hold one of them alone; in all others both weigh alike.
    people = np.repeat([[0, 0], [1, 1], [0, 1]], 40, axis=0)
    same = np.repeat([True, True, False], 40)
    scores = rng.normal(size=120)
    expected = tar_at_far(roc_curve(scores, same), 0.1)
    assert identity_intervals(scores, same, people, fars=(0.1,)).tar_at_far[0.1] == pytest.approx((expected, expected))


def test_order_and_rising_maps_do_not_matter(rng):
    scores, pairs = _scored(rng)
    expected = identity_intervals(scores, pairs.same, pairs.people, folds=pairs.folds, fars=(0.1,), replicates=30)
    order = rng.permutation(len(scores))
    shuffled = identity_intervals(
        np.exp(scores[order]), pairs.same[order], pairs.people[order], folds=pairs.folds[order], fars=(0.1,),
        replicates=30,
    )  # fmt: skip
    for field in ("accuracy", "auc", "eer"):
        assert getattr(shuffled, field) == pytest.approx(getattr(expected, field))


@pytest.mark.parametrize(
    ("people", "message"),
    [(np.zeros((3, 2), int), r"\(4, 2\) int"), (np.array([[0, 1], [0, 1], [2, 3], [4, 5]]), "pair 0 of people")],
)
def test_people_that_do_not_fit_are_refused(people, message):
    with pytest.raises(ValueError, match=message):
        identity_intervals([0.4, 0.1, 0.3, 0.2], np.array([True, False, False, False]), people, fars=())
