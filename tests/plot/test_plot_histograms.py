import numpy as np
import pytest
from matplotlib.patches import StepPatch

from kerasface import plot
from kerasface.evaluation import pair_angles


def angle_histograms(genuine, impostor, threshold=None):
    """The figure of pairs at these angles in degrees."""
    degrees = np.concatenate([genuine, impostor])
    angles = pair_angles(np.cos(np.radians(degrees)), np.arange(degrees.size) < len(genuine))
    return plot.angle_histograms(angles, threshold)


def _outlines(drawing):
    return [patch for patch in drawing.axes[0].patches if isinstance(patch, StepPatch) and not patch.get_fill()]


def test_bars_are_the_shares_of_each_kind(rng):
    genuine, impostor = rng.normal(50, 9, 300).clip(0, 180), rng.normal(88, 6, 1000).clip(0, 180)
    for patch, angles in zip(_outlines(angle_histograms(genuine, impostor)), (genuine, impostor), strict=True):
        values, edges, _ = patch.get_data()
        assert values.sum() == pytest.approx(1)
        for value, low, high in zip(values, edges, edges[1:], strict=False):
            assert value == pytest.approx(((angles >= low) & (angles < high)).mean())


def test_the_threshold_stands_at_its_angle_within_the_axis():
    drawing = angle_histograms([10.5, 20.5], [25.5, 28.5], threshold=0.5)
    (line,) = drawing.axes[0].lines
    np.testing.assert_allclose(line.get_xdata(), 60)
    assert drawing.axes[0].get_xlim() == (10, 60)
    assert "60.0° (cosine 0.500)" in drawing.legends[0].get_texts()[2].get_text()


def test_the_legend_states_mean_deviation_and_number():
    legend = angle_histograms([40.5, 50.5], np.full(2000, 90.5)).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [
        "genuine: 45.5° ± 5.0° (2 pairs)",
        "impostor: 90.5° ± 0.0° (2,000 pairs)",
    ]


def test_the_legend_lies_outside_the_plot(rng):
    drawing = angle_histograms(rng.uniform(0, 90, 50), rng.uniform(60, 120, 50), threshold=0.3)
    drawing.draw_without_rendering()
    assert drawing.legends[0].get_window_extent().y0 >= drawing.axes[0].get_window_extent().y1


@pytest.mark.parametrize("extreme", [0.0, 180.0])
def test_the_ends_of_the_scale_are_counted(extreme):
    outline = _outlines(angle_histograms([extreme], [90.0]))[0]
    assert outline.get_data().values.sum() == 1


def test_a_threshold_that_is_no_cosine_is_refused():
    with pytest.raises(ValueError, match=r"cosine in \[-1, 1\]"):
        angle_histograms([90.0], [80.0], 70.0)
