import shutil
import types
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from kerasface.edge import Embedder, Face, FacePipeline, FaceTracker, Gallery, Watcher, draw_names
from kerasface.edge.align import TEMPLATES
from kerasface.edge.watching import drawing
from kerasface.edge.watching import watcher as watcher_module
from kerasface.errors import KerasfaceError

TEMPLATE = np.array(TEMPLATES["arcface_112x112"].points)


class Script:
    """A detector that knows where the faces are: the frame's number stands in its first pixel."""

    def __init__(self, *frames):
        self.frames = frames

    def detect(self, frame):
        return [
            Face(np.array([x, y, x + 112.0, y + 112.0]), 0.9, TEMPLATE + np.array([x, y]))
            for x, y in self.frames[frame[0, 0, 0]]
        ]


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch):
    """A machine that is busy elsewhere must not decide what is looked up again."""
    monkeypatch.setattr(watcher_module, "time", types.SimpleNamespace(monotonic=lambda: 0.0))


@pytest.fixture(scope="module")
def embedder(model_files):
    return Embedder.load(model_files["tflite"])


@pytest.fixture(scope="module")
def portraits():
    return np.random.default_rng(5).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8).repeat(28, 1).repeat(28, 2)


@pytest.fixture
def gallery(embedder, portraits):
    gallery = Gallery(embedder.spec)
    gallery.enroll("Ada", embedder.embed(portraits[:1])[0])
    return gallery


def frames_of(script, portraits):
    """Frames on which portrait i lies at the i-th place."""
    for number, places in enumerate(script.frames):
        frame = np.full((300, 500, 3), 128, np.uint8)
        for (x, y), portrait in zip(places, portraits, strict=False):
            frame[y : y + 112, x : x + 112] = portrait
        frame[0, 0] = number
        yield frame


def test_a_face_is_embedded_once_while_it_is_in_sight(embedder, gallery, portraits, monkeypatch):
    script = Script([(10, 50)], [(14, 50)], [(18, 52), (300, 100)], [(22, 54), (295, 100)])
    embedded = []
    embed = embedder.embed
    monkeypatch.setattr(embedder, "embed", lambda images: embedded.append(len(images)) or embed(images))
    watcher = Watcher(FacePipeline(embedder, script), gallery, threshold=0.9)
    answers = [watcher.see(frame) for frame in frames_of(script, portraits)]
    assert embedded == [1, 1]
    assert [[seen.track for seen in frame] for frame in answers] == [[0], [0], [0, 1], [0, 1]]
    assert [[seen.new for seen in frame] for frame in answers] == [
        [True], [False], [False, True], [False, False],
    ]  # fmt: skip
    for frame in answers:
        for seen in frame:
            assert seen.match.name == ("Ada", None)[seen.track]
    assert answers[0][0].match.score == pytest.approx(1, abs=1e-5)
    assert answers[3][0].match is answers[0][0].match


def test_a_face_that_the_check_refuses_is_tried_again(embedder, gallery, portraits):
    script = Script([(10, 50)], [(20, 50)], [(30, 50)])
    pipeline = FacePipeline(
        embedder, script, check=lambda photo, face, crop: "still far left" if face.box[0] < 15 else None
    )
    watcher = Watcher(pipeline, gallery, threshold=0.9)
    (first,), (second,), (third,) = (watcher.see(frame) for frame in frames_of(script, portraits))
    assert (first.match, first.new) == (None, False)
    assert (second.match.name, second.new) == ("Ada", True)
    assert (third.match.name, third.new) == ("Ada", False)


@pytest.mark.parametrize("gap", [1, 11])
def test_who_was_lost_from_sight_is_looked_up_again(embedder, gallery, portraits, gap):
    """Somebody else may stand there now, whether or not the tracker gives the old number."""
    script = Script([(10, 50)], *[[]] * gap, [(10, 50)])
    watcher = Watcher(FacePipeline(embedder, script), gallery, threshold=0.9)
    *before, after = frames_of(script, portraits)
    first, *_ = (watcher.see(frame) for frame in before)
    after[50:162, 10:122] = portraits[1]
    (last,) = watcher.see(after)
    assert first[0].match.name == "Ada"
    assert (last.track, last.match.name, last.new) == (int(gap > 10), None, True)


def test_an_answer_holds_for_a_second(embedder, gallery, portraits, monkeypatch):
    times = iter([10.0, 10.6, 11.1, 11.2])
    monkeypatch.setattr(watcher_module, "time", types.SimpleNamespace(monotonic=lambda: next(times)))
    script = Script(*[[(10, 50)]] * 4)
    watcher = Watcher(FacePipeline(embedder, script), gallery, threshold=0.9)
    assert [watcher.see(frame)[0].new for frame in frames_of(script, portraits)] == [True, False, True, False]


def test_an_answer_holds_for_so_many_frames(embedder, gallery, portraits):
    script = Script(*[[(10, 50)]] * 7)
    watcher = Watcher(FacePipeline(embedder, script), gallery, threshold=0.9, every=3)
    frames = list(frames_of(script, portraits))
    for frame in frames[1:]:
        frame[50:162, 10:122] = portraits[1]  # somebody else steps into Ada's place
    seen = [watcher.see(frame)[0] for frame in frames]
    assert [one.match.name for one in seen] == ["Ada"] * 3 + [None] * 4
    assert [one.new for one in seen] == [True, False, False, True, False, False, True]
    with pytest.raises(ValueError, match="at least 1 frame"):
        Watcher(FacePipeline(embedder, script), gallery, every=0)


def test_its_threshold_and_its_tracker_decide(embedder, gallery, portraits):
    script = Script([(10, 50)], [], [(10, 50)])
    watcher = Watcher(FacePipeline(embedder, script), gallery, threshold=-1.0, tracker=FaceTracker(patience=0))
    answers = [watcher.see(frame) for frame in frames_of(script, portraits[::-1])]
    assert [(seen.track, seen.match.name) for frame in answers for seen in frame] == [(0, "Ada"), (1, "Ada")]


def test_another_models_gallery_is_refused(embedder):
    with pytest.raises(KerasfaceError, match="belongs to embedder ffff"):
        Watcher(FacePipeline(embedder, Script()), Gallery(embedder.spec.replace(embedder_id="ffff")))


def test_names_are_drawn_at_the_faces(embedder, gallery, portraits):
    script = Script([(10, 50), (300, 100)])
    (frame,) = frames_of(script, portraits)
    kept = frame.copy()
    seen = Watcher(FacePipeline(embedder, script), gallery, threshold=0.9).see(frame)
    drawn = draw_names(frame, seen)
    np.testing.assert_array_equal(frame, kept)
    assert drawn.shape == frame.shape
    changed = (drawn != frame).any(-1)
    for (x, y), color in (((10, 50), (46, 160, 67)), ((300, 100), (210, 153, 34))):
        np.testing.assert_array_equal(drawn[y, x + 1 : x + 112], np.tile(color, (111, 1)))
        caption = drawn[y + 115 : y + 130, x : x + 112]
        assert (caption == color).all(-1).any()
        assert (caption == 255).all(-1).any()
        np.testing.assert_array_equal(drawn[y + 5 : y + 105, x + 5 : x + 105], frame[y + 5 : y + 105, x + 5 : x + 105])
        changed[y - 2 : y + 140, x - 2 : x + 150] = False
    assert not changed.any()


def test_names_beyond_ascii_are_drawn_in_letters_of_their_own(embedder, portraits, tmp_path, monkeypatch):
    (tmp_path / "fonts").mkdir()
    shutil.copy(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", tmp_path / "fonts")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # a system that has a font
    drawing._font.cache_clear()
    script = Script([(10, 50)])
    (frame,) = frames_of(script, portraits)
    drawn = []
    for name in ("ü", "ß"):  # of a font that lacks them, both are the same box
        gallery = Gallery(embedder.spec)
        gallery.enroll(name, embedder.embed(portraits[:1])[0])
        seen = Watcher(FacePipeline(embedder, script), gallery, threshold=0.9).see(frame)
        drawn.append(draw_names(frame, seen))
    assert (drawn[0] != drawn[1]).any()
