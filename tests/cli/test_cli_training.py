"""train, export and evaluate, in the order in which a user meets them."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from kerasface.data import render_identities, write_class_folder
from tests.lfw_files import write_lfw

RECIPE = """
name: tiny.cosface_synthetic
epochs: 2
batch_size: 8
data: {held_out: 0.4, description: synthetic, licence: Apache-2.0}
backbone: {name: mobilefacenet, width: 0.125, embedding_dim: 16}
head: {name: cosface, scale: 16.0, margin: 0.1}
optimizer: {name: adamw}
validation: {pairs: 20, folds: 2}
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workshop")
    write_class_folder(*render_identities(10, 4, seed=3), folder / "faces")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def lfw(tmp_path_factory):
    """A pair list and crops in LFW's layout, of synthetic people."""
    root = tmp_path_factory.mktemp("lfw")
    write_lfw(root, render_identities(8, 2, seed=9)[0])
    return root


def test_from_a_recipe_to_a_file_that_verifies(kerasface, workshop, lfw):
    run = workshop / "run"
    code, out, _ = kerasface("train", workshop / "recipe.yaml", "--data", workshop / "faces", "--out", run)
    assert code == 0
    assert "epoch 2/2" in out
    assert "images/s" in out
    assert "held-out verification" in out
    assert "photos without a name" not in out  # there are none, and most people never have any

    code, _, err = kerasface("train", workshop / "recipe.yaml", "--data", workshop / "faces", "--out", run)
    assert code == 2
    assert "--resume" in err

    model, artefact = run / "best.keras", workshop / "tiny.tflite"
    code, out, _ = kerasface("export", model, "--to", "tflite", "--out", artefact)
    assert code == 0
    assert "min cosine" in out
    sidecar = json.loads((workshop / "tiny.tflite.json").read_text())
    assert sidecar["spec"]["training_data"] == "synthetic"

    figures, table = workshop / "int8.json", workshop / "int8.md"
    code, out, _ = kerasface(
        "export", model, "--to", "tflite", "--precision", "int8", "--out", workshop / "int8.tflite", "--lfw", lfw,
        "--input", "float32", "--calibrate", workshop / "faces", "--far", "0.05", "--json", figures,
        "--markdown", table,
    )  # fmt: skip
    assert code == 0
    assert "64 generated images" in out
    told = json.loads(figures.read_text())
    assert [row["artefact"] for row in told["comparison"]["rows"]] == ["Keras", "fp32", "fp16", "int8"]
    assert [threshold["precision"] for threshold in told["thresholds"]] == ["int8"]
    assert "| int8 |" in table.read_text()

    results = []
    for file in (model, artefact):
        path = workshop / f"{file.suffix[1:]}.json"
        code, out, _ = kerasface("evaluate", file, "--lfw", lfw, "--flip", "sum", "--json", path)
        assert code == 0
        assert "accuracy, 10 folds" not in out  # this list has two
        assert "too few impostor pairs" in out
        results.append(json.loads(path.read_text())["verification"]["result"])
    assert results[0]["genuine_pairs"] == 4
    np.testing.assert_allclose(results[0]["auc"], results[1]["auc"])

    page, table, text, failures = (workshop / name for name in ("r.html", "r.csv", "r.md", "f.png"))
    faces = workshop / "faces"
    code, out, _ = kerasface(
        "evaluate", artefact, "--people", faces, "--html", page, "--csv", table, "--markdown", text
    )
    assert code == 0
    assert "rank 1, one image" in out
    assert out.splitlines()[-3:] == [str(table), str(text), str(page)]
    assert "<img" in page.read_text()
    assert text.read_text().count("\n") == len(table.read_text().splitlines()) + 1
    code, out, _ = kerasface("evaluate", artefact, "--lfw", lfw, "--failures", failures)
    assert code == 0
    assert out.splitlines()[-1] == str(failures)
    assert Image.open(failures).size[0] > 100
    code, out, _ = kerasface("evaluate", artefact, "--probes", workshop / "faces", "--distractors", lfw / "aligned_112")
    assert code == 0
    assert "rank 1 among 16 distractors" in out

    code, out, _ = kerasface("calibrate", artefact, workshop / "faces", "--far", "0.05")
    assert code == 0
    assert "faces (fp16)" in out
    sidecar = json.loads((workshop / "tiny.tflite.json").read_text())
    (threshold,) = sidecar["spec"]["thresholds"]  # the run's own were measured in fp32
    assert (threshold["far"], threshold["precision"]) == (0.05, "fp16")
    assert threshold["far_upper"] > 0.05
    figures = workshop / "figures"
    code, out, err = kerasface("plot", "report", workshop / "tflite.json", "--out", figures, "--format", "svg")
    # Four impostor pairs support a FAR of three quarters: enough for a figure.
    assert code == 0
    assert sorted(path.name for path in figures.iterdir()) == ["angles.svg", "det.svg", "roc.svg"]

    crop = next((lfw / "aligned_112" / "P0").iterdir())
    code, _, _ = kerasface("verify", artefact, crop, crop, "--no-align", "--threshold", "0.5")
    assert code == 0


COMPARISON = """
name: tiny
recipe:
  epochs: 1
  batch_size: 8
  data: {held_out: 0.4, description: synthetic, licence: Apache-2.0}
  backbone: {name: spherefacenet, depth: 4, width: 0.125, input_shape: [112, 112, 3], embedding_dim: 16}
  head: {name: cosface, scale: 16.0}
  validation: {pairs: 20, folds: 2}
variants:
  small: {title: a small margin, changes: {head.margin: 0.1}}
"""


def test_a_comparison_is_trained_and_told(kerasface, workshop, lfw):
    path, out = workshop / "comparison.yaml", workshop / "comparison"
    path.write_text(COMPARISON)
    command = ("compare", path, "--data", workshop / "faces", "--lfw", lfw, "--out", out)
    code, text, _ = kerasface(*command, "--set", "batch_size=4")
    assert code == 0
    assert "run 1/1: a small margin, seed 0" in text
    assert "comparison.md" in text
    assert json.loads((out / "small" / "seed_0" / "recipe.json").read_text())["batch_size"] == 4
    code, _, err = kerasface(*command)
    assert code == 2
    assert "batch_size: 4 then, 8 now" in err


def test_errors_say_what_to_do(kerasface, workshop, tmp_path):
    recipe, faces = workshop / "recipe.yaml", workshop / "faces"
    empty = tmp_path / "empty"
    empty.mkdir()
    not_keras = tmp_path / "model.keras"
    not_keras.write_bytes(b"PK\x03\x04 but no archive")
    other_zip = tmp_path / "other.keras"
    with zipfile.ZipFile(other_zip, "w") as archive:
        archive.writestr("readme.txt", "hello")
    out = tmp_path / "out"
    cases = {
        ("train", tmp_path / "gone.yaml", "--data", faces, "--out", out): "no folder or file",
        ("train", recipe, "--data", tmp_path / "gone", "--out", out): "no folder",
        ("train", recipe, "--data", empty, "--out", out): "sub-folder a person",
        ("train", recipe, "--data", faces, "--out", out, "--set", "data.min_images=9"): "min_images",
        ("train", recipe, "--data", faces, "--out", out, "--set", "head.margins=9"): "margins",
        ("train", recipe, "--data", faces, "--out", out, "--resume"): "nothing to resume",
        ("export", tmp_path / "gone.keras", "--to", "tflite", "--out", tmp_path / "a.tflite"): "gone.keras",
        ("export", not_keras, "--to", "tflite", "--out", tmp_path / "a.tflite"): "is no .keras file",
        ("export", other_zip, "--to", "tflite", "--out", tmp_path / "a.tflite"): "not a readable Keras model",
        ("export", not_keras, "--to", "onnx", "--out", out, "--batch", "2"): "--batch is for tflite files",
        ("export", not_keras, "--to", "tflite", "--out", out, "--for", "web"): "--for is for onnx files",
        ("export", not_keras, "--to", "onnx", "--out", out, "--lfw", out, "--pairs", out): "--lfw or --pairs",
        ("evaluate", not_keras, "--people", faces): "is no .keras file",
        ("evaluate", not_keras): "name one benchmark",
        ("evaluate", not_keras, "--lfw", tmp_path, "--ytf", tmp_path): "--lfw and --ytf",
        ("evaluate", not_keras, "--probes", tmp_path): "belong together",
        ("evaluate", not_keras, "--ijb", tmp_path, "--failures", tmp_path / "f.png"): "does not list",
        ("calibrate", not_keras, faces): "is no .keras file",
        ("evaluate", "gone.keras", "--lfw", tmp_path): "no model file gone.keras. Is the path right",
        ("plot", "report", recipe, "--out", tmp_path): "is no report",
        ("plot", "report", recipe, "--out", tmp_path, "--format", "gif"): "png or svg",
    }
    for arguments, words in cases.items():
        code, _, err = kerasface(*arguments)
        assert code == 2, arguments
        assert "error: " in err, arguments
        assert words in err, (arguments, err)
    assert not (tmp_path / "a.tflite").exists()
