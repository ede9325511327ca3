"""The import as a whole: what it writes, what its proof is worth, and that a failure leaves nothing."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from kerasface.errors import KerasfaceError
from kerasface.export import export, load_trained, natural_images
from kerasface.zoo import find, import_weights, list_models, load
from kerasface.zoo.importer import run
from kerasface.zoo.importer.images import proof_images
from kerasface.zoo.importer.proof import Proof, prove, require
from tests.zoo.torch_networks import embed


@pytest.fixture(scope="module")
def source(torch_networks, tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "backbone.pth"
    torch.save(torch_networks["mbf"].state_dict(), path)
    return path


def import_mbf(source, **arguments):
    return import_weights(source, **{"arch": "mbf", "name": "mbf.test", "color_order": "bgr", **arguments})


@pytest.fixture(scope="module")
def imported(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("imported") / "new"
    seen = []
    report = import_mbf(
        source, out=folder, mean=127.0, std=(128.0, 127.0, 126.0), origin="a | b", licence="MIT, says its author",
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen[-1] == (64, 64)
    return folder, report


def test_the_folder_holds_model_spec_proof_and_card(imported, source):
    folder, report = imported
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.md",
        "model.keras",
        "model.keras.json",
        "proof.json",
    ]
    assert report.source_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    proof = json.loads((folder / "proof.json").read_text())
    assert proof["source_sha256"] == report.source_sha256
    assert (proof["runtime"], proof["images"], proof["arch"], proof["source"]) == ("torch", 64, "mbf", "backbone.pth")
    assert proof["max_relative"] == report.proof.max_relative <= 1e-4
    assert proof["min_cosine"] == report.proof.min_cosine >= 0.99999
    card = (folder / "card.md").read_text()
    for words in (
        report.source_sha256,
        "MIT, says its author",
        r"a \| b",
        "(x − 127) / (128, 127, 126), BGR",
        "mbf.test",
    ):
        assert words in card, words


def test_the_model_embeds_as_its_source_and_exports(imported, torch_networks, pictures, tmp_path):
    folder, report = imported
    model, spec = load_trained(folder / "model.keras")
    assert spec == report.spec
    assert (spec.color_order, spec.mean, spec.std) == ("bgr", (127.0,) * 3, (128.0, 127.0, 126.0))
    pixels = (pictures[..., ::-1].astype(np.float32) - 127) / np.array([128, 127, 126], np.float32)
    expected = embed(torch_networks["mbf"], pixels)
    np.testing.assert_allclose(model.predict_on_batch(pictures), expected, atol=1e-5 * abs(expected).max())
    exported = export(model, tmp_path / "m.tflite", to="tflite", precision="fp32", spec=spec)
    assert exported.parity.max_abs < 1e-5


def test_by_default_it_goes_into_the_users_zoo(source, zoo):
    report = import_mbf(source)
    assert report.folder == str(zoo / "mbf.test")
    assert report.model_path == str(zoo / "mbf.test" / "model.keras")
    with pytest.raises(KerasfaceError, match="exists already"):
        import_mbf(source)
    assert [path.name for path in zoo.iterdir() if not path.name.endswith((".json", ".lock"))] == ["mbf.test"]


def test_the_users_zoo_lists_and_loads_it(source, zoo, pictures):
    report = import_mbf(source, licence="MIT", training_data="MS1MV3", origin="my disk")
    import_mbf(source, name="mbf.second")
    assert list(list_models(local=True)) == ["mbf.second", "mbf.test"]
    _, known = find("mbf.test")
    assert (known.licence_weights, known.training_data) == ("MIT", "MS1MV3")
    assert known.recipe == "imported from my disk"
    assert (zoo / known.card).read_text() == (zoo / "mbf.test" / "card.md").read_text()
    assert known.files["keras"].spec == report.spec
    ours = load_trained(report.model_path)[0]
    np.testing.assert_array_equal(load("mbf.test").predict_on_batch(pictures), ours.predict_on_batch(pictures))
    # Somebody removes the folder: the next import takes it off the list.
    shutil.rmtree(zoo / "mbf.second")
    import_mbf(source, name="mbf.third")
    assert list(list_models(local=True)) == ["mbf.test", "mbf.third"]


def test_the_users_photos_are_the_proof(source, tmp_path, zoo):
    for index, image in enumerate(natural_images(65, height=40, width=60)):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    proof = import_mbf(source, images=tmp_path).proof
    assert (proof.images, proof.images_from) == (65, "65 photos of the user's")
    (tmp_path / "0.png").unlink()
    (tmp_path / "1.png").unlink()
    with pytest.raises(KerasfaceError, match="at least 64 photos. Received: 63"):
        import_mbf(source, images=tmp_path, name="mbf.other")


def test_the_default_pictures_are_64_different_crops():
    images, origin = proof_images((48, 40))
    assert images.shape == (64, 48, 40, 3)
    assert images.dtype == np.uint8
    assert len({image.tobytes() for image in images}) == 64
    assert images.std() > 30
    assert "grace_hopper" in origin


def test_a_wrong_weight_fails_the_proof_and_leaves_nothing(source, zoo, monkeypatch):
    opened = run.open_source(source, "mbf")
    kernel = opened.backbone.get_layer("layers_5_layers_3_layers_1_layers_0").kernel
    values = kernel.numpy()
    values[1, 1, :8] += 0.05
    kernel.assign(values)
    monkeypatch.setattr(run, "open_source", lambda *_, **__: opened)
    with pytest.raises(KerasfaceError, match="does not answer as its source.*Nothing was written"):
        import_mbf(source)
    assert not zoo.exists()


def test_a_failed_write_leaves_nothing(source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KerasfaceError, match="can't write"):
        import_mbf(source, out=tmp_path / "file" / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["", "a/b", "../up.x", ".hidden", "two words.x", "nodot", "Big.name"])
def test_a_name_is_one_of_the_zoos(source, zoo, name):
    with pytest.raises(KerasfaceError, match="a model's name is architecture.head_data"):
        import_mbf(source, name=name)
    assert not zoo.exists()


def test_bad_sources_write_nothing(zoo, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x07 no network")
    for arguments in ({"source": tmp_path / "bad.onnx"}, {"source": tmp_path / "gone.onnx"}):
        with pytest.raises(KerasfaceError):
            import_mbf(**arguments)
    assert not zoo.exists()


def test_figures_are_those_of_their_definition():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (70, 2, 2, 3), dtype=np.uint8)
    theirs = rng.normal(size=(70, 5))
    ours = theirs.copy()
    ours[69, 2] += 0.25
    rows = {image.tobytes(): index for index, image in enumerate(images)}

    def lookup(table):
        return lambda batch: table[[rows[image.tobytes()] for image in batch]]

    proof = prove(lookup(theirs), lookup(ours), images, runtime="NumPy", images_from="noise")
    assert proof.max_abs == pytest.approx(0.25)
    assert proof.max_relative == pytest.approx(0.25 / abs(theirs[69]).max())
    cosine = theirs[69] @ ours[69] / np.linalg.norm(theirs[69]) / np.linalg.norm(ours[69])
    assert proof.min_cosine == pytest.approx(cosine)
    assert proof.images == 70


@pytest.mark.parametrize(
    "change",
    [
        {"max_relative": 1.1e-4},
        {"min_cosine": 0.99998},
        {"images": 63},
        {"min_cosine": np.nan},
        {"max_relative": np.nan},
    ],
)
def test_the_bounds_hold(change):
    good = {"max_abs": 1.0, "max_relative": 9e-5, "min_cosine": 0.999991, "images": 64}
    require(Proof(runtime="x", images_from="y", **good))
    with pytest.raises(KerasfaceError, match="does not answer as its source"):
        require(Proof(runtime="x", images_from="y", **{**good, **change}))
