"""Split by identity: people of the validation set are never seen in training."""

import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["split_identities"]


def split_identities(labels, *, fraction, seed):
    """Draws the identities that are held out of training.

    Only identities with two images or more are held out: one image makes no genuine pair.

    Args:
        labels: (N,) int, the identity of each image.
        fraction: of all identities to hold out, (0, 1).
        seed: of the draw, 0 or more; the same labels, fraction and seed give the same split.

    Returns:
        `(training, held_out)`: sorted int arrays of labels.

    Raises:
        KerasfaceError: too few identities to hold out two and train on two, or a negative seed.

    Example:
        >>> training, held_out = split_identities(faces.labels, fraction=0.05, seed=0)
    """
    if seed < 0:
        raise KerasfaceError(f"a seed is a whole number from 0 on. Received: seed={seed}")
    identities, counts = np.unique(labels, return_counts=True)
    wanted = round(fraction * len(identities))
    pairable = identities[counts >= 2]
    if not 2 <= wanted <= len(pairable) or len(identities) - wanted < 2:
        raise KerasfaceError(
            f"can't hold out {fraction:g} of {len(identities)} people ({len(pairable)} of them with two images): "
            f"at least two with two images each must be held out and two be left. Received: fraction={fraction}. "
            "Add people, or change the fraction (data.held_out in a recipe)."
        )
    held_out = np.sort(np.random.default_rng(seed).choice(pairable, wanted, replace=False))
    return np.setdiff1d(identities, held_out), held_out
