"""BlazeFace, short range: where faces are in a picture, as MediaPipe's graph computes it."""

import numpy as np

from kerasface.edge import assets
from kerasface.edge.geometry import invert, square_view, transform_points, warp
from kerasface.edge.runtime import open_session, read_model

__all__ = ["BlazeFace", "anchors", "same_face", "weighted_nms"]

_SIZE = 128
# (stride, anchors per cell) of the model's two output grids, from face_detection_short_range.pbtxt: strides 8, 16, 16,
# 16 with two anchors each, where equal strides share a grid.
_GRIDS = ((8, 2), (16, 6))
_KEYPOINTS = 6
# MediaPipe's min_suppression_threshold.
_SAME_FACE_IOU = 0.3


class BlazeFace:
    """The short-range face detector on one square view of a picture.

    A view is squeezed to 128×128 in [-1, 1]; each of 896 anchors gives a score and, as offsets from the anchor's center
    in pixels, a box and six keypoints. Anchors of one face are merged by `weighted_nms`.

    Args:
        threads: for LiteRT; None leaves it to the runtime.

    Reference:
        Bazarevsky et al., BlazeFace, 2019 (arXiv:1907.05047); mediapipe 0.10.21,
        modules/face_detection/face_detection_short_range.pbtxt.
    """

    def __init__(self, threads=None):
        file = assets.path("face_detection_short_range")
        self._session = open_session(read_model(file), file, threads=threads)
        self._anchors = anchors()

    def candidates(self, image, center, side):
        """Scores and places all anchors of one view.

        Args:
            image: (H, W, 3) uint8 RGB.
            center: (x, y) of the square view, pixels of the image.
            side: of the square view, pixels of the image; what lies outside the image is black.

        Returns:
            scores (896,) float64 in (0, 1) and points (896, 8, 2) float64 in pixels of the image: two opposite corners
            of the box, then the six keypoints, of which the first two are the eyes, image-left first.
        """
        view = square_view(center, side, 0.0, _SIZE)
        pixels = warp(image, view, (_SIZE, _SIZE)).astype(np.float32) / 127.5 - 1
        regressors, logits = self._session.run(pixels[None])
        values = regressors[0].astype(np.float64).reshape(-1, 2 + _KEYPOINTS, 2)
        half = values[:, 1] / 2
        values[:, 1] = values[:, 0] + half
        values[:, 0] -= half
        values += self._anchors[:, None]
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0].astype(np.float64), -100, 100)))
        # The model's pixels have whole numbers on their corners.
        return scores, transform_points(invert(view), values - 0.5)


def anchors():
    """Returns the (896, 2) anchor centers (x, y) in pixels of the 128×128 view, whole numbers on pixel corners."""
    grids = []
    for stride, per_cell in _GRIDS:
        centers = np.arange(stride / 2, _SIZE, stride)
        x, y = np.meshgrid(centers, centers)
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], -1), per_cell, axis=0))
    return np.concatenate(grids)


def weighted_nms(scores, points):
    """Merges the anchors that saw the same face: their mean, weighted by score, under the best one's score.

    Args:
        scores: (A,) float.
        points: (A, P, 2) float; the first two points are the box's top-left and bottom-right corners.

    Returns:
        scores (F,) falling, and points (F, P, 2).

    Reference:
        mediapipe, non_max_suppression_calculator.cc, WEIGHTED; intersection over union of 0.3 joins.
    """
    order = np.argsort(-scores, kind="stable")
    kept_scores, kept_points = [], []
    while order.size:
        same = _iou(points[order[0], :2], points[order, :2]) > _SAME_FACE_IOU
        same[0] = True  # a box without area overlaps nothing, not even itself
        weights = scores[order[same]]
        kept_scores.append(weights[0])
        kept_points.append(np.tensordot(weights / weights.sum(), points[order[same]], 1))
        order = order[~same]
    return np.array(kept_scores), np.array(kept_points).reshape(-1, *points.shape[1:])


def same_face(points, others):
    """Tells which boxes overlap as those of one face do.

    Args:
        points: (A, P, 2) float; the first two points are the box's top-left and bottom-right corners.
        others: (B, P, 2).

    Returns:
        (A, B) bool.
    """
    overlap = [_iou(box, others[:, :2]) > _SAME_FACE_IOU for box in points[:, :2]]
    return np.array(overlap, bool).reshape(len(points), len(others))


def _iou(box, boxes):
    low, high = np.maximum(box[0], boxes[:, 0]), np.minimum(box[1], boxes[:, 1])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = np.clip(boxes[:, 1] - boxes[:, 0], 0, None).prod(-1)
    area = np.clip(box[1] - box[0], 0, None).prod()
    return shared / np.maximum(areas + area - shared, 1e-12)
