"""How a training run went."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from kerasface.plot.style import INK, PALETTE, figure, styled

__all__ = ["training_curve"]


def training_curve(history: Mapping[str, Sequence[float | None]]) -> Figure:
    """Draws loss, validation and learning rate over the epochs, one above the other.

    Args:
        history: by name, one value an epoch, epochs from 1: "loss" (the mean over the epoch); optionally
            "validation_accuracy" and "validation_auc" (of verification on held-out people, in [0, 1]),
            "teacher_cosine" (mean cosine to a teacher's embeddings of their photos) and "learning_rate". None or NaN
            marks an epoch that was not measured. Other names are left out.

    Returns:
        A `Figure` with one panel for each of them that is there.

    Raises:
        ValueError: no "loss", or lists of different lengths.

    Example:
        >>> save(training_curve({"loss": [18.2, 11.0, 7.4], "validation_accuracy": [0.71, 0.83, 0.88]}), "training.png")
    """
    panels = {name: history[name] for name in _DRAW if history.get(name)}
    if "loss" not in panels or len({len(values) for values in panels.values()}) != 1:
        received = {name: len(values) for name, values in history.items()}
        raise ValueError(f"history needs a loss an epoch, and as many of everything else. Received lengths: {received}")
    heights = [1 if name == "learning_rate" else 2 for name in panels]
    with styled():
        drawing, axes = figure(6.4, 0.8 + 1.15 * sum(heights), rows=len(panels), height_ratios=heights)
        for axis, (name, values) in zip(axes, panels.items(), strict=True):
            series = np.array([np.nan if value is None else value for value in values], np.float64)
            _DRAW[name](axis, np.arange(1, len(series) + 1), series)
            axis.margins(x=0.02)
        axes[-1].set_xlabel("epoch")
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        drawing.align_ylabels(axes)
    return drawing


def _loss(axis, epochs, values):
    axis.plot(epochs, values, **_line(PALETTE[0], values))
    axis.set_ylabel("training loss")


def _accuracy(axis, epochs, values):
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    _validation(axis, epochs, values, "accuracy", "{:.2%}")


def _auc(axis, epochs, values):
    _validation(axis, epochs, values, "AUC", "{:.4f}")


def _validation(axis, epochs, values, name, form):
    # Epochs that were not measured are bridged, so that validating every fifth one still gives a line.
    measured = np.isfinite(values)
    axis.plot(epochs[measured], values[measured], **_line(PALETTE[2], values[measured]))
    axis.set_ylabel(f"validation {name}")
    if not measured.any():
        return
    best = np.flatnonzero(measured)[np.argmax(values[measured])]
    axis.plot(epochs[best], values[best], "o", markersize=9, markerfacecolor="none", markeredgecolor=INK)
    axis.set_title(f"best: {form.format(values[best])} after epoch {epochs[best]}", fontsize=9)
    axis.margins(y=0.15)


def _teacher_cosine(axis, epochs, values):
    _validation(axis, epochs, values, "cosine to teacher", "{:.4f}")


def _learning_rate(axis, epochs, values):
    axis.step(epochs, values, where="mid", color=PALETTE[3])
    axis.set_ylabel("learning rate")
    # A schedule that falls to zero within one epoch leaves nothing that a logarithm could show.
    if (values > 0).any():
        axis.set_yscale("log")
    axis.margins(y=0.15)


_DRAW = {
    "loss": _loss,
    "validation_accuracy": _accuracy,
    "validation_auc": _auc,
    "teacher_cosine": _teacher_cosine,
    "learning_rate": _learning_rate,
}


def _line(color, values):
    # Points show where few epochs were measured; over many they would hide the line.
    return {"color": color, "marker": "o" if len(values) <= 30 else None, "markersize": 4}
