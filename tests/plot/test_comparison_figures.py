import numpy as np
import pytest

from kerasface.evaluation import PairAngles
from kerasface.plot import accuracy_dots, angle_rows


def angles_at(genuine, impostor):
    """Pairs that all lie at one whole degree each."""
    return PairAngles(np.eye(180, dtype=int)[genuine] * 7, np.eye(180, dtype=int)[impostor] * 5, 0.0, 0.0, 0.0, 0.0)


def test_every_seed_has_its_dot_and_interval():
    axis = accuracy_dots({"$a$": [(0.7, 0.6, 0.8)], "two": [(0.5, 0.4, 0.6), (0.55, 0.5, 0.6)]}).axes[0]
    dots = [tuple(line.get_xdata()) for line in axis.lines if line.get_marker() == "o"]
    intervals = [tuple(line.get_xdata()) for line in axis.lines if line.get_marker() != "o"]
    assert dots == [(0.7,), (0.5,), (0.55,)]
    assert intervals == [(0.6, 0.8), (0.4, 0.6), (0.5, 0.6)]
    heights = [line.get_ydata()[0] for line in axis.lines if line.get_marker() == "o"]
    assert np.round(heights).tolist() == [0, 1, 1]
    assert heights[1] != heights[2]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["$a$", "two"]
    assert not any(label.get_parse_math() for label in axis.get_yticklabels())


def test_every_row_shows_its_own_pairs_on_one_axis():
    drawing = angle_rows({"first": angles_at(31, 90), "second": angles_at(60, 100)})
    assert [axis.get_ylabel() for axis in drawing.axes] == ["first", "second"]
    for axis, (genuine, impostor) in zip(drawing.axes, ((31, 90), (60, 100)), strict=True):
        for color_pair, degree in zip((axis.patches[:2], axis.patches[2:]), (genuine, impostor), strict=True):
            for patch in color_pair:
                values, edges, _ = patch.get_data()
                (place,) = np.flatnonzero(values)
                assert values[place] == 1.0
                assert edges[place] <= degree < edges[place + 1]
    assert len({axis.get_xlim() for axis in drawing.axes}) == 1
    ((bottom, top),) = {axis.get_ylim() for axis in drawing.axes}
    assert bottom == 0
    assert top > 1


@pytest.mark.parametrize("draw", [accuracy_dots, angle_rows])
def test_nothing_to_draw_is_an_error(draw):
    with pytest.raises(ValueError, match="Received: no variants"):
        draw({})
