"""kerasface watch on a portrait that wanders through a folder of frames, with the real detector."""

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.usefixtures("fetched_assets")


@pytest.fixture
def walk(tmp_path, hopper):
    folder = tmp_path / "walk"
    folder.mkdir()
    portrait = np.array(Image.fromarray(hopper).resize((256, 300)))
    for number in range(4):
        frame = np.full((320, 480, 3), 90, np.uint8)
        if number < 3:
            frame[10:310, 20 + 25 * number : 276 + 25 * number] = portrait
        Image.fromarray(frame).save(folder / f"{number}.png")
    return folder


def test_who_walks_by_is_named_once_and_drawn_in_every_frame(kerasface, model_files, hopper_path, walk, tmp_path):
    model, gallery = model_files["tflite"], tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    code, out, err = kerasface("watch", model, walk, "--gallery", gallery, "--out", tmp_path / "named")
    assert code == 0, err
    lines = out.strip().splitlines()
    assert lines[-1] == "frames: 4, answers: 1"
    assert len(lines) == 2
    assert lines[0].startswith("0.png: Grace, cosine 0.9")
    for number in range(4):
        before = np.array(Image.open(walk / f"{number}.png")).astype(int)
        after = np.array(Image.open(tmp_path / "named" / f"{number}.png")).astype(int)
        green = (after[..., 1] - after[..., 0] > 60) & (before[..., 1] - before[..., 0] < 30)
        assert (green.sum() > 300) == (number < 3)
    code, out, _ = kerasface("watch", model, walk, "--gallery", gallery, "--threshold", "0.9999")
    assert "0.png: unknown, cosine" in out


def test_pictures_of_different_moments_are_looked_up_each(kerasface, model_files, hopper_path, walk, tmp_path):
    """Somebody else, the portrait's negative, stands where Grace stood."""
    model, gallery = model_files["tflite"], tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    first = np.array(Image.open(walk / "0.png"))
    Image.fromarray(255 - first[..., ::-1] // 2).save(walk / "1.png")
    code, out, _ = kerasface("watch", model, walk, "--gallery", gallery, "--threshold", "0.9")
    assert code == 0
    lines = out.splitlines()
    assert [line.split(",")[0] for line in lines[:2]] == ["0.png: Grace", "1.png: unknown"]
    assert lines[-1] == f"frames: 4, answers: {len(lines) - 1}"  # where the tracker sees one face that stays


def test_a_damaged_picture_is_left_out_and_told(kerasface, model_files, hopper_path, walk, tmp_path):
    model, gallery = model_files["tflite"], tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    (walk / "0.png").write_bytes(b"")
    (walk / "1.HEIC").touch()
    code, out, err = kerasface("watch", model, walk, "--gallery", gallery)
    assert code == 2
    assert [line.split(",")[0] for line in out.splitlines()] == ["1.png: Grace", "frames: 3"]
    assert f"left out {walk / '0.png'}: " in err
    assert f"left out {walk / '1.HEIC'}: .HEIC photos aren't read: save it as JPEG or PNG" in err
    assert "error: 2 pictures could not be read." in err


def test_a_source_that_is_none_is_an_error_alone(kerasface, model_files, hopper_path, tmp_path):
    model, gallery = model_files["tflite"], tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    code, out, err = kerasface("watch", model, tmp_path / "gone.mp4", "--gallery", gallery)
    assert (code, out) == (2, "")
    assert "no folder, video file or camera" in err


def test_only_so_many_faces_are_remembered_as_told(kerasface, model_files, hopper_path, walk, tmp_path, monkeypatch):
    """With room for one of two, each is told anew in every frame."""
    model, gallery = model_files["tflite"], tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    twice = np.hstack([np.array(Image.open(walk / "0.png"))] * 2)
    for number in range(4):
        Image.fromarray(twice).save(walk / f"{number}.png")
    lines = []
    for room in (2, 1):
        monkeypatch.setattr("kerasface.cli.watch._TOLD", room)
        _, out, _ = kerasface("watch", model, walk, "--gallery", gallery)
        lines.append(len(out.splitlines()) - 1)
    assert lines == [2, 8]


def test_a_folder_that_can_not_take_the_frames_is_an_error(kerasface, model_files, hopper_path, walk, tmp_path):
    model, gallery = model_files["tflite"], tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    for out in (walk, walk / "named"):
        code, _, err = kerasface("watch", model, walk, "--gallery", gallery, "--out", out)
        assert code == 2
        assert "whose pictures are read: name a folder outside" in err
    assert len(list(walk.iterdir())) == 4
    (tmp_path / "file").touch()
    code, _, err = kerasface("watch", model, walk, "--gallery", gallery, "--out", tmp_path / "file")
    assert code == 2
    assert f"can't make {tmp_path / 'file'}: File exists. Name another folder with --out." in err
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "0.png").write_bytes(b"an original")
    code, _, err = kerasface("watch", model, walk, "--gallery", gallery, "--out", tmp_path / "backup")
    assert code == 2
    assert "holds files already" in err
    assert (tmp_path / "backup" / "0.png").read_bytes() == b"an original"


def test_a_source_that_is_none_is_an_error(kerasface, model_files, hopper_path, tmp_path):
    model, gallery = model_files["tflite"], tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    code, _, err = kerasface("watch", model, tmp_path / "gone", "--gallery", gallery)
    assert code == 2
    assert "no folder, video file or camera" in err
