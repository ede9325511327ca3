import numpy as np
import pytest

from kerasface import heads
from kerasface.plot import decision_boundary_figure, psi_figure, target_logit_figure
from kerasface.plot.head_logits import logits_over_angles, margin_values


def _psi(degrees, m):
    theta = np.radians(degrees)
    k = np.minimum(np.floor(m * degrees / 180 + 1e-9), m - 1)
    return (-1.0) ** k * np.cos(m * theta) - 2 * k


def _curves(axis):
    """Values by label, at 0°, 0.5° … 180°."""
    for line in axis.lines:
        np.testing.assert_allclose(line.get_xdata(), np.arange(0, 180.25, 0.5), atol=1e-9)
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axis.lines}


DEGREES = np.arange(0, 180.25, 0.5)


def test_the_figure_of_psi_holds_psi():
    above, below = psi_figure().axes
    for m, (label, values) in enumerate(_curves(above).items(), start=1):
        assert label.startswith(f"m = {m}")
        np.testing.assert_allclose(values, _psi(DEGREES, m), atol=2e-5)
    assert m == 4
    blends = _curves(below)
    assert list(blends) == ["λ = 1000", "λ = 20", "λ = 5", "λ = 1", "λ = 0"]
    for label, values in blends.items():
        weight = float(label.split("=")[1])
        expected = (weight * np.cos(np.radians(DEGREES)) + _psi(DEGREES, 4)) / (1 + weight)
        np.testing.assert_allclose(values, expected, atol=2e-5)


@pytest.fixture(scope="module")
def target_curves():
    drawing = target_logit_figure()
    return {label: values for axis in drawing.axes if axis.get_visible() for label, values in _curves(axis).items()}


def test_every_head_of_the_registry_has_a_curve(target_curves):
    for name in heads.names():
        title = type(heads.get(name, num_classes=5)).__name__
        assert any(label.split(",")[0] == title for label in target_curves), name


def test_curves_are_the_heads_formulas(target_curves):
    theta = np.radians(DEGREES)
    np.testing.assert_allclose(target_curves["cos θ"], np.cos(theta), atol=1e-6)
    np.testing.assert_allclose(target_curves["NormFace"], np.cos(theta), atol=1e-6)
    np.testing.assert_allclose(target_curves["CosFace, m = 0.35"], np.cos(theta) - 0.35, atol=1e-6)
    before = np.pi - 0.51 > theta
    np.testing.assert_allclose(target_curves["ArcFace, m = 0.5"][before], np.cos(theta + 0.5)[before], atol=1e-5)
    annealed = (5 * np.cos(theta) + _psi(DEGREES, 4)) / 6
    np.testing.assert_allclose(target_curves["ASoftmax, m = 4, λ = 5"], annealed, atol=1e-5)


def test_a_head_that_minds_the_length_is_drawn_at_several(target_curves):
    right_half = DEGREES < 90
    for norm, margin in ((10, 0.45), (60, 0.625), (110, 0.8)):
        expected = np.cos(np.radians(DEGREES) + margin)
        drawn = target_curves[f"MagFace, ‖x‖ = {norm}"]
        np.testing.assert_allclose(drawn[right_half], expected[right_half], atol=1e-5)
    # z = −1, 0 and 0.8 of margin 0.4: cos(θ − 0.4 z) − 0.4 (1 + z)
    for norm, z in ((10, -1.0), (60, 0.0), (110, 0.8 * 0.999)):
        inside = (DEGREES > 25) & (DEGREES < 155)
        expected = np.cos(np.radians(DEGREES) - 0.4 * z) - 0.4 * (1 + z)
        drawn = target_curves[f"AdaFace, ‖x‖ = {norm}"]
        np.testing.assert_allclose(drawn[inside], expected[inside], atol=1e-3)


def test_logits_over_angles_are_a_heads_logits():
    target, others = logits_over_angles(
        heads.CosFace(7, scale=10.0, margin=0.2), [0, 60], [90, 120, 180], norm=5.0, other_length=3.0
    )
    np.testing.assert_allclose(target, [8, 3], atol=1e-4)
    np.testing.assert_allclose(others, [[0, -5, -10]] * 2, atol=1e-4)
    target, others = logits_over_angles(heads.Softmax(7), [60], [0, 120], norm=4.0, other_length=3.0)
    np.testing.assert_allclose(target, [2], atol=1e-4)
    np.testing.assert_allclose(others, [[12, -6]], atol=1e-4)


def test_margin_values_ask_at_the_length():
    head = heads.MagFace(7)
    np.testing.assert_allclose(margin_values(head, [30.0], norm=60.0), np.cos(np.pi / 6 + 0.625), atol=1e-5)
    np.testing.assert_allclose(margin_values(head, [30.0], norm=110.0), np.cos(np.pi / 6 + 0.8), atol=1e-5)


# Where class 1 begins: a function of cos θ₁ that cos θ₂ must equal.
BOUNDARIES = {
    "Softmax": lambda theta: np.cos(theta) / 1.5,
    "NSL": np.cos,
    "A-Softmax": lambda theta: np.cos(4 * theta),
    "LMCL": lambda theta: np.cos(theta) - 0.35,
    "ArcFace": lambda theta: np.cos(theta + 0.5),
}


def test_boundaries_lie_where_the_papers_put_them():
    axes = decision_boundary_figure().axes
    for axis, (name, expected) in zip(axes, BOUNDARIES.items(), strict=True):
        assert axis.get_title(loc="left").startswith(name)
        lines = [contour for contour in axis.collections if not contour.filled]
        (first,), (second,) = (np.concatenate(line.allsegs[0])[None] for line in lines)
        assert len(first) > 40
        np.testing.assert_allclose(np.cos(np.radians(first[:, 1])), expected(np.radians(first[:, 0])), atol=6e-3)
        if name == "Softmax":
            one, other = (line[np.argsort(line[:, 0])] for line in (first, second))
            np.testing.assert_allclose(one, other, atol=0.05)  # one line: no margin
        else:  # the two classes are each other's mirror image
            np.testing.assert_allclose(np.cos(np.radians(second[:, 0])), expected(np.radians(second[:, 1])), atol=6e-3)
