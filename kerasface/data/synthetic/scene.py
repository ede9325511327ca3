"""What surrounds the face: background, neck, ears, hair, hat and glasses."""

import numpy as np

from kerasface.data.synthetic.canvas import Face, linear
from kerasface.data.synthetic.capture import Capture
from kerasface.data.synthetic.geometry import View, soft
from kerasface.data.synthetic.identity import Identity

__all__ = ["Lamp", "draw_behind", "draw_ear", "draw_glasses", "lay_over", "paint_hair"]


class Lamp:
    """The light as a function of a normal in camera coordinates, for what is not on the head.

    Args:
        direction: unit vector to the key light, camera coordinates.
        key, ambient: colors, linear (3, 1, 1).
    """

    def __init__(self, direction, key, ambient):
        self.direction, self.key, self.ambient = direction, key, ambient

    def on(self, nx, ny, nz):
        """Returns the irradiance, (3, h, w), of surfaces with unit normals (nx, ny, nz); arrays or numbers."""
        x, y, z = (np.float32(v) for v in self.direction)
        return self.ambient + self.key * np.maximum(nx * x + ny * y + nz * z, 0)


def draw_behind(identity: Identity, capture: Capture, view: View, lamp: Lamp, x, y, rng) -> np.ndarray:
    """Returns the picture without the head, linear (3, size, size): background, hair behind, hat, neck and clothes.

    Args:
        identity, capture, view: what to draw.
        lamp: the light.
        x, y: camera coordinates of the pixels.
        rng: for the background's pattern.
    """
    first, second = (linear(color) for color in capture.background)
    share = _pattern(rng, view.size)
    picture = first + (second - first) * share

    hair, outline = identity.hair, identity.outline
    half = outline.cheek * outline.temple
    side = x - np.float32(-10.0 * view.yaw_sine)
    if not hair.bald:
        _draw_hair_behind(picture, identity, capture, lamp, side, y, half, view.unit, rng)
    if capture.hat:
        lay_over(
            picture,
            _dome(side, y, half + 4.5, outline.crown - 16.0, view.unit) * soft(-24.0 - y, 2.0),
            _lit(capture.hat, side, half + 4.5, lamp),
        )

    width = 0.66 * outline.cheek
    neck = soft(width + 0.01 * (y - 60) * (y - 60) * (y > 60) - np.abs(x), view.unit) * soft(y - 30.0, 2.0)
    lay_over(picture, neck, _lit(identity.skin.color, x, width * 1.15, lamp) * np.float32(0.5))
    collar = y - np.float32(outline.chin + 13.0) + 0.16 * np.abs(x) - 3.0
    lay_over(picture, soft(collar, view.unit), _lit(capture.clothes, x, 95.0, lamp))
    return picture


def lay_over(picture, mask, color):
    """Lays a color, linear (3, h, w) or (3, 1, 1), over the picture, (3, h, w), where the mask is 1."""
    # Plane by plane: three times 50 kB stay in the cache where 150 kB do not.
    for plane, shade in zip(picture, color, strict=True):
        np.add(plane, mask * (shade - plane), out=plane)


def _lit(color, side, half, lamp):
    nx = np.clip(side * np.float32(1 / half), -1, 1)
    return linear(color) * lamp.on(nx, 0.0, np.sqrt(1 - nx * nx))


def _dome(side, y, half, height, unit):
    up = np.clip((-20.0 - y) * np.float32(1 / height), 0, 1)
    return soft(half * np.sqrt(1 - up * up) - np.abs(side), unit)


def _pattern(rng, size):
    """Returns a smooth random pattern in [0, 1], float32 (size, size)."""
    coarse = rng.integers(0, 256, (5, 5)).astype(np.float32) * np.float32(1 / 255)
    place = np.arange(size, dtype=np.float32) * np.float32(3.999 / size)
    low = place.astype(np.int32)
    share = place - low.astype(np.float32)
    rows = coarse[low] + (coarse[low + 1] - coarse[low]) * share[:, None]
    return rows[:, low] + (rows[:, low + 1] - rows[:, low]) * share


def _strands(rng, place):
    """Returns a random function of one variable in [0, 1], smooth between random values at whole numbers."""
    knots = rng.integers(0, 256, 128).astype(np.float32) * np.float32(1 / 255)
    low = np.floor(place)
    index = low.astype(np.intp) & 127
    share = place - low
    first = knots[index]
    return first + (knots[(index + 1) & 127] - first) * share * share * (3 - 2 * share)


def _draw_hair_behind(picture, identity, capture, lamp, side, y, half, unit, rng):
    hair, outline = identity.hair, identity.outline
    wide = half + hair.volume + 1.5
    falls = hair.length > 0.55 and not capture.tied
    edge = (_strands(rng, y * np.float32(0.12 + 0.2 * hair.curl)) - 0.5) * np.float32(3.0 + 3.0 * hair.curl)
    mask = _dome(side + edge, y, wide * (1.1 if falls else 1.0), outline.crown - 20.0 + hair.volume, unit * 1.5)
    mask = mask * soft((130.0 if falls else 16.0) - y + edge, 3.0)
    strand = _strands(rng, side * np.float32(0.7) + edge * np.float32(0.5 * hair.curl))
    color = _lit(hair.color, side, wide, lamp) * (0.45 + 0.55 * strand)
    lay_over(picture, mask, color)


def paint_hair(face: Face, identity: Identity, capture: Capture, rng):
    """Paints the hair (or hat) that lies on the head, and its shadow on the forehead."""
    hair, x, y, z = identity.hair, face.surface.x, face.surface.y, face.surface.z
    across = np.abs(x)
    half = identity.outline.cheek * identity.outline.temple
    falls = hair.length > 0.55 and not capture.tied
    fringe = hair.fringe if capture.fringe is None else capture.fringe
    everything = (slice(None), slice(None))
    if not hair.bald:
        middle = np.maximum(1 - x * x * np.float32(1 / 81.0), 0)
        temple = (across - np.float32(0.62 * half)) * np.float32(1 / 13.0)
        line = hair.peak * middle - hair.temples * np.maximum(1 - temple * temple, 0) - hair.line
        # The line comes down to the ears where the forehead ends.
        line = line + np.clip(across - np.float32(0.8 * half), 0, 40) * np.float32(2.2)
        wave = (_strands(rng, x * np.float32(0.45)) - 0.5) * np.float32(2.0 + 3.0 * hair.curl)
        if fringe:
            line = np.maximum(line, -17.0 + wave * 1.5 - 0.004 * x * x + 0.06 * x)
        sides = np.minimum((15.0 if falls else 4.0) - z + wave, (140.0 if falls else 12.0) - y)
        # Not around the chin, where the head ends without being its side.
        sides = np.minimum(sides, across - np.float32(0.78 * half))
        distance = np.maximum(line + 0.5 * wave - y, sides)
        strand = _strands(rng, x * np.float32(0.9) + y * np.float32(0.12) + wave * np.float32(hair.curl))
        face.darken(everything, soft(distance + 2.5, 6.0) * np.float32(0.3))
        mask = soft(distance, 1.6 * face.pixel)
        face.blend(everything, mask, linear(hair.color) * (0.5 + 0.6 * strand))
        face.shade += mask * (1 - face.shade)
        face.gloss *= 1 - mask * (1 - 0.35 * strand * strand)
    if capture.hat:
        brim = -25.0 - 0.003 * x * x - y
        rib = np.abs(x * np.float32(0.3) - np.floor(x * np.float32(0.3)) - 0.5)
        mask = soft(brim, face.pixel)
        face.darken(everything, soft(brim + 2.5, 5.0) * np.float32(0.35))
        face.blend(everything, mask, linear(capture.hat) * (0.75 + 0.5 * rib))
        face.shade += mask * (1 - face.shade)
        face.gloss *= 1 - mask


def draw_ear(picture, identity: Identity, capture: Capture, view: View, lamp: Lamp, x, y, side: float, opacity: float):
    """Draws the ear on one side (-1 image left, 1 image right) into the picture, unless hair covers it."""
    if opacity <= 0 or (identity.hair.length > 0.55 and not capture.tied and not identity.hair.bald):
        return
    ears = identity.ears
    turned = max(0.0, -side * view.yaw_sine)
    half = 0.9 + 0.62 * ears.stand + 0.42 * ears.size * turned
    place = side * (identity.outline.cheek - 1.0 + 0.25 * ears.stand)
    center_x, center_y, _ = view.camera(place, 6.0, -5.0)
    center_x += 0.4 * side * half
    column, row = view.pixel(center_x, center_y)
    reach = (half + 1.3 * ears.size) / view.unit + 2
    rows, columns = (slice(max(0, int(at - reach)), max(0, int(at + reach))) for at in (row, column))
    x, y, picture = x[rows, columns], y[rows, columns], picture[:, rows, columns]
    u = (x - np.float32(center_x)) * np.float32(1 / half)
    v = (y - np.float32(center_y)) * np.float32(1 / ears.size)
    u = u + np.float32(0.25 * side) * v
    radius = np.sqrt(u * u + v * v)
    mask = soft((1 - radius) * np.float32(half), view.unit) * np.float32(opacity)
    bowl = 1 - 0.35 * np.clip(1 - np.abs(radius - 0.62) * 4, 0, 1)
    skin = identity.skin.color
    color = linear((skin[0], skin[1] * 0.92, skin[2] * 0.9)) * lamp.on(side * 0.6, 0.0, 0.8) * bowl
    lay_over(picture, mask, color * np.float32(0.85))


def draw_glasses(picture, identity: Identity, capture: Capture, view: View, lamp: Lamp, x, y):
    """Draws glasses, if the capture has them, on a plane before the eyes."""
    if capture.glasses is None:
        return
    plane = 0.86 * identity.outline.depth + 6.0
    x, y = view.plane(x, y, plane)
    frame, glare = np.zeros_like(x), np.zeros_like(x)
    half, high = 0.58 * identity.eyes.spacing + 1.2, 7.2
    for side in (-1.0, 1.0):
        u = np.abs(x - np.float32(side * identity.eyes.spacing)) * np.float32(1 / half)
        v = np.abs(y - np.float32(1.2)) * np.float32(1 / high)
        u, v = u * u, v * v
        rim = (np.sqrt(np.sqrt(u * u + v * v)) - 1) * np.float32(0.5 * (half + high))
        frame = np.maximum(frame, soft(0.75 - np.abs(rim), view.unit))
        glare = np.maximum(glare, soft(-rim, view.unit))
    inner = identity.eyes.spacing - half
    bridge = soft(np.minimum(0.7 - np.abs(y + 1.0), inner - np.abs(x)), view.unit)
    reach = 0.97 * identity.outline.cheek
    arms = np.minimum(np.abs(x) - np.float32(identity.eyes.spacing + half), reach - np.abs(x))
    arms = soft(np.minimum(0.7 - np.abs(y + 2.0), arms), view.unit)
    picture += glare * np.float32(0.04)
    lay_over(picture, np.maximum(np.maximum(frame, bridge), arms), linear(capture.glasses) * lamp.on(0.0, 0.0, 1.0))
