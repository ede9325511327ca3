"""Where an embedder fails: the pairs to look at."""

import numpy as np

__all__ = ["worst_pairs"]


def worst_pairs(scores, same, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Finds the genuine pairs that look least alike to the embedder and the impostor pairs that look most alike.

    Many of them are mistakes of the list: the same picture under two names, or two people under one.

    Args:
        scores: (P,) float, higher for more alike.
        same: (P,) bool.
        count: at most so many of either kind.

    Returns:
        Rows of genuine pairs by rising score, and rows of impostor pairs by falling score.

    Raises:
        ValueError: scores and same of different lengths, or count below 1.

    Example:
        >>> genuine, impostor = worst_pairs(scores, pairs.same, 12)
    """
    scores, same = np.asarray(scores), np.asarray(same)
    if scores.shape != same.shape or scores.ndim != 1 or count < 1:
        raise ValueError(
            f"scores and same (P,) and count >= 1 are needed. Received: {scores.shape}, {same.shape}, {count}"
        )
    genuine, impostor = np.flatnonzero(same), np.flatnonzero(~same)
    lowest = genuine[np.argsort(scores[genuine], kind="stable")][:count]
    highest = impostor[np.argsort(-scores[impostor], kind="stable")][:count]
    return lowest, highest
