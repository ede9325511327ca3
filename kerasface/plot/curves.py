"""Error trade-offs over all thresholds."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from kerasface.evaluation.roc import MIN_FALSE_ACCEPTS, RocCurve, equal_error_rate
from kerasface.plot.style import figure, styled

__all__ = ["cmc", "det", "roc"]

_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))


def roc(results: Mapping[str, RocCurve]) -> Figure:
    """Draws ROC curves on a logarithmic FAR axis.

    A curve begins at the lowest FAR that its number of impostor pairs supports (`roc.impostors_needed`); further to the
    left there would be noise. It is a staircase, as the rates of finitely many pairs are, and it is read
    conservatively: at any FAR its height is `roc.tar_at_far`.

    Args:
        results: `evaluation.roc_curve` by the name that the legend shows.

    Returns:
        A `Figure`.

    Raises:
        ValueError: no results, or one whose impostor pairs support no rate at all.

    Example:
        >>> save(roc({"ArcFace": roc_curve(scores, pairs.same)}), "roc.svg")

    Reference:
        FAR and TAR are ISO/IEC 19795-1's FMR and 1 − FNMR.
    """
    if not results:
        raise ValueError("there is no ROC to draw. Received: no results")
    with styled():
        drawing, (axis,) = figure(6.4, 4.4)
        lowest_far, lowest_tar = 1.0, 1.0
        for number, (name, curve) in enumerate(results.items()):
            far, tar = _supported(name, curve)
            label = f"{name} (EER {equal_error_rate(curve):.1%})"
            axis.step(far, tar, where="post", label=label, linestyle=_DASHES[number % len(_DASHES)])
            lowest_far, lowest_tar = min(lowest_far, far[0]), min(lowest_tar, tar[0])
        axis.set_xscale("log")
        axis.set_xlim(lowest_far, 1.0)
        floor = max(0.0, np.floor(lowest_tar * 10 - 0.5) / 10)
        axis.set_ylim(floor, 1.0 + 0.02 * (1 - floor))
        axis.set_xlabel("false accept rate (FAR, FMR)")
        axis.set_ylabel("true accept rate (TAR, 1 − FNMR)")
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        _legend(drawing)
    return drawing


def det(results: Mapping[str, RocCurve], *, rates: tuple[str, str] = ("FMR", "FNMR")) -> Figure:
    """Draws detection error trade-offs: either error over the other, both logarithmic.

    The curve begins at the lowest rate that the data support; where nobody is missed it runs half a comparison above
    zero, which a logarithm has no place for.

    Args:
        results: `evaluation.roc_curve`, or `OpenSetResult.curve` for 1:N, by the name that the legend shows.
        rates: names of the two errors; ("FPIR", "FNIR") for 1:N.

    Returns:
        A `Figure`.

    Raises:
        ValueError: no results, or one whose comparisons support no rate at all.

    Example:
        >>> save(det({"ArcFace": curve}), "det.svg")

    Reference:
        Martin et al., The DET curve in assessment of detection task performance, Eurospeech 1997; ISO/IEC 19795-1.
        Logarithmic axes, as NIST's FRTE draws them, instead of the normal deviates' scale.
    """
    if not results:
        raise ValueError("there is no DET to draw. Received: no results")
    with styled():
        drawing, (axis,) = figure(6.4, 4.4)
        lowest_false, lowest_missed = 1.0, 1.0
        for number, (name, curve) in enumerate(results.items()):
            false, correct = _supported(name, curve)
            missed = np.maximum(1 - correct, 0.5 / curve.genuine_pairs)
            axis.step(false, missed, where="post", label=name, linestyle=_DASHES[number % len(_DASHES)])
            lowest_false, lowest_missed = min(lowest_false, false[0]), min(lowest_missed, missed.min())
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlim(lowest_false, 1.0)
        axis.set_ylim(lowest_missed / 1.5, 1.0)
        axis.set_xlabel(rates[0])
        axis.set_ylabel(rates[1])
        _legend(drawing)
    return drawing


def cmc(results: Mapping[str, Sequence[float]]) -> Figure:
    """Draws cumulative match characteristics: how often the right person is among the first r.

    Args:
        results: identification rates for rank 1, 2, …, by the name that the legend shows (`OpenSetResult.cmc`,
            `MegaFaceResult.cmc`).

    Returns:
        A `Figure`.

    Raises:
        ValueError: no results, or one without ranks.

    Example:
        >>> save(cmc({"ArcFace": result.cmc}), "cmc.svg")
    """
    if not results or not all(len(rates) for rates in results.values()):
        raise ValueError("there is no CMC to draw. Received: no results, or one without ranks")
    with styled():
        drawing, (axis,) = figure(6.4, 4.4)
        lowest = 1.0
        for number, (name, rates) in enumerate(results.items()):
            ranks = np.arange(1, len(rates) + 1)
            label = f"{name} (rank 1: {rates[0]:.1%})"
            axis.plot(ranks, rates, label=label, marker="o", markersize=3, linestyle=_DASHES[number % len(_DASHES)])
            lowest = min(lowest, rates[0])
        axis.set_ylim(max(0.0, np.floor(lowest * 10 - 0.5) / 10), 1.0 + 0.02 * (1 - lowest))
        axis.set_xlabel("rank")
        axis.set_ylabel("identification rate (TPIR)")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        _legend(drawing)
    return drawing


def _supported(name, curve):
    """False and correct accepts from the lowest false accept rate on that the comparisons support."""
    start = MIN_FALSE_ACCEPTS / curve.impostor_pairs
    if start >= 1:
        raise ValueError(f"{name}: {curve.impostor_pairs} impostor pairs support no rate. Received: too few pairs")
    first = np.searchsorted(curve.far, start, side="right") - 1
    return np.append(start, curve.far[first + 1 :]), np.asarray(curve.tar)[first:]


def _legend(drawing):
    # Outside: no corner is free of curves on a logarithmic axis, a poor one even hugs the lower right.
    legend = drawing.legend(loc="outside upper left", handlelength=3)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a file name with two dollar signs is no formula
