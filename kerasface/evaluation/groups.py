"""Accuracy by group: does one threshold treat everybody alike?"""

import dataclasses

import numpy as np

from kerasface.evaluation.bootstrap import identity_weights, percentiles
from kerasface.evaluation.result import Result

__all__ = ["MIN_GROUP_PAIRS", "GroupResult", "verify_by_group"]

# Of those that a rate is over. Below it one pair moves it by more than 3 points, and single people could be made out.
MIN_GROUP_PAIRS = 30


@dataclasses.dataclass(frozen=True)
class GroupResult(Result):
    """What the common threshold does to the pairs of one group. Rates lie in [0, 1].

    Args:
        attribute, group: as the pair list names them.
        accuracy: pairs judged right / pairs; None below `MIN_GROUP_PAIRS` of them.
        fmr: false match rate (FAR): impostor pairs accepted / impostor pairs; None below `MIN_GROUP_PAIRS` of them.
        fnmr: false non-match rate (1 − TAR): genuine pairs rejected / genuine pairs; None below `MIN_GROUP_PAIRS`.
        fmr_interval, fnmr_interval: 95 % confidence, identities resampled; None where people are not known.
        genuine_pairs, impostor_pairs: how many pairs.
    """

    attribute: str
    group: str
    accuracy: float | None
    fmr: float | None
    fnmr: float | None
    fmr_interval: tuple[float, float] | None
    fnmr_interval: tuple[float, float] | None
    genuine_pairs: int
    impostor_pairs: int


def verify_by_group(scores, same, folds, thresholds, groups, *, people=None) -> tuple[GroupResult, ...]:
    """Judges the pairs of each group with the thresholds that all pairs were judged with.

    A system has one threshold for everybody, so a threshold of a group's own would hide the very differences that are
    looked for. Every pair is judged by its fold's threshold (`VerificationResult.fold_thresholds`), which was chosen on
    other people.

    Args:
        scores: (P,), each pair's own held-out score.
        same: (P,) bool.
        folds: (P,) int.
        thresholds: (K,), by rising fold number.
        groups: by attribute, (P,) text; an empty text leaves a pair out.
        people: (P, 2) int, for confidence intervals.

    Returns:
        One `GroupResult` a group, sorted by attribute and name.

    Raises:
        ValueError: an attribute with another number of entries than there are pairs.

    Example:
        >>> result = verify(scores, pairs.same, pairs.folds)
        >>> verify_by_group(scores, pairs.same, pairs.folds, result.fold_thresholds, pair_set.groups)

    Reference:
        Grother, Ngan and Hanaoka, FRVT part 3: Demographic effects, NISTIR 8280 (2019): error rates by group at one
        threshold.
    """
    scores, same = np.asarray(scores), np.asarray(same)
    rows = np.unique(folds, return_inverse=True)[1]
    accepted = scores >= np.asarray(thresholds)[rows]
    results = []
    for attribute in sorted(groups):
        labels = np.asarray(groups[attribute], dtype=str)
        if labels.shape != same.shape:
            raise ValueError(f"{attribute} must name a group for each of {same.size} pairs. Received: {labels.shape}")
        for group in np.unique(labels[labels != ""]):
            chosen = labels == group
            results.append(_judged(attribute, str(group), accepted[chosen], same[chosen], _rows(people, chosen)))
    return tuple(results)


def _rows(people, chosen):
    return None if people is None else np.asarray(people)[chosen]


def _judged(attribute, group, accepted, same, people):
    impostor, genuine = accepted[~same], ~accepted[same]
    return GroupResult(
        attribute=attribute,
        group=group,
        accuracy=_share(accepted == same),
        fmr=_share(impostor),
        fnmr=_share(genuine),
        fmr_interval=_interval(impostor, _rows(people, ~same)),
        fnmr_interval=_interval(genuine, _rows(people, same)),
        genuine_pairs=int(same.sum()),
        impostor_pairs=int((~same).sum()),
    )


def _share(outcomes):
    return float(outcomes.mean()) if outcomes.size >= MIN_GROUP_PAIRS else None


def _interval(errors, people):
    if people is None or errors.size < MIN_GROUP_PAIRS:
        return None
    rates = []
    for weights in identity_weights(people, replicates=1000):
        total = weights.sum()
        rates.append(weights @ errors / total if total else np.nan)
    return percentiles(rates)
