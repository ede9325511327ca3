"""Members of a gallery and strangers to it, before and after fine-tuning."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from kerasface.evaluation.strangers import MembersAndStrangers
from kerasface.plot.style import GENUINE, IMPOSTOR, INK, figure, styled

__all__ = ["before_and_after"]

_BINS = 40


def before_and_after(before: MembersAndStrangers, after: MembersAndStrangers) -> Figure:
    """Draws the cosines of members and strangers with two models, one above the other.

    Args:
        before, after: of the same people.

    Returns:
        A `Figure`: each histogram in per cent of its own faces, and the two halves' thresholds.

    Example:
        >>> save(before_and_after(report.before, report.after), "report.png")
    """
    results = {"before": before, "after": after}
    every = np.concatenate([part for result in results.values() for part in (result.own, result.nearest)])
    edges = np.linspace(every.min(), max(every.max(), every.min() + 1e-3), _BINS + 1)
    with styled():
        drawing, axes = figure(6.4, 5.2, rows=2)
        for axis, (when, result) in zip(axes, results.items(), strict=True):
            kinds = (
                ("members, to their own template", GENUINE, result.own),
                ("strangers, to the nearest of others", IMPOSTOR, result.nearest),
            )
            for name, color, cosines in kinds:
                share = np.histogram(cosines, edges)[0] / len(cosines)
                axis.stairs(share, edges, fill=True, color=color, alpha=0.35)
                axis.stairs(share, edges, color=color, linewidth=1.4, label=name)
            for threshold in result.thresholds:
                axis.axvline(
                    threshold, linestyle=(0, (4, 2)), linewidth=1.2, color=INK, label="thresholds of the two halves"
                )
            axis.set_title(
                f"{when}: {result.recognised:.1%} of members recognised, {result.accepted:.1%} of strangers accepted"
            )
            axis.set_ylabel("share of each kind")
            axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes[-1].set_xlabel("cosine")
        handles, labels = axes[0].get_legend_handles_labels()
        named = dict(zip(labels, handles, strict=True))
        drawing.legend(named.values(), named.keys(), loc="outside upper left", ncols=1)
    return drawing
