"""kerasface align on the real detector."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.alignment.conftest import contents, few, photos  # noqa: F401 (fixtures)

pytestmark = pytest.mark.usefixtures("fetched_assets")


def test_aligns_a_tree_draws_it_and_does_nothing_twice(kerasface, photos, tmp_path):  # noqa: F811
    target = tmp_path / "set"
    code, out, err = kerasface("align", photos, target, "--sheet", tmp_path / "sheet.png")
    assert code == 0, err
    assert "12 crops of 19 photos" in out
    assert "damaged, or no image" in out
    assert "align.jsonl" in out
    assert err.splitlines() == [
        "no face found: Odd/dot.png, Odd/line.png, Odd/sea.jpg",
        "damaged, or no image: Odd/empty.jpg, Odd/header.png, Odd/text.jpg, …",
    ]
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    before = contents(target)
    code, out, err = kerasface("align", photos, target, "--jobs", 2)
    assert code == 0
    assert "19 of them done before" in out
    assert contents(target) == before
    assert "also holds crops" not in err


def test_tells_of_crops_whose_photos_are_gone(kerasface, few, tmp_path):  # noqa: F811
    source = shutil.copytree(few, tmp_path / "photos")
    kerasface("align", source, tmp_path / "set")
    shutil.copy(source / "Grace" / "1.jpg", source / "2.jpg")
    (source / "Grace" / "1.jpg").unlink()
    code, _, err = kerasface("align", source, tmp_path / "set")
    assert code == 0, err
    assert "also holds crops of 1 photo that" in err
    assert "Grace/1.jpg" in err


def test_names_the_photos_of_kinds_that_are_not_read(kerasface, few, tmp_path):  # noqa: F811
    for name in ("Grace/old/IMG_2.HEIC", "Grace/IMG_1.heic", "Odd/.IMG_3.heic", "Odd/note.txt"):
        (few / name).parent.mkdir(exist_ok=True)
        (few / name).touch()
    code, out, err = kerasface("align", few, tmp_path / "set")
    assert code == 0, err
    assert "1 crop of 2 photos" in out
    told = (
        "left out 2 photos of kinds that aren't read; save them as JPEG or PNG: Grace/IMG_1.heic, Grace/old/IMG_2.HEIC"
    )
    assert told in err.splitlines()


def test_packs_and_limits(kerasface, few, tmp_path):  # noqa: F811
    code, out, err = kerasface("align", few, tmp_path / "packed", "--pack")
    assert code == 0, err
    assert "1 crop of 2 photos" in out
    assert (tmp_path / "packed" / "manifest.json").is_file()
    code, out, _ = kerasface("align", few, tmp_path / "set", "--min-size", 500, "--faces", "all")
    assert code == 0
    assert "0 crops of 2 photos" in out


def test_the_face_in_the_middle_is_taken_where_it_is_asked_for(kerasface, hopper, tmp_path):
    portrait = Image.fromarray(hopper)
    photo = np.full((300, 760, 3), 90, np.uint8)
    photo[:, :256] = portrait.resize((256, 300))
    photo[60:240, 300:454] = portrait.resize((154, 180))
    (tmp_path / "photos").mkdir()
    Image.fromarray(photo).save(tmp_path / "photos" / "two.png")
    middles = []
    for policy in ("largest", "central"):
        target = tmp_path / policy
        code, out, err = kerasface("align", tmp_path / "photos", target, "--faces", policy, "--min-score", "0.3")
        assert code == 0, err
        assert "1 crop of 1 photo" in out
        (entry,) = map(json.loads, (target / "align.jsonl").read_text().splitlines())
        (face,) = entry["faces"]
        middles.append((face["box"][0] + face["box"][2]) / 2)
    assert middles[0] < 256 < 300 < middles[1] < 454


def test_points_from_elsewhere(kerasface, few, tmp_path):  # noqa: F811
    table = tmp_path / "points.csv"
    table.write_text("Grace/1.jpg,110,155,133,115,152,95,93,117,138,137\n")
    code, out, err = kerasface("align", few, tmp_path / "set", "--points", table, "--order", "mtcnn")
    assert code == 0, err
    assert "1 crop of 2 photos" in out


def test_errors_say_what_to_do(kerasface, few, tmp_path, monkeypatch):  # noqa: F811
    table = tmp_path / "points.csv"
    table.write_text("Grace/1.jpg,110,155,133,115,152,95,93,117,138,137\n")
    target = tmp_path / "set"
    cases = {
        ("--template", "none"): "template must be one of",
        ("--faces", "best"): "faces must be one of",
        ("--points", table, "--order", "dlib"): "order must be one of",
        ("--points", table, "--order", "scrfd"): "Try mtcnn",
        ("--points", table, "--order", "mtcnn", "--task", table): "give one of them",
        ("--task", tmp_path / "gone.task"): "no .task file",
        ("--runner", "spark"): "local or beam",
        ("--runner", "beam", "--pack"): "leave --pack and --jobs out",
    }
    for arguments, words in cases.items():
        code, _, err = kerasface("align", few, target, *arguments)
        assert code == 2, arguments
        assert words in err, (arguments, err)
        assert "Traceback" not in err
    monkeypatch.setitem(__import__("sys").modules, "apache_beam", None)
    code, _, err = kerasface("align", few, target, "--runner", "beam")
    assert code == 2
    assert "pip install '.[beam]' from a checkout" in err
    code, _, err = kerasface("align", tmp_path / "gone", target)
    assert code == 2
    assert "no folder" in err
