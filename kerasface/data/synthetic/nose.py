"""The nose: relief that shifts with the pose, and the shadow that it casts."""

from functools import lru_cache

import numpy as np

from kerasface.data.synthetic.canvas import Face, stroke
from kerasface.data.synthetic.identity import Identity, Nose

__all__ = ["paint_nostrils", "raise_nose"]


class _NoseRelief:
    """The nose's height over the skull and its slopes, tabulated: they are looked up ten times a picture."""

    _LEFT, _TOP, _STEPS = -24, -16, 6

    def __init__(self, nose: Nose):
        across = np.arange(-2 * self._LEFT * self._STEPS + 1, dtype=np.float32) / self._STEPS + self._LEFT
        down = np.arange(56 * self._STEPS, dtype=np.float32)[:, None] / self._STEPS + self._TOP
        self.height = self._formula(nose, across, down)
        self.slope_x, self.slope_y = np.zeros_like(self.height), np.zeros_like(self.height)
        self.slope_x[:, 1:-1] = (self.height[:, 2:] - self.height[:, :-2]) * np.float32(self._STEPS / 2)
        self.slope_y[1:-1] = (self.height[2:] - self.height[:-2]) * np.float32(self._STEPS / 2)

    @staticmethod
    def _formula(nose, x, y):
        s = np.clip((y + 3.0) / (nose.length + 3.0), 0, 1)
        ridge = nose.root + (1 - nose.root) * s * s * (1.5 - 0.5 * s)
        above = np.clip((y + 14.0) / 12.0, 0, 1)
        below = np.clip((y - nose.length) * 0.24, 0, 1)
        across = x / (2.0 * nose.bridge + 2.0 * (nose.tip - nose.bridge) * s * s)
        bell = np.maximum(1 - across * across, 0)
        ridge = nose.height * ridge * bell * bell * (1 - below * below) * above * above * (3 - 2 * above)
        u, v = (np.abs(x) - (nose.width - 3.4)) / 5.0, (y - (nose.length - 0.6)) / 5.6
        wing = np.maximum(1 - u * u - v * v, 0)
        wing = 0.42 * nose.height * wing * wing
        # A maximum without a crease.
        return np.sqrt(ridge * ridge + wing * wing)

    def cells(self, x, y):
        """Returns the flat indices of the tables' cells nearest to (x, y), arrays in units."""
        rows, columns = self.height.shape
        row = np.clip((y - np.float32(self._TOP)) * np.float32(self._STEPS) + np.float32(0.5), 0, rows - 1)
        column = np.clip((x - np.float32(self._LEFT)) * np.float32(self._STEPS) + np.float32(0.5), 0, columns - 1)
        return row.astype(np.intp) * columns + column.astype(np.intp)

    def over(self, x, y):
        """Returns the height at (x, y), arrays in units."""
        return self.height.ravel()[self.cells(x, y)]


_relief = lru_cache(maxsize=32)(_NoseRelief)


def raise_nose(face: Face, identity: Identity, light):
    """Moves and tilts the surface by the nose, and casts its shadow.

    Args:
        face: the canvas, before anything is painted.
        identity: whose nose.
        light: unit vector to the key light, head coordinates.
    """
    nose = identity.nose
    relief = _relief(nose)
    reach = max(nose.width + 2.0, 2.0 * nose.tip, 2.0 * nose.bridge)
    w = face.window(-reach, reach, -14.0, nose.length + 6, nose.height)
    base_x, base_y = face.x[w], face.y[w]
    rx, ry, rz = (np.float32(r) for r in face.view.head(0.0, 0.0, 1.0))
    nx, ny, nz = (n[w] for n in face.surface.normal)
    # Toward the camera along the ray until the relief is met (parallax): a fixed point, damped because the flank that
    # turns away is steep.
    step = nz / np.maximum(nx * rx + ny * ry + nz * rz, 0.35)
    travel = step * np.float32(0.5 * nose.height)
    for _ in range(5):
        travel = 0.45 * travel + 0.55 * step * relief.over(base_x + travel * rx, base_y + travel * ry)
    x, y = base_x + travel * rx, base_y + travel * ry
    face.x[w], face.y[w] = x, y
    cells = relief.cells(x, y)
    face.tilt_x[w] += relief.slope_x.ravel()[cells]
    face.tilt_y[w] += relief.slope_y.ravel()[cells]

    # The nose's own shadow: from a point toward the light, is the nose higher than the ray?
    w = face.window(-reach - 12, reach + 12, -6.0, nose.length + 14, nose.height)
    x, y = face.x[w], face.y[w]
    base = relief.over(x, y)
    shadow = face.shadow[w]
    for distance in (4.0, 8.0, 12.0):
        lift = np.float32(distance * max(light[2], 0.05))
        over = relief.over(x + np.float32(distance * light[0]), y + np.float32(distance * light[1]))
        np.maximum(shadow, np.clip((over - base - lift) * np.float32(0.45), 0, 0.85), out=shadow)


def paint_nostrils(face: Face, identity: Identity):
    """Darkens the nostrils, the creases around the wings and the shade under the tip."""
    nose = identity.nose
    w = face.window(-nose.width - 2, nose.width + 2, nose.length - 5, nose.length + 6, nose.height)
    x, y = np.abs(face.x[w]), face.y[w]
    u = (x - np.float32(0.46 * nose.width)) * np.float32(1 / (0.26 * nose.width))
    v = (y - np.float32(nose.length + 2.4)) * np.float32(1 / nose.nostrils)
    face.darken(w, np.clip(1.6 - u * u - v * v, 0, 1) * np.float32(0.78))
    # The crease around the wings, and the shade under the tip.
    u = (x - np.float32(nose.width - 3.4)) * np.float32(1 / 4.0)
    v = (y - np.float32(nose.length - 0.6)) * np.float32(1 / 4.8)
    rim = np.sqrt(u * u + v * v) - 1
    face.darken(w, stroke(rim, 0.3) * (u > 0) * np.float32(0.3))
    face.darken(
        w, stroke(y - np.float32(nose.length + 4.2), 2.2) * np.clip(1.1 - x / nose.width, 0, 1) * np.float32(0.4)
    )
