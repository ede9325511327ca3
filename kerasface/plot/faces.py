"""Faces beside each other, with what was said of them."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from kerasface.plot.style import styled

__all__ = ["face_grid"]

_FACE_INCHES = 1.25
_GAP_INCHES = 0.12
_LINE_INCHES = 0.15
_CAPTION_CHARACTERS = 19  # what is as wide as a face


def face_grid(images: Sequence[np.ndarray], captions: Sequence[str], colors: Sequence[str], columns: int = 6) -> Figure:
    """Draws faces row by row, each framed in a colour and with a caption below.

    Args:
        images: N uint8 RGB images, (H, W, 3); sizes may differ.
        captions: N texts, `\\n` breaks lines and long ones are wrapped. They say the
            verdict in words: a colour alone does not tell everybody.
        colors: N Matplotlib colours of the frames, such as `style.ACCEPTED` and `style.REJECTED`.
        columns: faces a row.

    Returns:
        A `Figure`, as high as its rows need.

    Raises:
        ValueError: no images, different numbers of the three, something that is no uint8 RGB, or `columns` below 1.

    Example:
        >>> save(face_grid(crops, ["Ann 0.71", "unknown 0.18"], [ACCEPTED, REJECTED], columns=2), "faces.png")
    """
    if not len(images) or not len(images) == len(captions) == len(colors):
        counts = f"{len(images)}, {len(captions)} and {len(colors)}"
        raise ValueError(f"as many captions and colors as images are needed, at least one. Received: {counts}")
    if columns < 1:
        raise ValueError(f"columns must be at least 1. Received: {columns}")
    for number, image in enumerate(images):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"images are (H, W, 3) uint8. Received: {image.shape} {image.dtype} (image {number})")
    texts = [_wrapped(caption) for caption in captions]
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    # Cells of a fixed size, so that faces stand in line whatever their captions say.
    width = columns * (_FACE_INCHES + _GAP_INCHES) + _GAP_INCHES
    caption_inches = max(text.count("\n") + 1 for text in texts) * _LINE_INCHES
    pitch = _FACE_INCHES + caption_inches + 2 * _GAP_INCHES
    height = rows * pitch
    with styled():
        drawing = Figure(figsize=(width, height))
        for number, (image, text, color) in enumerate(zip(images, texts, colors, strict=True)):
            row, column = divmod(number, columns)
            left = _GAP_INCHES + column * (_FACE_INCHES + _GAP_INCHES)
            bottom = height - row * pitch - _GAP_INCHES - _FACE_INCHES
            cell = drawing.add_axes(
                (left / width, bottom / height, _FACE_INCHES / width, _FACE_INCHES / height), xticks=[], yticks=[]
            )
            cell.imshow(image, interpolation="antialiased")
            cell.spines[:].set(visible=True, color=color, linewidth=3)
            cell.set_xlabel(text, fontsize=8, labelpad=5, parse_math=False)
    return drawing


def _wrapped(caption):
    lines = caption.split("\n")
    return "\n".join(part for line in lines for part in textwrap.wrap(line, _CAPTION_CHARACTERS) or [""])
