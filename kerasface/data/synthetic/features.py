"""What is painted on the head: skin, eyes, brows, mouth, marks and beard, each where it lies on the surface."""

import numpy as np

from kerasface.data.synthetic.canvas import Face, linear, stroke
from kerasface.data.synthetic.capture import Capture, Expression
from kerasface.data.synthetic.geometry import expressed_mouth, soft
from kerasface.data.synthetic.identity import Identity
from kerasface.data.synthetic.nose import paint_nostrils, raise_nose

__all__ = ["paint_features"]


def paint_features(face: Face, identity: Identity, capture: Capture, light):
    """Paints everything between hairline and chin.

    Args:
        face: the canvas.
        identity, capture: what to paint.
        light: unit vector to the key light, head coordinates.
    """
    raise_nose(face, identity, light)
    _shape_skin(face, identity, capture)
    for side in (-1.0, 1.0):
        _paint_eye(face, identity, capture.expression, side, light)
        _paint_brow(face, identity, capture.expression, side)
    paint_nostrils(face, identity)
    _paint_marks(face, identity)
    _paint_beard(face, identity, capture)
    _paint_mouth(face, identity, capture)


def _shape_skin(face, identity, capture):
    outline, eyes, mouth, skin = identity.outline, identity.eyes, identity.mouth, identity.skin
    smile = max(0.0, capture.expression.smile)
    for side in (-1.0, 1.0):
        face.swell(side * (eyes.spacing - 1.5), -3.5, 11.0, 9.0, -eyes.socket)
        face.swell(side * 0.6 * outline.cheek, 15.0 - 2 * smile, 13.0, 11.0, outline.cheekbone + 1.4 * smile)
    face.swell(0.0, outline.chin - 9.0, 12.0, 9.0, outline.chin_bump)
    face.swell(0.0, mouth.y + mouth.lower + 4.5, 10.0, 3.6, -1.1)
    face.swell(0.0, mouth.y - 9.0, 3.0, 5.5, -0.6)

    red = np.float32(0.75) * linear(skin.color) * np.array([1.12, 0.66, 0.62], np.float32)[:, None, None]
    for x, y, radius in ((-24.0, 17.0, 13.0), (24.0, 17.0, 13.0), (0.0, identity.nose.length - 1.0, 7.0)):
        w = face.window(x - radius, x + radius, y - radius, y + radius)
        u, v = (face.x[w] - np.float32(x)) / radius, (face.y[w] - np.float32(y)) / radius
        spot = np.maximum(1 - u * u - v * v, 0)
        face.blend(w, spot * spot * np.float32(min(1.0, skin.blush * capture.blush)), red)

    width, lift = expressed_mouth(identity, capture.expression)
    start_x, start_y = identity.nose.width + 0.5, identity.nose.length - 2.0
    end_x, end_y = width + 3.5, mouth.y - lift + 1.0
    strength = skin.folds * (0.35 + 0.65 * smile)
    if strength > 0.04:
        for side in (-1.0, 1.0):
            left, right = sorted((side * (start_x - 3), side * (end_x + 6)))
            w = face.window(left, right, start_y - 1, end_y + 1)
            t = np.clip((face.y[w] - np.float32(start_y)) * np.float32(1 / (end_y - start_y)), 0, 1)
            path = start_x + (end_x - start_x) * t + 5.0 * t * (1 - t)
            face.darken(w, stroke(side * face.x[w] - path, 1.9) * (t * (1 - t) * np.float32(4 * 0.55 * strength)))
    if skin.forehead_lines > 0.05:
        for height in (21.0, 26.5):
            w = face.window(-20.0, 20.0, -height - 4, -height + 2)
            u = face.x[w] * np.float32(1 / 20.0)
            rise = face.y[w] + np.float32(height + 1.5) - 2.0 * u * u
            face.darken(w, stroke(rise, 1.2) * np.maximum(1 - u * u, 0) * np.float32(0.5 * skin.forehead_lines))


def _paint_eye(face, identity, expression: Expression, side, light):
    eyes, pixel = identity.eyes, face.pixel
    reach = eyes.width * 1.25
    w = face.window(
        side * eyes.spacing - reach, side * eyes.spacing + reach, -eyes.upper - eyes.crease - 4, eyes.lower + 6
    )
    out = side * face.x[w] - np.float32(eyes.spacing)
    u = out * np.float32(1 / eyes.width)
    v = face.y[w] + np.float32(eyes.tilt) * out
    bow = 1 - u * u
    closed = expression.lids + 0.18 * max(0.0, expression.smile)
    top = (-eyes.upper * (1 - closed) + eyes.lower * 0.8 * closed) * bow * (1 + eyes.peak * u)
    low = eyes.lower * (1 - 0.25 * max(0.0, expression.smile)) * bow
    inside = np.maximum(bow, 0)
    gap = np.minimum(v - top, low - v)
    opening = soft(gap, pixel)

    lid = v - top + np.float32(eyes.crease)
    face.darken(w, stroke(lid, 1.1) * np.minimum(inside * 3, 1) * np.float32(0.75 * eyes.crease_depth))
    under = v - low - np.float32(2.6)
    face.darken(w, stroke(under, 2.2) * inside * np.float32(0.55 * eyes.bags))

    shade = 1 - 0.45 * np.clip(1 - (v - top) * np.float32(0.5), 0, 1)
    face.blend(w, opening, linear((0.90, 0.88, 0.87)) * shade)
    dx = out - np.float32(side * 2.4 * expression.gaze)
    dy = v - np.float32(0.35 * (eyes.lower - eyes.upper))
    radius = np.sqrt(dx * dx + dy * dy)
    ring = linear(eyes.color) * (1 - 0.65 * np.clip((radius - np.float32(eyes.iris - 1.1)), 0, 1))
    face.blend(w, opening * soft(eyes.iris - radius, pixel), ring * (0.4 + 0.6 * shade))
    face.blend(w, opening * soft(0.42 * eyes.iris - radius, pixel), linear((0.04, 0.035, 0.03)))
    gx, gy = dx - np.float32(side * 1.5 * light[0]), dy - np.float32(1.5 * light[1])
    glint = opening * soft(0.75 - np.sqrt(gx * gx + gy * gy), pixel)
    face.blend(w, 0.9 * glint, linear((1.0, 1.0, 1.0)))

    lash = linear((0.10, 0.07, 0.06))
    face.blend(w, stroke(v - top, 1.15) * np.minimum(np.maximum(1.12 - u * u, 0) * 4, 1) * np.float32(0.9), lash)
    face.blend(w, stroke(v - low, 0.8) * np.minimum(inside * 2, 1) * np.float32(0.4), lash)
    face.gloss[w] *= 1 - opening


def _paint_brow(face, identity, expression, side):
    brows, eyes = identity.brows, identity.eyes
    center = eyes.spacing * 0.55 + 8.5
    reach = brows.length + 1
    raised = 2.0 * expression.brows
    top = -brows.height - brows.arch - raised - brows.thickness - 3
    w = face.window(side * center - reach, side * center + reach, top, -brows.height - raised + 6)
    u = (side * face.x[w] - np.float32(center)) * np.float32(1 / brows.length)
    bow = np.maximum(1 - u * u, 0)
    # A frown pulls the inner ends down, a raised brow bends.
    inner = np.minimum(u, 0)
    curve = -(brows.height + raised) - (brows.arch + max(0.0, expression.brows)) * bow
    curve = curve - brows.slope * brows.length * u + min(0.0, expression.brows) * 1.8 * inner
    thick = brows.thickness * (1 - 0.45 * u) * np.sqrt(np.sqrt(bow))
    mask = soft(thick - np.abs(face.y[w] - curve), 1.3 * face.pixel) * np.minimum(bow * 6, 1)
    face.blend(w, mask * np.float32(brows.density), linear(identity.hair.color, 0.6))
    face.gloss[w] *= 1 - mask


def _paint_marks(face, identity):
    mole = linear(identity.skin.color, 0.25)
    freckle = linear(identity.skin.color, 0.55)
    for spots, color, opacity in ((identity.marks.moles, mole, 0.9), (identity.marks.freckles, freckle, 0.6)):
        for x, y, radius in spots:
            height = identity.nose.height if abs(x) < identity.nose.width + 2 else 0.0
            w = face.window(x - radius - 1, x + radius + 1, y - radius - 1, y + radius + 1, height)
            dx, dy = face.x[w] - np.float32(x), face.y[w] - np.float32(y)
            face.blend(w, soft(radius - np.sqrt(dx * dx + dy * dy), 1.4) * np.float32(opacity), color)


def _paint_beard(face, identity, capture):
    marks, mouth, outline = identity.marks, identity.mouth, identity.outline
    if marks.mustache + marks.goatee == 0:
        return
    top = -4.0 if marks.beard else identity.nose.length + 1
    w = face.window(-outline.cheek, outline.cheek, top, outline.chin - 1)
    w = (slice(w[0].start, face.view.size), slice(0, face.view.size) if marks.beard else w[1])
    x, y = np.abs(face.x[w]), face.y[w]
    color = linear(identity.hair.color, 0.6)
    mask = np.zeros_like(x)
    if marks.mustache:
        u = x * np.float32(1 / (mouth.width + 2.5))
        middle = 0.5 * (identity.nose.length + 4.5 + mouth.y - mouth.upper) + 3.0 * u * u
        half = 0.5 * (mouth.y - mouth.upper - identity.nose.length - 4.0) + 0.8
        half = half * (1 - 0.7 * u * u) * np.clip(0.55 + 0.9 * u, 0, 1)
        mask = np.maximum(mask, soft(half - np.abs(y - middle), 2.0) * np.clip(4 - 4 * u, 0, 1))
    if marks.goatee:
        u, v = x * np.float32(1 / 11.5), (y - np.float32(outline.chin - 6)) * np.float32(1 / 9.5)
        mask = np.maximum(mask, np.clip((1 - u * u - v * v) * 3, 0, 1))
    if marks.beard:
        # From the sideburns down the cheeks to the chin, free around the lower lip.
        line = mouth.y + 8.5 - 1.0 * np.clip(x - np.float32(mouth.width - 1), 0, 8)
        line = line - 1.9 * np.clip(x - np.float32(mouth.width + 8), 0, 30)
        mask = np.maximum(mask, soft(y - line, 4.0))
    face.blend(w, mask * np.float32(max(marks.mustache, marks.goatee) * capture.shave), color)
    face.gloss[w] *= 1 - mask


def _paint_mouth(face, identity, capture):
    mouth, expression, pixel = identity.mouth, capture.expression, face.pixel
    width, lift = expressed_mouth(identity, expression)
    smile = max(0.0, expression.smile)
    gap = 7.0 * expression.open
    w = face.window(
        -width - 2, width + 2, mouth.y - mouth.upper - 5 - abs(lift), mouth.y + mouth.lower + gap + 5 + abs(lift)
    )
    x, y = face.x[w], face.y[w]
    u = x * np.float32(1 / width)
    uu = u * u
    bow = 1 - uu
    inside = np.maximum(bow, 0)
    line = mouth.y - lift * uu + 0.25 * lift * bow
    upper_edge = line - 0.25 * gap * bow
    lower_edge = line + 0.75 * gap * bow
    center = x * np.float32(1 / 3.2)
    notch = np.maximum(1 - center * center, 0) * np.float32(mouth.bow)
    top = upper_edge - mouth.upper * (1 - 0.2 * smile) * bow * (1 + 0.25 * (1 - uu)) + notch
    bottom = lower_edge + mouth.lower * (1 - 0.15 * smile) * bow * np.sqrt(inside * 0.6 + 0.4)
    lips = soft(np.minimum(y - top, bottom - y), 1.2 * pixel)
    skin = identity.skin.color
    rosy = (skin[0] * 0.86, skin[1] * 0.52, skin[2] * 0.55)
    red = min(1.0, (0.35 + 0.65 * mouth.redness) * (0.6 + 0.4 * capture.blush))
    color = tuple(s * 0.94 + (r - s * 0.94) * red for s, r in zip(skin, rosy, strict=True))
    face.blend(w, lips, linear(color))
    # The upper lip faces down, the lower one up.
    face.tilt_y[w] += lips * np.clip((line - y) * np.float32(0.22), -0.45, 0.35)
    face.gloss[w] += lips * np.float32(0.03)
    face.shade[w] = face.shade[w] + lips * (1 - face.shade[w])
    face.darken(w, stroke(y - bottom - 1.6, 2.0) * inside * np.float32(0.28))

    if gap > 0.4:
        hole = soft(np.minimum(y - upper_edge, lower_edge - y), pixel)
        face.blend(w, hole, linear((0.24, 0.09, 0.09)))
        teeth = hole * soft(0.34 * gap * bow - (y - upper_edge) + 0.4, pixel)
        face.blend(w, teeth * np.float32(0.95), linear((0.90, 0.88, 0.83)) * (0.55 + 0.45 * inside))
        face.gloss[w] *= 1 - hole
    else:
        face.darken(w, stroke(y - line, 0.95) * np.clip((1.06 - uu) * 4, 0, 1) * np.float32(0.65))
