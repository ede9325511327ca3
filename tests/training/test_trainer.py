"""The trainer: one recipe to one model, whether it was interrupted or not."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from PIL import Image
from rich.console import Console

from kerasface import FaceModel
from kerasface.data import batches, files_of_batch, read_folder, split_identities
from kerasface.edge.metadata import sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.evaluation import represent
from kerasface.export import embedder_id, load_trained
from kerasface.training import Recipe, train
from kerasface.training.run.run_folder import RunFolder
from kerasface.training.trainer import HeldOutVerification
from tests.training.run.test_checkpoints import full_disk
from tests.training.small_runs import (
    BATCH,
    HELD_OUT,
    IMAGES,
    PEOPLE,
    SIZE,
    STEPS,
    assert_same_histories,
    assert_same_models,
    final,
    recipe_of,
    silent,
    train_until_validation,
    tree_of,
)


@pytest.fixture
def copied(run, tmp_path):
    """A copy of the finished run to change and damage."""
    shutil.copytree(run[0], tmp_path / "copy")
    return tmp_path / "copy"


def test_trains_and_says_how_it_went(run):
    _, result = run
    assert result.finished
    assert (result.epochs, result.steps) == (2, 2 * STEPS)
    assert (result.identities, result.images) == (PEOPLE - HELD_OUT, (PEOPLE - HELD_OUT) * IMAGES)
    first, last = result.history
    assert last["loss"] < first["loss"]
    best = max(result.history, key=lambda line: line["held_out_auc"])
    assert (result.best_epoch, result.held_out_accuracy) == (best["epoch"], best["held_out_accuracy"])
    assert result.held_out_accuracy > 0.8
    assert result.images_per_second > 0
    # Half an epoch of warm-up, then the cosine's way down to nothing at the end.
    assert 0.01 < first["learning_rate"] < 0.02
    assert last["learning_rate"] == pytest.approx(0.0, abs=1e-6)


def test_the_epoch_is_chosen_by_auc(faces, tmp_path, monkeypatch):
    found = iter([(0.7, 0.8), (0.6, 0.9), (0.8, 0.85)])

    def validate(self, model, targets):
        accuracy, auc = next(found)
        return {"held_out_accuracy": accuracy, "held_out_accuracy_std": 0.0, "held_out_auc": auc}

    monkeypatch.setattr(HeldOutVerification, "__call__", validate)
    result = train(recipe_of(epochs=3), faces, tmp_path / "run", console=silent())
    assert (result.best_epoch, result.held_out_accuracy) == (2, 0.6)
    second = keras.saving.load_model(tmp_path / "run" / "checkpoints" / f"step_{2 * STEPS:08d}" / "model.keras")
    assert_same_models(load_trained(tmp_path / "run" / "best.keras")[0].backbone, second.backbone)


def test_writes_what_it_promises(run):
    out, result = run
    assert json.loads((out / "recipe.json").read_text()) == json.loads(recipe_of().model_dump_json())
    assert json.loads((out / "result.json").read_text()) == json.loads(result.to_json())
    assert [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()] == list(result.history)
    assert sorted(path.name for path in (out / "checkpoints").iterdir()) == ["step_00000014", "step_00000028"]
    assert not list(out.rglob("*draft*"))
    assert Path(result.model_path) == out / "best.keras"


def test_the_best_model_carries_its_spec_and_thresholds(run, faces):
    out, _ = run
    model, spec = load_trained(out / "best.keras")
    assert isinstance(model, FaceModel)
    assert (spec.name, spec.embedding_size, spec.input_shape) == ("small.a_softmax_nothing", 16, (SIZE, SIZE, 3))
    assert (spec.training_data, spec.licence, spec.template) == ("patterns", "Apache-2.0", "none")
    assert spec.embedder_id == embedder_id(model.backbone, spec)
    assert json.loads(sidecar_path(out / "best.keras").read_text())["file"] == "best.keras"

    # 63 images of 7 people: 1701 impostor pairs carry a rate of 1 %, not one of 0.1 %.
    (threshold,) = spec.thresholds
    assert (threshold.far, threshold.impostor_pairs, threshold.precision) == (0.01, 1701, "fp32")
    assert threshold.calibrated_on == "7 people held out of patterns"
    assert list(json.loads((out / "thresholds.json").read_text())["left_out"]) == ["0.001"]
    folder = read_folder(faces)
    _, held_out = split_identities(folder.labels, fraction=HELD_OUT / PEOPLE, seed=4)
    unit = represent(model.predict_on_batch, folder.select(held_out).photos)
    person = np.repeat(np.arange(HELD_OUT), IMAGES)
    impostors = (unit @ unit.T)[np.triu(person[:, None] != person, k=1)]
    assert 0.005 < np.mean(impostors >= threshold.cosine) <= 0.01


def test_interrupted_by_a_signal_it_resumes_to_the_same_bits(run, faces, tmp_path):
    interrupt_and_compare(tree_of(), run[0], faces, tmp_path)


@pytest.mark.slow
def test_so_it_does_with_batch_norm_and_adamw(small_normalised, faces, tmp_path):
    tree = tree_of(backbone=small_normalised, optimizer={"name": "adamw"})
    train(Recipe.model_validate(tree), faces, tmp_path / "whole", console=silent())
    interrupt_and_compare(tree, tmp_path / "whole", faces, tmp_path)


def interrupt_and_compare(tree, whole, faces, tmp_path):
    # One after each step: they are seen in the middle of an epoch, which lasts long enough for a signal to come in it.
    tree = {**tree, "checkpoint_minutes": 1e-6}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tree))
    out = tmp_path / "interrupted"
    program = Path(__file__).with_name("train_until_stopped.py")
    child = subprocess.Popen(
        [sys.executable, program, tmp_path / "recipe.yaml", faces, out], stdout=subprocess.PIPE, text=True
    )
    try:
        while not list((out / "checkpoints").glob("step_*")) and child.poll() is None:
            time.sleep(0.005)
        child.send_signal(signal.SIGINT)
        said, _ = child.communicate(timeout=600)
    finally:
        child.kill()
    assert child.returncode == 0
    assert said.splitlines()[-1] == "stopped"
    _, state = final(out)
    assert 0 < state["step"] < STEPS  # in the middle of the first epoch
    result = json.loads((out / "result.json").read_text())
    assert (result["finished"], result["steps"], result["epochs"]) == (False, state["step"], 0)

    resumed = train(Recipe.model_validate(tree), faces, out, resume=True, console=silent())
    assert resumed.finished
    (model, state), (expected, expected_state) = final(out), final(whole)
    assert int(model.head.iteration) == 2 * STEPS
    assert_same_models(model, expected)
    assert_same_histories(state["history"], expected_state["history"])
    assert_same_models(*(keras.saving.load_model(folder / "best.keras") for folder in (out, whole)))


@pytest.mark.slow
@pytest.mark.parametrize("step", np.random.default_rng(11).integers(1, 2 * STEPS - 4, 3))
def test_killed_at_a_random_step_it_resumes_to_the_same_bits(step, run, faces, tmp_path):
    tree = {**tree_of(), "checkpoint_minutes": 1e-6}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tree))
    out = tmp_path / "killed"
    program = Path(__file__).with_name("train_until_stopped.py")
    child = subprocess.Popen([sys.executable, program, tmp_path / "recipe.yaml", faces, out])
    try:
        while child.poll() is None:
            if any(int(place.name[5:]) >= step for place in (out / "checkpoints").glob("step_*")):
                break
            time.sleep(0.002)
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL
    assert step <= final(out)[1]["step"] < 2 * STEPS

    assert train(Recipe.model_validate(tree), faces, out, resume=True, console=silent()).finished
    (model, state), (expected, expected_state) = final(out), final(run[0])
    assert_same_models(model, expected)
    assert_same_histories(state["history"], expected_state["history"])
    assert_same_models(*(keras.saving.load_model(folder / "best.keras") for folder in (out, run[0])))


def test_a_full_disk_says_what_is_whole_and_is_resumed(copied, run, faces):
    shutil.rmtree(copied / "checkpoints" / "step_00000028")
    # Room for the log, not for a model.
    with pytest.raises(KerasfaceError, match="File too large.*step_00000014.*--resume"), full_disk(room=1 << 20):
        train(recipe_of(), faces, copied, resume=True, console=silent())
    assert not list(copied.rglob("*draft*"))
    train(recipe_of(), faces, copied, resume=True, console=silent())
    assert_same_models(final(copied)[0], final(run[0])[0])


def test_after_a_damaged_checkpoint_the_epoch_is_done_again(copied, run, faces):
    model = copied / "checkpoints" / "step_00000028" / "model.keras"
    model.write_bytes(model.read_bytes()[:-1000])
    said = io.StringIO()
    result = train(recipe_of(), faces, copied, resume=True, console=Console(file=said, width=200))
    assert "checkpoint step_00000028 is damaged" in said.getvalue()
    assert "resuming at step 14 of 28" in said.getvalue()
    assert "epoch 2/2  loss " in said.getvalue()
    assert_same_models(final(copied)[0], final(run[0])[0])
    assert_same_histories(result.history, run[1].history)
    assert len((copied / "log.jsonl").read_text().splitlines()) == 2


def test_a_finished_run_has_nothing_left_to_do(copied, run, faces):
    result = train(recipe_of(), faces, copied, resume=True, console=silent())
    assert result.finished
    assert result.history == run[1].history
    assert result.images_per_second == run[1].history[-1]["images_per_second"]
    assert_same_models(final(copied)[0], final(run[0])[0])


def test_a_run_from_before_a_field_existed_is_resumed(copied, faces):
    tree = json.loads((copied / "recipe.json").read_text())
    del tree["strategy"]
    (copied / "recipe.json").write_text(json.dumps(tree))
    assert train(recipe_of(), faces, copied, resume=True, console=silent()).finished


def test_does_not_overwrite_a_run(copied, faces):
    with pytest.raises(KerasfaceError, match="holds a run already: add --resume"):
        train(recipe_of(), faces, copied, console=silent())
    shutil.rmtree(copied / "checkpoints")
    # As one does that had no room for its first checkpoint: neither way may send to the other.
    with pytest.raises(KerasfaceError, match="best.keras is of a run that left no checkpoint.*name another --out"):
        train(recipe_of(), faces, copied, console=silent())
    with pytest.raises(KerasfaceError, match="nothing to resume: no checkpoint in .*Name another --out"):
        train(recipe_of(), faces, copied, resume=True, console=silent())
    assert (copied / "best.keras").is_file()


def test_two_processes_do_not_train_into_one_folder(copied, run, faces, tmp_path):
    """The lock is the system's, which a killed process lets go: the runs that are killed and resumed show it."""
    for out, resume in ((copied, True), (tmp_path / "new", False)):
        with RunFolder(out).occupied(), pytest.raises(KerasfaceError, match="another process trains into"):
            train(recipe_of(), faces, out, resume=resume, console=silent())
    assert not (tmp_path / "new" / "recipe.json").exists()
    assert train(recipe_of(), faces, copied, resume=True, console=silent()).steps == run[1].steps


def test_resuming_nothing_is_an_error(faces, tmp_path):
    with pytest.raises(KerasfaceError, match="nothing to resume: no checkpoint in .*Leave --resume out"):
        train(recipe_of(), faces, tmp_path / "new", resume=True, console=silent())


def test_resuming_with_another_recipe_names_what_changed(run, faces):
    changed = recipe_of(
        seed=5, optimizer={"name": "sgd", "learning_rate": 0.5}, head={"name": "arcface", "margin": 0.3}
    )
    with pytest.raises(KerasfaceError, match="begun with another recipe") as error:
        train(changed, faces, run[0], resume=True, console=silent())
    assert [line.strip() for line in str(error.value).splitlines()[1:]] == [
        "head.margin: None then, 0.3 now",
        "head.name: 'a_softmax' then, 'arcface' now",
        "optimizer.learning_rate: 0.02 then, 0.5 now",
        "seed: 4 then, 5 now",
    ]


def test_another_recipe_is_named_before_people_are_split_by_it(run, faces):
    impossible = recipe_of(data={**tree_of()["data"], "held_out": 0.01})  # of 20 people
    told = r"the same --set, which .*/recipe\.json holds; .*`initial: .*/best\.keras`:\n  data\.held"
    with pytest.raises(KerasfaceError, match=told):
        train(impossible, faces, run[0], resume=True, console=silent())
    assert Recipe.read(run[0] / "recipe.json") == recipe_of()


def test_a_field_that_the_run_did_not_know_yet_has_its_default(copied, faces):
    tree = json.loads((copied / "recipe.json").read_text())
    del tree["data"]["sampler"], tree["augmentation"]["crop"]
    (copied / "recipe.json").write_text(json.dumps(tree))
    assert train(recipe_of(), faces, copied, resume=True, console=silent()).finished
    sampler = recipe_of(data={**tree_of()["data"], "sampler": "class_balanced"})
    with pytest.raises(KerasfaceError, match="data.sampler: 'uniform' then, 'class_balanced' now"):
        train(sampler, faces, copied, resume=True, console=silent())


def test_resuming_with_other_images_is_refused(run, faces, tmp_path):
    shutil.copytree(faces, tmp_path / "faces")
    next((tmp_path / "faces" / "person_0003").iterdir()).unlink()
    with pytest.raises(KerasfaceError, match=r"begun with other images; .*--out:\n  images: 180 then, 179 now$"):
        train(recipe_of(), tmp_path / "faces", run[0], resume=True, console=silent())


def test_resuming_with_as_many_other_images_is_refused(run, faces, tmp_path):
    shutil.copytree(faces, tmp_path / "faces")
    photo = next((tmp_path / "faces" / "person_0003").iterdir())
    photo.rename(photo.with_stem("another"))
    with pytest.raises(KerasfaceError, match=r"--out:\n  as many, but other files or names$"):
        train(recipe_of(), tmp_path / "faces", run[0], resume=True, console=silent())


def test_a_run_without_its_recipe_is_not_resumed(copied, faces):
    (copied / "recipe.json").unlink()
    with pytest.raises(KerasfaceError, match=r"can't tell which recipe the run was begun with: .*recipe\.json"):
        train(recipe_of(), faces, copied, resume=True, console=silent())


def test_dying_in_validation_does_not_lose_the_epochs_line(faces, tmp_path):
    train_until_validation(recipe_of(batch_size=39, checkpoint_minutes=1e-4), faces, tmp_path / "out")
    # Resumed from the last step but one of three, the epoch ends and is validated; from the last, it would not be.
    assert final(tmp_path / "out")[1]["step"] == 2


def test_a_loss_that_is_no_number_stops_the_run(faces, tmp_path):
    # Step 1 makes the weights huge, step 2 infinite, and step 3 shows it.
    recipe = recipe_of(
        optimizer={"name": "sgd", "learning_rate": 1e30}, schedule={"name": "constant"}, checkpoint_minutes=1e-6
    )
    with pytest.raises(KerasfaceError, match=r"the loss became (nan|inf) at step 3.*optimizer\.learning_rate") as error:
        train(recipe, faces, tmp_path / "out", console=silent())
    assert "newest good checkpoint is step_00000001" in str(error.value)
    report = json.loads((tmp_path / "out" / "not_finite.json").read_text())
    assert report["loss"] in ("nan", "inf")
    (batch,) = report["batches"]
    assert batch["step"] == 3
    assert len(batch["files"]) == BATCH
    assert all(Path(file).is_file() for file in batch["files"])


def test_the_files_of_a_batch_are_those_that_the_stream_gives(faces):
    folder = read_folder(faces)
    epoch = len(folder) // BATCH  # the batch across the first epoch's end
    stream = batches(folder, batch_size=BATCH, seed=3, size=(SIZE, SIZE), first_step=epoch, last_step=epoch + 1)
    images, labels = next(iter(stream))
    files = files_of_batch(folder, batch_size=BATCH, seed=3, step=epoch)
    for file, image, label in zip(files, images, labels, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), image)
        assert Path(file).parent.name == folder.names[int(label)]


@pytest.mark.parametrize("tensorboard", [False, True])  # which is given the first batch before the first step
def test_a_damaged_image_is_named(tensorboard, faces, tmp_path):
    shutil.copytree(faces, tmp_path / "faces")
    for person in (tmp_path / "faces").iterdir():  # someone who trains is among them
        for path in sorted(person.iterdir())[1:]:  # of the first one the size is looked at before
            path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(KerasfaceError, match=r"can't train on .*/person_00\d\d/00\d\d\d\.png.*Invalid PNG data"):
        train(recipe_of(), tmp_path / "faces", tmp_path / "out", tensorboard=tensorboard, console=silent())


def test_photos_of_another_size_are_told_before_a_step(run, faces, tmp_path):
    shutil.copytree(faces, tmp_path / "faces")
    for path in (tmp_path / "faces").rglob("*.png"):
        Image.new("RGB", (40, 40)).save(path)
    initial = {"initial": str(run[0] / "best.keras"), "prototypes": "class_means"}
    with pytest.raises(KerasfaceError, match=r"can't train on .*aligned to 32x32 pixels.*Received: 40x40. Align the"):
        train(recipe_of(**initial), tmp_path / "faces", tmp_path / "out", console=silent())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategy": {"name": "multiworker"}}, "nothing says which processes take part"),
        ({"batch_size": 500}, "117 training images make no batch of 500. Received: batch_size=500"),
        ({"head": {"name": "arcface", "margin": -1.0}}, "can't be built: margin must .*Received: margin=-1.0"),
        ({"data": {"held_out": 0.95}}, "can't hold out 0.95 of 20 people"),
        ({"data": {"held_out": 0.35, "min_images": 10}}, "fewer than 10 images"),
        ({"validation": {"pairs": 3000, "folds": 10}}, "too little held out: 10 folds need .*validation.folds"),
    ],
)
def test_what_cannot_be_trained_says_what_to_change(changes, message, faces, tmp_path):
    with pytest.raises(KerasfaceError, match=message):
        train(recipe_of(**changes), faces, tmp_path / "out", console=silent())
    assert not (tmp_path / "out").exists()


def test_an_out_that_cannot_be_written_is_told_before_the_data_is_read(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(KerasfaceError, match="can't write to .*file is no folder. Name another --out"):
        train(recipe_of(), tmp_path / "no faces", tmp_path / "file" / "below", console=silent())
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(KerasfaceError, match="can't write to .* is not writable. Name another --out"):
        train(recipe_of(), tmp_path / "no faces", tmp_path / "new" / "run", console=silent())


def test_a_budget_of_steps_ends_inside_an_epoch(faces, tmp_path):
    schedule = {"name": "step", "steps": [STEPS, STEPS + 2], "factor": 0.5}
    recipe = recipe_of(epochs=None, steps=STEPS + 3, schedule=schedule, checkpoint_minutes=1e-4)
    result = train(recipe, faces, tmp_path / "run", console=silent())
    assert (result.finished, result.steps, result.epochs) == (True, STEPS + 3, 2)
    assert [line["step"] for line in result.history] == [STEPS, STEPS + 3]
    # The rate of the update to come.
    assert [line["learning_rate"] for line in result.history] == pytest.approx([0.01, 0.005])
    assert int(final(tmp_path / "run")[0].head.iteration) == STEPS + 3


def test_the_annealing_is_set_in_the_recipe(faces, tmp_path):
    head = {"name": "a_softmax", "margin": 4, "annealing": {"base": 50.0, "minimum": 7.0}}
    train(recipe_of(head=head, epochs=1), faces, tmp_path / "run", console=silent())
    model, _ = final(tmp_path / "run")
    assert model.head.annealing.minimum == 7.0
    assert float(model.head.annealing_lambda) < 50.0
