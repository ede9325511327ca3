"""Finding faces in a photo: BlazeFace tells where, the face mesh tells the five points."""

import dataclasses
import json

import numpy as np

from kerasface.edge.detection.blazeface import BlazeFace, same_face, weighted_nms
from kerasface.edge.detection.landmarks import FaceMesh, five_points
from kerasface.edge.geometry import check_image, transform_points

__all__ = ["Face", "FaceDetector", "largest_first"]

# MediaPipe's face_landmark graph says "no face" below this.
_MIN_PRESENCE = 0.5
# BlazeFace sees faces from a tenth of its view up to nearly all of it, but places small and doubtful ones badly. So a
# face smaller than a fifth of the photo, and whatever the second look finds at .4 of min_score or better, is looked at
# once more in a view of twice its size, and must reach min_score there. LFW photos pasted into a frame ten times as
# wide as the face: 87 % found to within 6 px (of 112) without that, 98 % with it.
_PROPOSAL = 0.4
_SMALL = 0.2
_CLOSE = 2.0
# Where the whole photo shows no face, tiles of half its side halve the smallest one found (a frame 23 times as wide as
# the face: 60 of 60), and a view half as large again gives a face that fills the photo the border it lacks (LFW crops
# cut down to 64 pixels: 98.5 % instead of 95).
_TILE = 0.5
_TILE_STEP = 0.5
_WIDE = 1.5
# BlazeFace also sees faces on their side and on their head, but takes most of the latter for upright ones,
# and their points are worthless. On LFW it scores .87 to .97 (5th to 95th percentile) upright, .68 to .90 on the side,
# below .77 upside down. So a photo without a face above .85 is looked at in its other quarter turns as well, and the
# turn with the best score is believed; a turn of 45 degrees either way from there is borne. On turned photos that are
# not LFW's, .85 is the lowest limit that misplaces no face which looking at every turn places (docs/alignment.md).
_CERTAIN = 0.85
_QUARTER_TURNS = (0, 1, 2, 3)  # counterclockwise


@dataclasses.dataclass(frozen=True, eq=False)
class Face:
    """A face found in a photo. A pixel's center has whole coordinates.

    Args:
        box: (4,) float64, left, top, right, bottom in pixels of the photo, cut at its border.
        score: the detector's, in (0, 1).
        points: (5, 2) float64, (x, y) in pixels of the photo: image-left eye, image-right eye, nose, image-left mouth
            corner, image-right mouth corner.
    """

    box: np.ndarray
    score: float
    points: np.ndarray

    def to_json(self):
        """Returns the face as a JSON text."""
        fields = {"box": self.box.tolist(), "score": self.score, "points": self.points.tolist()}
        return json.dumps(fields, sort_keys=True)


class FaceDetector:
    """MediaPipe's short-range detector and face mesh in LiteRT, on CPU.

    Args:
        min_score: of a face, (0, 1). 0.5 is MediaPipe's; every one of 1,583 LFW photos scores above .66.
        threads: for LiteRT; None leaves it to the runtime.

    Raises:
        ValueError: min_score outside (0, 1).
        KerasfaceError: the two models aren't fetched yet (`kerasface assets get`).

    Example:
        >>> faces = FaceDetector().detect(load_image("photo.jpg"))
        >>> faces[0].points.shape
        (5, 2)
    """

    def __init__(self, min_score=0.5, threads=None):
        if not 0 < min_score < 1:
            raise ValueError(f"min_score must lie in (0, 1). Received: min_score={min_score}")
        self.min_score = float(min_score)
        self._blazeface = BlazeFace(threads)
        self._mesh = FaceMesh(threads)

    def detect(self, image):
        """Finds the faces that a photo is about.

        A photo that shows none for certain is looked at in its quarter turns and at other scales. Beside one that is
        certain, faces smaller than about a seventh of the photo's longer side may be missed; `detect_all` finds them.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            list of `Face`, largest box first; empty when there is none. All stand in one quarter turn, the one with the
            best score; "left" and "right" of a turned face's points are those of the face held upright.

        Raises:
            ValueError: not such an image.
        """
        faces, upright = self._best_turn(self._whole, check_image(image))
        if not upright and _best(faces) < _CERTAIN:
            closer = (self._turned(self._other_scales, image, turns) for turns in _QUARTER_TURNS)
            faces = max(faces, *closer, key=_best)
        return largest_first(faces)

    def detect_all(self, image):
        """Finds every face, also small ones beside large ones: for a photo of a group, at three times the cost.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            list of `Face` as `detect` gives it; a face that both find is the same to the bit.

        Raises:
            ValueError: not such an image.
        """
        return largest_first(self._best_turn(self._every_scale, check_image(image))[0])

    def best_score(self, image):
        """Returns the photo's highest score of all scales and turns, also below `min_score`: why none was found."""
        check_image(image)
        best = 0.0
        for turned in (np.rot90(image, turns) for turns in _QUARTER_TURNS):
            whole, others = _views(turned)
            scores = [self._blazeface.candidates(turned, *view)[0].max() for view in (whole, *others)]
            best = max(best, float(max(scores)))
        return best

    def _best_turn(self, look, image):
        """The faces of the turn with the best score, and the upright ones; a certain one makes other turns needless."""
        upright = look(image)
        if _best(upright) >= _CERTAIN:
            return upright, upright
        turned = (self._turned(look, image, turns) for turns in _QUARTER_TURNS[1:])
        return max(upright, *turned, key=_best), upright

    def _whole(self, image):
        return self._faces(image, *self._first_look(image, _views(image)[0]))

    def _other_scales(self, image):
        whole, others = _views(image)
        return self._faces(image, *self._second_look(image, [whole, *others]))

    def _every_scale(self, image):
        whole, others = _views(image)
        scores, points = self._first_look(image, whole)
        more_scores, more_points = self._second_look(image, [whole, *others])
        # What the first look has found stays as it is: a face has one crop, whoever looks for it.
        new = ~same_face(more_points, points).any(1)
        return self._faces(image, np.append(scores, more_scores[new]), np.concatenate([points, more_points[new]]))

    def _turned(self, look, image, turns):
        return [_turned_back(face, turns, image.shape) for face in look(np.rot90(image, turns))]

    def _first_look(self, image, whole):
        scores, points = self._boxes(image, [whole], self.min_score)
        small = (points[:, 1] - points[:, 0]).max(-1) < _SMALL * whole[1]
        if not small.any():
            return scores, points
        near_scores, near_points = self._boxes(image, _close_views(points[small]), self.min_score)
        return weighted_nms(np.append(scores[~small], near_scores), np.concatenate([points[~small], near_points]))

    def _second_look(self, image, views):
        scores, points = self._boxes(image, views, _PROPOSAL * self.min_score)
        return self._boxes(image, _close_views(points), self.min_score) if len(points) else (scores, points)

    def _boxes(self, image, views, min_score):
        seen = [self._blazeface.candidates(image, *view) for view in views]
        scores, points = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        good = (scores >= min_score) & (points[:, 1] > points[:, 0]).all(-1)
        return weighted_nms(scores[good], points[good])

    def _faces(self, image, scores, points):
        # A face is as large as what is seen of it: else one that the border cuts would pass for the photo's largest.
        border = np.array([image.shape[1], image.shape[0]]) - 0.5
        faces = []
        for score, (low, high, left_eye, right_eye, *_) in zip(scores, points, strict=True):
            mesh, presence = self._mesh.points(image, (low, high), right_eye - left_eye)
            if presence >= _MIN_PRESENCE:
                box = np.clip([low, high], -0.5, border).ravel()
                faces.append(Face(box, float(score), five_points(mesh)))
        return faces


def largest_first(faces):
    """Returns a list of `Face`, the one of which most is seen in front."""
    return sorted(faces, key=lambda face: -np.prod(face.box[2:] - face.box[:2]))


def _best(faces):
    return max((face.score for face in faces), default=0.0)


def _turned_back(face, turns, shape):
    """Returns the face of a photo of `shape`, found in `np.rot90(photo, turns)`, in pixels of the photo itself."""
    right, bottom = shape[1] - 1, shape[0] - 1
    back = (
        [(1, 0, 0), (0, 1, 0)],
        [(0, -1, right), (1, 0, 0)],
        [(-1, 0, right), (0, -1, bottom)],
        [(0, 1, 0), (-1, 0, bottom)],
    )[turns]
    corners = transform_points(back, face.box.reshape(2, 2))
    return Face(np.concatenate([corners.min(0), corners.max(0)]), face.score, transform_points(back, face.points))


def _close_views(points):
    return [((low + high) / 2, _CLOSE * (high - low).max()) for low, high in points[:, :2]]


def _views(image):
    """Returns the (center, side) of the square around the whole photo, and of the second look's other squares."""
    height, width = image.shape[:2]
    side = max(height, width)
    middle = ((width - 1) / 2, (height - 1) / 2)
    rows, columns = (_tile_centers(extent, _TILE * side) for extent in (height, width))
    tiles = [((x, y), _TILE * side) for y in rows for x in columns]
    return (middle, side), [(middle, _WIDE * side), *tiles]


def _tile_centers(extent, tile):
    if extent <= tile:
        return [(extent - 1) / 2]
    count = 1 + int(np.ceil((extent - tile) / (_TILE_STEP * tile)))
    return np.linspace(tile / 2, extent - tile / 2, count) - 0.5
