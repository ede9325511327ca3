"""Which face of this frame is which of the last one."""

import numpy as np

__all__ = ["FaceTracker"]


class FaceTracker:
    """Follows faces from frame to frame by the overlap of their boxes.

    The pairs of a known face and a box that overlap most are joined first (intersection over union), each once; what is
    left is a new face. Nothing is predicted: a face that moves by more than about half its width between two frames
    counts as a new one, which costs an embedding and no more.

    Args:
        min_overlap: least intersection over union of one face in two frames, in (0, 1]. 0.3 is SORT's.
        patience: frames that a face may be missing before it is forgotten.

    Raises:
        ValueError: min_overlap outside (0, 1], patience below 0.

    Example:
        >>> tracker = FaceTracker()
        >>> tracker.update([[0, 0, 100, 100]]), tracker.update([[300, 0, 400, 100], [5, 0, 105, 100]])
        ([0], [1, 0])

    Reference:
        Bewley et al., Simple online and realtime tracking, ICIP 2016 (without its Kalman filter).
    """

    def __init__(self, min_overlap=0.3, patience=10):
        if not 0 < min_overlap <= 1:
            raise ValueError(f"min_overlap must lie in (0, 1]. Received: min_overlap={min_overlap}")
        if patience < 0:
            raise ValueError(f"patience must be at least 0. Received: patience={patience}")
        self._min_overlap = min_overlap
        self._patience = patience
        self._boxes = {}
        self._missing = {}
        self._next = 0

    def update(self, boxes):
        """Takes the next frame.

        Args:
            boxes: list of (left, top, right, bottom).

        Returns:
            list of the faces' numbers, one a box; a new face has a number that was never given.
        """
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        known = list(self._boxes)
        numbers = [None] * len(boxes)
        overlaps = _overlaps(np.array([self._boxes[k] for k in known]).reshape(-1, 4), boxes)
        for flat in np.argsort(-overlaps, axis=None, kind="stable"):
            row, column = np.unravel_index(flat, overlaps.shape)
            if overlaps[row, column] < self._min_overlap:
                break
            if numbers[column] is None and known[row] not in numbers:
                numbers[column] = known[row]
        for column, number in enumerate(numbers):
            if number is None:
                numbers[column], self._next = self._next, self._next + 1
        self._forget(set(known) - set(numbers))
        for number, box in zip(numbers, boxes, strict=True):
            self._boxes[number], self._missing[number] = box, 0
        return numbers

    def _forget(self, missing):
        for number in missing:
            self._missing[number] += 1
            if self._missing[number] > self._patience:
                del self._boxes[number], self._missing[number]


def _overlaps(first, second):
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=-1) for boxes in (first, second)]
    return shared / np.maximum(areas[0][:, None] + areas[1] - shared, np.finfo(float).tiny)
