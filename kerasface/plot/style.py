"""The look that all figures share."""

import base64
import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasface.errors import KerasfaceError

__all__ = ["ACCEPTED", "GENUINE", "IMPOSTOR", "INK", "PALETTE", "REJECTED", "figure", "inline_png", "save", "styled"]

# Colours that people with any common colour blindness can tell apart, in an order of falling contrast with white: Okabe
# and Ito, Color Universal Design (2008), without its yellow, which white paper swallows.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")

GENUINE = PALETTE[0]
IMPOSTOR = PALETTE[1]
ACCEPTED = PALETTE[0]
REJECTED = PALETTE[1]
INK = "#262626"

_FAINT = "#D9D9D9"
_DPI = 150

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with Matplotlib: the same figure on every machine
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.08,
    "savefig.facecolor": "white",
    # Equal figures give equal SVG files, whose ids are random otherwise.
    "svg.hashsalt": "kerasface",
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draws what its block draws in the shared style and leaves Matplotlib's global settings alone.

    Example:
        >>> with styled():
        ...     drawing, (axes,) = figure(6, 4)
    """
    with matplotlib.rc_context(_SETTINGS):
        yield


def figure(width_inches: float, height_inches: float, *, rows: int = 1, **options) -> tuple[Figure, list[Axes]]:
    """A figure with `rows` plots above each other that share their horizontal axis, laid out without overlaps.

    Made of `Figure` itself: nothing is registered with pyplot, no window opens, nothing must be closed.

    Args:
        width_inches, height_inches: of the whole figure.
        rows: number of plots.
        **options: for `Figure.subplots`, such as `height_ratios`.

    Returns:
        The `Figure` and its axes from top to bottom.
    """
    drawing = Figure(figsize=(width_inches, height_inches), layout="constrained")
    axes = drawing.subplots(rows, 1, sharex=True, squeeze=False, **options)
    return drawing, list(axes[:, 0])


def save(figure: Figure, path: str | Path) -> Path:
    """Writes a figure as PNG (150 dots per inch) or SVG, chosen by the name's ending.

    The same figure gives the same bytes: no date is written.

    Args:
        figure: from a function of this room.
        path: ending in .png or .svg; its folder is made where missing.

    Returns:
        The path.

    Raises:
        ValueError: another ending.
        KerasfaceError: the file cannot be written there.

    Example:
        >>> save(plot.roc({"ArcFace": curve}), "report/roc.svg")
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise ValueError(f"a figure is saved as .png or .svg. Received: {path.name!r}")
    metadata = {"Date": None} if kind == ".svg" else {"Software": None}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with styled():
            figure.savefig(path, dpi=_DPI, metadata=metadata)
    except OSError as error:
        raise KerasfaceError(f"the figure cannot be written to {path}: {error}. Choose another place.") from error
    return path


def inline_png(figure: Figure) -> str:
    """A figure as a data URL, for a page that must be readable without any other file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
