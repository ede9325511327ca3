import numpy as np
import pytest
from matplotlib.colors import to_rgba

from kerasface.plot import ACCEPTED, REJECTED, face_grid


@pytest.fixture
def faces(rng):
    return [rng.integers(0, 256, (size, size, 3), np.uint8) for size in (112, 112, 56, 112, 30)]


def test_each_face_stands_with_its_caption_and_frame(faces):
    captions = ["Ann 0.71", "unknown 0.18", "$5 for $6", "a\nb", "x" * 40]
    colors = [ACCEPTED, REJECTED, ACCEPTED, "green", "black"]
    drawing = face_grid(faces, captions, colors, columns=3)
    assert len(drawing.axes) == 5
    for cell, face, caption, color in zip(drawing.axes, faces, captions, colors, strict=True):
        np.testing.assert_array_equal(cell.images[0].get_array(), face)
        assert cell.get_xlabel().replace("\n", "") == caption.replace("\n", "")
        assert not cell.xaxis.label.get_parse_math()
        assert {spine.get_edgecolor() for spine in cell.spines.values()} == {to_rgba(color)}


def test_faces_stand_in_rows_and_columns_and_captions_touch_nothing(faces):
    drawing = face_grid(faces, ["a long caption of many words that wraps"] * 5, [ACCEPTED] * 5, columns=3)
    drawing.draw_without_rendering()
    boxes = [cell.get_tightbbox() for cell in drawing.axes]
    corners = np.array([[cell.get_position().x0, cell.get_position().y0] for cell in drawing.axes])
    assert len(np.unique(corners[:, 0].round(6))) == 3
    assert len(np.unique(corners[:, 1].round(6))) == 2
    assert (np.diff(corners[:3, 0]) > 0).all()
    assert corners[3, 1] < corners[0, 1]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
        assert box.y0 >= 0


def test_one_face_makes_one_column(faces):
    wide, narrow = face_grid(faces[:2], ["", ""], ["k", "k"]), face_grid(faces[:1], [""], ["k"])
    assert narrow.get_figwidth() < wide.get_figwidth()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"captions": ["one"]}, "2, 1 and 2"),
        ({"images": [], "captions": [], "colors": []}, "0, 0 and 0"),
        ({"columns": 0}, "Received: 0"),
        ({"images": [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3))]}, r"float64 \(image 1\)"),
        ({"images": [np.zeros((4, 4), np.uint8)] * 2}, r"\(4, 4\) uint8 \(image 0\)"),
    ],
)
def test_what_does_not_fit_is_refused(faces, change, message):
    arguments = {"images": faces[:2], "captions": ["a", "b"], "colors": ["k", "k"], **change}
    with pytest.raises(ValueError, match=message):
        face_grid(**arguments)
