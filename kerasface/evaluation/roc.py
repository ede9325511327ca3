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
    "equal_error_rate",
    "impostors_needed",
    "roc_curve",
    "tar_at_far",
]

# The rates that verification papers quote, from LFW's to MegaFace's and IJB-C's.
FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)

# A rate is reported only where at least this many false accepts are expected: a count of 10 has a relative standard
# deviation of 1/√10 = 32 % (95 % Poisson interval 4.8 to 18.4, a factor of two either way). Below it the figure hangs
# on a handful of pairs. The "rule of 30" of ISO/IEC 19795-1 (± 30 % at 90 % confidence) asks for three times as many;
# it would refuse IJB-C (15.6 million impostor pairs) at 1e-6, which the field reports.
MIN_FALSE_ACCEPTS = 10


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

    `MIN_FALSE_ACCEPTS / far`: 100 for 1e-1, 10,000 for 1e-3, ten million for 1e-6. Necessary, not sufficient: pairs
    that share images or people are not independent, and the interval is wider than their number suggests.

    Args:
        far: the false accept rate (FMR), or in identification the FPIR, in (0, 1).

    Returns:
        The smallest supporting number of impostor pairs (unknown probes).

    Raises:
        ValueError: `far` outside (0, 1).

    Reference:
        The Poisson argument of ISO/IEC 19795-1's "rule of 3" and "rule of 30".
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
    """
    if curve.impostor_pairs < impostors_needed(far):
        return None
    return float(curve.tar[np.searchsorted(curve.far, far, side="right") - 1])
