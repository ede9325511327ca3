"""What TensorBoard is given: read back from its files as they lie on the disk."""

import csv
import io
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from rich.console import Console
from tensorflow.core.util import event_pb2

from kerasface.data import Augmentation, batches, open_faces, split_identities
from kerasface.evaluation import represent
from kerasface.export import load_trained
from kerasface.training import train
from kerasface.training.progress.projector import tiled
from tests.training.small_runs import BATCH, HELD_OUT, IMAGES, PEOPLE, SIZE, STEPS, assert_same_models, final, recipe_of


def events(folder):
    """{tag: [(step, plugin, value)]} of all event files."""
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                entry = (event.step, value.metadata.plugin_data.plugin_name, tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, []).append(entry)
    return found


@pytest.fixture(scope="module")
def logged(faces, tmp_path_factory):
    """A run with telemetry: its folder, its result and what it printed."""
    out, said = tmp_path_factory.mktemp("logged") / "run", io.StringIO()
    result = train(recipe_of(), faces, out, tensorboard=True, console=Console(file=said, width=200))
    return out, result, said.getvalue()


def test_every_step_and_every_epoch_has_its_figures(logged):
    out, result, _ = logged
    found = events(out / "tensorboard")
    for tag in ("loss", "learning_rate", "lambda", "images_per_second", "data_wait_share"):
        entries = found[f"train/{tag}"]
        assert [step for step, _, _ in entries] == list(range(1, 2 * STEPS + 1))
        assert {plugin for _, plugin, _ in entries} == {"scalars"}
    steps = [STEPS, 2 * STEPS]
    for tag, field in {
        "held_out/accuracy": "held_out_accuracy",
        "held_out/accuracy_std": "held_out_accuracy_std",
        "held_out/auc": "held_out_auc",
        "epoch/loss": "loss",
    }.items():
        assert [(step, float(value)) for step, _, value in found[tag]] == [
            (step, pytest.approx(line[field], rel=1e-6)) for step, line in zip(steps, result.history, strict=True)
        ]
    # The mean since the epoch began is the epoch's at its end.
    at = {step: float(value) for step, _, value in found["train/loss"]}
    assert [at[step] for step in steps] == pytest.approx([line["loss"] for line in result.history], rel=1e-5)
    assert float(found["train/lambda"][0][2]) == pytest.approx(1000 / 1.12)
    assert all(0 <= float(value) <= 1 for _, _, value in found["train/data_wait_share"])


def test_the_picture_is_the_first_batch_as_the_network_gets_it(logged, faces):
    out, _, _ = logged
    ((step, plugin, (width, height, png)),) = events(out / "tensorboard")["input/augmented"]
    source = open_faces(faces)
    training = source.select(split_identities(source.labels, fraction=HELD_OUT / PEOPLE, seed=4)[0])
    augmentation = Augmentation(**recipe_of().augmentation.model_dump())
    stream = batches(training, batch_size=BATCH, seed=4, size=(SIZE, SIZE), augmentation=augmentation, last_step=1)
    expected = np.zeros((9, SIZE, SIZE, 3), np.uint8)  # three rows of three, the last place empty
    expected[:BATCH] = next(iter(stream))[0]
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    assert (step, plugin, int(width), int(height)) == (0, "images", 3 * SIZE, 3 * SIZE)
    for place, image in enumerate(expected):
        row, column = divmod(place, 3)
        np.testing.assert_array_equal(pixels[row * SIZE :, column * SIZE :][:SIZE, :SIZE], image)


def test_the_projector_has_every_held_out_photo_with_its_person(logged, faces):
    out, _, _ = logged
    folder = out / "tensorboard"
    config = (folder / "projector_config.pbtxt").read_text()
    tensors, people, sprite = (folder / name for name in re.findall(r'_path: "(.*?)"', config))
    source = open_faces(faces)
    held_out = source.select(split_identities(source.labels, fraction=HELD_OUT / PEOPLE, seed=4)[1])
    assert people.read_text().splitlines() == [held_out.names[label] for label in held_out.labels]
    model, _ = load_trained(out / "best.keras")
    rows = np.array(list(csv.reader(tensors.open(), delimiter="\t")), float)
    np.testing.assert_allclose(rows, represent(model.predict_on_batch, held_out.photos), atol=2e-6)
    (size,) = set(re.findall(r"single_image_dim: (\d+)", config))
    picture = Image.open(sprite)
    side = int(np.ceil(np.sqrt(HELD_OUT * IMAGES)))
    assert picture.size == (side * int(size),) * 2
    row, column = divmod(HELD_OUT * IMAGES - 1, side)
    place = np.asarray(picture)[row * int(size) :, column * int(size) :][: int(size), : int(size)]
    last = Image.open(str(held_out.photos[-1])).resize((int(size),) * 2, Image.Resampling.BOX)
    np.testing.assert_array_equal(place, np.asarray(last))
    # Faces and names: for nobody else on this machine.
    assert {path.stat().st_mode & 0o077 for path in (tensors, people, sprite)} == {0}


def test_it_changes_nothing_and_is_left_out_unless_asked_for(logged, run):
    assert_same_models(final(logged[0])[0], final(run[0])[0])
    assert not (run[0] / "tensorboard").exists()


def test_the_display_tells_how_long_steps_wait_for_input(logged):
    (first, second) = re.findall(r"^epoch \d/2  (.*?)  held-out", logged[2], re.MULTILINE)
    for line in (first, second):
        assert re.fullmatch(r"loss [\d.]+  lr \S+  λ [\d.]+  [\d.]+ images/s  data wait \d+%", line)


def test_a_finished_run_that_is_resumed_adds_nothing(logged, faces):
    out, _, _ = logged
    before = {path: path.read_bytes() for path in (out / "tensorboard").iterdir()}
    train(recipe_of(), faces, out, resume=True, tensorboard=True, console=Console(quiet=True))
    assert {path: path.read_bytes() for path in (out / "tensorboard").iterdir()} == before


def test_pictures_fill_a_square_row_by_row():
    pictures = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((3, 1, 2, 3), np.uint8) + 1
    assert tiled(pictures)[..., 0].tolist() == [[1, 1, 2, 2], [3, 3, 0, 0]]
