"""Distillation: the teacher's embeddings, asked for once, and a student that comes to give them."""

import io
import os
import types

import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from rich.console import Console

from kerasface import FaceModel
from kerasface.data import list_photos
from kerasface.errors import KerasfaceError
from kerasface.evaluation import represent
from kerasface.training import Recipe, teacher, train
from kerasface.training.run.run_faces import open_run_faces
from kerasface.training.teacher import teacher_embeddings
from kerasface.training.trainer import HeldOutVerification
from tests.training.small_runs import recipe_of, silent

SIZE = 32


@pytest.fixture
def pooling_teacher(tmp_path):
    """An ONNX "embedder" of closed form: the mean colours of the 4x4 blocks of a 32x32 picture, 48-d."""
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "pooling",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 48])],
    )
    path = tmp_path / "teacher.onnx"
    onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def settings(model, *, mean=127.5, std=128.0, channel_order="rgb"):
    return types.SimpleNamespace(model=str(model), mean=mean, std=std, channel_order=channel_order)


def photos(folder, count, rng):
    folder.mkdir(exist_ok=True)
    images = rng.integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index}.png")
    return images, list_photos(folder)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def pooled(images, *, mean=127.5, std=128.0, order=(0, 1, 2)):
    pixels = (images.astype(np.float64)[..., order] - mean) / std
    blocks = pixels.reshape(len(images), 4, 8, 4, 8, 3).mean(axis=(2, 4))
    return blocks.transpose(0, 3, 1, 2).reshape(len(images), -1)


@pytest.mark.parametrize(("channel_order", "order"), [("rgb", (0, 1, 2)), ("bgr", (2, 1, 0))])
def test_targets_are_the_direction_of_face_plus_mirror(pooling_teacher, tmp_path, rng, channel_order, order):
    images, paths = photos(tmp_path / "faces", 5, rng)
    expected = unit(
        unit(pooled(images, mean=10, std=50, order=order))
        + unit(pooled(images[:, :, ::-1], mean=10, std=50, order=order))
    )
    found = teacher_embeddings(settings(pooling_teacher, mean=10, std=50, channel_order=channel_order), paths)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_photo_is_asked_for_once_whatever_it_is_called(pooling_teacher, tmp_path, rng):
    _, paths = photos(tmp_path / "faces", 3, rng)
    first = teacher_embeddings(settings(pooling_teacher), paths)
    moved = [path.rename(path.with_name(f"other_{path.name}")) for path in paths]
    asked = []
    again = teacher_embeddings(settings(pooling_teacher), moved, progress=lambda *count: asked.append(count))
    np.testing.assert_array_equal(first, again)
    assert not asked
    teacher_embeddings(settings(pooling_teacher, mean=0.0), moved, progress=lambda *count: asked.append(count))
    assert asked == [(3, 3)]  # another preprocessing is another teacher


def test_an_interruption_costs_no_more_than_a_part(pooling_teacher, tmp_path, rng, monkeypatch, cache):
    monkeypatch.setattr(teacher, "_PART", 2)
    monkeypatch.setattr(teacher, "_BATCH", 1)
    _, paths = photos(tmp_path / "faces", 5, rng)

    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teacher_embeddings(settings(pooling_teacher), paths, progress=interrupt)
    asked = []
    teacher_embeddings(settings(pooling_teacher), paths, progress=lambda *count: asked.append(count))
    assert asked == [(1, 3), (2, 3), (3, 3)]
    assert all(path.name.startswith("part_") for path in cache.rglob("*") if path.is_file())


@pytest.mark.parametrize("left", [0, 100, 600, -1])
def test_a_part_that_was_cut_short_is_asked_for_again(left, pooling_teacher, tmp_path, rng, monkeypatch, cache):
    monkeypatch.setattr(teacher, "_PART", 2)
    _, paths = photos(tmp_path / "faces", 4, rng)
    first = teacher_embeddings(settings(pooling_teacher), paths)
    part, _ = cache.rglob("part_*.npz")
    part.write_bytes(part.read_bytes()[:left])
    asked = []
    again = teacher_embeddings(settings(pooling_teacher), paths[2:] + paths[:2], progress=lambda *n: asked.append(n))
    np.testing.assert_array_equal(again, np.roll(first, 2, axis=0))
    assert asked == [(2, 2)]
    teacher_embeddings(settings(pooling_teacher), paths, progress=lambda *count: asked.append(count))
    assert asked == [(2, 2)]


def test_a_damaged_part_is_thrown_away(pooling_teacher, tmp_path, rng, cache):
    _, paths = photos(tmp_path / "faces", 2, rng)
    teacher_embeddings(settings(pooling_teacher), paths)
    (part,) = cache.rglob("part_*.npz")
    part.write_bytes(part.read_bytes()[:100])
    teacher_embeddings(settings(pooling_teacher), photos(tmp_path / "others", 2, rng)[1])
    assert not part.exists()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), MemoryError()])
def test_a_part_that_may_be_whole_is_kept(error, pooling_teacher, tmp_path, rng, cache, monkeypatch):
    _, paths = photos(tmp_path / "faces", 2, rng)
    teacher_embeddings(settings(pooling_teacher), paths)
    (part,) = cache.rglob("part_*.npz")

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(np, "load", fails)
    with pytest.raises(type(error)):
        teacher_embeddings(settings(pooling_teacher), paths)
    assert part.exists()


def test_a_part_has_its_name_only_once_it_is_on_the_disk(pooling_teacher, tmp_path, rng, monkeypatch, cache):
    _, paths = photos(tmp_path / "faces", 2, rng)

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        teacher_embeddings(settings(pooling_teacher), paths)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_photo_of_another_size_is_an_error_that_names_it(pooling_teacher, tmp_path):
    path = tmp_path / "large.png"
    Image.new("RGB", (40, 40)).save(path)
    with pytest.raises(KerasfaceError, match=r"takes 32x32 pixels. Received: 40x40: .*large.png"):
        teacher_embeddings(settings(pooling_teacher), [path])


def test_another_embedding_dim_is_an_error_before_all_photos_are_asked_for(faces, pooling_teacher, tmp_path, rng):
    _, paths = photos(tmp_path / "many", 40, rng)
    asked = []
    way_out = r"set backbone.embedding_dim to 48, which .*teacher.onnx gives. Received: 512"
    with pytest.raises(KerasfaceError, match=way_out):
        teacher_embeddings(
            settings(pooling_teacher), paths, embedding_dim=512, progress=lambda *count: asked.append(count)
        )
    assert not asked
    teacher_embeddings(settings(pooling_teacher), paths)
    with pytest.raises(KerasfaceError, match=way_out):  # of what was embedded before, likewise
        teacher_embeddings(settings(pooling_teacher), paths, embedding_dim=512)
    backbone = {"name": "spherefacenet", "depth": 4, "input_shape": [SIZE, SIZE, 3], "embedding_dim": 16}
    recipe = distillation(pooling_teacher, head=None, epochs=1).model_dump() | {"backbone": backbone}
    with pytest.raises(KerasfaceError, match="set backbone.embedding_dim to 48"):
        train(Recipe.of_tree(recipe, "r"), faces, tmp_path / "run", console=silent())


def distillation(teacher_path, **changes):
    section = {"model": str(teacher_path), "mean": 127.5, "std": 128.0, "channel_order": "rgb"}
    # Patterns that differ by their blocks' colours, which the teacher sees: nothing to learn but its map.
    return recipe_of(
        teacher=section,
        augmentation={"mirror": 0.5},
        backbone={"name": "spherefacenet", "depth": 4, "input_shape": [SIZE, SIZE, 3], "embedding_dim": 48},
        optimizer={"name": "adamw", "learning_rate": 2e-3},
        **changes,
    )


def test_a_student_comes_to_give_its_teachers_embeddings(faces, pooling_teacher, tmp_path, rng):
    _, strangers = photos(tmp_path / "strangers", 24, rng)
    recipe = distillation(pooling_teacher, head=None, epochs=4)
    result = train(recipe, faces, tmp_path / "run", photos=[tmp_path / "strangers"], console=silent())
    losses = [line["loss"] for line in result.history]
    assert result.images == 13 * 9 + len(strangers)
    assert losses[-1] < 0.6 * losses[0]
    student = keras.saving.load_model(result.model_path)
    assert isinstance(student, FaceModel)
    assert student.head is None
    # The epoch kept is the one nearest to the teacher on people held out.
    held_out = open_run_faces(recipe, faces, [tmp_path / "strangers"]).held_out
    theirs = teacher_embeddings(recipe.teacher, held_out.photos)
    cosine = (represent(student.predict_on_batch, held_out.photos) * theirs).sum(axis=1).mean()
    told = [line["held_out_teacher_cosine"] for line in result.history]
    assert told[result.best_epoch - 1] == max(told) == pytest.approx(cosine, abs=1e-5)


def test_the_epoch_is_chosen_by_the_teacher_where_it_alone_teaches(faces, pooling_teacher, tmp_path, monkeypatch):
    given = []

    def validate(self, model, targets):
        auc, cosine = [(0.9, 0.2), (0.7, 0.4), (0.8, 0.3)][len(given)]
        given.append(len(targets) - len(self.faces))
        return {
            "held_out_accuracy": auc,
            "held_out_accuracy_std": 0.0,
            "held_out_auc": auc,
            "held_out_teacher_cosine": cosine,
        }

    monkeypatch.setattr(HeldOutVerification, "__call__", validate)
    for recipe, best in (
        (distillation(pooling_teacher, head=None, epochs=3), 2),
        (distillation(pooling_teacher, epochs=3), 1),
    ):
        given.clear()
        said = io.StringIO()
        result = train(recipe, faces, tmp_path / f"run{best}", console=Console(file=said, width=200))
        assert (result.best_epoch, given) == (best, [0, 0, 0])
        assert "AUC 0.7000  cosine to the teacher 0.4000\n" in said.getvalue()


def test_a_teacher_and_a_head_train_together_and_resume(faces, pooling_teacher, tmp_path, rng):
    photos(tmp_path / "strangers", 24, rng)
    recipe = distillation(pooling_teacher, epochs=1)
    result = train(recipe, faces, tmp_path / "run", photos=[tmp_path / "strangers"], console=silent())
    assert np.isfinite(result.history[0]["loss"])
    with pytest.raises(KerasfaceError, match="other images"):
        train(recipe, faces, tmp_path / "run", resume=True, console=silent())


def test_photos_without_names_need_a_teacher(faces, tmp_path, rng):
    photos(tmp_path / "strangers", 3, rng)
    with pytest.raises(KerasfaceError, match="teacher"):
        train(recipe_of(), faces, tmp_path / "run", photos=[tmp_path / "strangers"], console=silent())


def test_a_recipe_needs_something_that_teaches(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("{name: a.b, epochs: 1, backbone: {name: mobilefacenet}}")
    with pytest.raises(KerasfaceError, match="needs a head, losses or a teacher"):
        Recipe.read(path)
