"""Features of many heads on one sheet."""

import numpy as np
from matplotlib.figure import Figure

from kerasface.plot.style import INK, styled
from kerasface.toy.measures import angular_spread

__all__ = ["feature_sheet"]

# Paul Tol's "muted" and black: ten colours that most eyes can tell apart; each class also bears its name.
_COLORS = ("#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000")
_SHOWN = 600  # images a panel: more would only make the file larger


def feature_sheet(runs, digits, *, columns=3) -> Figure:
    """Draws the test images' features of each run, one panel a run, with the spread that was measured.

    Two dimensions: the features as they are, so that lengths can be seen too, and a line along each prototype. Three
    dimensions: directions only, on a Mollweide map of the whole sphere, which keeps areas and hides no back side.

    Args:
        runs: `ToyRun`s, all of the same `digits`.
        digits: `Digits`, for labels and names.
        columns: panels a row; runs in another dimension begin a new row.

    Returns:
        A `Figure`.

    Raises:
        ValueError: no runs.

    Example:
        >>> save(feature_sheet([train_toy(setting, digits)], digits), "sheet.png")

    Reference:
        Liu et al., SphereFace, CVPR 2017, figure 2; Wang et al., CosFace, CVPR 2018, figure 5.
    """
    if not runs:
        raise ValueError("there is nothing to draw. Received: no runs")
    cells = _cells(runs, columns)
    rows = max(row for row, _, _ in cells) + 1
    flat = sum(any(row == each and run.setting.embedding_dim == 2 for row, _, run in cells) for each in range(rows))
    heights = [3.4 if row < flat else 2.5 for row in range(rows)]
    with styled():
        drawing = Figure(figsize=(3.3 * columns, sum(heights)), layout="constrained")
        grid = drawing.add_gridspec(rows, columns, height_ratios=heights)
        for row, column, run in cells:
            plane = run.setting.embedding_dim == 2
            axis = drawing.add_subplot(grid[row, column], projection=None if plane else "mollweide")
            (_plane if plane else _sphere)(axis, run, digits)
            spread = angular_spread(run.test_features, digits.test_labels)
            axis.set_title(
                f"{run.setting.name}\nwithin {spread.within_degrees:.1f}°, nearest class {spread.nearest_degrees:.0f}°",
                fontsize=9,
                loc="center",
            )
    return drawing


def _cells(runs, columns):
    cells, row, column, dimension = [], 0, 0, runs[0].setting.embedding_dim
    for run in runs:
        if column == columns or (column and run.setting.embedding_dim != dimension):
            row, column = row + 1, 0
        dimension = run.setting.embedding_dim
        cells.append((row, column, run))
        column += 1
    return cells


def _plane(axis, run, digits):
    features, labels = run.test_features[:_SHOWN], digits.test_labels[:_SHOWN]
    reach = np.percentile(np.linalg.norm(features, axis=1), 98)
    for label, (prototype, name) in enumerate(zip(run.prototypes, digits.names, strict=True)):
        color = _COLORS[label % len(_COLORS)]
        points = features[labels == label]
        axis.scatter(points[:, 0], points[:, 1], s=4, color=color, linewidths=0)
        direction = prototype / max(np.linalg.norm(prototype), 1e-12)
        axis.plot([0, reach * direction[0]], [0, reach * direction[1]], color=color, linewidth=0.7)
        axis.text(*(1.12 * reach * direction), name, color=color, ha="center", va="center", fontweight="bold")
    axis.set(xlim=(-1.22 * reach, 1.22 * reach), ylim=(-1.22 * reach, 1.22 * reach), xticks=[], yticks=[])
    axis.set_aspect("equal")
    axis.spines[:].set_visible(False)


def _sphere(axis, run, digits):
    features, labels = run.test_features[:_SHOWN], digits.test_labels[:_SHOWN]
    for label, (prototype, name) in enumerate(zip(run.prototypes, digits.names, strict=True)):
        color = _COLORS[label % len(_COLORS)]
        axis.scatter(*_longitude_latitude(features[labels == label]), s=4, color=color, linewidths=0)
        at = _longitude_latitude(prototype[None])
        axis.text(at[0][0], at[1][0], name, color=INK, ha="center", va="center", fontweight="bold", fontsize=9)
    axis.grid(visible=True)
    axis.set_xticklabels([])
    axis.set_yticklabels([])


def _longitude_latitude(points):
    x, y, z = np.asarray(points, np.float64).T
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
