"""Searching templates: who of many people is nearest to a face."""

import numpy as np

__all__ = ["GalleryIndex"]

# 64 MiB of float32 scores at a time, whatever the number of faces asked for.
_MOST_SCORES = 2**24


class GalleryIndex:
    """Exact search by a matrix product: every face against every row.

    Args:
        people: dict of name to (k, D) float rows of any length but zero, k ≥ 1.

    Attributes:
        names: sorted.

    Example:
        >>> index = GalleryIndex({"Ann": ann, "Bob": bob})
        >>> index.nearest(face[None], 1)
        [[('Ann', 0.83)]]
    """

    def __init__(self, people):
        self.names = sorted(people)
        self._people = people
        lengths = [len(people[name]) for name in self.names]
        self._starts = np.cumsum([0, *lengths[:-1]])
        rows = np.concatenate([np.asarray(people[name], np.float32) for name in self.names])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        self._columns = rows.T

    def nearest(self, faces, count):
        """Finds the people with the greatest cosines; of several rows of a person the best counts.

        The product in float32 finds them, float64 gives their cosines.

        Args:
            faces: (N, D) float64 of unit length.
            count: how many people a face; fewer are given where fewer are known.

        Returns:
            list of N lists of (name, cosine), greatest first; of equal ones the first in the alphabet.
        """
        count = min(count, len(self.names))
        block = max(1, _MOST_SCORES // self._columns.shape[1])
        answers = []
        for start in range(0, len(faces), block):
            part = faces[start : start + block]
            scores = part.astype(np.float32) @ self._columns
            if self._columns.shape[1] > len(self.names):
                scores = np.maximum.reduceat(scores, self._starts, axis=1)
            answers += [self._ranked(face, best) for face, best in zip(part, _greatest(scores, count), strict=True)]
        return answers

    def _ranked(self, face, candidates):
        found = [(self.names[i], self._cosine(face, self.names[i])) for i in sorted(candidates.tolist())]
        return sorted(found, key=lambda pair: -pair[1])

    def _cosine(self, face, name):
        rows = np.asarray(self._people[name], np.float64)
        cosines = rows @ face / np.linalg.norm(rows, axis=1)
        return float(np.clip(cosines.max(), -1, 1))


def _greatest(scores, count):
    if count == 1:
        return scores.argmax(1)[:, None]
    return np.argpartition(-scores, count - 1, axis=1)[:, :count]
