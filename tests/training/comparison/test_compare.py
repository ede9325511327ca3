"""A comparison as a whole: what it measures, and that it goes on wherever it was left."""

import json
import re
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from kerasface.data import open_faces, split_identities
from kerasface.errors import KerasfaceError
from kerasface.evaluation import read_lfw
from kerasface.training.comparison import Comparison, ComparisonResult, compare
from kerasface.training.comparison.measure import measure_run
from kerasface.training.run.run_faces import open_run_faces
from kerasface.training.run.run_folder import RunFolder
from kerasface.training.trainer import HeldOutVerification
from tests.training.small_runs import BATCH, HELD_OUT, PEOPLE, STEPS, silent, tree_of

TIMES = ("wall_seconds", "images_per_second")


def comparison_of(**changes):
    common = {key: value for key, value in tree_of().items() if key not in ("name", "seed", "head")}
    variants = {
        "cosface": {"title": "CosFace", "changes": {"head": {"name": "cosface", "scale": 16.0, "margin": 0.1}}},
        "triplet": {
            "title": "triplet",
            "changes": {
                "losses": [{"name": "triplet"}],
                "data.sampler": "people_by_images",
                "data.images_per_person": 2,
            },
        },
    }
    tree = {"name": "tiny", "seeds": [4], "recipe": {**common, "epochs": 1}, "variants": variants, **changes}
    return Comparison.model_validate(tree)


@pytest.fixture(scope="module")
def whole(faces, lfw, tmp_path_factory):
    """An uninterrupted comparison: its folder and its result."""
    out = tmp_path_factory.mktemp("comparison")
    return out, compare(comparison_of(), faces, lfw, out, console=silent())


def timeless(result):
    tree = json.loads(result.to_json())
    for run in tree["runs"]:
        for name in TIMES:
            assert run.pop(name) > 0
    return tree


def embedded(model, images, flip):
    rows = np.asarray(model.predict_on_batch(images), np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    if flip:
        rows = rows + embedded(model, images[:, :, ::-1], flip=False)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def degrees(cosine):
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_every_run_lies_in_its_folder_and_the_result_beside_them(whole):
    out, result = whole
    assert [(run.variant, run.seed) for run in result.runs] == [("cosface", 4), ("triplet", 4)]
    assert (result.planned, result.diverged) == (2, ())
    for run in result.runs:
        assert (out / run.variant / "seed_4" / "best.keras").is_file()
        assert (run.steps, run.epochs, run.identities) == (STEPS, 1, PEOPLE - HELD_OUT)
    assert timeless(ComparisonResult.from_json((out / "comparison.json").read_text())) == timeless(result)
    page = (out / "comparison.md").read_text()
    for figure in re.findall(r"\]\((.*?\.png)\)", page):
        assert (out / figure).is_file()
    assert page.count("figures/tiny_") == 2


def test_measures_are_those_of_the_best_model(whole, faces, lfw):
    out, result = whole
    run = result.runs[0]
    model = keras.saving.load_model(out / "cosface" / "seed_4" / "best.keras")

    source = open_faces(faces)
    training = source.select(split_identities(source.labels, fraction=HELD_OUT / PEOPLE, seed=4)[0])
    images = np.stack([np.asarray(Image.open(str(photo))) for photo in training.photos])
    rows = embedded(model, images, flip=False)
    centres = np.stack([rows[training.labels == label].sum(axis=0) for label in range(PEOPLE - HELD_OUT)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    prototypes = np.asarray(model.head.prototypes, np.float64)
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    angles = run.training_angles
    assert angles.intra == pytest.approx(degrees(np.sum(rows * centres[training.labels], axis=1)).mean(), abs=1e-3)
    assert angles.prototype_to_centre == pytest.approx(degrees(np.sum(prototypes * centres, axis=1)).mean(), abs=1e-3)

    people = {path.name: sorted(path.iterdir()) for path in sorted((lfw / "aligned_112").iterdir())}
    pixels = {file: np.asarray(Image.open(file)) for files in people.values() for file in files}
    unseen = dict(zip(pixels, embedded(model, np.stack(list(pixels.values())), flip=True), strict=True))
    genuine = [unseen[people[f"P{p}"][0]] @ unseen[people[f"P{p}"][1]] for p in (0, 1, 4, 5)]
    impostor = [unseen[people[f"P{p}"][0]] @ unseen[people[f"P{p + 2}"][1]] for p in (0, 1, 4, 5)]
    assert run.lfw.auc == np.mean(np.array(genuine)[:, None] > np.array(impostor)[None])
    assert run.lfw_angles.genuine_mean_degrees == pytest.approx(degrees(np.array(genuine)).mean(), abs=1e-3)
    assert run.lfw_angles.impostor_mean_degrees == pytest.approx(degrees(np.array(impostor)).mean(), abs=1e-3)
    # The pairs name both images of four people and one image of four.
    assert (run.lfw_class_angles.people, run.lfw_class_angles.images) == (8, 12)


def test_the_losses_are_those_of_the_first_and_the_last_epoch(whole, faces, lfw, tmp_path):
    planned = comparison_of().runs()[0]
    shutil.copytree(whole[0] / planned.place, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    training = json.loads(folder.result.read_text())
    training["history"] = [{"loss": 3.0}, {"loss": 2.0}, {"loss": 1.0}]
    folder.result.write_text(json.dumps(training))
    measures = measure_run(planned, folder, open_run_faces(planned.recipe, faces, ()), read_lfw(lfw))
    assert (measures.first_loss, measures.last_loss) == (3.0, 1.0)


def test_a_run_without_a_head_has_no_prototypes(whole):
    out, result = whole
    assert result.runs[1].training_angles.prototype_to_centre is None
    model = keras.saving.load_model(out / "triplet" / "seed_4" / "best.keras")
    assert model.head is None


def test_killed_it_goes_on_where_it_was(whole, faces, lfw, tmp_path, monkeypatch):
    comparison = comparison_of(recipe={**comparison_of().recipe, "checkpoint_minutes": 1e-6})
    validated = []
    validate = HeldOutVerification.__call__

    def die_in_the_second_run(self, model, targets):
        validated.append(model)
        if len(validated) == 2:
            raise KeyboardInterrupt
        return validate(self, model, targets)

    with monkeypatch.context() as patch:
        patch.setattr(HeldOutVerification, "__call__", die_in_the_second_run)
        with pytest.raises(KeyboardInterrupt):
            compare(comparison, faces, lfw, tmp_path, console=silent())
    partial = ComparisonResult.from_json((tmp_path / "comparison.json").read_text())
    assert ([run.variant for run in partial.runs], partial.planned) == (["cosface"], 2)
    assert "1 of 2 runs are done" in (tmp_path / "comparison.md").read_text()
    newest = sorted((tmp_path / "triplet" / "seed_4" / "checkpoints").glob("step_*"))[-1]
    assert newest.name == f"step_{STEPS - 1:08d}"
    before = (tmp_path / "cosface" / "seed_4" / "result.json").stat().st_mtime_ns
    result = compare(comparison, faces, lfw, tmp_path, console=silent())
    assert (tmp_path / "cosface" / "seed_4" / "result.json").stat().st_mtime_ns == before
    ours, theirs = timeless(result), timeless(whole[1])
    for one, other in zip(ours["runs"], theirs["runs"], strict=True):
        # A resumed epoch's mean loss is put together from two means.
        for name in ("first_loss", "last_loss"):
            assert one.pop(name) == pytest.approx(other.pop(name), rel=1e-5)
    assert ours == theirs


def test_a_run_killed_before_its_first_checkpoint_is_begun_anew(faces, lfw, tmp_path):
    best = tmp_path / "cosface" / "seed_4" / "best.keras"
    best.parent.mkdir(parents=True)
    best.write_bytes(b"a model of the epoch that was killed")
    head = {"name": "cosface", "scale": 16.0, "margin": 0.1}
    comparison = comparison_of(variants={"cosface": {"title": "CosFace", "changes": {"head": head}}})
    assert len(compare(comparison, faces, lfw, tmp_path, console=silent()).runs) == 1
    assert best.stat().st_size > 1000


def test_a_signal_leaves_the_rest_for_later(faces, lfw, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasface.training.progress.callbacks.StopOnSignal.asked", lambda self: True)
    result = compare(comparison_of(), faces, lfw, tmp_path, console=silent())
    assert (result.runs, result.diverged, result.planned) == ((), (), 2)
    assert not (tmp_path / "triplet").exists()


def test_a_run_that_diverges_is_told_and_the_next_begins(faces, lfw, tmp_path):
    wild = {"name": "sgd", "learning_rate": 1e30}
    variants = {
        "wild": {"title": "wild", "changes": {"head": {"name": "cosface"}, "optimizer": wild}},
        "tame": {"title": "tame", "changes": {"head": {"name": "cosface"}}},
    }
    recipe = {**comparison_of().recipe, "schedule": {"name": "constant"}, "steps": 4, "epochs": None}
    comparison = comparison_of(recipe=recipe, variants=variants)
    result = compare(comparison, faces, lfw, tmp_path, console=silent())
    (diverged,) = result.diverged
    assert (diverged.variant, diverged.step, [run.variant for run in result.runs]) == ("wild", 3, ["tame"])
    assert "wild, seed 4: the loss became no number at step 3" in (tmp_path / "comparison.md").read_text()
    assert timeless(compare(comparison, faces, lfw, tmp_path, console=silent())) == timeless(result)


def test_another_recipe_is_refused_before_anything_is_trained(whole, faces, lfw):
    out, _ = whole
    changed = comparison_of()
    changed.variants["triplet"].changes["losses"] = [{"name": "triplet", "margin": 0.5}]
    (out / "cosface" / "seed_4" / "measures.json").rename(out / "kept.json")
    with pytest.raises(
        KerasfaceError, match=r"triplet/seed_4 was begun with another recipe; name another --out:\n  los"
    ):
        compare(changed, faces, lfw, out, console=silent())
    assert not (out / "cosface" / "seed_4" / "measures.json").exists()
    (out / "kept.json").rename(out / "cosface" / "seed_4" / "measures.json")


def test_a_misspelt_argument_of_the_last_variant_is_refused_before_anything_is_trained(faces, lfw, tmp_path):
    comparison = comparison_of()
    comparison.variants["triplet"].changes["losses"] = [{"name": "triplet", "margn": 0.5}]
    with pytest.raises(KerasfaceError, match=r"losses\.0\.margn: no such field \(did you mean margin\?\)"):
        compare(comparison, faces, lfw, tmp_path, console=silent())
    assert not any(tmp_path.iterdir())


def test_other_images_are_refused(whole, faces, lfw, tmp_path):
    fewer = tmp_path / "faces"
    for path in sorted(faces.rglob("*.png"))[1:]:
        (fewer / path.parent.name).mkdir(parents=True, exist_ok=True)
        (fewer / path.parent.name / path.name).symlink_to(path)
    with pytest.raises(KerasfaceError, match=r"cosface/seed_4 was trained with other images"):
        compare(comparison_of(), fewer, lfw, whole[0], console=silent())


def test_measures_that_cannot_be_read_say_what_to_do(whole, faces, lfw):
    path = whole[0] / "cosface" / "seed_4" / "measures.json"
    kept = path.read_text()
    path.write_text("{}")
    with pytest.raises(KerasfaceError, match="Delete it, and the model is measured again"):
        compare(comparison_of(), faces, lfw, whole[0], console=silent())
    path.write_text(kept)


assert BATCH % 2 == 0  # the triplet's people have two images each


def test_a_network_that_lfw_does_not_fit_is_refused_before_anything_is_trained(lfw, tmp_path):
    changed = comparison_of()
    changed.recipe["backbone"] = {**changed.recipe["backbone"], "input_shape": [32, 16, 3]}
    with pytest.raises(KerasfaceError, match=r"takes faces of 32×16 pixels .*LFW's are of 32×32.*\[32, 32, 3\]"):
        compare(changed, tmp_path / "faces", lfw, tmp_path / "out", console=silent())
    assert not (tmp_path / "out").exists()
