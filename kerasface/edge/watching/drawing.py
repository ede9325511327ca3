"""Drawing who is who into a picture."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["draw_names"]

_KNOWN, _UNKNOWN = (46, 160, 67), (210, 153, 34)
_TEXT = (255, 255, 255)
# Of the system, on Linux, macOS and Windows: Pillow's own font has no letters beyond ASCII, and ü becomes a box.
_FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial Unicode.ttf", "Arial.ttf", "arial.ttf")


def draw_names(frame, seen):
    """Draws a box around every face with its name, or "unknown", and the cosine below.

    Args:
        frame: (H, W, 3) uint8 RGB; it stays as it is.
        seen: list of `WatchedFace`.

    Returns:
        (H, W, 3) uint8 RGB.

    Example:
        >>> Image.fromarray(draw_names(frame, watcher.see(frame))).save("seen.jpg")
    """
    image = Image.fromarray(frame)
    canvas = ImageDraw.Draw(image)
    thickness = max(2, max(image.size) // 400)
    font = _font(8 * thickness)
    for one in seen:
        left, top, right, bottom = one.face.box.tolist()
        named = one.match is not None and one.match.name is not None
        color = _KNOWN if named else _UNKNOWN
        canvas.rectangle((left, top, right, bottom), outline=color, width=thickness)
        text = _caption(one.match)
        width, height = canvas.textbbox((0, 0), text, font=font)[2:]
        canvas.rectangle((left, bottom, left + width + 2 * thickness, bottom + height + thickness), fill=color)
        canvas.text((left + thickness, bottom), text, fill=_TEXT, font=font)
    return np.array(image)


@lru_cache(maxsize=8)  # the system's folders are searched for it, which would be too much for each frame
def _font(size):
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _caption(match):
    if match is None:
        return "not checked yet"
    return f"{match.name or 'unknown'} {match.score:.2f}"
