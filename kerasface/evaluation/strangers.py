"""Everybody once as a member of a gallery and once as a stranger to it."""

import dataclasses
import math

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.gallery_search import TIE
from kerasface.evaluation.identification import FPIRS
from kerasface.evaluation.pooling import pool
from kerasface.evaluation.representation import unit
from kerasface.evaluation.result import Result
from kerasface.evaluation.roc import impostors_needed

__all__ = ["MembersAndStrangers", "members_and_strangers", "tightest_fpir"]


@dataclasses.dataclass(frozen=True)
class MembersAndStrangers(Result):
    """What `members_and_strangers` measured.

    Args:
        people: in the set.
        fpir: the rate of accepted strangers that the thresholds were chosen for.
        thresholds: the two halves' cosines; each half of the people is judged with the other half's.
        recognised: members' probes that rank first and reach the threshold / all of them (ISO/IEC 19795: true-positive
            identification rate; 1 − FNIR).
        accepted: strangers' photos that somebody in the gallery reaches the threshold for / all of them (false-positive
            identification rate).
        own: (M,) cosines of members' probes and their own template.
        nearest: (N,) cosines of every photo and the nearest template of somebody else.
    """

    people: int
    fpir: float
    thresholds: tuple[float, float]
    recognised: float
    accepted: float
    own: np.ndarray = dataclasses.field(compare=False)
    nearest: np.ndarray = dataclasses.field(compare=False)


def members_and_strangers(embeddings, labels, *, fpir: float, seed: int) -> MembersAndStrangers:
    """Measures an open gallery on few people: each is enrolled and searched, and taken out and searched again.

    The first half of a person's images (rounded up) makes the template, their unit mean. The others are the member's
    probes, against everybody's templates. As a stranger a person's images, all of them, meet a gallery without their
    own template. The people are dealt into two halves; the threshold that keeps one half's strangers to `fpir` judges
    the other half, so no rate is measured on the people whom its threshold was chosen on.

    Args:
        embeddings: (N, D) float, any norm but zero.
        labels: (N,) int, the person on each image; everybody has two images or more.
        fpir: rate of accepted strangers to choose the threshold for, in (0, 1).
        seed: of the deal.

    Returns:
        A `MembersAndStrangers`.

    Raises:
        KerasfaceError: a half with too few images for the rate (`roc.impostors_needed`: 30 for 1e-1).
        ValueError: labels that don't fit, fewer than four people, or one with a single image.

    Example:
        >>> members_and_strangers(embeddings, labels, fpir=0.1, seed=0).recognised
        0.94
    """
    embeddings, labels = unit(embeddings), np.asarray(labels)
    if labels.shape != (len(embeddings),):
        raise ValueError(f"labels must be ({len(embeddings)},) int. Received: {labels.shape}")
    names, person, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(names) < 4 or counts.min() < 2:
        raise ValueError(
            f"four people with two images each are needed. Received: {len(names)} people, one with {counts.min()}"
        )
    enrolled = _place_within_person(person) < -(-counts[person] // 2)
    cosines = embeddings @ pool(embeddings[enrolled], person[enrolled]).T
    own = cosines[np.arange(len(person)), person]
    cosines[np.arange(len(person)), person] = -np.inf
    nearest = cosines.max(axis=1)
    half = _halves(len(names), seed)[person]
    thresholds = tuple(_lowest(nearest[half != side], fpir) for side in (0, 1))
    threshold = np.array(thresholds)[half]
    recognised = (own > nearest + TIE) & (own >= threshold)
    return MembersAndStrangers(
        people=len(names),
        fpir=fpir,
        thresholds=thresholds,
        recognised=float(recognised[~enrolled].mean()),
        accepted=float((nearest >= threshold).mean()),
        own=own[~enrolled],
        nearest=nearest,
    )


def tightest_fpir(labels, *, seed: int) -> float | None:
    """The lowest of `FPIRS` that both halves' images can support; None where not even the highest is.

    Args:
        labels: (N,) int, the person on each image.
        seed: of the deal.

    Returns:
        A rate of `FPIRS`, or None.

    Example:
        >>> tightest_fpir(faces.labels, seed=0)
        0.1
    """
    names, person = np.unique(labels, return_inverse=True)
    smaller = np.bincount(_halves(len(names), seed)[person], minlength=2).min()
    return min((fpir for fpir in FPIRS if smaller >= impostors_needed(fpir)), default=None)


def _halves(people, seed):
    return np.random.default_rng(seed).permutation(people) % 2


def _place_within_person(person):
    """How many images of the same person stand before each."""
    order = np.argsort(person, kind="stable")
    starts = np.searchsorted(person[order], person[order], side="left")
    place = np.empty(len(person), np.int64)
    place[order] = np.arange(len(person)) - starts
    return place


def _lowest(strangers, fpir):
    """The lowest float32 cosine that at most `fpir` of the strangers reach."""
    if strangers.size < impostors_needed(fpir):
        raise KerasfaceError(
            f"a rate of {fpir:g} accepted strangers takes {impostors_needed(fpir)} photos in each half of the people. "
            f"Received: {strangers.size}. Add people or photos, or ask for a higher rate."
        )
    # The nudge keeps floor(0.29 · 100) at 29.
    first_refused = np.sort(strangers)[::-1][math.floor(fpir * strangers.size + 1e-9)]
    return float(np.nextafter(np.float32(first_refused), np.float32(2.0)))
