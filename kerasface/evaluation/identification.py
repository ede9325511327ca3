"""Identification, 1:N: who in the gallery is this, if anyone?"""

import dataclasses
import math

import numpy as np

from kerasface.evaluation.gallery_search import TIE, search
from kerasface.evaluation.pooling import EmptyTemplateError, pool
from kerasface.evaluation.representation import unit
from kerasface.evaluation.result import Result
from kerasface.evaluation.roc import RocCurve, corners, impostors_needed

__all__ = ["FPIRS", "RANKS", "OpenSetResult", "open_set", "ranks_of"]

# The rates at which open-set identification is quoted by IJB and by NIST's FRTE 1:N.
FPIRS = (1e-1, 1e-2, 1e-3)

# Ranks up to which a CMC is drawn.
RANKS = 20


@dataclasses.dataclass(frozen=True)
class OpenSetResult(Result):
    """What `open_set` measured. Rates lie in [0, 1]; None where there are no probes, or too few, to measure one.

    Args:
        rank1: closed-set rank-1 rate: known probes whose own gallery person scores highest, whatever the threshold
            (ISO/IEC 19795: true-positive identification rate at rank 1).
        cmc: (K,) the same for rank 1, 2, … K: known probes whose own person is among the k highest (cumulative match
            characteristic); empty without known probes.
        dir_at_fpir: detection and identification rate by false-positive identification rate (the literature's
            DIR@FAR): known probes that rank first and reach the threshold; 1 − FNIR. The threshold is the lowest that
            keeps to the FPIR.
        threshold: the threshold given, or None.
        fpir: at that threshold: unknown probes that some gallery person reaches / all unknown probes.
        fnir: at that threshold: known probes that do not rank first or do not reach it / all known probes.
        gallery_people: people in the gallery.
        known_probes, unknown_probes: probes of people in the gallery, and of people who are not.
        curve: every operating point, FPIR as `far` and DIR as `tar` (which ends at `rank1`, not at 1); None where one
            kind of probe is missing. The counts in it are of probes.
    """

    rank1: float | None
    cmc: tuple[float, ...]
    dir_at_fpir: dict[float, float | None]
    threshold: float | None
    fpir: float | None
    fnir: float | None
    gallery_people: int
    known_probes: int
    unknown_probes: int
    curve: RocCurve | None = dataclasses.field(compare=False)


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
    probe is known when its label is in the gallery. It ranks first only if its own template scores above every other
    one by more than the rounding of float32 (1e-6): a tie is a miss, so an embedder that maps all faces to one point
    gets nothing for it.

    Args:
        gallery_embeddings: (G, D) float, any norm but zero.
        gallery_labels: (G,) int.
        probe_embeddings: (P, D) float.
        probe_labels: (P,) int.
        fpirs: rates in (0, 1) to report DIR at. One that the unknown probes cannot support
            (`roc.impostors_needed`: 30 for 1e-1) is reported as None.
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
    people, rows = np.unique(gallery_labels, return_inverse=True)
    templates = _templates(gallery, rows, people)
    column = np.searchsorted(people, probe_labels).clip(max=len(people) - 1)
    known = people[column] == probe_labels

    found = search(templates, probes, RANKS + 1)
    ranks = ranks_of(found, column)[known]
    # What a known probe is recognised with: its own score where it ranks first, nothing otherwise.
    recognised = np.where(ranks == 1, found.scores[known, 0], -np.inf)
    strangers = np.sort(found.scores[~known, 0])[::-1]
    return OpenSetResult(
        rank1=_rate(ranks == 1),
        cmc=tuple(float(np.mean(ranks <= rank)) for rank in range(1, min(RANKS, len(people)) + 1))
        if known.any()
        else (),
        dir_at_fpir={fpir: _dir_at_fpir(recognised, strangers, fpir) for fpir in fpirs},
        threshold=threshold,
        fpir=None if threshold is None else _rate(strangers >= threshold),
        fnir=None if threshold is None else _rate(recognised < threshold),
        gallery_people=len(people),
        known_probes=int(known.sum()),
        unknown_probes=int((~known).sum()),
        curve=_curve(recognised, strangers) if known.any() and not known.all() else None,
    )


def ranks_of(found, own) -> np.ndarray:
    """The rank of each probe's own gallery row in a search, ties (differences below `TIE`) counted against it.

    Args:
        found: `SearchResult` of k + 1 rows.
        own: (P,) int, each probe's own row.

    Returns:
        (P,) int from 1; one past all that was searched where the own row is not among the k, or ties with the last.
    """
    is_own = found.rows == np.asarray(own)[:, None]
    score = np.where(is_own, found.scores, -np.inf).max(axis=1)
    as_good = (found.scores >= score[:, None] - TIE).sum(axis=1)
    return np.where(is_own.any(axis=1), as_good, found.rows.shape[1] + 1)


def _labelled(kind, embeddings, labels):
    embeddings, labels = unit(embeddings), np.asarray(labels)
    if labels.shape != (len(embeddings),) or not len(labels):
        received = f"{embeddings.shape} and {labels.shape}"
        raise ValueError(f"{kind}_embeddings (N, D) and {kind}_labels (N,) are needed, N > 0. Received: {received}")
    return embeddings, labels


def _templates(gallery, rows, people):
    try:
        return pool(gallery, rows)
    except EmptyTemplateError as error:
        label = people[error.template]
        raise ValueError(f"the gallery embeddings of a person cancel out. Received: label {label}") from error


def _curve(recognised, strangers):
    thresholds = np.unique(np.append(recognised[np.isfinite(recognised)], strangers))[::-1]
    return corners(
        RocCurve(
            far=np.append(0.0, _at_least(strangers, thresholds)),
            tar=np.append(0.0, _at_least(recognised, thresholds)),
            thresholds=np.append(np.nextafter(thresholds[0], np.inf), thresholds).astype(np.float64),
            genuine_pairs=recognised.size,
            impostor_pairs=strangers.size,
        )
    )


def _at_least(scores, thresholds):
    """Share of the scores that reach each threshold."""
    return 1 - np.searchsorted(np.sort(scores), thresholds, side="left") / scores.size


def _dir_at_fpir(recognised, strangers, fpir):
    if strangers.size < impostors_needed(fpir) or not recognised.size:
        return None
    # Every threshold just above this stranger keeps to the rate; the nudge keeps floor(0.29 · 100) at 29.
    first_refused = strangers[math.floor(fpir * strangers.size + 1e-9)]
    return _rate(recognised > first_refused)


def _rate(hits):
    return float(hits.mean()) if hits.size else None
