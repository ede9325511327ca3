"""From embeddings to the cosines of pairs."""

import concurrent.futures
import functools
import os

import numpy as np

from kerasface.evaluation.pairs import Pairs
from kerasface.evaluation.representation import unit

__all__ = ["METRICS", "check_scores", "held_out_scores", "pair_scores"]

METRICS = ("cosine", "l2")

# Pairs compared at once: keeps the gathered rows of 512-d embeddings within 128 MiB however long the pair list is.
_BLOCK = 32_768

# A table of scores at once, 512 MiB of float32; IJB-C's is one of 277 MB. Pairs picked out of it at once: few enough
# for their indices to stay in a core's own cache, four times as fast as those that leave it.
_TABLE_SCORES = 2**27
_PICKED = 2**14

# Fetching two rows of 512 numbers for one pair takes as long as 65 cells of a matrix product (measured on 2 cores).
# Pairs that fill more of their table than one cell in so many go by tables; 16 leaves room for slower products.
_TABLE_ADVANTAGE = 16


def pair_scores(embeddings, pairs: Pairs, *, metric: str = "cosine") -> np.ndarray:
    """Cosine of every pair, `cos θ = e_first · e_second / (‖e_first‖ ‖e_second‖)`, or its distance.

    Args:
        embeddings: (N, D) float, any norm but zero.
        pairs: indices into the rows of `embeddings`.
        metric: "cosine", in [-1, 1]; or "l2", the negative Euclidean distance of the unit embeddings,
            `-√(2 - 2 cos θ)` in [-2, 0], for thresholds in the unit of papers that give distances. Both order pairs
            alike, so every rate is the same.

    Returns:
        (P,) float32, higher for more alike.

    Raises:
        ValueError: an embedding without a direction (zero or not finite), a pair that points past the last row, or an
            unknown metric.

    Example:
        >>> result = verify(pair_scores(embeddings, pairs), pairs.same, pairs.folds)
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}. Received: metric={metric!r}")
    embeddings = unit(embeddings)
    last = max(pairs.first.max(), pairs.second.max())
    if last >= len(embeddings):
        raise ValueError(f"pairs point to {last + 1} images. Received: {len(embeddings)} embeddings")
    scores = _by_tables(embeddings, pairs)
    if scores is None:
        scores = np.empty(len(pairs), np.float32)
        for start in range(0, len(pairs), _BLOCK):
            block = slice(start, start + _BLOCK)
            np.einsum("pd,pd->p", embeddings[pairs.first[block]], embeddings[pairs.second[block]], out=scores[block])
    # Rounding makes two equal rows 1.0000001, which no angle and no Threshold could hold.
    np.clip(scores, -1.0, 1.0, out=scores)
    return scores if metric == "cosine" else -np.sqrt(2 - 2 * scores)


def _by_tables(embeddings, pairs):
    """The cosines picked out of whole tables of rows against columns, or None where pairs fill too little of them.

    IJB-C's 15.6 million pairs of 23,124 templates fetch 64 GB of rows one by one, and are a fifth of one table.
    """
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        numbered = [threads.submit(_numbered, indices, len(embeddings)) for indices in (pairs.first, pairs.second)]
        (firsts, row_of), (seconds, column_of) = (number.result() for number in numbered)
        if firsts.size * seconds.size > _TABLE_ADVANTAGE * len(pairs):
            return None
        left, right = embeddings[firsts], embeddings[seconds]
        scores = np.empty(len(pairs), np.float32)
        height = max(1, min(_TABLE_SCORES // seconds.size, firsts.size))
        # One buffer for all tables: fresh memory costs as much as the product that fills it.
        buffer = np.empty((height, seconds.size), np.float32)
        shares = np.linspace(0, len(pairs), (os.cpu_count() or 1) + 1, dtype=int)
        for top in range(0, firsts.size, height):
            table = buffer[: len(left[top : top + height])]
            np.matmul(left[top : top + height], right.T, out=table)
            cell_of = (row_of - top) * seconds.size
            whole = len(table) == firsts.size
            pick = functools.partial(_pick, table.ravel(), whole, cell_of, column_of, pairs, scores)
            list(threads.map(pick, shares[:-1], shares[1:]))
    return scores


def _pick(cells, whole, cell_of, column_of, pairs, scores, begin, end):
    """Copies the scores of pairs begin…end from a table's cells; unless it is the whole one, others' are left alone."""
    for start in range(begin, end, _PICKED):
        part = slice(start, min(start + _PICKED, end))
        # take with clip: no check of every index, all of which are right; half the time of brackets.
        at = cell_of.take(pairs.first[part], mode="clip")
        mine = True if whole else (at >= 0) & (at < len(cells))
        at += column_of.take(pairs.second[part], mode="clip")
        np.copyto(scores[part], cells.take(at, mode="clip"), where=mine)


def _numbered(indices, size):
    """The distinct indices, rising, and for every possible one its number among them; by counting, not by sorting."""
    used = np.zeros(size, bool)
    used[indices] = True
    return np.flatnonzero(used), np.cumsum(used) - 1


def held_out_scores(scores, folds) -> np.ndarray:
    """Every pair's score where its own fold is held out.

    Args:
        scores: (P,) or (K, P), see `verify`.
        folds: (P,) int.

    Returns:
        (P,).

    Raises:
        ValueError: (K, P) for another number of folds.
    """
    scores = np.asarray(scores)
    if scores.ndim == 1:
        return scores
    numbers, rows = np.unique(folds, return_inverse=True)
    if scores.shape != (len(numbers), len(folds)):
        raise ValueError(f"scores must be (P,), or (K, P) for K={len(numbers)} folds. Received: {scores.shape}")
    return scores[rows, np.arange(len(folds))]


def check_scores(scores, same) -> tuple[np.ndarray, np.ndarray]:
    """The scores of a comparison and what they compare, checked once for every measurement.

    Args:
        scores: (P,) finite numbers, higher for more alike.
        same: (P,) bool, True where both images show one person.

    Returns:
        scores (P,) float64 and same (P,) bool.

    Raises:
        ValueError: wrong shapes or types, a score that is not finite, or only genuine or only impostor pairs.
    """
    scores, same = np.asarray(scores, np.float64), np.asarray(same)
    if scores.ndim != 1 or scores.shape != same.shape:
        raise ValueError(f"scores and same must both be (P,). Received: {scores.shape} and {same.shape}")
    if same.dtype != np.bool_:
        raise ValueError(f"same must be bool, True for a genuine pair. Received: dtype {same.dtype}")
    if not np.isfinite(scores).all():
        row = np.flatnonzero(~np.isfinite(scores))[0]
        raise ValueError(f"scores must be finite. Received: scores[{row}]={scores[row]}")
    if same.all() or not same.any():
        raise ValueError(f"both genuine and impostor pairs are needed. Received: {same.sum()} genuine of {same.size}")
    return scores, same
