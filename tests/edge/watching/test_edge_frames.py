import importlib
import struct
import sys
import wave

import av
import numpy as np
import pytest
from PIL import Image

from kerasface.edge import read_frames
from kerasface.edge.watching import frames
from kerasface.errors import KerasfaceError


def write_video(path, pictures):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def pictures():
    """Five pictures with a red upper left quarter on a gray that grows."""
    result = np.empty((5, 64, 96, 3), np.uint8)
    for number, picture in enumerate(result):
        picture[:] = 40 + 30 * number
        picture[:32, :48] = (220, 30, 30)
    return result


def test_a_video_gives_its_frames_in_order_with_their_times(tmp_path, pictures):
    write_video(tmp_path / "door.mp4", pictures)
    read = list(read_frames(tmp_path / "door.mp4"))
    assert [label for label, _ in read] == ["0.00 s", "0.04 s", "0.08 s", "0.12 s", "0.16 s"]
    for (_, frame), picture in zip(read, pictures, strict=True):
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        assert np.abs(frame.astype(int) - picture).mean() < 6


def test_a_video_that_was_held_on_its_side_is_turned_upright(tmp_path, pictures):
    """As a phone writes it: QuickTime's matrix (x', y') = (-y, x), a quarter turn clockwise, y pointing down."""
    path = tmp_path / "door.mp4"
    write_video(path, pictures)
    plain = [frame for _, frame in read_frames(path)]
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40  # version 0 of the track header
    assert struct.unpack_from(">9i", content, matrix) == (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", content, matrix, 0, 1 << 16, 0, -1 << 16, 0, 0, 64 << 16, 0, 1 << 30)
    path.write_bytes(content)
    for before, (_, after) in zip(plain, read_frames(path), strict=True):
        assert after.shape == (96, 64, 3)
        assert after.flags.c_contiguous
        np.testing.assert_array_equal(after, np.rot90(before, -1))


def test_a_folder_gives_its_pictures_in_the_order_of_their_names(tmp_path, pictures, monkeypatch):
    for number in (2, 0, 1):
        Image.fromarray(pictures[number]).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    monkeypatch.setitem(sys.modules, "av", None)  # a folder needs no PyAV
    read = list(read_frames(tmp_path))
    assert [label for label, _ in read] == ["0.png", "1.png", "2.png"]
    for (_, frame), picture in zip(read, pictures, strict=False):
        np.testing.assert_array_equal(frame, picture)


def test_a_damaged_picture_ends_the_reading_unless_somebody_takes_it(tmp_path, pictures):
    for number in (0, 2):
        Image.fromarray(pictures[number]).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes((tmp_path / "0.png").read_bytes()[:60])
    with pytest.raises(KerasfaceError, match=r"1\.png"):
        list(read_frames(tmp_path))
    taken = []
    read = list(read_frames(tmp_path, lambda path, reason: taken.append((path, reason))))
    assert [label for label, _ in read] == ["0.png", "2.png"]
    assert [path for path, _ in taken] == [tmp_path / "1.png"]
    assert "1.png" in taken[0][1]


def test_a_video_may_have_a_cameras_name(tmp_path, pictures, monkeypatch):
    write_video(tmp_path / "door.mp4", pictures)
    (tmp_path / "door.mp4").rename(tmp_path / "0")
    monkeypatch.chdir(tmp_path)
    assert len(list(read_frames("0"))) == 5


def test_sources_that_are_none_say_why(tmp_path, monkeypatch):
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "1.HEIC").touch()
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(1600))
    for source, message in (
        (tmp_path / "gone.mp4", "no folder, video file or camera"),
        (tmp_path / "text.mp4", "can't read frames from.* Is it a video, and whole"),
        (tmp_path / "sound.wav", "can't read frames from.*sound.wav: there are no pictures in it"),
        (tmp_path / "empty", "no pictures in.*files.$"),
        (tmp_path / "phone", "no pictures in.*files. .heic photos aren't read: save them as JPEG"),
    ):
        with pytest.raises(KerasfaceError, match=message):
            list(read_frames(source))


def test_cameras_are_opened_by_the_systems_name(monkeypatch):
    opened = []

    def open_(name, format=None):
        opened.append((name, format))
        raise av.error.FileNotFoundError(2, "no such camera", name)

    monkeypatch.setattr(av, "open", open_)
    for platform in ("linux", "darwin"):
        monkeypatch.setattr(frames.sys, "platform", platform)
        for number in ("1", 1):
            with pytest.raises(KerasfaceError, match="no such camera.* Is a camera connected, and free"):
                list(read_frames(number))
    assert opened == [("/dev/video1", "v4l2")] * 2 + [("1", "avfoundation")] * 2
    monkeypatch.setattr(frames.sys, "platform", "win32")
    with pytest.raises(KerasfaceError, match="on win32 give a video file"):
        list(read_frames("0"))


def test_without_pyav_the_way_out_is_said(tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    (tmp_path / "door.mp4").write_bytes(b"0")
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(KerasfaceError, match=r"pip install 'kerasface\[video\]'"):
        list(read_frames(tmp_path / "door.mp4"))
