"""Error trade-offs over all thresholds."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from kerasface.evaluation.roc import MIN_FALSE_ACCEPTS, RocCurve, equal_error_rate
from kerasface.plot.style import figure, styled

__all__ = ["roc"]

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
            start = MIN_FALSE_ACCEPTS / curve.impostor_pairs
            if start >= 1:
                raise ValueError(
                    f"{name}: {curve.impostor_pairs} impostor pairs support no rate. Received: too few pairs"
                )
            first = np.searchsorted(curve.far, start, side="right") - 1
            far, tar = np.append(start, curve.far[first + 1 :]), curve.tar[first:]
            label = f"{name} (EER {equal_error_rate(curve):.1%})"
            axis.step(far, tar, where="post", label=label, linestyle=_DASHES[number % len(_DASHES)])
            lowest_far, lowest_tar = min(lowest_far, start), min(lowest_tar, tar[0])
        axis.set_xscale("log")
        axis.set_xlim(lowest_far, 1.0)
        floor = max(0.0, np.floor(lowest_tar * 10 - 0.5) / 10)
        axis.set_ylim(floor, 1.0 + 0.02 * (1 - floor))
        axis.set_xlabel("false accept rate (FAR, FMR)")
        axis.set_ylabel("true accept rate (TAR, 1 − FNMR)")
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        # Outside: no corner is free of curves on a logarithmic axis, a poor one even hugs the lower right.
        legend = drawing.legend(loc="outside upper left", handlelength=3)
        for text in legend.get_texts():
            text.set_parse_math(False)  # a file name with two dollar signs is no formula
    return drawing
