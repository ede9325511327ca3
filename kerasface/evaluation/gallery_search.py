"""Probes against a gallery of any size: exact, in blocks, at the speed of the matrix product."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from kerasface.evaluation.representation import unit

__all__ = ["TIE", "BestRows", "SearchResult", "score_blocks", "search"]

# Equal cosines come out some 1e-7 apart, by where they stand in a product of float32: what differs by less is a tie.
TIE = 1e-6

# Scores at once, 32 MiB of float32, by probes at once: what is looked through next is still in a processor's cache.
_BLOCK_SCORES = 2**23
_PROBES = 4096
# Rows whose best are looked for at once, by argpartition, which returns a number of 8 bytes for every score.
_PARTITIONED = 128
_MAX_ROWS = 16_384


@dataclasses.dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found.

    Args:
        scores: (P, K) float32 cosines, falling.
        rows: (P, K) int64, the gallery rows that have them.
    """

    scores: np.ndarray
    rows: np.ndarray


def search(gallery, probes, k: int, *, progress: Callable[[int, int], None] | None = None) -> SearchResult:
    """Finds the k gallery rows that are most alike to each probe.

    Exact: every row is compared. The gallery may be an array or a file mapped by `open_gallery`; it is read once for
    every 4,096 probes and never held whole.

    Args:
        gallery: (N, D) float32, float16 or int8, any norm but zero; only directions count.
        probes: (P, D) float, any norm but zero.
        k: how many, cut to N.
        progress: called as `progress(done, total)`, in gallery rows over all passes.

    Returns:
        A `SearchResult`.

    Raises:
        ValueError: sizes that do not fit, nothing to compare, k below 1, or a row without a direction.

    Example:
        >>> found = search(open_gallery("million.npy"), probes, k=20)
        >>> found.rows[0, 0], found.scores[0, 0]
    """
    probes = unit(probes)
    if k < 1 or gallery.ndim != 2 or not len(gallery) or not len(probes) or gallery.shape[1] != probes.shape[1]:
        received = f"{gallery.shape}, {probes.shape} and k={k}"
        raise ValueError(f"a gallery (N, D), probes (P, D) and k >= 1 are needed. Received: {received}")
    parts, passes = [], -(-len(probes) // _PROBES)
    for number, start in enumerate(range(0, len(probes), _PROBES)):
        part = probes[start : start + _PROBES]
        best = BestRows(len(part), min(k, len(gallery)))
        for first, scores in score_blocks(gallery, part):
            best.add(scores, first)
            if progress is not None:
                progress(number * len(gallery) + first + scores.shape[1], passes * len(gallery))
        parts.append(best)
    return SearchResult(np.concatenate([b.scores for b in parts]), np.concatenate([b.rows for b in parts]))


def score_blocks(gallery, probes) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the first row and the cosines (P, n) of each block of gallery rows; the array is used again for the next.

    Args:
        gallery: (N, D), see `search`.
        probes: (P, D) float32, rows of length 1.

    Raises:
        ValueError: a gallery row without a direction.
    """
    height = int(np.clip(_BLOCK_SCORES // len(probes), 1, _MAX_ROWS))
    rows = np.empty((height, gallery.shape[1]), np.float32)
    scores = np.empty((len(probes) * height,), np.float32)
    for start in range(0, len(gallery), height):
        part = gallery[start : start + height]
        block = rows[: len(part)]
        block[...] = part
        squares = np.einsum("nd,nd->n", block, block)
        if not (np.isfinite(squares) & (squares > 0)).all():
            row = start + int(np.flatnonzero(~(np.isfinite(squares) & (squares > 0)))[0])
            raise ValueError(f"every embedding needs a direction. Received: gallery row {row}")
        # Rows are scaled rather than scores: there are D numbers a row, and P scores.
        block *= (1 / np.sqrt(squares))[:, None]
        view = scores[: len(probes) * len(part)].reshape(len(probes), len(part))
        np.matmul(probes, block.T, out=view)
        yield start, view


class BestRows:
    """The k best gallery rows of each probe so far.

    Args:
        probes: P.
        k: how many.
    """

    def __init__(self, probes: int, k: int):
        self.scores = np.full((probes, k), -np.inf, np.float32)
        self.rows = np.full((probes, k), -1, np.int64)

    def add(self, scores, first: int):
        """Takes the scores (P, n) of the gallery rows from `first` on."""
        if not np.isfinite(self.scores[0, -1]):
            scores, rows = self._own_best(scores, first)
            self._merge(np.arange(len(scores)), np.repeat(np.arange(len(scores)), scores.shape[1]), scores, rows)
            return
        # Few scores of a late block are better than the worst kept one: one pass tells which.
        probes, columns = np.divmod(np.flatnonzero(scores > self.scores[:, -1:]), scores.shape[1])
        hits, at = np.unique(probes, return_inverse=True)
        self._merge(hits, at, scores[probes, columns], first + columns)

    def _own_best(self, scores, first):
        """The k best columns of each probe, before there is a floor to compare with."""
        k = min(self.scores.shape[1], scores.shape[1])
        columns = np.empty((len(scores), k), np.int64)
        for start in range(0, len(scores), _PARTITIONED):
            part = scores[start : start + _PARTITIONED]
            columns[start : start + _PARTITIONED] = np.argpartition(part, part.shape[1] - k, axis=1)[:, -k:]
        return np.take_along_axis(scores, columns, axis=1), first + columns

    def _merge(self, probes, at, scores, rows):
        """Joins what `probes` have with new scores and rows; `at` says to which of the probes each belongs."""
        k = self.scores.shape[1]
        at = np.concatenate([np.repeat(np.arange(len(probes)), k), at])
        merged = np.concatenate([self.scores[probes].ravel(), np.ravel(scores)])
        names = np.concatenate([self.rows[probes].ravel(), np.ravel(rows)])
        # Equal scores by rising row, so that block sizes don't show.
        order = np.lexsort([names, -merged, at])
        starts = np.searchsorted(at[order], np.arange(len(probes)))
        kept = order[starts[:, None] + np.arange(k)]
        self.scores[probes], self.rows[probes] = merged[kept], names[kept]
