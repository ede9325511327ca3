import numpy as np
import pytest
from PIL import Image

from kerasface.alignment import AlignmentSettings, align_tree, read_log, read_points
from kerasface.edge.align import TEMPLATES, crop
from kerasface.errors import KerasfaceError

FIVE = np.array(TEMPLATES["arcface_112x112"].points) * 1.5 + (40, 30)


def pairs(points, separator=","):
    return separator.join(f"{value:.4f}" for value in points.ravel())


def xs_then_ys(points):
    return ",".join(f"{value:.4f}" for value in points.T.ravel())


def test_the_orders_and_the_scores(tmp_path):
    table = tmp_path / "points.csv"
    table.write_text(
        f"file,x1,y1\nAnn/1.jpg,{pairs(FIVE)}\nAnn/1.jpg,{pairs(FIVE + 9)},0.75\nBob/2.jpg,{pairs(FIVE)}\n"
    )
    for order in ("retinaface", "scrfd"):
        faces = read_points(table, order)
        assert list(faces) == ["Ann/1.jpg", "Bob/2.jpg"]
        assert [face.score for face in faces["Ann/1.jpg"]] == [1.0, 0.75]
        np.testing.assert_allclose(faces["Ann/1.jpg"][1].points, FIVE + 9, atol=1e-4)
        # The box is what the crop shows.
        np.testing.assert_allclose(faces["Bob/2.jpg"][0].box, [40, 30, 40 + 111 * 1.5, 30 + 111 * 1.5], atol=1e-3)
    table.write_text(f"Ann/1.jpg,{xs_then_ys(FIVE)}\n")
    np.testing.assert_allclose(read_points(table, "mtcnn")["Ann/1.jpg"][0].points, FIVE, atol=1e-4)


@pytest.mark.parametrize("separator", ["\t", " ", ", ", ";", "   "])
@pytest.mark.parametrize("name", ["Ann/1.jpg", "Ann Lee/my, photo 7.jpg", "2024/17", "./Ann/1.jpg", "Ann\\1.jpg"])
def test_separators_and_names(tmp_path, separator, name):
    table = tmp_path / "points.txt"
    table.write_text(f"{name}{separator}{pairs(FIVE, separator)}\n\n")
    (photo,) = read_points(table, "scrfd")
    assert photo == name.removeprefix("./").replace("\\", "/")


def test_another_order_is_noticed(tmp_path):
    table = tmp_path / "points.csv"
    table.write_text(f"a.jpg,{pairs(FIVE)}\nb.jpg,{pairs(FIVE + 3)}\n")
    with pytest.raises(KerasfaceError, match=r"100% of the rows hold no face when read as mtcnn.*Try retinaface"):
        read_points(table, "mtcnn")
    table.write_text(f"a.jpg,{xs_then_ys(FIVE)}\n")
    with pytest.raises(KerasfaceError, match=r"Try mtcnn \(x1 … x5 y1 … y5\)"):
        read_points(table, "scrfd")
    # Image-right eye first, as the subject counts.
    table.write_text(f"a.jpg,{pairs(FIVE[[1, 0, 2, 4, 3]])}\n")
    with pytest.raises(KerasfaceError, match="hold no face"):
        read_points(table, "scrfd")


def test_bad_tables(tmp_path):
    table = tmp_path / "points.csv"
    cases = {
        f"a.jpg,{pairs(FIVE)}\nb.jpg,1,2,3\n": "line 2: expected a photo, ten numbers",
        f"a.jpg,{pairs(FIVE)}\nb.jpg,{','.join(['nan'] * 10)}\n": "line 2",
        f"a.jpg,{pairs(FIVE)}\nb.jpg,1,2,x,{pairs(FIVE)[:30]}\n": "line 2",
        f"{pairs(FIVE)}\n": "line 1: expected a photo",
        "": "holds no points",
        "file,points\n": "holds no points",
    }
    for text, words in cases.items():
        table.write_text(text)
        with pytest.raises(KerasfaceError, match=words):
            read_points(table, "scrfd")
    with pytest.raises(KerasfaceError, match="can't read the points"):
        read_points(tmp_path / "gone.csv", "scrfd")
    with pytest.raises(ValueError, match="order must be one of mtcnn, retinaface, scrfd. Received: order='dlib'"):
        read_points(table, "dlib")


def test_a_tree_is_aligned_by_given_points_without_a_detector(few, hopper, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "no models here"))
    table = tmp_path / "points.csv"
    table.write_text(f"Grace/1.jpg,{pairs(FIVE)},0.8\nGrace/1.jpg,{','.join(['5'] * 10)}\n")
    report = align_tree(few, tmp_path / "set", faces=read_points(table, "scrfd"))
    assert (report.counts["several"], report.counts["none"]) == (1, 1)
    records = read_log(tmp_path / "set")
    assert records["Odd/sea.jpg"].reason == "no points were given for it"
    (face,) = records["Grace/1.jpg"].faces
    assert face.quality.score == 0.8
    photo = np.array(Image.open(few / "Grace" / "1.jpg"))
    written = np.array(Image.open(tmp_path / "set" / face.file)).astype(float)
    assert np.abs(written - crop(photo, FIVE)).mean() < 3
    with pytest.raises(KerasfaceError, match="points_sha256 '.*', now None"):
        align_tree(few, tmp_path / "set", faces=None, settings=AlignmentSettings(task_file="unused.task"))
    # Points that all coincide are one photo's misfortune, not the run's.
    report = align_tree(few, tmp_path / "all", AlignmentSettings(faces="all"), faces=read_points(table, "scrfd"))
    assert report.counts["failed"] == 1
