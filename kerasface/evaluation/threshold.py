"""A threshold for a wanted false accept rate, from the scores of strangers."""

import math

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.roc import MIN_FALSE_ACCEPTS, impostors_needed
from kerasface.evaluation.scores import check_scores
from kerasface.spec import Threshold

__all__ = ["calibrate"]

# Cosines computed in float32 or float16 stray past ±1 by rounding, not by more than this.
_ROUNDING = 1e-3


def calibrate(scores, same, *, far: float, calibrated_on: str, precision: str) -> Threshold:
    """Chooses the cosine from which pairs are accepted so that strangers are accepted at most at rate `far`.

    The threshold is the k-th highest impostor score, `k = floor(far · impostors)`. Whatever the distribution, a further
    impostor pair of the same kind then passes it with probability k / (impostors + 1) < far: the promise holds for
    pairs not yet seen, which it would not for a threshold just above the (k+1)-th. Where impostor scores tie there, the
    next higher one is taken, never the looser.

    Args:
        scores: (P,) cosines in [-1, 1].
        same: (P,) bool, True for genuine pairs; they do not move the threshold.
        far: the wanted false accept rate (ISO/IEC 19795: FMR), in (0, 1).
        calibrated_on: name of the set the pairs come from, as a user should read it.
        precision: of the embedder that scored them: "fp32", "fp16", "int8", …

    Returns:
        A `spec.Threshold`.

    Raises:
        KerasfaceError: the set has too few impostor pairs for `far` (`roc.impostors_needed`), or so many strangers at
            cosine 1 that no threshold keeps to it.
        ValueError: scores that are no cosines, `far` outside (0, 1), or see `check_scores`.

    Example:
        >>> calibrate(scores, pairs.same, far=1e-2, calibrated_on="LFW view 2", precision="fp16")

    Reference:
        The argument from order statistics is split conformal prediction's: Vovk, Gammerman and Shafer, Algorithmic
        Learning in a Random World (2005).
    """
    scores, same = check_scores(scores, same)
    if np.abs(scores).max() > 1 + _ROUNDING:
        worst = scores[np.abs(scores).argmax()]
        raise ValueError(f"scores must be cosines in [-1, 1]. Received: {worst}")
    impostors = np.sort(np.clip(scores[~same], -1.0, 1.0))[::-1]
    needed = impostors_needed(far)
    if impostors.size < needed:
        raise KerasfaceError(
            f"{calibrated_on} cannot support a false accept rate of {far:g}: that takes {needed:,} impostor pairs. "
            f"Received: {impostors.size:,}. Use more pairs, or a rate of at least {MIN_FALSE_ACCEPTS}/{impostors.size}."
        )
    # The nudge keeps floor(0.29 · 100) at 29.
    highest_rejected = impostors[math.floor(far * impostors.size + 1e-9)]
    accepted = impostors[impostors > highest_rejected]
    cosine = float(accepted[-1]) if accepted.size else _just_above(highest_rejected)
    if cosine > 1:
        count = int((impostors == 1.0).sum())
        raise KerasfaceError(
            f"no threshold keeps {calibrated_on} to a false accept rate of {far:g}: {count:,} of {impostors.size:,} "
            "impostor pairs have cosine 1. Is one picture filed under two names, or does the embedder ignore its input?"
        )
    return Threshold(
        cosine=cosine, far=far, calibrated_on=calibrated_on, precision=precision, impostor_pairs=int(impostors.size)
    )


def _just_above(cosine):
    # One step of float32, not of float64: devices compare float32 scores and would round the smaller step away.
    return float(np.nextafter(np.float32(cosine), np.float32(2.0)))
