"""pack and clean, and training on what they write."""

import json
import shutil

import pytest
import yaml
from PIL import Image

from tests.training.small_runs import tree_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def workshop(faces, tmp_path_factory):
    """Twenty people with nine photos each, a file that is none, a photo twice, and a recipe of one short epoch."""
    folder = tmp_path_factory.mktemp("data_workshop")
    shutil.copytree(faces, folder / "faces")
    (folder / "faces" / "person_0003" / "broken.jpg").write_bytes(b"no image")
    first = min((folder / "faces" / "person_0004").iterdir())
    shutil.copy(first, first.with_name("again.png"))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(tree_of(epochs=1, batch_size=39)))
    return folder


def test_clean_pack_and_train(kerasface, workshop):
    keep = workshop / "keep.csv"
    code, out, _ = kerasface("clean", workshop / "faces", "--min-images", "2", "--out", keep)
    assert code == 0
    assert "1 unreadable, 0 of another size than most, 1 exact duplicates" in out
    assert "keeps 180 of 182 photos, 20 of 20 people" in out
    report = json.loads((workshop / "keep.report.json").read_text())
    assert report["unreadable"][0][0].endswith("person_0003/broken.jpg")

    code, out, _ = kerasface("pack", keep, workshop / "faces.rec")
    assert code == 0
    assert "faces.rec: 180 photos of 20 people" in out
    code, out, _ = kerasface("pack", workshop / "faces.rec", workshop / "packed")
    assert code == 0
    assert "packed: 180 photos of 20 people" in out
    code, out, err = kerasface(
        "train", workshop / "recipe.yaml", "--data", workshop / "packed", "--out", workshop / "run"
    )
    assert code == 0, err
    assert "13 people (117 images)" in out


def test_photos_that_are_left_out_are_told(kerasface, workshop, tmp_path):
    shutil.copytree(workshop / "faces", tmp_path / "faces")
    first = min((tmp_path / "faces" / "person_0004").iterdir())
    for name in ("b.webp", "a.HEIC", "c.gif", "d.tiff", ".hidden.gif"):
        shutil.copy(first, first.with_name(name))
    first.with_name("notes.txt").touch()
    (tmp_path / "faces" / "person_0003" / "broken.jpg").unlink()
    (tmp_path / "model.keras").touch()
    group = shutil.copy(first, tmp_path / "faces" / f"group{first.suffix}")
    told = (
        f"left out 4 photos that are no JPEG, PNG or BMP: {first.with_name('a.HEIC')}, ",
        f"left out 1 photo beside or below people's folders instead of in them: {group}\n",
    )
    for command in (
        ("clean", tmp_path / "faces", "--out", tmp_path / "keep.csv"),
        ("pack", tmp_path / "faces", tmp_path / "packed"),
        ("calibrate", tmp_path / "model.keras", tmp_path / "faces"),
        ("evaluate", "mobilefacenet.arcface_celeba", "--people", tmp_path / "faces"),
        (
            "train",
            workshop / "recipe.yaml",
            "--data",
            tmp_path / "faces",
            "--out",
            tmp_path / "gone" / "run",
            "--resume",
        ),
    ):
        _, _, err = kerasface(*command)
        assert all(text in err for text in told), err
    _, _, err = kerasface("pack", tmp_path / "packed", tmp_path / "again")
    assert "left out" not in err


@pytest.mark.parametrize(
    ("out", "message"),
    [("faces.csv", "is what is cleaned"), ("keep.txt", "is a .csv file"), ("folder.csv", "is a .csv file")],
)
def test_clean_writes_no_list_over_what_it_reads(kerasface, workshop, tmp_path, out, message):
    code, _, _ = kerasface("clean", workshop / "faces", "--out", tmp_path / "faces.csv")
    assert code == 0
    (tmp_path / "folder.csv").mkdir()
    listed = (tmp_path / "faces.csv").read_text()
    code, _, err = kerasface("clean", tmp_path / "faces.csv", "--out", tmp_path / out)
    assert code == 2
    assert message in err
    assert (tmp_path / "faces.csv").read_text() == listed


def test_clean_by_embedding(kerasface, model_files, hopper, tmp_path):
    crop = Image.fromarray(hopper).resize((112, 112))
    for person, factor in (("ann", 1.0), ("bob", 0.98)):
        (tmp_path / person).mkdir()
        for number in range(2):
            picture = crop.point(lambda value, by=factor - 0.01 * number: value * by)
            picture.save(tmp_path / person / f"{number}.png")
    keep = tmp_path / "keep.csv"
    arguments = ("--embedder", model_files["tflite"], "--cosine", "0.99", "--out", keep)
    code, out, err = kerasface("clean", tmp_path, *arguments)
    assert code == 0, err
    assert len(keep.read_text().splitlines()) == 1 + 2
    assert "near-duplicates" in out
    assert "pairs of two people" in out


def test_errors_say_what_to_do(kerasface, workshop, model_files, tmp_path):
    lonely = tmp_path / "lonely"
    (lonely / "a").mkdir(parents=True)
    (lonely / "a" / "1.jpg").write_bytes(b"no image")
    cases = {
        ("pack", tmp_path / "gone", tmp_path / "packed"): "no folder",
        ("pack", workshop / "faces", lonely): "lonely exists",
        ("pack", lonely, tmp_path / "gone" / "a.parquet" / "x.rec", "--nonsense"): "nonsense",
        ("clean", lonely, "--out", tmp_path / "keep.csv"): "would be left: 1 unreadable",
        ("clean", workshop / "faces", "--cosine", "0.9"): "go together",
        ("clean", workshop / "faces", "--embedder", model_files["tflite"]): "go together",
    }
    for arguments, words in cases.items():
        code, _, err = kerasface(*arguments)
        assert code == 2, arguments
        assert words in err, (arguments, err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lonely"]
