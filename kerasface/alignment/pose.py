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
_STEPS = 20
_STILL = 1e-5  # radians


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

    Minimizes `Σ ‖p - s·R₂ₓ₃·P - t‖²` (scaled orthography), `R = Rz(roll)·Ry(yaw)·Rx(pitch)`, by Gauss-Newton steps on
    the turn and the scale. Only the nose stands out of the plane of the other four points, so a long nose looks like a
    turn: a few degrees are noise.

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
        DeMenthon and Davis, Model-based object pose in 25 lines of code, IJCV 1995 (scaled orthography).
    """
    points = np.asarray(points, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise ValueError(f"points must be (5, 2) and finite. Received: {points.tolist()}")
    seen = points - points.mean(0)
    if not np.square(seen).sum() > 0:
        raise ValueError(f"points must not all coincide. Received: {points.tolist()}")
    model = FACE_POINTS - FACE_POINTS.mean(0)
    # Downhill from the best shadow that need not be a turn's.
    rotation = _nearest(model, seen, np.linalg.lstsq(model, seen, rcond=None)[0].T)
    return Pose(
        yaw_deg=float(np.degrees(np.arcsin(np.clip(-rotation[2, 0], -1, 1)))),
        pitch_deg=float(np.degrees(np.arctan2(rotation[2, 1], rotation[2, 2]))),
        roll_deg=float(np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))),
    )


def _nearest(model, seen, start):
    """The turn of least error downhill from the one that is nearest to a (2, 3) map."""
    u, d, vt = np.linalg.svd(start, full_matrices=False)
    rotation, scale = _upright(u @ vt), d.mean()
    jacobian = np.zeros((4, 2, len(model)))
    for _ in range(_STEPS):
        x, y, z = rotation @ model.T
        # A small turn (a, b, c) about the image's axes moves (x, y) by (b·z - c·y, c·x - a·z), growth by (x, y).
        jacobian[0, 1], jacobian[1, 0] = -scale * z, scale * z
        jacobian[2] = -scale * y, scale * x
        jacobian[3] = x, y
        slopes = jacobian.reshape(4, -1)
        residual = seen.T.ravel() - scale * slopes[3]
        a, b, c, growth = np.linalg.solve(slopes @ slopes.T, slopes @ residual)
        # Back to a turn: the small one's first two rows, made orthonormal.
        u, _, vt = np.linalg.svd(np.array([(1, -c, b), (c, 1, -a)]) @ rotation, full_matrices=False)
        rotation, scale = _upright(u @ vt), scale + growth
        if max(abs(a), abs(b), abs(c)) < _STILL:
            break
    return rotation


def _upright(rows):
    (a, b, c), (d, e, f) = rows
    return np.array([(a, b, c), (d, e, f), (b * f - c * e, c * d - a * f, a * e - b * d)])
