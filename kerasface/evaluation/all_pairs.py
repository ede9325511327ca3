"""All impostor pairs of a labelled set, of which only the highest scores are kept."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from kerasface.evaluation.representation import unit
from kerasface.evaluation.top import HighestScores

__all__ = ["ImpostorTail", "impostor_tail"]

# Rows compared with rows at once: 16 MiB of float32 scores.
_BLOCK = 2048


@dataclasses.dataclass(frozen=True, eq=False)
class ImpostorTail:
    """The highest scores among all pairs of images of different people.

    Args:
        scores: (K,) float32 cosines, falling.
        first, second: (K,) int, the two images' rows.
        labels: (N,) int, the person on each image.
        impostor_pairs: how many pairs of different people there are in all.
    """

    scores: np.ndarray
    first: np.ndarray
    second: np.ndarray
    labels: np.ndarray
    impostor_pairs: int


def impostor_tail(
    embeddings, labels, *, rate: float, progress: Callable[[int, int], None] | None = None
) -> ImpostorTail:
    """Compares every image with every image of somebody else and keeps the highest scores.

    Pairs are never listed: blocks of cosines pass by, and the highest `⌊rate · pairs⌋ + 1` stay. 25,000 images have
    312 million pairs, whose indices alone would fill 5 GB; at a rate of 1e-3 this keeps 312,000 of them.

    Args:
        embeddings: (N, D) float, any norm but zero.
        labels: (N,) int, the person on each image.
        rate: the highest false accept rate that will be asked of the tail, in (0, 1).
        progress: called as `progress(done, total)`, in pairs of blocks.

    Returns:
        An `ImpostorTail`; without different people an empty one.

    Raises:
        ValueError: labels that do not fit, a rate outside (0, 1), or see `unit`.

    Example:
        >>> tail = impostor_tail(embeddings, labels, rate=1e-2)
        >>> calibrate_tail(tail, far=1e-3, calibrated_on="our staff", precision="fp16")
    """
    embeddings, labels = unit(embeddings), np.asarray(labels)
    if labels.shape != (len(embeddings),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be ({len(embeddings)},) int. Received: {labels.shape} {labels.dtype}")
    if not 0 < rate < 1:
        raise ValueError(f"a false accept rate lies in (0, 1). Received: {rate}")
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    pairs = int((counts.sum() ** 2 - (counts**2).sum()) // 2)
    highest = HighestScores(min(pairs, math.floor(rate * pairs + 1e-9) + 1))
    starts = range(0, len(embeddings), _BLOCK)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    for top in starts:
        for left in range(top, len(embeddings), _BLOCK):
            scores = embeddings[top : top + _BLOCK] @ embeddings[left : left + _BLOCK].T
            row, column = np.nonzero(scores > highest.floor)
            first, second = top + row, left + column
            # The mirror half of a block on the diagonal, and genuine pairs, few of a block's candidates.
            kept = (first < second) & (labels[first] != labels[second])
            highest.add(scores[row[kept], column[kept]], first[kept], second[kept])
            done += 1
            if progress is not None:
                progress(done, total)
    scores, first, second = highest.sorted()
    return ImpostorTail(np.clip(scores, -1.0, 1.0), first, second, labels, pairs)
