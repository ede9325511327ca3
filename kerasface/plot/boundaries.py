"""Decision boundaries between two classes, in the space of the two angles."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from kerasface.plot.head_logits import logits_over_angles
from kerasface.plot.style import GENUINE, IMPOSTOR, INK, styled

__all__ = ["decision_boundary_figure"]

_DEGREES = np.linspace(0.0, 180.0, 181)
_SECOND_LENGTH = 1.5  # ‖P_2‖ / ‖P_1‖ in softmax's panel: without normalisation the longer prototype gets more room


def decision_boundary_figure() -> Figure:
    """Draws where two classes are told apart, over the angles θ₁ and θ₂ to their prototypes, for five heads.

    Blue: faces that class 1 counts as its own in training, `logit₁(label 1) > logit₂`; orange: class 2 likewise.
    White between them belongs to neither: the margin. Every value is asked of the head itself. A-Softmax is drawn at
    m = 4 without annealing, the others with the constants that their papers use.

    Returns:
        A `Figure` of five panels.

    Example:
        >>> save(decision_boundary_figure(), "boundaries.png")

    Reference:
        Deng et al., ArcFace, CVPR 2019, figure 5; Wang et al., CosFace, CVPR 2018, figure 3.
    """
    cases = _cases()
    with styled():
        drawing = Figure(figsize=(2.35 * len(cases) + 0.4, 2.9), layout="constrained")
        axes = drawing.subplots(1, len(cases), sharex=True, sharey=True)
        for axis, (title, head, length) in zip(axes, cases, strict=True):
            first, second = margins(head, length)
            axis.set_title(title, fontsize=9)
            for values, color in ((first, GENUINE), (second, IMPOSTOR)):
                axis.contourf(_DEGREES, _DEGREES, values, levels=[0.0, np.inf], colors=[color], alpha=0.3)
                axis.contour(_DEGREES, _DEGREES, values, levels=[0.0], colors=[color], linewidths=1.6)
            axis.set_aspect("equal")
            axis.text(13, 163, "1", color=GENUINE, ha="center", va="center", fontweight="bold")
            axis.text(163, 13, "2", color=IMPOSTOR, ha="center", va="center", fontweight="bold")
            for direction in (axis.xaxis, axis.yaxis):
                direction.set_major_locator(MultipleLocator(60))
                direction.set_major_formatter(FuncFormatter(lambda degrees, _: f"{degrees:.0f}°"))
        drawing.supxlabel("angle θ₁ to class 1's prototype", fontsize=10, color=INK)
        axes[0].set_ylabel("angle θ₂ to class 2's prototype")
    return drawing


def margins(head, second_length=1.0):
    """How far each class's logit lies above the other's when the label is its own.

    Args:
        head: `MarginHead`.
        second_length: length of class 2's prototype; class 1's is 1.

    Returns:
        Two (181, 181) float32 arrays over θ₂ (rows) and θ₁ (columns), 0° to 180° in steps of 1°.
    """
    target, others = logits_over_angles(head, _DEGREES, _DEGREES, other_length=second_length)
    first = target[:, None] - others
    # Class 2's turn: its prototype is the target, and lengths swap; only their ratio matters to a boundary.
    target, others = logits_over_angles(head, _DEGREES, _DEGREES, other_length=1.0 / second_length)
    return first.T, target[:, None] - others


def _cases():
    from kerasface import heads

    return [
        (f"Softmax, ‖P₂‖ = {_SECOND_LENGTH:g} ‖P₁‖", heads.Softmax(2), _SECOND_LENGTH),
        ("NSL (NormFace)", heads.NormFace(2, scale=1.0), 1.0),
        ("A-Softmax, m = 4", heads.ASoftmax(2, margin=4, annealing=None), 1.0),
        ("LMCL (CosFace), m = 0.35", heads.CosFace(2, scale=1.0, margin=0.35), 1.0),
        ("ArcFace, m = 0.5", heads.ArcFace(2, scale=1.0, margin=0.5), 1.0),
    ]
