"""pack and clean, and training on what they write."""

import json

import pytest

from kerasface.data import open_faces, render_identities, write_class_folder
from tests.cli.test_cli_training import RECIPE

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data_workshop")
    write_class_folder(*render_identities(10, 4, seed=3), folder / "faces")
    (folder / "faces" / "person_0003" / "broken.jpg").write_bytes(b"no image")
    (folder / "faces" / "person_0004" / "again.png").write_bytes(
        (folder / "faces" / "person_0004" / "00016.png").read_bytes()
    )
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def test_clean_pack_and_train(kerasface, workshop):
    keep = workshop / "keep.csv"
    code, out, _ = kerasface("clean", workshop / "faces", "--min-images", "2", "--out", keep)
    assert code == 0
    assert "1 unreadable, 1 exact duplicates" in out
    assert "keeps 40 of 42 photos, 10 of 10 people" in out
    report = json.loads((workshop / "keep.report.json").read_text())
    assert report["unreadable"][0][0].endswith("person_0003/broken.jpg")

    code, out, _ = kerasface("pack", keep, workshop / "packed")
    assert code == 0
    assert "packed: 40 photos of 10 people" in out
    code, out, _ = kerasface("pack", workshop / "packed", workshop / "faces.rec")
    assert code == 0
    assert "faces.rec: 40 photos of 10 people" in out

    losses = []
    for number, data in enumerate((keep, workshop / "packed", workshop / "faces.rec")):
        run = workshop / f"run{number}"
        code, _, err = kerasface("train", workshop / "recipe.yaml", "--data", data, "--out", run, "--set", "epochs=1")
        assert code == 0, err
        losses.append(json.loads((run / "log.jsonl").read_text().splitlines()[-1])["loss"])
    assert len(open_faces(workshop / "packed")) == 40
    assert losses[0] == losses[1] == losses[2]


def test_clean_by_embedding(kerasface, workshop, model_files, tmp_path):
    keep = tmp_path / "keep.csv"
    arguments = ("--embedder", model_files["tflite"], "--cosine", "0.9999", "--out", keep)
    (broken,) = workshop.rglob("broken.jpg")
    code, out, _ = kerasface("clean", workshop / "faces", *arguments)
    assert code == 0
    assert "near-duplicates" in out
    assert "pairs of two people" in out
    assert broken.exists()


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
