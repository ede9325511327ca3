"""The head as a canvas: where each pixel lies on it, and what color, relief and shade it has there."""

import numpy as np

from kerasface.data.synthetic.geometry import Skull, Surface, View
from kerasface.data.synthetic.identity import Identity

__all__ = ["Face", "linear", "stroke"]


def linear(color, factor=1.0):
    """Returns display values as linear light, float32 (3, 1, 1): the square, whose inverse is an exact operation."""
    return np.array([factor * channel * channel for channel in color], np.float32)[:, None, None]


def stroke(distance, half):
    """Returns 1 on a line, 0 from `half` on: a soft stroke, of the distance from its middle."""
    bell = np.maximum(1 - distance * distance * np.float32(1 / (half * half)), 0)
    return bell * bell


class Face:
    """The canvas: per pixel where it lies on the head, its albedo, and how the relief tilts its normal.

    Attributes:
        x, y: head coordinates, in units, float32 (size, size); relief moves them (parallax).
        albedo: linear light, float32 (3, size, size).
        tilt_x, tilt_y: slopes of the relief, subtracted from the normal.
        shade: factor on all light: folds and hollows.
        gloss: strength of the highlight.
        shadow: share of the key light that the nose takes away.
    """

    def __init__(self, identity: Identity, view: View, skull: Skull, surface: Surface):
        self.view, self.skull, self.surface = view, skull, surface
        self.x, self.y = surface.x.copy(), surface.y.copy()
        shape = self.x.shape
        self.albedo = np.empty((3, *shape), np.float32)
        self.albedo[:] = linear(identity.skin.color)
        self.tilt_x, self.tilt_y = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.shade = np.ones(shape, np.float32)
        self.shadow = np.zeros(shape, np.float32)
        self.gloss = np.full(shape, np.float32(0.07))
        self.pixel = view.unit

    def window(self, left, right, top, bottom, height=0.0):
        """Returns the slices that hold the surface over [left, right] x [top, bottom], in units, and `height` above."""
        columns, rows = [], []
        for x in (left, (left + right) / 2, right):
            for y in (top, bottom):
                base = self.skull.z(x, y)
                for z in (base, base + height) if height else (base,):
                    column, row = self.view.pixel(*self.view.camera(x, y, z)[:2])
                    columns.append(column)
                    rows.append(row)
        return _inside(rows, self.view.size), _inside(columns, self.view.size)

    def blend(self, window, mask, color):
        """Lays a color, linear (3, 1, 1) or (3, h, w), over the albedo where the mask is 1."""
        for plane, shade in zip(self.albedo, color, strict=True):
            plane[window] += mask * (shade - plane[window])

    def darken(self, window, mask):
        """Takes the share `mask` of all light away."""
        self.shade[window] *= 1 - mask

    def swell(self, x, y, rx, ry, height):
        """Raises (or, with a negative height, hollows) the surface by a smooth bell of half-axes rx, ry, in units."""
        window = self.window(x - rx, x + rx, y - ry, y + ry)
        u = (self.x[window] - np.float32(x)) * np.float32(1 / rx)
        v = (self.y[window] - np.float32(y)) * np.float32(1 / ry)
        # The bell is height (1 - r²)², its slope in x is -4 height (1 - r²) u / rx.
        fall = np.maximum(1 - u * u - v * v, 0)
        self.tilt_x[window] += fall * u * np.float32(-4 * height / rx)
        self.tilt_y[window] += fall * v * np.float32(-4 * height / ry)


def _inside(places, size):
    return slice(max(0, min(size, int(min(places)) - 1)), max(0, min(size, int(max(places)) + 3)))
