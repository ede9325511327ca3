"""Verification, 1:1: are these two images one person? The k-fold protocol of LFW and its successors."""

import dataclasses

import numpy as np

from kerasface.evaluation.bootstrap import REPLICATES, Intervals, identity_intervals
from kerasface.evaluation.result import Result
from kerasface.evaluation.roc import FARS, area_under_curve, equal_error_rate, roc_curve, tar_at_far
from kerasface.evaluation.scores import check_scores, held_out_scores

__all__ = ["VerificationResult", "verify"]

# IJB-C's 15.6 million pairs take a third of a second a replicate.
_MANY_PAIRS, _FEWER_REPLICATES = 1_000_000, 200


@dataclasses.dataclass(frozen=True)
class VerificationResult(Result):
    """What `verify` measured. Rates and accuracies lie in [0, 1].

    Args:
        accuracy_mean: mean over folds of the accuracy on the held-out fold; None without folds, since an accuracy at a
            threshold that was chosen on the same pairs flatters.
        accuracy_std: their standard deviation over folds, dividing by their number K as the field's published scripts
            do. The LFW report's standard error of the mean is `accuracy_std / sqrt(K - 1)`.
        fold_accuracies: (K,) by rising fold number.
        fold_thresholds: (K,) the threshold each fold was judged with, chosen on the others.
        auc: area under the ROC of all pairs.
        eer: equal error rate of all pairs (FMR = FNMR).
        tar_at_far: true accept rate (1 − FNMR) by false accept rate (FMR), for each of `roc.FARS`; None where the
            number of impostor pairs cannot support the rate.
        genuine_pairs, impostor_pairs: how many pairs.
        intervals: 95 % confidence intervals by resampling identities; None where the people are not known.
    """

    accuracy_mean: float | None
    accuracy_std: float | None
    fold_accuracies: tuple[float, ...]
    fold_thresholds: tuple[float, ...]
    auc: float
    eer: float
    tar_at_far: dict[float, float | None]
    genuine_pairs: int
    impostor_pairs: int
    intervals: Intervals | None = None


def verify(scores, same, folds, *, people=None) -> VerificationResult:
    """Measures a verifier from the scores of labelled pairs.

    Each fold in turn is judged with the threshold that is best on all others, so no accuracy profits from hindsight. A
    pair is accepted when `score >= threshold`, as with `spec.Threshold`. The best threshold is exact: every distinct
    score of the other folds bounds a gap in which all thresholds accept the same pairs, every gap is tried, and the
    threshold is the middle of the best gap. Where several gaps are equally good it is the middle one of them, of two
    the stricter. "Accept all" is the lowest score itself, "accept none" the next number above the highest.

    Args:
        scores: (P,) finite numbers, higher for more alike; usually cosines. Where scoring itself learns from the other
            folds (the mean that is subtracted): (K, P), row k what every pair scores with the k-th fold held out.
        same: (P,) bool, True for genuine pairs.
        folds: (P,) int, the fold of each pair; at least two different. None for a protocol without folds (IJB), which
            is measured by TAR@FAR alone.
        people: (P, 2) int, the person on either side, for confidence intervals; None leaves them out.

    Returns:
        A `VerificationResult`. AUC, EER and TAR@FAR are of all pairs together, each with the score that it has where
        its own fold is held out; they need no threshold.

    Raises:
        ValueError: shapes or types do not fit, fewer than two folds, or see `check_scores`.

    Example:
        >>> result = verify(pair_scores(embeddings, pairs), pairs.same, pairs.folds)
        >>> f"{result.accuracy_mean:.2%} ± {result.accuracy_std:.2%}"

    Reference:
        Huang et al., Labeled Faces in the Wild, UMass Amherst TR 07-49 (2007), view 2.
    """
    if folds is None:
        return _measured(*check_scores(scores, same), [], [], _intervals(scores, same, people, None))
    folds, by_fold, pairs = np.asarray(folds), np.asarray(scores, np.float64), np.shape(same)
    if folds.shape != pairs or not np.issubdtype(folds.dtype, np.integer):
        raise ValueError(f"folds must be {pairs} int, as same is. Received: {folds.shape} {folds.dtype}")
    numbers = np.unique(folds)
    if numbers.size < 2:
        raise ValueError(f"at least two folds are needed, one to judge and one to choose on. Received: {numbers}")
    own, same = check_scores(held_out_scores(by_fold, folds), same)

    order = np.argsort(own, kind="stable")
    thresholds, accuracies = [], []
    for number, fold in enumerate(numbers):
        row = by_fold if by_fold.ndim == 1 else by_fold[number]
        if by_fold.ndim > 1:
            order = np.argsort(row, kind="stable")
        ascending, same_ascending, held_out = row[order], same[order], folds[order] == fold
        threshold = _best_threshold(ascending[~held_out], same_ascending[~held_out])
        accepted = ascending[held_out] >= threshold
        thresholds.append(threshold)
        accuracies.append(float(np.mean(accepted == same_ascending[held_out])))

    return _measured(own, same, accuracies, thresholds, _intervals(by_fold, same, people, folds))


def _intervals(scores, same, people, folds):
    if people is None:
        return None
    replicates = REPLICATES if len(people) <= _MANY_PAIRS else _FEWER_REPLICATES
    return identity_intervals(scores, same, people, folds=folds, fars=FARS, replicates=replicates)


def _measured(scores, same, accuracies, thresholds, intervals):
    curve = roc_curve(scores, same)
    return VerificationResult(
        accuracy_mean=float(np.mean(accuracies)) if accuracies else None,
        accuracy_std=float(np.std(accuracies)) if accuracies else None,
        fold_accuracies=tuple(accuracies),
        fold_thresholds=tuple(thresholds),
        auc=area_under_curve(curve),
        eer=equal_error_rate(curve),
        tar_at_far={far: tar_at_far(curve, far) for far in FARS},
        genuine_pairs=curve.genuine_pairs,
        impostor_pairs=curve.impostor_pairs,
        intervals=intervals,
    )


def _best_threshold(scores, same):
    """The threshold of the highest accuracy on `scores` (ascending) and `same`; see `verify` for ties."""
    # Gap i lies below the i-th distinct score: it rejects the `starts[i]` lowest pairs. The last gap rejects all.
    starts = np.append(0, np.flatnonzero(scores[1:] != scores[:-1]) + 1)
    rejected = np.append(starts, scores.size)
    rejected_genuine = np.append(0, np.cumsum(same))[rejected]
    # Correct pairs: impostors rejected and genuine accepted, less the constant number of genuine ones.
    correct = (rejected - rejected_genuine) - rejected_genuine
    best = np.flatnonzero(correct == correct.max())
    gap = best[best.size // 2]
    if gap == 0:
        return float(scores[0])
    if gap == starts.size:
        return float(np.nextafter(scores[-1], np.inf))
    below, above = scores[starts[gap] - 1], scores[starts[gap]]
    middle = below / 2 + above / 2
    # Between neighbouring floats there is no middle: the upper one accepts and rejects the same pairs.
    return float(middle if below < middle <= above else above)
