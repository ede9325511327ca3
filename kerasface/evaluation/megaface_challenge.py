"""MegaFace challenge 1: one photo of a person among up to a million strangers."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from kerasface.evaluation.gallery_search import TIE, BestRows, score_blocks
from kerasface.evaluation.identification import RANKS
from kerasface.evaluation.representation import unit
from kerasface.evaluation.result import Result
from kerasface.evaluation.roc import impostors_needed
from kerasface.evaluation.top import HighestScores

__all__ = ["MEGAFACE_FARS", "MEGAFACE_SIZES", "MegaFaceResult", "megaface"]

# Distractors that the challenge draws its curves over.
MEGAFACE_SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)

# 1e-6 is the challenge's own. Of more than a billion comparisons, those that a higher rate would accept fill memory.
MEGAFACE_FARS = (1e-4, 1e-5, 1e-6)

_PROBES = 4096
_MOST_KEPT = 2**24


@dataclasses.dataclass(frozen=True)
class MegaFaceResult(Result):
    """What `megaface` measured. Rates lie in [0, 1].

    Args:
        distractors: the sizes that were measured, rising.
        rank1: identification rate at rank 1, by size.
        cmc: by rank 1, 2, … among all distractors.
        tar_at_far: true accept rate by false accept rate, over all pairs of probes and distractors; None where these
            are too few for the rate.
        probes, people: in the probe set.
        genuine_pairs: ordered pairs (probe, photo in the gallery) of one person.
        impostor_pairs: probes times distractors.
    """

    distractors: tuple[int, ...]
    rank1: tuple[float, ...]
    cmc: tuple[float, ...]
    tar_at_far: dict[float, float | None]
    probes: int
    people: int
    genuine_pairs: int
    impostor_pairs: int


def megaface(
    probes,
    labels,
    distractors,
    *,
    sizes: tuple[int, ...] = MEGAFACE_SIZES,
    progress: Callable[[int, int], None] | None = None,
) -> MegaFaceResult:
    """Measures identification and verification among distractors by MegaFace's challenge 1.

    For every person with M photos, each photo in turn is put among the distractors as the only one of that person, and
    each of the M − 1 others is the probe: its rank is one more than the number of distractors that score at least as
    high as the photo does, up to the rounding of float32 (1e-6). Verification compares all genuine pairs with all pairs
    of a probe and a distractor.

    Args:
        probes: (P, D) float, every photo of the probe set (the challenge: 3,530 of FaceScrub's 80 people).
        labels: (P,) int, the person on each.
        distractors: (N, D) array, or a file mapped by `open_gallery`; people who are not in the probe set. Sizes take
            the first so many rows: put them in the challenge's order.
        sizes: numbers of distractors to report rank 1 at; those above N are left out, N itself is added.
        progress: called as `progress(done, total)`, in distractors over all passes.

    Returns:
        A `MegaFaceResult`.

    Raises:
        ValueError: shapes that do not fit, nobody with two photos, or an embedding without a direction.

    Example:
        >>> megaface(facescrub, names, open_gallery("megaface.npy")).rank1[-1]

    Reference:
        Kemelmacher-Shlizerman et al., The MegaFace benchmark: 1 million faces for recognition at scale, CVPR 2016.
    """
    probes, labels = unit(probes), np.asarray(labels)
    if labels.shape != (len(probes),) or distractors.ndim != 2 or distractors.shape[1] != probes.shape[1]:
        received = f"{probes.shape}, {labels.shape} and {distractors.shape}"
        raise ValueError(f"probes (P, D), labels (P,) and distractors (N, D) are needed. Received: {received}")
    probe, mate = np.nonzero((labels[:, None] == labels[None, :]) & ~np.eye(len(labels), dtype=bool))
    if not probe.size or not len(distractors):
        raise ValueError(f"distractors, and a person with two photos, are needed. Received: {len(distractors)}")
    genuine = np.einsum("pd,pd->p", probes[probe], probes[mate])
    stops = sorted({size for size in sizes if size < len(distractors)} | {len(distractors)})
    impostor_pairs = len(probes) * len(distractors)
    fars = [far for far in MEGAFACE_FARS if far * impostor_pairs < _MOST_KEPT]
    highest = HighestScores(math.floor(max(fars, default=0) * impostor_pairs + 1e-9) + 1)
    rank1, ranks = np.zeros(len(stops)), np.empty(len(probe), np.int64)
    passes = range(0, len(probes), _PROBES)
    for number, start in enumerate(passes):
        part = probes[start : start + _PROBES]
        best = BestRows(len(part), min(RANKS, len(distractors)))
        chosen = np.flatnonzero((probe >= start) & (probe < start + len(part)))
        own, score = probe[chosen] - start, genuine[chosen]
        for index, (begin, stop) in enumerate(zip((0, *stops), stops, strict=False)):
            for first, scores in score_blocks(distractors[begin:stop], part):
                best.add(scores, begin + first)
                row, column = np.nonzero(scores > highest.floor)
                highest.add(scores[row, column], start + row, begin + first + column)
                if progress is not None:
                    progress(
                        number * len(distractors) + begin + first + scores.shape[1], len(passes) * len(distractors)
                    )
            rank1[index] += (best.scores[own, 0] < score - TIE).sum()
        ranks[chosen] = 1 + (best.scores[own] >= score[:, None] - TIE).sum(axis=1)
    strangers = highest.sorted()[0]
    return MegaFaceResult(
        distractors=tuple(stops),
        rank1=tuple(float(count / len(probe)) for count in rank1),
        cmc=tuple(float(np.mean(ranks <= rank)) for rank in range(1, min(RANKS, len(distractors)) + 1)),
        tar_at_far={
            far: _tar(genuine, strangers, far, impostor_pairs) if far in fars else None for far in MEGAFACE_FARS
        },
        probes=len(probes),
        people=int(np.unique(labels).size),
        genuine_pairs=len(probe),
        impostor_pairs=impostor_pairs,
    )


def _tar(genuine, strangers, far, impostor_pairs):
    if impostor_pairs < impostors_needed(far):
        return None
    return float(np.mean(genuine > strangers[math.floor(far * impostor_pairs + 1e-9)] + TIE))
