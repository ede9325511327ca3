"""Distributions of genuine and impostor angles."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from kerasface.evaluation.angles import PairAngles
from kerasface.plot.style import GENUINE, IMPOSTOR, INK, figure, styled

__all__ = ["angle_histograms"]

_BIN_DEGREES = 2


def angle_histograms(angles: PairAngles, threshold: float | None = None) -> Figure:
    """Draws how far apart one person's images lie, and different people's.

    Args:
        angles: from `evaluation.pair_angles`.
        threshold: cosine from which a pair is accepted, as in `spec.Threshold`; drawn at its angle.

    Returns:
        A `Figure`. Each histogram is in per cent of its own pairs per bin of 2°, so their numbers need not be equal.

    Raises:
        ValueError: a threshold outside [-1, 1].

    Example:
        >>> save(angle_histograms(pair_angles(scores, pairs.same), threshold=0.42), "angles.png")

    Reference:
        Deng et al., ArcFace, CVPR 2019, draws the same histograms for LFW, CFP-FP and AgeDB.
    """
    if threshold is not None and not -1 <= threshold <= 1:
        raise ValueError(f"threshold is a cosine in [-1, 1]. Received: {threshold}")
    edges = np.arange(0, 180 + _BIN_DEGREES, _BIN_DEGREES)
    kinds = (
        ("genuine", GENUINE, angles.genuine_counts, angles.genuine_mean_degrees, angles.genuine_std_degrees),
        ("impostor", IMPOSTOR, angles.impostor_counts, angles.impostor_mean_degrees, angles.impostor_std_degrees),
    )
    with styled():
        drawing, (axis,) = figure(6.4, 4.0)
        tallest, drawn = 0.0, np.flatnonzero(np.asarray(angles.genuine_counts) + np.asarray(angles.impostor_counts))
        drawn = np.append(drawn, drawn.max() + 1).astype(np.float64)
        for name, color, counts, mean, std in kinds:
            total = int(np.sum(counts))
            share = np.asarray(counts).reshape(-1, _BIN_DEGREES).sum(axis=1) / total
            axis.stairs(share, edges, fill=True, color=color, alpha=0.35)
            label = f"{name}: {mean:.1f}° ± {std:.1f}° ({total:,} pairs)"
            axis.stairs(share, edges, color=color, linewidth=1.4, label=label)
            tallest = max(tallest, share.max())
        if threshold is not None:
            angle = float(np.degrees(np.arccos(threshold)))
            label = f"threshold: {angle:.1f}° (cosine {threshold:.3f}), accepted to its left"
            drawn = np.append(drawn, angle)
            axis.axvline(angle, color=INK, linestyle=(0, (4, 2)), linewidth=1.4, label=label)
        left = 10 * np.floor(drawn.min() / 10)
        axis.set_xlim(left, max(10 * np.ceil(drawn.max() / 10), left + 10))
        axis.set_ylim(0, tallest * 1.05)
        axis.set_xlabel("angle between the two embeddings")
        axis.set_ylabel(f"share of each kind, per {_BIN_DEGREES}°")
        axis.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 3, 5, 10], integer=True))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda degrees, _: f"{degrees:.0f}°"))
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        drawing.legend(loc="outside upper left")
    return drawing
