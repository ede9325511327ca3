"""What margins do to the target's logit, over its angle."""

import dataclasses

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from kerasface.plot.head_logits import margin_values
from kerasface.plot.style import INK, PALETTE, figure, styled

__all__ = ["psi_figure", "target_logit_figure"]

_DEGREES = np.linspace(0.0, 180.0, 361)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 1, 1, 1, 1, 1)))

_PSI_MARGINS = (1, 2, 3, 4)
_BLEND_LAMBDAS = (1000.0, 20.0, 5.0, 1.0, 0.0)

_FINAL_LAMBDA = 5.0  # where the authors' annealing ends
# The lengths that MagFace's margin grows between, and one in the middle.
_NORMS = (10.0, 60.0, 110.0)
# AdaFace measures lengths by their mean and deviation: these make z = −1, 0 and 0.8 of the three (it clips at 100).
_NORM_MEAN, _NORM_DEVIATION = 60.0, 50.0 * 0.333
_CLASSES = 1000
_MARGINS = ("margin", "m1", "m2", "m3")

_PLAIN = "no margin"
_OTHER = "other shapes"
_BY_NORM = "the embedding's length decides"
_PANELS = {
    "softmax": _PLAIN,
    "modified_softmax": _PLAIN,
    "normface": _PLAIN,
    "adacos": _PLAIN,
    "a_softmax": "the angle multiplied",
    "l_softmax": "the angle multiplied",
    "sphereface": "the angle multiplied",
    "sphereface_r": "the angle multiplied",
    "arcface": "a margin added",
    "cosface": "a margin added",
    "combined_margin": "a margin added",
    "elasticface": "a margin added",
    "subcenter_arcface": "a margin added",
    "mv_softmax": "with an eye on hard negatives",
    "curricularface": "with an eye on hard negatives",
}


def psi_figure() -> Figure:
    """Draws ψ(θ) for m = 1…4, and how the annealing leads from cos θ to ψ for m = 4.

    Above: `heads.geometry.psi`. Below: the values of a real `heads.ASoftmax` at several λ, (λ cos θ + ψ(θ)) / (1 + λ).

    Returns:
        A `Figure` of two panels.

    Example:
        >>> save(psi_figure(), "psi.png")

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 7, and appendix G for the annealing.
    """
    from keras import ops  # Keras loads only when a head is asked: the room itself does without

    from kerasface.heads.geometry import psi

    cosines = ops.convert_to_tensor(np.cos(np.radians(_DEGREES)).astype("float32"))
    with styled():
        drawing, (above, below) = figure(6.4, 7.6, rows=2)
        for number, margin in enumerate(_PSI_MARGINS):
            values = ops.convert_to_numpy(psi(cosines, margin))
            label = f"m = {margin}" + (" (cos θ)" if margin == 1 else "")
            above.plot(_DEGREES, values, color=PALETTE[number], linestyle=_DASHES[number], label=label)
        above.set_title("ψ(θ) = (−1)ᵏ cos(mθ) − 2k, k = ⌊mθ / π⌋")
        above.set_ylabel("ψ(θ)")
        above.legend(loc="lower left")
        for number, weight in enumerate(_BLEND_LAMBDAS):
            values = margin_values(_annealed("a_softmax", weight), _DEGREES)
            label = f"λ = {weight:g}"
            below.plot(_DEGREES, values, color=PALETTE[number], linestyle=_DASHES[number], label=label)
        below.set_title("Annealed, m = 4: (λ cos θ + ψ(θ)) / (1 + λ)")
        below.set_ylabel("target's logit / ‖x‖")
        below.legend(loc="lower left")
        _degrees(below)
        below.set_xlabel("angle θ to one's own prototype")
    return drawing


def target_logit_figure() -> Figure:
    """Draws the target's logit over its angle for every head of the registry, at the head's default constants.

    Every curve is asked of the head itself (`head_logits.margin_values`), before its magnitude, so that scales don't
    hide margins; cos θ, what a head without a margin gives, is drawn in grey beside them. Heads whose margin hangs on
    the embedding's length are drawn at ‖x‖ = 10, 60 and 110; AdaFace with averages of 60 ± 17. The annealed ones
    (A-Softmax, L-Softmax) stand at the end of their annealing, λ = 5; ElasticFace has its mean margin.

    Returns:
        A `Figure`, one panel a family.

    Example:
        >>> save(target_logit_figure(), "target_logits.png")

    Reference:
        Deng et al., ArcFace, CVPR 2019, figure 3.
    """
    panels: dict[str, list] = {}
    for curve in _curves():
        panels.setdefault(curve.panel, []).append(curve)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with styled():
        drawing = Figure(figsize=(3.9 * columns, 4.2 * rows), layout="constrained")
        axes = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axis, (title, curves) in zip(axes, panels.items(), strict=False):
            axis.plot(_DEGREES, np.cos(np.radians(_DEGREES)), color="#999999", linewidth=1, label="cos θ")
            for number, curve in enumerate(curves):
                color, dashes = PALETTE[number % len(PALETTE)], _DASHES[number % len(_DASHES)]
                axis.plot(_DEGREES, curve.values, color=color, linestyle=dashes, label=curve.label)
            axis.set_title(title)
            axis.legend(loc="lower left", fontsize=8)
            _degrees(axis)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        drawing.supxlabel("angle θ to one's own prototype", fontsize=10, color=INK)
        drawing.supylabel("target's logit / (scale or ‖x‖)", fontsize=10, color=INK)
    return drawing


@dataclasses.dataclass(frozen=True, eq=False)
class _Curve:
    panel: str
    label: str
    values: np.ndarray


def _curves():
    from kerasface import heads

    order = {panel: number for number, panel in enumerate([*dict.fromkeys(_PANELS.values()), _BY_NORM, _OTHER])}
    curves = [curve for name in heads.names() for curve in _curves_of(name)]
    return sorted(curves, key=lambda curve: order[curve.panel])


def _curves_of(name):
    head = _head(name)
    values = [margin_values(head, _DEGREES, norm=norm) for norm in _NORMS]
    if np.ptp(values, axis=0).max() < 1e-3:
        return [_Curve(_PANELS.get(name, _OTHER), _label(head), values[0])]
    labels = [f"{type(head).__name__}, ‖x‖ = {norm:g}" for norm in _NORMS]
    return [_Curve(_BY_NORM, label, value) for label, value in zip(labels, values, strict=True)]


def _head(name):
    from kerasface import heads

    if name in ("a_softmax", "l_softmax"):
        return _annealed(name, _FINAL_LAMBDA)
    fixed = {"sigma": 0.0} if name == "elasticface" else {}  # its margins are drawn around the one that is shown
    head = heads.get(name, num_classes=_CLASSES, **fixed)
    if name == "adaface":
        head.build((None, 2))
        head.norm_mean.assign(_NORM_MEAN)
        head.norm_deviation.assign(_NORM_DEVIATION)
    return head


def _annealed(name, weight):
    """The head, m = 4, at a fixed λ."""
    from kerasface import heads

    annealing = heads.Annealing(base=weight, gamma=0.0, minimum=weight)
    return heads.get(name, num_classes=_CLASSES, margin=4, annealing=annealing)


def _label(head):
    config = head.get_config()
    margins = ", ".join(f"{config[key]:g}" for key in _MARGINS if key in config)
    told = f", m = {margins}" if margins else ""
    return type(head).__name__ + told + (f", λ = {_FINAL_LAMBDA:g}" if "annealing" in config else "")


def _degrees(axis):
    axis.set_xlim(0, 180)
    axis.xaxis.set_major_locator(MultipleLocator(30))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda degrees, _: f"{degrees:.0f}°"))
