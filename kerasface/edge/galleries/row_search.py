"""Which people have the rows that are nearest to a face: by NumPy, or by FAISS where there are very many rows."""

import importlib

import numpy as np

__all__ = ["MANY_ROWS", "FaissSearch", "ProductSearch", "row_search"]

# From here on FAISS is used where it is installed.
MANY_ROWS = 100_000
# 64 MiB of float32 scores at a time, whatever the number of faces asked for.
_MOST_SCORES = 2**24


def row_search(rows, starts):
    """Returns the search for so many rows; both find the same people.

    Approximate indexes (graphs, inverted lists) aren't used: a face that such an index misses is answered "unknown".

    Args:
        rows: (R, D) float32 of unit length, person after person.
        starts: (P,) int, where each person's rows begin; ascending, the first 0.

    Returns:
        `FaissSearch` from `MANY_ROWS` rows on where faiss is installed (`pip install 'kerasface[large]'`), else
        `ProductSearch`.
    """
    if len(rows) >= MANY_ROWS:
        try:
            return FaissSearch(rows, starts, importlib.import_module("faiss"))
        except ModuleNotFoundError:
            pass
    return ProductSearch(rows, starts)


class ProductSearch:
    """Every face against every row by a matrix product, in blocks of faces.

    Args:
        rows, starts: see `row_search`.
    """

    def __init__(self, rows, starts):
        self._columns = rows.T
        self._starts = starts

    def nearest(self, faces, count):
        """Finds the people with the greatest products; of several rows of a person the best counts.

        Args:
            faces: (N, D) float32.
            count: people a face, at most P.

        Returns:
            list of N int arrays (count,), in no order.
        """
        total = self._columns.shape[1]
        block = max(1, _MOST_SCORES // total)
        found = []
        for start in range(0, len(faces), block):
            scores = faces[start : start + block] @ self._columns
            if total > len(self._starts):
                scores = np.maximum.reduceat(scores, self._starts, axis=1)
            if count == 1:
                found += list(scores.argmax(1)[:, None])
            else:
                found += list(np.argpartition(-scores, count - 1, axis=1)[:, :count])
        return found


class FaissSearch:
    """The same by FAISS's flat index, which is exact too.

    Args:
        rows, starts: see `row_search`.
        faiss: the module.
    """

    def __init__(self, rows, starts, faiss):
        self._index = faiss.IndexFlatIP(rows.shape[1])
        self._index.add(rows)
        lengths = np.diff([*starts, len(rows)])
        self._owners = np.repeat(np.arange(len(starts)), lengths)
        self._longest = int(lengths.max())

    def nearest(self, faces, count):
        """Finds the people with the greatest products; see `ProductSearch.nearest`."""
        # Before the best row of the last person can come at most all rows of the others.
        wanted = min((count - 1) * self._longest + 1, self._index.ntotal)
        _, rows = self._index.search(np.ascontiguousarray(faces), wanted)
        found = []
        for owners in self._owners[rows]:
            _, firsts = np.unique(owners, return_index=True)
            found.append(owners[np.sort(firsts)[:count]])
        return found
