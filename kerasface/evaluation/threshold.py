"""A threshold for a wanted false accept rate, from the scores of strangers."""

import math

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.all_pairs import ImpostorTail
from kerasface.evaluation.bootstrap import LEVEL, REPLICATES, identity_weights
from kerasface.evaluation.pairs import check_people
from kerasface.evaluation.roc import MIN_FALSE_ACCEPTS, impostors_needed
from kerasface.evaluation.scores import check_scores
from kerasface.spec import Threshold

__all__ = ["calibrate", "calibrate_tail"]

# Cosines computed in float32 or float16 stray past ±1 by rounding, not by more than this.
_ROUNDING = 1e-3


def calibrate(scores, same, *, far: float, calibrated_on: str, precision: str, people=None) -> Threshold:
    """Chooses the cosine from which pairs are accepted so that strangers are accepted at most at rate `far`.

    The threshold is the k-th highest impostor score, `k = floor(far · impostors)`. Whatever the distribution, a further
    impostor pair of the same kind then passes it with probability k / (impostors + 1) < far: the promise holds for
    pairs not yet seen, which it would not for a threshold just above the (k+1)-th. Where impostor scores tie there, the
    next higher one is taken, never the looser.

    That is the rate on average. How far it may lie above in this very case says `Threshold.far_upper`, its 95 % upper
    bound: for independent pairs the quantile of Beta(k, impostors − k + 1), the distribution of the true rate above a
    k-th highest score; where people are known, the 95th percentile over resampled identities if that is higher, since
    pairs that share people tell less than their number says.

    Args:
        scores: (P,) cosines in [-1, 1].
        same: (P,) bool, True for genuine pairs; they do not move the threshold.
        far: the wanted false accept rate (ISO/IEC 19795: FMR), in (0, 1).
        calibrated_on: name of the set the pairs come from, as a user should read it.
        precision: of the embedder that scored them: "fp32", "fp16", "int8", …
        people: (P, 2) int, the person on either side; None takes pairs for independent.

    Returns:
        A `spec.Threshold`.

    Raises:
        KerasfaceError: the set has too few impostor pairs for `far` (`roc.impostors_needed`), or so many strangers at
            cosine 1 that no threshold keeps to it.
        ValueError: scores that are no cosines, `far` outside (0, 1), or see `check_scores`.

    Example:
        >>> calibrate(scores, pairs.same, far=1e-2, calibrated_on="LFW view 2", precision="fp16", people=pairs.people)

    Reference:
        The argument from order statistics is split conformal prediction's: Vovk, Gammerman and Shafer, Algorithmic
        Learning in a Random World (2005); its Beta distribution is Wilks', Annals of Mathematical Statistics 12 (1941).
    """
    scores, same = check_scores(scores, same)
    if np.abs(scores).max() > 1 + _ROUNDING:
        worst = scores[np.abs(scores).argmax()]
        raise ValueError(f"scores must be cosines in [-1, 1]. Received: {worst}")
    strangers = np.flatnonzero(~same)
    order = strangers[np.argsort(-scores[strangers], kind="stable")]
    impostors = np.clip(scores[order], -1.0, 1.0)
    cosine, accepted = _threshold(impostors, impostors.size, far, calibrated_on)
    upper = _independent_bound(accepted, impostors.size)
    if people is not None:
        impostor_people = check_people(people, same.size)[order]
        rates = []
        for weights in identity_weights(impostor_people, replicates=REPLICATES):
            total = weights.sum()
            rates.append(weights[:accepted].sum() / total if total else np.nan)
        upper = max(upper, float(np.nanpercentile(rates, 100 * LEVEL)))
    return Threshold(cosine, far, calibrated_on, precision, impostors.size, far_upper=upper)


def calibrate_tail(tail: ImpostorTail, *, far: float, calibrated_on: str, precision: str) -> Threshold:
    """Chooses the cosine as `calibrate` does, from all impostor pairs of a labelled set.

    Its bound counts people, not pairs: the impostor pairs of N people are N(N − 1)/2 pairs of them and far from
    independent.

    Args:
        tail: from `impostor_tail`, kept for a rate of at least `far`.
        far, calibrated_on, precision: see `calibrate`.

    Returns:
        A `spec.Threshold`.

    Raises:
        KerasfaceError: see `calibrate`.
        ValueError: `far` outside (0, 1), or higher than the rate that the tail was kept for.

    Example:
        >>> tail = impostor_tail(embeddings, labels, rate=1e-2)
        >>> calibrate_tail(tail, far=1e-3, calibrated_on="our staff", precision="fp16").cosine
    """
    if math.floor(far * tail.impostor_pairs + 1e-9) + 1 > tail.scores.size and tail.scores.size < tail.impostor_pairs:
        kept = (tail.scores.size - 1) / tail.impostor_pairs
        raise ValueError(f"the tail was kept for rates up to {kept:g}. Received: far={far}")
    cosine, accepted = _threshold(tail.scores, tail.impostor_pairs, far, calibrated_on)
    upper = max(_independent_bound(accepted, tail.impostor_pairs), _identity_bound(tail, accepted))
    return Threshold(cosine, far, calibrated_on, precision, tail.impostor_pairs, far_upper=upper)


def _least_rate(total):
    """The least rate that so many pairs support, rounded up to two digits: one that can be typed."""
    rate = MIN_FALSE_ACCEPTS / total
    unit = 10.0 ** (math.floor(math.log10(rate)) - 1)
    return math.ceil(rate / unit) * unit


def _threshold(falling, total, far, calibrated_on):
    """The cosine, and how many impostor pairs it accepts; `falling` holds the highest scores, at least k + 1."""
    needed = impostors_needed(far)
    if total < needed:
        raise KerasfaceError(
            f"{calibrated_on} cannot support a false accept rate of {far:g}: that takes {needed:,} impostor pairs. "
            f"Received: {total:,}. Use more pairs"
            + (f", or a rate of at least {_least_rate(total):g}." if total > MIN_FALSE_ACCEPTS else ".")
        )
    # The nudge keeps floor(0.29 · 100) at 29.
    highest_rejected = falling[math.floor(far * total + 1e-9)]
    accepted = int(np.searchsorted(-falling, -highest_rejected, side="left"))
    cosine = float(falling[accepted - 1]) if accepted else _just_above(highest_rejected)
    if cosine > 1:
        count = int((falling == 1.0).sum())
        raise KerasfaceError(
            f"no threshold keeps {calibrated_on} to a false accept rate of {far:g}: {count:,} of {total:,} "
            "impostor pairs have cosine 1. Is one picture filed under two names, or does the embedder ignore its input?"
        )
    return cosine, accepted


def _independent_bound(accepted, total):
    from scipy.special import betaincinv

    rank = max(accepted, 1)  # with nobody accepted the threshold lies above the highest score, which bounds it
    return float(betaincinv(rank, total - rank + 1, LEVEL))


def _identity_bound(tail, accepted):
    """The 95th percentile of the rate over resampled identities, from the accepted pairs and the images a person."""
    names, person, counts = np.unique(tail.labels, return_inverse=True, return_counts=True)
    one, other = person[tail.first[:accepted]], person[tail.second[:accepted]]
    rng, rates = np.random.default_rng(0), []
    for _ in range(REPLICATES):
        drawn = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)).astype(np.float64)
        images = drawn * counts
        # Pairs of different people in the resample; c_i c_j pairs of images for each of them, never i with itself.
        total = (images.sum() ** 2 - (images**2).sum()) / 2
        rates.append(drawn[one] @ drawn[other] / total if total else np.nan)
    return float(np.nanpercentile(rates, 100 * LEVEL))


def _just_above(cosine):
    # One step of float32, not of float64: devices compare float32 scores and would round the smaller step away.
    return float(np.nextafter(np.float32(cosine), np.float32(2.0)))
