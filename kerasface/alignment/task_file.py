"""MediaPipe Tasks' FaceLandmarker, with a user's own model bundle, as the detector."""

from pathlib import Path

import numpy as np

from kerasface.edge.detection.detector import Face, largest_first
from kerasface.edge.detection.landmarks import five_points
from kerasface.edge.geometry import check_image
from kerasface.errors import KerasfaceError

__all__ = ["TaskFileDetector", "face_of_landmarks"]

_MAX_FACES = 16
# FaceLandmarker tells no score; every face that it returns has passed min_score.
_SCORE = 1.0


class TaskFileDetector:
    """FaceLandmarker in the place of a `FaceDetector`; it looks neither at other scales nor at turned photos.

    Args:
        path: of a `.task` file, such as MediaPipe's face_landmarker.task.
        min_score: of the detector and of the landmarks' presence, (0, 1).

    Raises:
        KerasfaceError: mediapipe isn't installed, no such file, or a bundle that it doesn't take.

    Example:
        >>> TaskFileDetector("face_landmarker.task").detect(photo)[0].points.shape
        (5, 2)
    """

    def __init__(self, path, min_score=0.5):
        path = Path(path)
        if not path.is_file():
            raise KerasfaceError(f"no .task file {path}. Is the path right, seen from {Path.cwd()}?")
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except ModuleNotFoundError as error:
            raise KerasfaceError(f"a .task file needs {error.name}: pip install 'kerasface[mediapipe]'") from error
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(path)),
            num_faces=_MAX_FACES,
            min_face_detection_confidence=min_score,
            min_face_presence_confidence=min_score,
        )
        try:
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
        # What its C++ raises depends on where it stumbles: RuntimeError, ValueError, OSError.
        except Exception as error:
            raise KerasfaceError(f"MediaPipe doesn't take {path} as a FaceLandmarker's bundle: {error}") from error
        self._mediapipe = mediapipe

    def detect(self, image):
        """Finds faces.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            list of `Face`, largest box first; the box is that of the mesh.
        """
        pixels = np.ascontiguousarray(check_image(image))
        seen = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)
        faces = []
        for landmarks in self._landmarker.detect(seen).face_landmarks:
            fractions = np.array([(point.x, point.y) for point in landmarks])
            faces.append(face_of_landmarks(fractions, image.shape[1], image.shape[0]))
        return largest_first(faces)

    detect_all = detect

    def best_score(self, image):
        """Returns None: it tells no scores."""
        return None


def face_of_landmarks(fractions, width, height):
    """A face of FaceLandmarker's; its box is the mesh's, cut at the photo's border.

    Args:
        fractions: (478, 2) float64, (x, y) of the mesh's points; 0 and 1 on the photo's edges.
        width: of the photo, in pixels.
        height: of the photo, in pixels.

    Returns:
        the `Face`, in the photo's pixels.
    """
    # A pixel's center has whole coordinates here, its corner there.
    mesh = fractions * (width, height) - 0.5
    box = np.clip([mesh.min(0), mesh.max(0)], -0.5, np.array([width, height]) - 0.5)
    return Face(box.ravel(), _SCORE, five_points(mesh))
