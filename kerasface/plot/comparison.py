"""Several trainings side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from kerasface.evaluation.angles import PairAngles
from kerasface.plot.style import GENUINE, IMPOSTOR, INK, figure, styled

__all__ = ["accuracy_dots", "angle_rows"]

_BIN_DEGREES = 3


def accuracy_dots(accuracies: Mapping[str, Sequence[tuple[float, float, float]]]) -> Figure:
    """Draws an accuracy with its interval for every training, a line a variant, so that seeds show their spread.

    Args:
        accuracies: by the variant's name, of each seed (accuracy, low, high) in [0, 1].

    Returns:
        A `Figure`.

    Raises:
        ValueError: nothing to draw.

    Example:
        >>> save(accuracy_dots({"ArcFace": [(0.85, 0.83, 0.87)], "softmax": [(0.80, 0.78, 0.82)]}), "accuracy.png")
    """
    if not accuracies:
        raise ValueError("there is no accuracy to draw. Received: no variants")
    with styled():
        drawing, (axis,) = figure(6.4, 1.0 + 0.32 * len(accuracies))
        for row, seeds in enumerate(accuracies.values()):
            places = row + 0.16 * (np.arange(len(seeds)) - (len(seeds) - 1) / 2)
            for place, (accuracy, low, high) in zip(places, seeds, strict=True):
                axis.plot([low, high], [place, place], color=GENUINE, linewidth=1.2, alpha=0.5)
                axis.plot([accuracy], [place], "o", color=GENUINE, markersize=4)
        axis.set_yticks(range(len(accuracies)), list(accuracies), parse_math=False)
        axis.set_ylim(len(accuracies) - 0.5, -0.5)
        axis.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        axis.set_xlabel("verification accuracy; a dot a seed, 95 % interval over people", loc="right")
    return drawing


def angle_rows(angles: Mapping[str, PairAngles]) -> Figure:
    """Draws the histograms of genuine and impostor angles of several trainings below each other, on one axis.

    Args:
        angles: `evaluation.pair_angles` by the name that stands beside the row.

    Returns:
        A `Figure`; every histogram is in per cent of its own pairs, all rows to one scale.

    Raises:
        ValueError: nothing to draw.

    Example:
        >>> save(angle_rows({"softmax": pair_angles(scores, same), "ArcFace": pair_angles(others, same)}), "angles.png")

    Reference:
        Deng et al., ArcFace, CVPR 2019, figure 7.
    """
    if not angles:
        raise ValueError("there are no angles to draw. Received: no variants")
    edges = np.arange(0, 180 + _BIN_DEGREES, _BIN_DEGREES)
    shares = {name: (_shares(one.genuine_counts), _shares(one.impostor_counts)) for name, one in angles.items()}
    drawn = np.flatnonzero(sum(genuine + impostor for genuine, impostor in shares.values()))
    top = 1.05 * max(share.max() for both in shares.values() for share in both)
    with styled():
        drawing, axes = figure(6.4, 0.9 + 0.62 * len(angles), rows=len(angles))
        for axis, (name, both) in zip(axes, shares.items(), strict=True):
            for share, color, label in zip(both, (GENUINE, IMPOSTOR), ("genuine", "impostor"), strict=True):
                axis.stairs(share, edges, fill=True, color=color, alpha=0.35)
                axis.stairs(share, edges, color=color, linewidth=1.2, label=label)
            axis.set_ylim(0, top)
            axis.set_yticks([])
            axis.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, parse_math=False)
        axes[-1].set_xlim(edges[drawn.min()], edges[drawn.max() + 1])
        axes[-1].set_xlabel(f"angle between the two embeddings; share of each kind, per {_BIN_DEGREES}°", loc="right")
        axes[-1].xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 3, 5, 10], integer=True))
        axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda degrees, _: f"{degrees:.0f}°"))
        handles, labels = axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside upper left", ncols=2)
    return drawing


def _shares(counts):
    counts = np.asarray(counts).reshape(-1, _BIN_DEGREES).sum(axis=1)
    return counts / counts.sum()
