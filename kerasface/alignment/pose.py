"""How a face is turned, from its five points alone."""

import dataclasses

import numpy as np

__all__ = ["FACE_POINTS", "Pose", "pose_of_points"]

# MediaPipe's canonical face (canonical_face_model.obj, Apache-2.0), in centimetres: x to the image's right, y down, z
# towards the camera. Eyes are the midpoints of their corners 33, 133 and 362, 263; nose 4, mouth 61 and 291.
FACE_POINTS = np.array(
    [
        (-3.151, -2.625, 3.466),
        (3.151, -2.625, 3.466),
        (0.0, 0.463, 7.587),
        (-2.456, 4.343, 4.284),
        (2.456, 4.343, 4.284),
    ]
)
_TURNS = 200
_STILL = 1e-9


@dataclasses.dataclass(frozen=True)
class Pose:
    """A face's turn, in degrees; 0 is upright and straight into the camera.

    Args:
        yaw_deg: positive when it looks to the image's right.
        pitch_deg: positive when it looks up.
        roll_deg: positive when it leans clockwise.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def pose_of_points(points):
    """Estimates a face's pose: the turn of an average head whose shadow falls nearest to the points.

    Minimizes `Σ ‖p - s·R₂ₓ₃·P - t‖²` (scaled orthography). Given R and s, the missing depths are `s·r₃·P`; given the
    depths, R and s follow in closed form (Umeyama in three dimensions); each of the two steps lowers the sum. Only the
    nose stands out of the plane of the other four points, so a long nose looks like a turn: a few degrees are noise.

    Args:
        points: (5, 2), as `kerasface.edge.align.crop` takes them.

    Returns:
        a `Pose`.

    Raises:
        ValueError: not five finite points, or all in one place.

    Example:
        >>> pose_of_points(face.points).yaw_deg
        -3.1

    Reference:
        Umeyama, TPAMI 1991 (the closed form); DeMenthon and Davis, Model-based object pose in 25 lines of code, IJCV
        1995 (scaled orthography).
    """
    points = np.asarray(points, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise ValueError(f"points must be (5, 2) and finite. Received: {points.tolist()}")
    seen = points - points.mean(0)
    if not np.square(seen).sum() > 0:
        raise ValueError(f"points must not all coincide. Received: {points.tolist()}")
    model = FACE_POINTS - FACE_POINTS.mean(0)
    depths = model[:, 2] * np.sqrt(np.square(seen).sum() / np.square(model[:, :2]).sum())
    rotation = np.eye(3)
    for _ in range(_TURNS):
        last = rotation
        rotation, scale = _turn(model, np.column_stack([seen, depths]))
        depths = scale * model @ rotation[2]
        if np.abs(rotation - last).max() < _STILL:
            break
    ahead = rotation[:, 2]
    return Pose(
        yaw_deg=float(np.degrees(np.arctan2(ahead[0], ahead[2]))),
        pitch_deg=float(np.degrees(np.arcsin(np.clip(-ahead[1], -1, 1)))),
        roll_deg=float(np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))),
    )


def _turn(source, target):
    """The rotation and scale that bring centered points onto others with the least squared error."""
    u, d, vt = np.linalg.svd(target.T @ source)
    sign = np.array([1, 1, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    return u @ (sign[:, None] * vt), (d * sign).sum() / np.square(source).sum()
