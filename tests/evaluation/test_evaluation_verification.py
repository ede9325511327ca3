import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics

from kerasface.evaluation import VerificationResult, verify


@st.composite
def _folded(draw):
    """Tied scores of both kinds in two to five folds."""
    folds = draw(st.integers(2, 5))
    size = draw(st.integers(2 * folds, 50))
    column = {"min_size": size, "max_size": size}
    scores = np.array(draw(st.lists(st.integers(-16, 16), **column))) / 16
    same = np.array(draw(st.lists(st.booleans(), **column)))
    numbers = np.array([*range(folds), *draw(st.lists(st.integers(0, folds - 1), **column))][:size])
    assume(same.any() and not same.all())
    return scores, same, numbers


def _brute_force(scores, same, folds):
    """The protocol as its docstring says it, in plain loops over every gap: O(n²)."""
    accuracies, thresholds = [], []
    for fold in sorted(set(folds)):
        known = [(s, y) for s, y, k in zip(scores, same, folds, strict=True) if k != fold]
        judged = [(s, y) for s, y, k in zip(scores, same, folds, strict=True) if k == fold]
        distinct = sorted({s for s, _ in known})
        gaps = [distinct[0], *((a + b) / 2 for a, b in itertools.pairwise(distinct))]
        gaps.append(np.nextafter(distinct[-1], np.inf))
        correct = [sum((s >= gap) == y for s, y in known) for gap in gaps]
        best = [gap for gap, count in zip(gaps, correct, strict=True) if count == max(correct)]
        threshold = best[len(best) // 2]
        thresholds.append(threshold)
        accuracies.append(sum((s >= threshold) == y for s, y in judged) / len(judged))
    return accuracies, thresholds


@given(_folded())
def test_folds_equal_a_brute_force_recomputation(folded):
    result = verify(*folded)
    accuracies, thresholds = _brute_force(*(values.tolist() for values in folded))
    assert result.fold_accuracies == pytest.approx(accuracies)
    assert result.fold_thresholds == pytest.approx(thresholds)
    assert result.accuracy_mean == pytest.approx(sum(accuracies) / len(accuracies))
    assert result.accuracy_std**2 == pytest.approx(
        sum((a - result.accuracy_mean) ** 2 for a in accuracies) / len(accuracies)
    )


def test_a_realistic_set_equals_brute_force_and_scikit_learn(rng):
    same = np.tile(np.repeat([True, False], 20), 10)
    scores = (rng.normal(size=400) * 0.15 + same * 0.3).astype(np.float32)
    folds = np.repeat(np.arange(10), 40)
    result = verify(scores, same, folds)
    assert result.fold_accuracies == pytest.approx(_brute_force(scores.astype(float), same, folds)[0])
    assert result.auc == pytest.approx(metrics.roc_auc_score(same, scores))
    assert (result.genuine_pairs, result.impostor_pairs) == (200, 200)


@given(_folded(), st.randoms())
def test_order_does_not_matter(folded, random):
    order = list(range(len(folded[0])))
    random.shuffle(order)
    assert verify(*(values[order] for values in folded)) == verify(*folded)


@given(_folded(), st.sampled_from([0.25, 2.0, 8.0]), st.integers(-4, 4))
def test_a_rising_affine_map_moves_the_thresholds_and_nothing_else(folded, scale, shift):
    scores, same, folds = folded
    before, after = verify(scores, same, folds), verify(scale * scores + shift, same, folds)
    assert after.fold_accuracies == before.fold_accuracies
    assert (after.auc, after.eer, after.tar_at_far) == (before.auc, before.eer, before.tar_at_far)
    assert after.fold_thresholds == pytest.approx([scale * t + shift for t in before.fold_thresholds])


@given(_folded(), st.sampled_from([np.exp, lambda s: s**3 + s / 8, np.arctan]))
def test_a_rising_transform_changes_no_accuracy_when_no_held_out_score_falls_inside_a_gap(folded, transform):
    # The middle of a gap moves under a curved transform; it may only pass over scores that the other folds lack.
    scores, same, _ = folded
    scores, same, folds = np.tile(scores, 2), np.tile(same, 2), np.repeat([0, 1], len(scores))
    before, after = verify(scores, same, folds), verify(transform(scores), same, folds)
    assert after.fold_accuracies == before.fold_accuracies
    assert (after.auc, after.eer) == (before.auc, before.eer)


def test_the_held_out_fold_has_no_say_in_its_threshold(rng):
    same, folds = np.arange(60) % 2 == 0, np.repeat([0, 1, 2], 20)
    scores = rng.normal(size=60) + same
    changed = np.where(folds == 1, rng.permutation(scores) * 5, scores)
    assert verify(scores, same, folds).fold_thresholds[1] == verify(changed, same, folds).fold_thresholds[1]


_SAME = np.tile([True, False], 10)
_FOLDS = np.repeat([3, 7], 10)


@pytest.mark.parametrize(
    ("scores", "accuracy", "threshold"),
    [
        (np.where(_SAME, 0.75, 0.25), 1.0, 0.5),  # the middle of the only gap
        (np.where(_SAME, 0.25, 0.75), 0.5, np.nextafter(0.75, 1)),  # inverted: all or none, the stricter
        (np.full(20, 0.25), 0.5, np.nextafter(0.25, 1)),  # nothing to tell them by
    ],
)
def test_known_answers(scores, accuracy, threshold):
    result = verify(scores, _SAME, _FOLDS)
    assert result.fold_accuracies == (accuracy, accuracy)
    assert result.fold_thresholds == (threshold, threshold)
    assert result.accuracy_std == 0


def test_accepting_all_and_the_accept_rule():
    # Fold 1 alone would accept all; its lowest score is accepted there because the rule is score >= threshold.
    scores = np.array([0.2, 0.4, 0.6, 0.2, 0.5])
    same = np.array([True, True, True, True, False])
    folds = np.array([1, 1, 1, 0, 0])
    result = verify(scores, same, folds)
    assert result.fold_thresholds[0] == 0.2
    assert result.fold_accuracies[0] == 0.5


@pytest.mark.parametrize("low", [0.3, np.nextafter(0.3, 1)])  # the sum is rounded up from one and down from the other
def test_neighbouring_floats_have_no_middle(low):
    high = np.nextafter(low, 1)
    scores = np.array([low, high, low, high])
    result = verify(scores, np.array([False, True, False, True]), np.array([0, 0, 1, 1]))
    assert result.accuracy_mean == 1


def test_unsupported_rates_are_none_and_supported_ones_are_numbers(rng):
    same = np.tile([True, False], 3000)
    result = verify(rng.normal(size=6000) + 2 * same, same, np.arange(6000) % 10)
    assert [far for far, tar in result.tar_at_far.items() if tar is not None] == [1e-1, 1e-2, 1e-3]
    assert set(result.tar_at_far) == {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6}
    assert 0 < result.tar_at_far[1e-2] < result.tar_at_far[1e-1] < 1


def test_json_round_trip(rng):
    result = verify(rng.normal(size=20), _SAME, _FOLDS)
    assert VerificationResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros(19)}, r"\(19,\) and \(20,\)"),
        ({"scores": np.where(np.arange(20) == 4, np.nan, 0.5)}, r"scores\[4\]=nan"),
        ({"same": _SAME.astype(int)}, "dtype int64"),
        ({"same": np.ones(20, bool)}, "20 genuine of 20"),
        ({"same": np.zeros(20, bool)}, "0 genuine of 20"),
        ({"folds": np.zeros(20, int)}, r"two folds .* Received: \[0\]"),
        ({"folds": np.zeros(20)}, "float64"),
        ({"folds": np.zeros(3, int)}, r"\(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"scores": np.linspace(0, 1, 20), "same": _SAME, "folds": _FOLDS, **change}
    with pytest.raises(ValueError, match=message):
        verify(**arguments)
