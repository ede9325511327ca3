"""Where each pixel's ray meets the head, and where a head's five landmarks fall in the crop."""

import math
from dataclasses import dataclass

import numpy as np

from kerasface.data.synthetic.capture import Capture, Expression
from kerasface.data.synthetic.identity import Identity, Outline

__all__ = [
    "TEMPLATE",
    "Skull",
    "Surface",
    "View",
    "expressed_mouth",
    "head_landmarks",
    "normalized",
    "sine_cosine",
    "soft",
]

TEMPLATE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
"""ArcFace's five points in a 112x112 crop: image-left and -right eye, nose, image-left and -right mouth corner."""

_TOP, _BOTTOM, _STEPS = -90, 90, 16


def sine_cosine(angle):
    """Returns (sin, cos) of an angle in radians, |angle| < π/2, by + - * / and sqrt alone.

    Their results are the same on every platform (IEEE 754); those of the C library's sin and cos are not, and a last
    bit may turn a pixel. The whole renderer keeps to these five operations for that reason.
    """
    square = angle * angle
    sine = angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72))))
    return sine, math.sqrt(1 - sine * sine)


class Skull:
    """The head without its features: an ellipse of half-width w(y) and half-depth d(y) at every height y.

    Args:
        outline: the identity's.
        drop: how far an open mouth lowers the chin, in units.
    """

    def __init__(self, outline: Outline, drop: float = 0.0):
        y = np.arange((_BOTTOM - _TOP) * _STEPS, dtype=np.float32) / np.float32(_STEPS) + np.float32(_TOP)
        chin = outline.chin + drop
        cheek_y = 8.0
        down = np.clip((y - cheek_y) / (chin - cheek_y), 0, 1)
        up = np.clip((cheek_y - y) / (cheek_y + outline.crown), 0, 1)
        pointed = np.sqrt(1 - down) * (1 + 0.5 * down - 0.45 * down * down)
        square = np.sqrt(np.sqrt(1 - down * down * down * down))
        share = np.float32(0.62 * outline.jaw)
        narrow = np.minimum(up * 1.6, 1)
        forehead = 1 - (1 - outline.temple) * narrow * narrow * (3 - 2 * narrow)
        crown = np.sqrt(1 - up * up * up)
        width = outline.cheek * (pointed + (square - pointed) * share) * forehead * crown
        end = down * down
        end = end * end
        depth = outline.depth * np.sqrt(1 - end * end) * (1 - 0.14 * down * down) * crown
        self.width = width.astype(np.float32)
        self.depth = depth.astype(np.float32)
        self.width_slope = _slope(self.width)
        self.depth_slope = _slope(self.depth)
        self.outline = outline
        self.chin = chin

    def rows(self, y):
        """Returns the row of the tables at height `y` (array, units)."""
        return np.clip((y - np.float32(_TOP)) * np.float32(_STEPS), 0, len(self.width) - 1).astype(np.intp)

    def z(self, x: float, y: float) -> float:
        """Returns how far the surface stands before the neck's axis at (x, y), in units."""
        row = int((y - _TOP) * _STEPS)
        share = x / max(float(self.width[row]), 1.0)
        return float(self.depth[row]) * math.sqrt(max(0.0, 1.0 - share * share))


def _slope(table):
    slope = np.zeros_like(table)
    slope[1:-1] = (table[2:] - table[:-2]) * np.float32(_STEPS / 2)
    # The rounded crown and chin are vertical at their ends; a bounded slope keeps normals and edges finite.
    return np.clip(slope, -2.5, 2.5)


def expressed_mouth(identity: Identity, expression: Expression) -> tuple[float, float]:
    """Returns the mouth's half-width and how far its corners are lifted, in units."""
    mouth = identity.mouth
    return mouth.width * (1 + 0.12 * expression.smile - 0.08 * expression.open), mouth.corner + 2.4 * expression.smile


def head_landmarks(identity: Identity, capture: Capture, skull: Skull) -> list[tuple[float, float, float]]:
    """Returns the five landmarks (x, y, z) on the head, in units, in the order of `TEMPLATE`."""
    spacing, nose = identity.eyes.spacing, identity.nose
    width, lift = expressed_mouth(identity, capture.expression)
    corner = identity.mouth.y - lift
    return [
        (-spacing, 0.0, skull.z(spacing, 0.0)),
        (spacing, 0.0, skull.z(spacing, 0.0)),
        (0.0, nose.length, skull.z(0.0, nose.length) + nose.height),
        (-width, corner, skull.z(width, corner)),
        (width, corner, skull.z(width, corner)),
    ]


class View:
    """From the head to the crop: turn the head, project without perspective, align by five points, misalign a little.

    Alignment is what a real pipeline does: the similarity that brings the projected landmarks nearest to the template.

    Args:
        identity, capture: what to look at.
        skull: the identity's, with its chin where the expression puts it.
        size: side of the crop in pixels.
    """

    def __init__(self, identity: Identity, capture: Capture, skull: Skull, size: int):
        self.size = size
        self.yaw_sine, self.yaw_cosine = sine_cosine(capture.yaw)
        self.pitch_sine, self.pitch_cosine = sine_cosine(capture.pitch)
        scale = size / 112.0
        self.head_points = head_landmarks(identity, capture, skull)
        source = [self.camera(*point)[:2] for point in self.head_points]
        a, b, left, top = _similarity(source, TEMPLATE)
        sine, cosine = sine_cosine(capture.roll)
        zoom_a, zoom_b = capture.zoom * cosine, capture.zoom * sine
        # Misalignment turns and scales about the template's middle, (56, 72).
        left, top = left - 56.0, top - 72.0
        self.a = scale * (zoom_a * a - zoom_b * b)
        self.b = scale * (zoom_b * a + zoom_a * b)
        # Pixel centers lie at whole numbers, so that a picture half as large is this one, reduced by area.
        self.left = scale * (zoom_a * left - zoom_b * top + 56.5 + capture.shift[0]) - 0.5
        self.top = scale * (zoom_b * left + zoom_a * top + 72.5 + capture.shift[1]) - 0.5
        self.unit = 1.0 / math.sqrt(self.a * self.a + self.b * self.b)
        """Units a pixel."""

    def camera(self, x, y, z):
        """Returns the camera coordinates (x, y, z), in units, of points of the head; scalars or arrays."""
        turned = z * self.yaw_cosine - x * self.yaw_sine
        return (
            x * self.yaw_cosine + z * self.yaw_sine,
            y * self.pitch_cosine + turned * self.pitch_sine,
            turned * self.pitch_cosine - y * self.pitch_sine,
        )

    def head(self, x, y, z):
        """Returns the head coordinates of a camera direction; the inverse of `camera`."""
        turned = y * self.pitch_sine + z * self.pitch_cosine
        return (
            x * self.yaw_cosine - turned * self.yaw_sine,
            y * self.pitch_cosine - z * self.pitch_sine,
            x * self.yaw_sine + turned * self.yaw_cosine,
        )

    def pixel(self, x, y):
        """Returns crop coordinates, pixels, of camera coordinates."""
        return self.a * x - self.b * y + self.left, self.b * x + self.a * y + self.top

    def grid(self):
        """Returns the camera coordinates (x, y) of every pixel, float32 (size, size) each."""
        norm = self.a * self.a + self.b * self.b
        across = np.arange(self.size, dtype=np.float32) - np.float32(self.left)
        down = np.arange(self.size, dtype=np.float32)[:, None] - np.float32(self.top)
        a, b = np.float32(self.a / norm), np.float32(self.b / norm)
        return across * a + down * b, down * a - across * b

    def plane(self, x, y, z: float):
        """Returns the head coordinates (x, y) where rays through camera (x, y) meet the head's frontal plane at z."""
        head_x = (x - z * self.yaw_sine) / self.yaw_cosine
        turned = z * self.yaw_cosine - head_x * self.yaw_sine
        return head_x, (y - turned * self.pitch_sine) / self.pitch_cosine


def _similarity(source, target):
    # Least squares over complex numbers, target ≈ (a + ib) source + t, is Umeyama's fit without reflection.
    count = len(source)
    sx, sy = sum(p[0] for p in source) / count, sum(p[1] for p in source) / count
    tx, ty = sum(p[0] for p in target) / count, sum(p[1] for p in target) / count
    real = imaginary = norm = 0.0
    for (x, y), (u, v) in zip(source, target, strict=True):
        x, y, u, v = x - sx, y - sy, u - tx, v - ty  # noqa: PLW2901
        real += x * u + y * v
        imaginary += x * v - y * u
        norm += x * x + y * y
    a, b = real / norm, imaginary / norm
    return a, b, tx - a * sx + b * sy, ty - b * sx - a * sy


@dataclass(frozen=True)
class Surface:
    """The skull as the camera sees it; float32 (size, size) each, in head coordinates and units."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    normal: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Unit normals."""
    coverage: np.ndarray
    """Share of the pixel that the head covers."""

    @classmethod
    def seen(cls, view: View, skull: Skull, x: np.ndarray, y: np.ndarray) -> "Surface":
        """Returns the surface where rays through camera coordinates (x, y) meet the skull."""
        s, c = np.float32(view.yaw_sine), np.float32(view.yaw_cosine)
        tilt, stretch = np.float32(view.pitch_sine / view.pitch_cosine), np.float32(1 / view.pitch_cosine)
        # A section's ellipse, turned by the yaw, is met in closed form; which section a ray meets depends, with the
        # pitch, on the depth at which it meets it: a fixed point, near enough after four rounds.
        depth = np.float32(0.8 * skull.outline.depth)
        y = y * stretch
        for _ in range(4 if view.pitch_sine else 1):
            head_y = y - depth * tilt
            rows = skull.rows(head_y)
            w, d = skull.width[rows], skull.depth[rows]
            ww, dd = w * w, d * d
            reach = ww * (c * c) + dd * (s * s)
            chord = np.sqrt(np.maximum(reach - x * x, 0))
            depth = (x * (s * c) * (dd - ww) + w * d * chord) / np.maximum(reach, 1e-3)
        head_x, head_z = x * c - depth * s, x * s + depth * c
        w, d = np.maximum(w, 0.5), np.maximum(d, 0.5)
        u, v = head_x / w, head_z / d
        nx, nz = u / w, v / d
        ny = -(u * nx * skull.width_slope[rows] + v * nz * skull.depth_slope[rows])
        nx, ny, nz = normalized(nx, ny, nz)
        slope = skull.width_slope[rows]
        reach = np.sqrt(reach)
        # Beyond chin and crown the sections have no width: not half a pixel of it either.
        edge = np.minimum((reach - np.abs(x)) / np.sqrt(1 + slope * slope), reach - np.float32(0.5 * view.unit))
        return cls(head_x, head_y, head_z, (nx, ny, nz), soft(edge, view.unit))


def normalized(x, y, z):
    """Returns the vectors (x, y, z) at unit length."""
    inverse = 1 / np.sqrt(x * x + y * y + z * z + np.float32(1e-12))
    return x * inverse, y * inverse, z * inverse


def soft(distance, width):
    """Returns 0 to 1 as a signed distance goes from -width/2 to width/2: an antialiased edge."""
    return np.clip(distance * np.float32(1 / width) + np.float32(0.5), 0, 1)
