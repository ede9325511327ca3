"""From embeddings to the cosines of pairs."""

import numpy as np

from kerasface.evaluation.pairs import Pairs
from kerasface.evaluation.representation import unit

__all__ = ["check_scores", "pair_scores"]

# Pairs compared at once: keeps the gathered rows of 512-d embeddings within 128 MiB however long the pair list is.
_BLOCK = 32_768


def pair_scores(embeddings, pairs: Pairs) -> np.ndarray:
    """Cosine of every pair, `cos θ = e_first · e_second / (‖e_first‖ ‖e_second‖)`.

    Args:
        embeddings: (N, D) float, any norm but zero.
        pairs: indices into the rows of `embeddings`.

    Returns:
        (P,) float32 in [-1, 1].

    Raises:
        ValueError: an embedding without a direction (zero or not finite), or a pair that points past the last row.

    Example:
        >>> result = verify(pair_scores(embeddings, pairs), pairs.same, pairs.folds)
    """
    embeddings = unit(embeddings)
    last = max(pairs.first.max(), pairs.second.max())
    if last >= len(embeddings):
        raise ValueError(f"pairs point to {last + 1} images. Received: {len(embeddings)} embeddings")
    scores = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), _BLOCK):
        block = slice(start, start + _BLOCK)
        np.einsum("pd,pd->p", embeddings[pairs.first[block]], embeddings[pairs.second[block]], out=scores[block])
    # Rounding makes two equal rows 1.0000001, which no angle and no Threshold could hold.
    return np.clip(scores, -1.0, 1.0, out=scores)


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
