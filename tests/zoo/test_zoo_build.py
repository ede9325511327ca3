"""The workshop end to end, on people who are patterns: from a recipe to a model in a package that gives it out."""

import dataclasses
import hashlib
import io
import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
import yaml
from PIL import Image
from rich.console import Console

import kerasface as kf
from kerasface.data import open_faces, split_identities
from kerasface.edge import Embedder
from kerasface.edge.metadata import read_spec, sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.evaluation import evaluate_lfw
from kerasface.export import embedder_id, load_trained
from kerasface.zoo import bases
from kerasface.zoo.manifest import Manifest
from kerasface.zoo.workshop import BuildRecord, build, card, shelf
from kerasface.zoo.workshop.artefacts import Artefact
from kerasface.zoo.workshop.half import embedder_in_halves, save_in_halves
from tests.training.small_runs import HELD_OUT, IMAGES, PEOPLE, tree_of

NAME = "spherefacenet.softmax_patterns"
FILES = {"keras": f"{NAME}.keras", "tflite-fp16": f"{NAME}.fp16.tflite", "tflite-int8": f"{NAME}.int8.tflite"}


def tree(**changes):
    backbone = {**tree_of()["backbone"], "width": 0.25}
    data = {**tree_of()["data"], "description": "synthetic identities, 20 patterns", "licence": "Apache-2.0"}
    return tree_of(name=NAME, epochs=2, backbone=backbone, data=data, **changes)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("repository") / "zoo" / "recipes" / "patterns.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(tree(), sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def checkout(recipe):
    root = recipe.parents[2]
    (root / "kerasface" / "zoo").mkdir(parents=True)
    return root


@dataclasses.dataclass
class Built:
    record: BuildRecord
    run: object
    out: object
    checkout: object
    said: str


@pytest.fixture(scope="module")
def built(recipe, checkout, faces, lfw, tmp_path_factory):
    """One build from nothing, shipped into a checkout."""
    folder, said = tmp_path_factory.mktemp("build"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasface.zoo.workshop.timing._RUNS", 3)
        record = build(
            recipe, faces, lfw, folder / "upload", run=folder / "run", checkout=checkout, console=Console(file=said)
        )
    return Built(record, folder / "run", folder / "upload", checkout, said.getvalue())


@pytest.fixture
def package(built, tmp_path, monkeypatch):
    """A package that carries what was built, and an empty cache."""
    monkeypatch.setattr(bases, "SHIPPED", built.checkout / "kerasface" / "zoo" / "shipped")
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KERASFACE_ZOO", raising=False)


def crops_of(faces, count):
    return sorted(faces.rglob("*.*"))[:count]


def units(embed, paths):
    rows = np.asarray(embed(np.stack([np.asarray(Image.open(path)) for path in paths])), np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def held_out(faces):
    """Files and people of those whom training did not see."""
    source = open_faces(faces)
    return source.select(split_identities(source.labels, fraction=HELD_OUT / PEOPLE, seed=4)[1])


def test_the_folder_to_upload_is_a_base(built):
    manifest = Manifest.from_json((built.out / "manifest.json").read_text(), "upload")
    assert manifest.models == {NAME: built.record.model}
    folder = sorted(path.name for path in (built.out / NAME).iterdir())
    assert folder == sorted([*FILES.values(), f"{NAME}.md", f"{NAME}.png", f"{NAME}.json"])
    for format, file in built.record.model.files.items():
        content = (built.out / file.path).read_bytes()
        assert file.path == f"{NAME}/{FILES[format]}"
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert not [path for path in built.out.rglob(".*") if path.is_file()]
    licence = (built.out / built.record.model.licence_file).read_text()
    assert "non-commercial research" in licence
    assert f"{NAME}: synthetic identities, 20 patterns" in licence


def test_what_is_shipped_is_what_was_built(built):
    shipped = built.checkout / "kerasface" / "zoo" / "shipped"
    for path in built.out.rglob("*"):
        if path.is_file():
            assert (shipped / path.relative_to(built.out)).read_bytes() == path.read_bytes()
    cards = built.checkout / "zoo" / "cards"
    for ending in ("md", "png", "json"):
        assert (cards / f"{NAME}.{ending}").read_bytes() == (shipped / NAME / f"{NAME}.{ending}").read_bytes()
    assert f"[{NAME}](cards/{NAME}.md)" in (built.checkout / "zoo" / "README.md").read_text()


def test_the_record_holds_everything_that_the_card_says(built):
    record = BuildRecord.from_json((built.out / NAME / f"{NAME}.json").read_text(), "here")
    assert record == built.record
    text = card(record)
    assert text == (built.out / NAME / f"{NAME}.md").read_text()
    assert json.loads((built.run / "result.json").read_text())["history"] == record.training["history"]
    for heading in ("Intended use", "Misuse, consent and law", "Data", "Training", "Figures", "Thresholds", "Limits"):
        assert f"## {heading}\n" in text
    for words in (
        "zoo/recipes/patterns.yaml",
        "seed 4",
        record.machine,
        f"({NAME}.png)",
        record.model.spec.embedder_id,
    ):
        assert words in text, words
    # Another figure in the record is another figure in the card.
    figure = dataclasses.replace(record.model.figures[0], value=0.123456)
    model = dataclasses.replace(record.model, figures=(figure, *record.model.figures[1:]))
    assert "12.35 %" in card(dataclasses.replace(record, model=model))
    training = record.training
    assert "to the teacher" not in text
    history = [line | {"held_out_teacher_cosine": 0.6543} for line in training["history"]]
    distilled = card(dataclasses.replace(record, training=training | {"history": history}))
    assert (
        f"AUC {history[training['best_epoch'] - 1]['held_out_auc']:.4f}, mean cosine to the teacher 0.6543" in distilled
    )


def test_a_record_that_is_none_is_refused(built):
    tree = json.loads(built.record.to_json())
    for text in ("{", "[]", "{}", json.dumps({**tree, "format": 2}), json.dumps({**tree, "more": 1})):
        with pytest.raises(KerasfaceError, match="here is not the record of a build"):
            BuildRecord.from_json(text, "here")


def test_the_keras_file_holds_float16_and_is_the_best_epoch(built):
    path = built.out / NAME / FILES["keras"]
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file, h5py.File(file) as weights:
        kinds = []
        weights.visititems(lambda _, entry: kinds.append(entry.dtype) if isinstance(entry, h5py.Dataset) else None)
    assert set(kinds) == {np.dtype(np.float16)}
    model = keras.saving.load_model(path, safe_mode=True)
    best = keras.saving.load_model(built.run / "best.keras")
    assert model.head is None
    assert best.head is not None
    for ours, theirs in zip(model.backbone.weights, best.backbone.weights, strict=True):
        assert ours.dtype == "float32"
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs).astype(np.float16))


def test_all_files_are_one_embedder(built, faces):
    path = built.out / NAME / FILES["keras"]
    model = keras.saving.load_model(path)
    spec = built.record.model.files["keras"].spec
    assert embedder_id(model.backbone, spec) == spec.embedder_id
    paths = crops_of(faces, 20)
    ours = units(model.predict_on_batch, paths)
    for format, least in {"tflite-fp16": 0.9999, "tflite-int8": 0.99}.items():
        file = built.out / NAME / FILES[format]
        embedder = Embedder.load(file)
        assert embedder.spec.embedder_id == spec.embedder_id
        assert np.sum(ours * units(embedder.embed, paths), axis=1).min() > least


@pytest.mark.parametrize("format", FILES)
def test_thresholds_are_those_of_the_very_file(built, faces, format):
    """The k-th highest cosine of two different held-out people, k = floor(FAR · pairs), pair by pair."""
    file = built.out / NAME / FILES[format]
    embed = keras.saving.load_model(file).predict_on_batch if format == "keras" else Embedder.load(file).embed
    people = held_out(faces)
    rows = units(embed, [str(photo) for photo in people.photos])
    cosines = sorted(
        (
            rows[one] @ rows[other]
            for one in range(len(rows))
            for other in range(one)
            if people.labels[one] != people.labels[other]
        ),
        reverse=True,
    )
    (threshold,) = built.record.model.files[format].spec.thresholds
    assert threshold.far == 1e-2
    assert threshold.impostor_pairs == len(cosines) == (HELD_OUT * (HELD_OUT - 1) // 2) * IMAGES**2
    assert threshold.cosine == pytest.approx(cosines[int(len(cosines) * 1e-2) - 1], abs=1e-5)
    assert threshold.precision == {"keras": "fp16"}.get(format, format.removeprefix("tflite-"))
    assert threshold.calibrated_on == f"{HELD_OUT} people held out of synthetic identities, 20 patterns"
    if format != "keras":
        assert Embedder.load(file).spec.thresholds == (threshold,)


def test_a_rate_without_a_threshold_is_explained(built):
    assert list(built.record.left_out) == ["0.001"]
    assert f"No threshold at FAR 0.001: {built.record.left_out['0.001']}" in card(built.record)


def test_figures_are_those_of_the_very_file(built, faces, lfw):
    figures = {(f.benchmark, f.format, f.metric, f.protocol.split(";")[0]): f for f in built.record.model.figures}
    assert {key[1] for key in figures} == set(FILES)
    people = [sorted(path.iterdir()) for path in sorted((lfw / "aligned_112").iterdir())]
    one, two = [[files[index] for files in people] for index in (0, 1)]
    for format, name in FILES.items():
        file = built.out / NAME / name
        embed = keras.saving.load_model(file).predict_on_batch if format == "keras" else Embedder.load(file).embed
        first, second = units(embed, one), units(embed, two)
        genuine = [first[p] @ second[p] for p in (0, 1, 4, 5)]
        impostor = [first[p] @ second[p + 2] for p in (0, 1, 4, 5)]
        area = np.mean(np.array(genuine)[:, None] > np.array(impostor)[None])
        assert figures["LFW", format, "AUC", "the face alone"].value == pytest.approx(area)
        mirrored = "the sum of the face's and its mirror image's embedding"
        for flip, words in {"none": "the face alone", "sum": mirrored}.items():
            expected = evaluate_lfw(embed, lfw, flip=flip)
            found = figures["LFW", format, "accuracy", words]
            assert (found.value, found.std) == (expected.accuracy_mean, expected.accuracy_std)
            assert (found.low, found.high) == expected.intervals.accuracy
        limit = built.record.model.files[format].spec.thresholds[0].cosine
        for rate, cosines in {"FAR": impostor, "TAR": genuine}.items():
            value = figures["LFW", format, f"{rate} at the threshold for FAR 0.01", "the face alone"].value
            assert value == np.mean(np.array(cosines) >= limit)
        accuracy = figures["held-out people", format, "accuracy", "the face alone"]
        assert accuracy.value == pytest.approx(built.record.training["held_out_accuracy"], abs=0.02)
        assert accuracy.low <= accuracy.value <= accuracy.high
        assert accuracy.std is not None
    # Four impostor pairs support no rate, sixty of them 0.1.
    assert not [key for key in figures if key[0] == "LFW" and key[2].startswith("TAR@")]
    assert [key[2] for key in figures if key[:2] == ("held-out people", "keras")] == ["accuracy", "AUC", "TAR@FAR 0.1"]


def test_the_client_gives_out_what_was_built(built, package, faces):
    assert kf.zoo.list_models("sphereface*") == {NAME: built.record.model}
    path = kf.zoo.get(NAME, format="tflite-int8")
    assert path.read_bytes() == (built.out / NAME / FILES["tflite-int8"]).read_bytes()
    assert read_spec({}, path.read_bytes(), path).thresholds == built.record.model.files["tflite-int8"].spec.thresholds
    assert sidecar_path(path).is_file()
    model = kf.zoo.load(NAME)
    expected = keras.saving.load_model(built.out / NAME / FILES["keras"])
    paths = crops_of(faces, 4)
    np.testing.assert_array_equal(units(model.predict_on_batch, paths), units(expected.predict_on_batch, paths))


def artefacts_of(built):
    """What `make_artefacts` gave in the first build."""
    made = {}
    for format, name in FILES.items():
        path, spec = built.out / NAME / name, built.record.model.files[format].spec
        made[format] = Artefact(path, spec, **built.record.proofs[format], embed=None)
    return made, {}


def test_a_run_is_taken_or_gone_on_with(built, recipe, faces, lfw, tmp_path, monkeypatch):
    """A finished run is not trained again; one that was stopped is gone on with, or taken as it is where asked."""
    # What comes after the run is the same in every case: the first build's files and figures stand for it.
    monkeypatch.setattr("kerasface.zoo.workshop.timing._RUNS", 3)
    monkeypatch.setattr("kerasface.zoo.workshop.run.make_artefacts", lambda *_, **__: artefacts_of(built))
    monkeypatch.setattr("kerasface.zoo.workshop.run._figures", lambda *_: built.record.model.figures)
    run = tmp_path / "run"
    shutil.copytree(built.run, run)
    before = (run / "best.keras").read_bytes()
    build(recipe, faces, lfw, tmp_path / "again", run=run, console=Console(quiet=True))
    assert (run / "best.keras").read_bytes() == before

    shutil.rmtree(run / "checkpoints" / "step_00000028")
    result = json.loads((run / "result.json").read_text())
    stopped = {**result, "finished": False, "epochs": 1, "steps": 14, "history": result["history"][:1]}
    stopped.update(best_epoch=1)
    (run / "result.json").write_text(json.dumps(stopped))
    with pytest.raises(KerasfaceError, match=r"log.jsonl has 2 epochs and result.json 1: the run is going on"):
        build(recipe, faces, lfw, tmp_path / "no", run=run, as_it_is=True, console=Console(quiet=True))
    (run / "log.jsonl").write_text(json.dumps(result["history"][0]) + "\n")
    shutil.copy(built.run / "best.keras", run / "best.keras")
    early = build(recipe, faces, lfw, tmp_path / "early", run=run, as_it_is=True, console=Console(quiet=True))
    assert "stopped after 1 of 2 epochs" in card(early)
    on = build(recipe, faces, lfw, tmp_path / "on", run=run, console=Console(quiet=True))
    assert on.training["epochs"] == 2
    assert "stopped after" not in card(on)


def test_what_belongs_to_another_run_is_refused(built, recipe, faces, lfw, tmp_path):
    def refused(words, *, run=built.run, data=faces, **options):
        with pytest.raises(KerasfaceError, match=words):
            build(recipe, data, lfw, tmp_path / "out", run=run, console=Console(quiet=True), **options)
        assert not (tmp_path / "out").exists()

    refused(r"trained by another recipe:\n  epochs: 2 then, 3 now", changes=["epochs=3"])
    fewer = tmp_path / "fewer"
    shutil.copytree(faces, fewer)
    shutil.rmtree(sorted(path for path in fewer.iterdir() if path.is_dir())[0])
    refused("was trained on 117 photos, 13 people: expected the same data", data=fewer)
    refused("holds no run that was stopped", run=tmp_path / "nothing", as_it_is=True)
    other = tmp_path / "run"
    shutil.copytree(built.run, other)
    model = keras.saving.load_model(other / "best.keras")
    model.backbone.set_weights([np.random.default_rng(0).permuted(w) for w in model.backbone.get_weights()])
    model.save(other / "best.keras")
    refused("the model is of another epoch", run=other)
    shutil.copy(built.run / "best.keras", other / "best.keras")
    (other / "result.json").write_text("{}")
    refused("is not what training writes", run=other)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["name=two__lines.x"], "architecture.head_data in small letters"),
        (["backbone=null", "initial=a.keras"], "patterns.yaml the backbone section of the recipe that a.keras was"),
        (["backbone.input_shape=[112, 96, 3]"], r"faces of 112×96 pixels .*LFW's are of 32×32"),
        (["data.description=our own photos"], "the terms of the training data are not known.*our own photos"),
        (
            ["head=null", "teacher={model: /a/b.onnx, mean: 0, std: 1, channel_order: rgb}"],
            "origin and licence of the teacher are not known",
        ),
    ],
)
def test_what_the_zoo_cannot_take_is_refused_before_training(changes, words, recipe, faces, lfw, tmp_path):
    with pytest.raises(KerasfaceError, match=words):
        build(recipe, faces, lfw, tmp_path / "out", run=tmp_path / "run", changes=changes)
    assert not (tmp_path / "run").exists()


def test_a_benchmark_that_was_trained_on_is_refused(recipe, faces, lfw, tmp_path):
    with pytest.raises(KerasfaceError, match="is trained on photos of CFP"):
        build(
            recipe, faces, lfw, tmp_path / "out", run=tmp_path / "run", cfp=tmp_path,
            changes=["data.description=CelebA and CFP"],
        )  # fmt: skip
    with pytest.raises(KerasfaceError, match="expected the root of kerasface's source tree"):
        build(recipe, faces, lfw, tmp_path / "out", run=tmp_path / "run", checkout=tmp_path)


def test_what_is_too_large_for_a_wheel_is_not_shipped(built, tmp_path, monkeypatch):
    files = {path.name: path for path in (built.out / NAME).iterdir()}
    (tmp_path / "kerasface" / "zoo").mkdir(parents=True)
    monkeypatch.setattr(shelf, "MAX_FILE", built.record.model.files["keras"].size - 1)
    with pytest.raises(KerasfaceError, match=rf"at most [\d,]+ bytes. Received: {NAME}/{NAME}.keras of"):
        shelf.ship(built.record, files, tmp_path)
    monkeypatch.undo()
    total = sum(file.size for file in built.record.model.files.values())
    monkeypatch.setattr(shelf, "MAX_ALL", 2 * total - 1)
    shelf.put(built.record, files, tmp_path / "kerasface" / "zoo" / "shipped")
    named = json.loads(Manifest({NAME: built.record.model}).to_json().replace(NAME, "other.model"))
    other = Manifest.from_json(json.dumps(named), "here").models["other.model"]
    with pytest.raises(KerasfaceError, match=rf"Received: {2 * total:,} with other.model, {NAME}"):
        shelf.ship(dataclasses.replace(built.record, model=other), files, tmp_path)
    assert not (tmp_path / "zoo").exists()


def test_a_second_model_stays_beside_the_first_and_a_new_build_replaces(built, tmp_path):
    files = {path.name: path for path in (built.out / NAME).iterdir()}
    shelf.put(built.record, files, tmp_path)
    (tmp_path / NAME / "old.bin").write_bytes(b"old")
    text = built.record.to_json().replace(NAME, "other.model")
    shelf.put(BuildRecord.from_json(text, "here"), files, tmp_path)
    shelf.put(built.record, files, tmp_path)
    assert sorted(Manifest.from_json((tmp_path / "manifest.json").read_text(), "").models) == ["other.model", NAME]
    assert sorted(path.name for path in (tmp_path / NAME).iterdir()) == sorted(files)
    assert not list(tmp_path.glob(".*"))


def test_weights_beyond_float16_are_refused(built, tmp_path):
    model, _ = load_trained(built.run / "best.keras")
    weights = model.backbone.get_weights()
    weights[0] = np.full_like(weights[0], 1e5)
    model.backbone.set_weights(weights)
    with pytest.raises(KerasfaceError, match=r"float16 can't hold .*: its largest value is 100000"):
        embedder_in_halves(model)
    weights[0][:] = 1 / 3
    model.backbone.set_weights(weights)
    with pytest.raises(ValueError, match="must hold float16 numbers: round the model first"):
        save_in_halves(model, tmp_path / "x.keras")
    assert not list(tmp_path.iterdir())
