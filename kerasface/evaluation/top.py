"""What is kept of more scores than memory holds: the highest ones."""

import numpy as np

__all__ = ["HighestScores"]

_SLACK = 2**16


class HighestScores:
    """Keeps the highest of any number of scores, with two numbers that say whose each is.

    Scores come block by block. What lies below the lowest of the highest `count` seen so far can never be kept again,
    so blocks may be filtered by `floor` before they are added, and memory stays within about three times `count`.

    Args:
        count: how many to keep.

    Example:
        >>> best = HighestScores(1000)
        >>> for first, second, scores in blocks:
        ...     best.add(scores, first, second)
        >>> scores, first, second = best.sorted()
    """

    def __init__(self, count: int):
        self.count = count
        self.floor = -np.inf if count else np.inf
        self._kept = (np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.int32))
        self._new: list[tuple[np.ndarray, ...]] = []
        self._waiting = 0

    def add(self, scores, first, second):
        """Takes a block: scores (n,) and whose they are, `first` and `second` (n,) int."""
        above = scores > self.floor
        block = (
            np.asarray(scores, np.float32)[above],
            np.asarray(first, np.int32)[above],
            np.asarray(second, np.int32)[above],
        )
        self._new.append(block)
        self._waiting += block[0].size
        if self._waiting > self.count + _SLACK:
            self._settle()

    def sorted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The highest scores, falling, with their two numbers; fewer than `count` where fewer were added."""
        self._settle()
        order = np.argsort(-self._kept[0], kind="stable")
        scores, first, second = (column[order] for column in self._kept)
        return scores, first, second

    def _settle(self):
        columns = tuple(np.concatenate(parts) for parts in zip(self._kept, *self._new, strict=True))
        self._new, self._waiting = [], 0
        if columns[0].size > self.count:
            chosen = np.argpartition(columns[0], columns[0].size - self.count)[columns[0].size - self.count :]
            columns = tuple(column[chosen] for column in columns)
            # A score equal to the lowest kept one would displace nothing.
            self.floor = columns[0].min()
        self._kept = columns
