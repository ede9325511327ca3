"""Searching templates: who of many people is nearest to a face."""

import numpy as np

from kerasface.edge.galleries.row_search import row_search

__all__ = ["GalleryIndex"]


class GalleryIndex:
    """People's rows, ready to be searched; the search is exact.

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
        starts = np.cumsum([0, *lengths[:-1]])
        rows = np.concatenate([np.asarray(people[name], np.float32) for name in self.names])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        self._search = row_search(rows, starts)

    def nearest(self, faces, count):
        """Finds the people with the greatest cosines; of several rows of a person the best counts.

        Products in float32 find them, float64 gives their cosines.

        Args:
            faces: (N, D) float64 of unit length.
            count: how many people a face; fewer are given where fewer are known.

        Returns:
            list of N lists of (name, cosine), greatest first; of equal ones the first in the alphabet.
        """
        count = min(count, len(self.names))
        found = self._search.nearest(faces.astype(np.float32), count)
        return [self._ranked(face, candidates) for face, candidates in zip(faces, found, strict=True)]

    def _ranked(self, face, candidates):
        found = [(self.names[i], self._cosine(face, self.names[i])) for i in sorted(candidates.tolist())]
        return sorted(found, key=lambda pair: -pair[1])

    def _cosine(self, face, name):
        rows = np.asarray(self._people[name], np.float64)
        cosines = rows @ face / np.linalg.norm(rows, axis=1)
        return float(np.clip(cosines.max(), -1, 1))
