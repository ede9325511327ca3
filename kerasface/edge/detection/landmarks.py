"""MediaPipe's face mesh: 468 points on one face, and the five of them that alignment needs."""

import numpy as np

from kerasface.edge import assets
from kerasface.edge.geometry import invert, square_view, transform_points, warp
from kerasface.edge.runtime import open_session, read_model

__all__ = ["FaceMesh", "five_points"]

_SIZE = 192
# Of the square the mesh looks at, over the longer side of the face's box: face_landmark_front_cpu.pbtxt.
_EXPANSION = 1.5
# Image-left eye first; MediaPipe names eyes by the subject's side and calls it the right one. Both corners and three
# points on each lid, so that a blink moves the mean little. Measured on LFW against MTCNN's points: within .05 px (of
# 112) of the best of nine sets tried; the corners alone are .2 px worse, the lower lid alone .9.
_EYES = ((33, 160, 158, 133, 153, 144, 159, 145), (263, 387, 385, 362, 380, 373, 386, 374))
# Of the eyes; they give the mesh's turn.
_OUTER_CORNERS = (33, 263)
# Not 1, which lies .8 px farther from MTCNN's nose.
_NOSE = 4
_MOUTH_CORNERS = (61, 291)


class FaceMesh:
    """The face mesh on one rotated square of a picture, squeezed to 192×192 in [0, 1].

    Args:
        threads: for LiteRT; None leaves it to the runtime.

    Reference:
        Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019
        (arXiv:1907.06724); mediapipe 0.10.21, modules/face_landmark/face_landmark_cpu.pbtxt.
    """

    def __init__(self, threads=None):
        file = assets.path("face_landmark")
        self._session = open_session(read_model(file), file, threads=threads)

    def points(self, image, box, eye_line):
        """Places the mesh, first where the detector saw the face, then again where the first mesh did.

        MediaPipe does the second from frame to frame of a video. On a single photo it mends a poor box: on LFW the mean
        distance to MTCNN's points falls from 1.57 to 1.53 px of 112, on faces near the detector's limits to a half.

        Args:
            image: (H, W, 3) uint8 RGB.
            box: the face's top-left and bottom-right corner, pixels of the image.
            eye_line: (2,) from the image-left to the image-right eye.

        Returns:
            points (468, 2) float64 in pixels of the image, and the probability that there is a face.
        """
        mesh, _ = self._look(image, box, eye_line)
        box = mesh.min(0), mesh.max(0)
        return self._look(image, box, mesh[_OUTER_CORNERS[1]] - mesh[_OUTER_CORNERS[0]])

    def _look(self, image, box, eye_line):
        low, high = box
        angle = np.arctan2(eye_line[1], eye_line[0])
        view = square_view((low + high) / 2, _EXPANSION * (high - low).max(), angle, _SIZE)
        pixels = warp(image, view, (_SIZE, _SIZE)).astype(np.float32) / 255
        mesh, presence = self._session.run(pixels[None])
        mesh = mesh.reshape(-1, 3)[:, :2].astype(np.float64)
        # The model's pixels have whole numbers on their corners.
        return transform_points(invert(view), mesh - 0.5), float(1 / (1 + np.exp(-presence.item())))


def five_points(mesh):
    """Reduces a mesh to the five points of the alignment templates.

    Args:
        mesh: (468, 2).

    Returns:
        (5, 2): image-left eye, image-right eye, nose, image-left and image-right mouth corner.
    """
    eyes = [mesh[list(eye)].mean(0) for eye in _EYES]
    return np.stack([*eyes, mesh[_NOSE], *mesh[list(_MOUTH_CORNERS)]])
