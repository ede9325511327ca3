"""ROC: every operating point of a set of scores, and the numbers read off it."""

import dataclasses
import math

import numpy as np

from kerasface.evaluation.result import Result
from kerasface.evaluation.scores import check_scores

__all__ = [
    "FARS",
    "MIN_FALSE_ACCEPTS",
    "RocCurve",
    "area_under_curve",
    "corners",
    "equal_error_rate",
    "impostors_needed",
    "roc_curve",
    "tar_at_far",
    "threshold_at_far",
]

# The rates that verification papers quote, from LFW's to MegaFace's and IJB-C's.
FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)

# A rate is reported only where at least this many false accepts are expected, the "rule of 3" of ISO/IEC 19795-1: with
# 3/p comparisons and no error at all, p is the 95 % upper bound of the error rate (e⁻³ = 5 %). Fewer comparisons can't
# tell the rate from zero even at best; so LFW's 3,000 impostor pairs give TAR at FAR 1e-3 and none below, and IJB-C's
# 15.6 million give 1e-6. A count of 3 is still a coarse one (95 % Poisson interval 0.6 to 8.8), which is why the figure
# is never printed without its confidence interval where the pairs' people are known; the "rule of 30" (± 30 % at 90 %
# confidence) asks for ten times as many pairs and would refuse what the field compares itself by.
MIN_FALSE_ACCEPTS = 3


@dataclasses.dataclass(frozen=True, eq=False)
class RocCurve(Result):
    """Operating points of a verifier, one for each distinct score, from "accept none" to "accept all".

    Args:
        far: (T,) false accept rate, rising from 0 to 1: impostor pairs accepted / all impostor pairs
            (ISO/IEC 19795: false match rate, FMR).
        tar: (T,) true accept rate, rising from 0 to 1: genuine pairs accepted / all genuine pairs
            (ISO/IEC 19795: 1 − FNMR, the false non-match rate).
        thresholds: (T,) strictly falling; at point i a pair is accepted when its score is at least `thresholds[i]`. The
            first lies just above the highest score, so that every threshold is finite.
        genuine_pairs, impostor_pairs: how many pairs the rates come from.
    """

    far: np.ndarray
    tar: np.ndarray
    thresholds: np.ndarray
    genuine_pairs: int
    impostor_pairs: int


def roc_curve(scores, same) -> RocCurve:
    """Exact ROC of `score >= threshold`: no grid, no point dropped.

    Args:
        scores: (P,) finite numbers, higher for more alike.
        same: (P,) bool, True for genuine pairs.

    Returns:
        A `RocCurve` with one point more than there are distinct scores.

    Raises:
        ValueError: see `check_scores`.

    Example:
        >>> curve = roc_curve([0.9, 0.4, 0.6], [True, True, False])
        >>> curve.far.tolist(), curve.tar.tolist()
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])

    Reference:
        Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27 (2006), algorithm 1.
    """
    scores, same = check_scores(scores, same)
    order = np.argsort(-scores, kind="stable")
    scores, genuine_so_far = scores[order], np.cumsum(same[order])
    ends = np.append(np.flatnonzero(scores[1:] != scores[:-1]), scores.size - 1)
    accepted_genuine = np.append(0, genuine_so_far[ends])
    accepted_impostors = np.append(0, ends + 1 - genuine_so_far[ends])
    genuine, impostors = int(genuine_so_far[-1]), int(scores.size - genuine_so_far[-1])
    return RocCurve(
        far=accepted_impostors / impostors,
        tar=accepted_genuine / genuine,
        thresholds=np.append(np.nextafter(scores[0], np.inf), scores[ends]),
        genuine_pairs=genuine,
        impostor_pairs=impostors,
    )


def area_under_curve(curve: RocCurve) -> float:
    """AUC: how often a genuine pair scores above an impostor pair, ties counting half (Mann-Whitney).

    Args:
        curve: from `roc_curve`.

    Returns:
        In [0, 1]; 0.5 is chance.

    Example:
        >>> area_under_curve(roc_curve([0.9, 0.4, 0.6], [True, True, False]))
        0.5

    Reference:
        Hanley and McNeil, Radiology 143 (1982): the trapezoidal area equals the Wilcoxon statistic.
    """
    return float(np.sum(np.diff(curve.far) * (curve.tar[1:] + curve.tar[:-1])) / 2)


def equal_error_rate(curve: RocCurve) -> float:
    """EER: the rate at which false accepts and false rejects are equally frequent, FAR = 1 − TAR.

    Operating points are finitely many and may step over the equality; there the two neighbouring points are joined by
    a straight line (which a random choice between their thresholds attains) and cut with FAR = 1 − TAR.

    Args:
        curve: from `roc_curve`.

    Returns:
        In [0, 1]; 0 when a threshold separates all pairs, 0.5 at chance.

    Example:
        >>> equal_error_rate(roc_curve([0.9, 0.4, 0.6], [True, True, False]))
        0.5

    Reference:
        ISO/IEC 19795-1 (FMR = FNMR).
    """
    excess = curve.far + curve.tar - 1  # rises from -1 to 1
    after = int(np.searchsorted(excess, 0.0))
    before = after - 1
    weight = -excess[before] / (excess[after] - excess[before])
    return float(curve.far[before] + weight * (curve.far[after] - curve.far[before]))


def impostors_needed(far: float) -> int:
    """How many comparisons with strangers must stand behind a rate before it is reported.

    `MIN_FALSE_ACCEPTS / far`: 30 for 1e-1, 3,000 for 1e-3, three million for 1e-6: the number from which the rate could
    be told from zero at 95 % confidence if no stranger passed. Necessary, not sufficient: pairs that share images or
    people are not independent, and the interval (`bootstrap.identity_intervals`) is wider than their number suggests.

    Args:
        far: the false accept rate (FMR), or in identification the FPIR, in (0, 1).

    Returns:
        The smallest supporting number of impostor pairs (unknown probes).

    Raises:
        ValueError: `far` outside (0, 1).

    Example:
        >>> impostors_needed(1e-3)
        3000

    Reference:
        ISO/IEC 19795-1, annex B, "rule of 3"; Hanley and Lippman-Hand, If nothing goes wrong, is everything all right?,
        JAMA 249 (1983).
    """
    if not 0 < far < 1:
        raise ValueError(f"a false accept rate lies in (0, 1). Received: {far}")
    return math.ceil(round(MIN_FALSE_ACCEPTS / far, 6))


def tar_at_far(curve: RocCurve, far: float) -> float | None:
    """TAR@FAR, conservatively: the largest TAR among the points whose FAR does not exceed the target.

    Nothing is interpolated: the figure belongs to a threshold that exists and that keeps to the FAR on these pairs.

    Args:
        curve: from `roc_curve`.
        far: the target false accept rate (FMR), in (0, 1).

    Returns:
        TAR (1 − FNMR) in [0, 1], or None where there are fewer than `impostors_needed(far)` impostor pairs: such a
        number would be noise.

    Raises:
        ValueError: `far` outside (0, 1).

    Example:
        >>> tar_at_far(roc_curve(scores, pairs.same), 1e-3)
    """
    if curve.impostor_pairs < impostors_needed(far):
        return None
    return float(curve.tar[_last_within(curve, far)])


def threshold_at_far(curve: RocCurve, far: float) -> float | None:
    """The threshold that `tar_at_far` belongs to, or None where it gives None.

    It is the lowest score that keeps to the rate on these very pairs; a threshold for pairs not yet seen, with its
    confidence bound, comes from `calibrate`.

    Args:
        curve: from `roc_curve`, whole; a report holds its `corners`.
        far: the target false accept rate (FMR), in (0, 1).

    Returns:
        A score; pairs from it on are accepted.

    Raises:
        ValueError: `far` outside (0, 1).

    Example:
        >>> threshold_at_far(roc_curve(scores, pairs.same), 1e-3)
    """
    if curve.impostor_pairs < impostors_needed(far):
        return None
    return float(curve.thresholds[_last_within(curve, far)])


def corners(curve: RocCurve) -> RocCurve:
    """The same staircase in fewer points: only those where its direction changes.

    No rate that can be read off the curve changes; of 15.6 million scores with 20,000 genuine ones at most 40,000
    points are left, which a JSON file can hold. Thresholds between them are gone, so `threshold_at_far` needs the whole
    curve: of this one it gives a stricter threshold of the same TAR.

    Args:
        curve: from `roc_curve`.

    Returns:
        A `RocCurve`.

    Example:
        >>> len(corners(roc_curve(scores, pairs.same)).far)
    """
    # Straight on: the step before and the step after run in one direction. Slanted steps (ties) are kept.
    far_still, tar_still = np.diff(curve.far) == 0, np.diff(curve.tar) == 0
    straight = (far_still[1:] & far_still[:-1]) | (tar_still[1:] & tar_still[:-1])
    kept = np.concatenate([[True], ~straight, [True]])
    return dataclasses.replace(curve, far=curve.far[kept], tar=curve.tar[kept], thresholds=curve.thresholds[kept])


def _last_within(curve, far):
    # The nudge keeps 0.29 · 100 false accepts at 29.
    return np.searchsorted(curve.far, far * (1 + 1e-12), side="right") - 1
