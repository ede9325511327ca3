"""Confidence intervals that know that pairs of one person are not independent: the bootstrap over identities."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from kerasface.evaluation.pairs import check_people
from kerasface.evaluation.result import Result
from kerasface.evaluation.roc import corners, impostors_needed, roc_curve
from kerasface.evaluation.scores import check_scores, held_out_scores

__all__ = ["LEVEL", "REPLICATES", "Intervals", "identity_intervals", "identity_weights", "percentiles"]

LEVEL = 0.95
# Percentiles of 1,000 replicates: the 2.5th rests on 25 of them (Efron and Tibshirani ask for 1,000 or more).
REPLICATES = 1000
_SEED = 0


@dataclasses.dataclass(frozen=True)
class Intervals(Result):
    """Percentile confidence intervals of a verifier's figures, from `identity_intervals`.

    Args:
        accuracy: of the mean accuracy over folds; None without folds.
        auc, eer: (low, high) of the area under the ROC and of the equal error rate.
        tar_at_far: (low, high) by false accept rate; None where the rate itself is not reported.
        level: confidence, 0.95.
        replicates: how often identities were resampled.
        people: how many identities there are to resample.
    """

    accuracy: tuple[float, float] | None
    auc: tuple[float, float]
    eer: tuple[float, float]
    tar_at_far: dict[float, tuple[float, float] | None]
    level: float
    replicates: int
    people: int


def identity_weights(people, *, replicates: int, seed: int = _SEED) -> Iterator[np.ndarray]:
    """Draws identities with replacement, again and again, and says how often each pair is then in the sample.

    With `c_i` the number of times that person i was drawn, an impostor pair of persons i and j counts `c_i c_j` times
    and a genuine pair of person i counts `c_i` times.

    Args:
        people: (P, 2) int, the person on either side; equal for genuine pairs.
        replicates: how many samples.
        seed: of the draws: equal seeds give equal intervals.

    Yields:
        (P,) float64 weights, one array a replicate.

    Reference:
        Owen and Eckles, Bootstrapping data arrays of arbitrary order, Annals of Applied Statistics 6 (2012), product
        weights; Bolle, Ratha and Pankanti, Error analysis of pattern recognition systems: the subsets bootstrap, CVIU
        93 (2004), for resampling people instead of pairs.
    """
    names, numbers = np.unique(people, return_inverse=True)
    numbers = numbers.reshape(-1, 2)
    one_person = numbers[:, 0] == numbers[:, 1]
    rng = np.random.default_rng(seed)
    for _ in range(replicates):
        drawn = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)).astype(np.float64)
        weights = drawn[numbers[:, 0]]
        yield np.where(one_person, weights, weights * drawn[numbers[:, 1]])


def percentiles(values, level: float = LEVEL) -> tuple[float, float]:
    """The middle `level` of a statistic's replicates, as (low, high); replicates that are NaN are left out."""
    tail = 50 * (1 - level)
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return float(low), float(high)


def identity_intervals(
    scores, same, people, *, folds=None, fars: tuple[float, ...], replicates: int = REPLICATES
) -> Intervals:
    """Confidence intervals of accuracy, AUC, EER and TAR@FAR by resampling identities, not pairs.

    A person who is hard to recognise spoils every pair that he is in, so pairs can't be resampled as if each were drawn
    by itself: on a set where people occur many times, that gives intervals several times too narrow. Here whole
    identities are drawn (`identity_weights`) and every figure is computed anew from the weighted pairs, the threshold
    of each fold and of each FAR included; the interval holds the middle 95 % of the replicates (percentile bootstrap).
    It covers the choice of people, not that of photos of these people, and, as every percentile interval, can't reach
    beyond what the sample holds: with no error at all in it, its width is zero.

    Args:
        scores: (P,), or (K, P) with row k for held-out fold k, see `verify`.
        same: (P,) bool.
        people: (P, 2) int, the person on either side.
        folds: (P,) int, or None for the figures of the pooled ROC alone.
        fars: false accept rates; one that the impostor pairs do not support is None.
        replicates: how often.

    Returns:
        `Intervals`. The same input gives the same intervals: the draws are seeded.

    Raises:
        ValueError: see `check_scores`; people that do not fit; a genuine pair of two people.

    Example:
        >>> identity_intervals(scores, pairs.same, pairs.people, folds=pairs.folds, fars=(1e-2, 1e-3)).accuracy
        (0.9912, 0.9965)

    Reference:
        Fogliato, Patil and Perona, Confidence intervals for error rates in 1:1 matching tasks: critical statistical
        analysis and recommendations, IJCV 132 (2024).
    """
    same = np.asarray(same)
    by_fold = np.atleast_2d(np.asarray(scores, np.float64))
    people = check_people(people, by_fold.shape[1])
    wrong = np.flatnonzero(same & (people[:, 0] != people[:, 1]))
    if wrong.size:
        raise ValueError(f"a genuine pair shows one person. Received: pair {wrong[0]} of people {people[wrong[0]]}")
    numbers = np.unique(folds) if folds is not None else np.array([0])
    held_out = [np.asarray(folds) == number for number in numbers] if folds is not None else []
    pooled, _ = check_scores(by_fold[0] if len(by_fold) == 1 else held_out_scores(by_fold, folds), same)
    # Whatever the weights, the staircase turns only where the unweighted one does.
    pooled_ranks = _Ranks(pooled, same, corners(roc_curve(pooled, same)).thresholds[1:])
    fold_ranks = [_Ranks(row, same, np.unique(row)[::-1]) for row in by_fold] if held_out else []

    supported = [far for far in fars if (~same).sum() >= impostors_needed(far)]
    accuracies, areas, errors, tars = [], [], [], []
    for weights in identity_weights(people, replicates=replicates):
        far, tar = pooled_ranks.curve(weights)
        areas.append(_area(far, tar))
        errors.append(_equal_error(far, tar))
        tars.append([_tar_within(far, tar, limit) for limit in supported])
        if held_out:
            accuracies.append(_cross_validated(fold_ranks, held_out, weights))
    intervals = dict(zip(supported, (percentiles(column) for column in np.array(tars).T), strict=True))
    return Intervals(
        accuracy=percentiles(accuracies) if held_out else None,
        auc=percentiles(areas),
        eer=percentiles(errors),
        tar_at_far={far: intervals.get(far) for far in fars},
        level=LEVEL,
        replicates=replicates,
        people=int(np.unique(people).size),
    )


class _Ranks:
    """Scores by rank, the highest first, so that weighted rates are sums by rank and the sort is paid once.

    Rank i holds the scores from `thresholds[i]` (falling) up to the threshold before.
    """

    def __init__(self, scores, same, thresholds):
        ranks = np.searchsorted(-thresholds, -scores, side="left")
        self.size = thresholds.size
        self.genuine, self.impostor = np.flatnonzero(same), np.flatnonzero(~same)
        self.genuine_ranks, self.impostor_ranks = ranks[self.genuine], ranks[self.impostor]

    def sums(self, weights):
        """Weight of genuine and of impostor pairs by rank."""
        return (
            np.bincount(self.genuine_ranks, weights[self.genuine], self.size),
            np.bincount(self.impostor_ranks, weights[self.impostor], self.size),
        )

    def curve(self, weights):
        """FAR and TAR from "accept none" on, rank by rank; NaN where a kind of pair was not drawn at all."""
        accepted_genuine, accepted_impostor = (np.append(0.0, np.cumsum(part)) for part in self.sums(weights))
        with np.errstate(invalid="ignore"):
            return accepted_impostor / accepted_impostor[-1], accepted_genuine / accepted_genuine[-1]


def _area(far, tar):
    return np.sum(np.diff(far) * (tar[1:] + tar[:-1])) / 2


def _tar_within(far, tar, limit):
    # Without an impostor pair no rate is kept to: every FAR is NaN, and a search would give the last point, TAR 1.
    return tar[np.searchsorted(far, limit * (1 + 1e-12), side="right") - 1] if np.isfinite(far[-1]) else np.nan


def _equal_error(far, tar):
    excess = far + tar - 1
    if not np.isfinite(excess[-1]):
        return np.nan
    after = int(np.argmax(excess >= 0))
    before = after - 1
    share = -excess[before] / (excess[after] - excess[before])
    return far[before] + share * (far[after] - far[before])


def _cross_validated(fold_ranks, held_out, weights):
    """Mean weighted accuracy over folds, each judged with the rank that is best on the others."""
    rates = []
    shared = fold_ranks[0].sums(weights) if len(fold_ranks) == 1 else None
    for number, fold in enumerate(held_out):
        ranks = fold_ranks[0] if shared is not None else fold_ranks[number]
        genuine, impostor = shared if shared is not None else ranks.sums(weights)
        fold_genuine, fold_impostor = ranks.sums(np.where(fold, weights, 0.0))
        total = fold_genuine.sum() + fold_impostor.sum()
        if not total:
            continue
        # Correct pairs with everything up to a rank accepted, less the constant number of impostors.
        correct = np.append(0.0, np.cumsum((genuine - fold_genuine) - (impostor - fold_impostor)))
        best = np.flatnonzero(correct == correct.max())
        rank = best[best.size // 2]
        right = fold_genuine[:rank].sum() + fold_impostor[rank:].sum()
        rates.append(right / total)
    return np.mean(rates) if rates else np.nan
