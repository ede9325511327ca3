"""Pairs of images to compare, and the set that they come from."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

__all__ = ["PairSet", "Pairs", "check_people", "linked_people"]


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Which images are compared, whether they show one person, and in which fold.

    Args:
        first, second: (P,) int, indices into a list of images or templates (or the rows of their embeddings).
        same: (P,) bool, True for a genuine pair, False for an impostor pair.
        folds: (P,) int, the fold of cross-validation a pair belongs to.
        people: (P, 2) int, the person on either side; None where nobody knows. Confidence intervals need it:
            pairs of one person are not independent.

    Raises:
        ValueError: the first four are not one-dimensional, equally long, not empty and of these types, or people does
            not fit them.

    Example:
        >>> Pairs(first=np.array([0, 0]), second=np.array([1, 2]), same=np.array([True, False]), folds=np.array([0, 1]))
    """

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    folds: np.ndarray
    people: np.ndarray | None = None

    def __post_init__(self):
        kinds = {"first": np.integer, "second": np.integer, "same": np.bool_, "folds": np.integer}
        for field, kind in kinds.items():
            values = np.asarray(getattr(self, field))
            if values.ndim != 1 or not values.size or not np.issubdtype(values.dtype, kind):
                received = f"{values.shape} {values.dtype}"
                raise ValueError(f"{field} must be (P,) {kind.__name__}, P > 0. Received: {received}")
            object.__setattr__(self, field, values)
        lengths = [len(getattr(self, field)) for field in kinds]
        if len(set(lengths)) != 1:
            raise ValueError(f"first, second, same and folds must be equally long. Received: {lengths}")
        if min(self.first.min(), self.second.min()) < 0:
            raise ValueError(f"indices start at 0. Received: {min(self.first.min(), self.second.min())}")
        if self.people is not None:
            object.__setattr__(self, "people", check_people(self.people, len(self)))

    def __len__(self):
        return len(self.first)


@dataclasses.dataclass(frozen=True, eq=False)
class PairSet:
    """A verification benchmark, read and ready to be measured by `evaluate_pairs`.

    Args:
        name: as papers call it, "LFW".
        images: (N, H, W, 3) uint8 RGB, or N paths of aligned crops.
        pairs: `Pairs`; its indices point into the images, or into the templates where there are any.
        templates: (N,) int, the template (video) that each image belongs to, numbered from 0; None where every image
            stands for itself.
        groups: by attribute, (P,) text: the group of every pair, for accuracy by group.

    Example:
        >>> evaluate_pairs(embed, PairSet("doors", images, pairs)).result.auc
    """

    name: str
    images: np.ndarray | Sequence[str | Path]
    pairs: Pairs
    templates: np.ndarray | None = None
    groups: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def linked_people(first, second, same) -> np.ndarray:
    """Tells people apart as far as a pair list without names does: images linked by genuine pairs show one person.

    Two images of one person that no chain of genuine pairs links count as two people, so intervals that rest on it can
    be too narrow, never too wide for this reason.

    Args:
        first, second: (P,) int, indices of images.
        same: (P,) bool.

    Returns:
        (P, 2) int, a number for the person on either side.

    Example:
        >>> linked_people([0, 1, 0], [1, 2, 3], [True, True, False]).tolist()
        [[0, 0], [0, 0], [0, 1]]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second, same = np.asarray(first), np.asarray(second), np.asarray(same)
    count = int(max(first.max(), second.max())) + 1
    links = coo_array((np.ones(same.sum(), np.int8), (first[same], second[same])), shape=(count, count))
    _, person = connected_components(links, directed=False)
    return np.stack([person[first], person[second]], axis=1).astype(np.int64)


def check_people(people, count) -> np.ndarray:
    """Returns the people of `count` pairs as they must be: (P, 2) int.

    Raises:
        ValueError: anything else.
    """
    people = np.asarray(people)
    if people.shape != (count, 2) or not np.issubdtype(people.dtype, np.integer):
        raise ValueError(f"people must be ({count}, 2) int. Received: {people.shape} {people.dtype}")
    return people
