"""Identification, 1:N: who in the gallery is this, if anyone?"""

import dataclasses
import math

import numpy as np

from kerasface.evaluation.representation import unit
from kerasface.evaluation.result import Result
from kerasface.evaluation.roc import impostors_needed

__all__ = ["FPIRS", "OpenSetResult", "open_set"]

# The rates at which open-set identification is quoted by IJB and by NIST's FRTE 1:N.
FPIRS = (1e-1, 1e-2, 1e-3)

# Scores held at once, 64 MiB of float32: a gallery of any size is searched in blocks of probes.
_BLOCK_SCORES = 2**24


@dataclasses.dataclass(frozen=True)
class OpenSetResult(Result):
    """What `open_set` measured. Rates lie in [0, 1]; None where there are no probes, or too few, to measure one.

    Args:
        rank1: closed-set rank-1 rate: known probes whose own gallery person scores highest, whatever the threshold
            (ISO/IEC 19795: true-positive identification rate at rank 1).
        dir_at_fpir: detection and identification rate by false-positive identification rate (the literature's
            DIR@FAR): known probes that rank first and reach the threshold; 1 − FNIR. The threshold is the lowest that
            keeps to the FPIR.
        threshold: the threshold given, or None.
        fpir: at that threshold: unknown probes that some gallery person reaches / all unknown probes.
        fnir: at that threshold: known probes that do not rank first or do not reach it / all known probes.
        gallery_people: people in the gallery.
        known_probes, unknown_probes: probes of people in the gallery, and of people who are not.
    """

    rank1: float | None
    dir_at_fpir: dict[float, float | None]
    threshold: float | None
    fpir: float | None
    fnir: float | None
    gallery_people: int
    known_probes: int
    unknown_probes: int


def open_set(
    gallery_embeddings,
    gallery_labels,
    probe_embeddings,
    probe_labels,
    *,
    fpirs: tuple[float, ...] = FPIRS,
    threshold: float | None = None,
) -> OpenSetResult:
    """Measures identification when some probes show people whom the gallery does not hold.

    Several gallery images of a person become one template, the mean of their unit embeddings scaled to length 1. A
    probe is known when its label is in the gallery. It ranks first only if its own template scores strictly above every
    other one: a tie is a miss, so an embedder that maps all faces to one point gets nothing for it.

    Args:
        gallery_embeddings: (G, D) float, any norm but zero.
        gallery_labels: (G,) int.
        probe_embeddings: (P, D) float.
        probe_labels: (P,) int.
        fpirs: rates in (0, 1) to report DIR at. One that the unknown probes cannot support
            (`roc.impostors_needed`: 100 for 1e-1) is reported as None.
        threshold: cosine from which a face counts as recognised (`score >= threshold`), to measure FPIR and FNIR at.

    Returns:
        An `OpenSetResult`.

    Raises:
        ValueError: shapes do not fit, an empty gallery or no probes, an embedding without a direction, or a person
            whose gallery embeddings cancel out.

    Example:
        >>> result = open_set(gallery, gallery_labels, probes, probe_labels, threshold=0.42)
        >>> result.dir_at_fpir[0.1], result.fpir

    Reference:
        Grother, Ngan and Hanaoka, FRVT part 2: Identification, NISTIR 8271 (2019), for FPIR and FNIR; Phillips, Grother
        and Micheals, Evaluation methods in face recognition, Handbook of Face Recognition (2011), for DIR.
    """
    gallery, gallery_labels = _labelled("gallery", gallery_embeddings, gallery_labels)
    probes, probe_labels = _labelled("probe", probe_embeddings, probe_labels)
    if gallery.shape[1] != probes.shape[1]:
        raise ValueError(f"gallery and probes must be of one size. Received: {gallery.shape[1]} and {probes.shape[1]}")
    people, templates = _templates(gallery, gallery_labels)
    column = np.searchsorted(people, probe_labels).clip(max=len(people) - 1)
    known = people[column] == probe_labels

    own, others = _search(templates, probes, np.where(known, column, -1))
    # What a known probe is recognised with: its own score where it ranks first, nothing otherwise.
    recognised = np.where(own > others, own, -np.inf)[known]
    strangers = np.sort(others[~known])[::-1]
    return OpenSetResult(
        rank1=_rate(recognised > -np.inf),
        dir_at_fpir={fpir: _dir_at_fpir(recognised, strangers, fpir) for fpir in fpirs},
        threshold=threshold,
        fpir=None if threshold is None else _rate(strangers >= threshold),
        fnir=None if threshold is None else _rate(recognised < threshold),
        gallery_people=len(people),
        known_probes=int(known.sum()),
        unknown_probes=int((~known).sum()),
    )


def _labelled(kind, embeddings, labels):
    embeddings, labels = unit(embeddings), np.asarray(labels)
    if labels.shape != (len(embeddings),) or not len(labels):
        received = f"{embeddings.shape} and {labels.shape}"
        raise ValueError(f"{kind}_embeddings (N, D) and {kind}_labels (N,) are needed, N > 0. Received: {received}")
    return embeddings, labels


def _templates(gallery, labels):
    people, rows = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(people), gallery.shape[1]))
    np.add.at(sums, rows, gallery)
    cancelled = np.linalg.norm(sums, axis=1) < 1e-6  # float32 rounding of a sum that is zero
    if cancelled.any():
        raise ValueError(f"the gallery embeddings of a person cancel out. Received: label {people[cancelled][0]}")
    return people, unit(sums)


def _search(templates, probes, own_column):
    """Each probe's score with its own template (-inf without one) and its highest with any other."""
    own, others = np.empty(len(probes), np.float32), np.empty(len(probes), np.float32)
    block = max(1, _BLOCK_SCORES // len(templates))
    for start in range(0, len(probes), block):
        rows = slice(start, start + block)
        scores = probes[rows] @ templates.T
        at, column = np.arange(len(scores)), own_column[rows]
        known = column >= 0
        own[rows] = np.where(known, scores[at, column], -np.inf)
        scores[at[known], column[known]] = -np.inf
        others[rows] = scores.max(axis=1)
    return own, others


def _dir_at_fpir(recognised, strangers, fpir):
    if strangers.size < impostors_needed(fpir) or not recognised.size:
        return None
    # Every threshold just above this stranger keeps to the rate; the nudge keeps floor(0.29 · 100) at 29.
    first_refused = strangers[math.floor(fpir * strangers.size + 1e-9)]
    return _rate(recognised > first_refused)


def _rate(hits):
    return float(hits.mean()) if hits.size else None
