import numpy as np
import pytest

from kerasface.evaluation import equal_error_rate, roc_curve, tar_at_far
from kerasface.plot import roc


def _curve(rng, genuine, impostors, shift=1.5):
    same = np.arange(genuine + impostors) < genuine
    return roc_curve(rng.normal(size=same.size) + shift * same, same)


def _height(line, far):
    """What a reader takes from the drawn staircase at that FAR."""
    x, y = line.get_data()
    assert line.get_drawstyle() == "steps-post"
    return y[np.searchsorted(x, far, side="right") - 1]


def test_the_drawn_staircase_is_read_as_tar_at_far(rng):
    curve = _curve(rng, 300, 2000)
    (line,) = roc({"model": curve}).axes[0].lines
    for far in (0.005, 0.0123, 0.1, 0.5, 0.99):
        assert _height(line, far) == tar_at_far(curve, far)


def test_each_curve_begins_at_the_far_it_supports(rng):
    axis = roc({"few": _curve(rng, 50, 100), "many": _curve(rng, 50, 5000)}).axes[0]
    assert [line.get_xdata()[0] for line in axis.lines] == [0.03, 0.0006]
    assert axis.get_xlim() == (0.0006, 1.0)
    assert axis.get_xscale() == "log"


def test_the_legend_names_each_curve_and_its_error(rng):
    curve = _curve(rng, 100, 100)
    legend = roc({"$a$ model": curve}).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [f"$a$ model (EER {equal_error_rate(curve):.1%})"]
    assert not legend.get_texts()[0].get_parse_math()


def test_the_legend_lies_outside_the_plot(rng):
    drawing = roc({name: _curve(rng, 100, 200) for name in ("one", "two", "three")})
    drawing.draw_without_rendering()
    assert drawing.legends[0].get_window_extent().y0 >= drawing.axes[0].get_window_extent().y1


def test_what_cannot_be_drawn_is_refused(rng):
    with pytest.raises(ValueError, match="no results"):
        roc({})
    with pytest.raises(ValueError, match="tiny: 3 impostor pairs"):
        roc({"tiny": _curve(rng, 10, 3)})
