"""From embeddings to the cosines of pairs."""

import numpy as np

from kerasface.evaluation.pairs import Pairs
from kerasface.evaluation.representation import unit

__all__ = ["METRICS", "check_scores", "held_out_scores", "pair_scores"]

METRICS = ("cosine", "l2")

# Pairs compared at once: keeps the gathered rows of 512-d embeddings within 128 MiB however long the pair list is.
_BLOCK = 32_768

# A table of scores at once, 64 MiB of float32, and pairs picked out of it at once.
_TABLE_SCORES = 2**24
_PICKED = 2**18

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
    firsts, row_of = _numbered(pairs.first, len(embeddings))
    seconds, column_of = _numbered(pairs.second, len(embeddings))
    if firsts.size * seconds.size > _TABLE_ADVANTAGE * len(pairs):
        return None
    left, right = embeddings[firsts], embeddings[seconds]
    scores = np.empty(len(pairs), np.float32)
    height = max(1, min(_TABLE_SCORES // seconds.size, firsts.size))
    tops = range(0, firsts.size, height)
    table_of = (row_of // height).astype(np.int32 if len(tops) > 2**15 else np.int16)[pairs.first]
    # One buffer for all tables: fresh memory costs as much as the product that fills it.
    buffer = np.empty((height, seconds.size), np.float32)
    for number, top in enumerate(tops):
        table = buffer[: len(left[top : top + height])]
        np.matmul(left[top : top + height], right.T, out=table)
        for begin in range(0, len(pairs), _PICKED):
            picked = np.flatnonzero(table_of[begin : begin + _PICKED] == number)
            picked += begin
            # take with clip: no check of every index, all of which are right; half the time of brackets.
            at = row_of.take(pairs.first.take(picked, mode="clip"), mode="clip")
            at -= top
            at *= seconds.size
            at += column_of.take(pairs.second.take(picked, mode="clip"), mode="clip")
            scores[picked] = table.ravel().take(at, mode="clip")
    return scores


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
