"""Prototypes that begin at their people, and a backbone that comes with its weights."""

import keras
import numpy as np
import pydantic
import pytest

from kerasface import FaceModel, backbones, heads
from kerasface.data import read_folder
from kerasface.errors import KerasfaceError
from kerasface.export import embedder_spec, load_trained
from kerasface.export.metadata import write_sidecar
from kerasface.training import Recipe, train
from kerasface.training.build import build_model, of_same_layers
from kerasface.training.imprint import imprint
from kerasface.training.initial import begin_with
from tests.training.small_runs import PEOPLE, SMALL, recipe_of, silent, tree_of


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """An embedder of unusual preprocessing with its spec, as the importer writes one."""
    keras.utils.set_random_seed(6)
    backbone = backbones.get("spherefacenet", depth=4, width=0.5, **SMALL)
    model = FaceModel(backbone, mean=[100.0, 110.0, 120.0], std=128.0, color_order="bgr")
    path = tmp_path_factory.mktemp("published") / "model.keras"
    model.save(path)
    write_sidecar(path, embedder_spec(model, name="spherefacenet4.published"))
    return path


def test_prototypes_are_the_peoples_mean_directions(faces):
    source = read_folder(faces)
    model = FaceModel(backbones.get("spherefacenet", depth=4, **SMALL), heads.get("cosface", num_classes=PEOPLE))
    imprint(model, source.with_photos([str(source.photos[0])]))
    images = np.stack([np.asarray(keras.utils.load_img(str(photo))) for photo in source.photos])
    embeddings = model.predict(images, verbose=0)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    for person in range(PEOPLE):
        mean = unit[source.labels == person].mean(axis=0)
        expected = mean / np.linalg.norm(mean)
        np.testing.assert_allclose(model.head.prototypes[person].numpy(), expected, atol=1e-5)


def test_a_head_with_other_prototypes_is_refused(faces):
    backbone = backbones.get("spherefacenet", depth=4, **SMALL)
    for head, received in (
        (heads.get("subcenter_arcface", num_classes=PEOPLE, centers=2), rf"\({PEOPLE}, 2, 16\)"),
        (heads.get("cosface", num_classes=PEOPLE + 1), rf"\({PEOPLE + 1}, 16\)"),
    ):
        with pytest.raises(KerasfaceError, match=f"one prototype for each of {PEOPLE} people.*Received: .*{received}"):
            imprint(FaceModel(backbone, head), read_folder(faces))


def test_a_run_begins_with_them(published, faces, tmp_path):
    recipe = recipe_of(
        backbone=None, initial=str(published), prototypes="class_means", head={"name": "cosface"}, epochs=None, steps=1,
        optimizer={"name": "sgd", "learning_rate": 1e-12}, schedule={"name": "constant"},
    )  # fmt: skip
    train(recipe, faces, tmp_path / "run", console=silent())
    model = keras.saving.load_model(tmp_path / "run" / "best.keras", compile=False)
    lengths = np.linalg.norm(model.head.prototypes.numpy(), axis=1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-5)  # random ones have length .04
    # So short a step leaves what was published, preprocessing and all.
    earlier, spec = load_trained(published)
    kept = load_trained(tmp_path / "run" / "best.keras")[1]
    assert [kept.mean, kept.std, kept.color_order] == [spec.mean, spec.std, spec.color_order]
    photo = np.asarray(keras.utils.load_img(str(read_folder(faces).photos[0])))[None]
    np.testing.assert_allclose(model.predict(photo, verbose=0), earlier.predict(photo, verbose=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_without_a_backbone_it_comes_from_initial(precision, published):
    recipe = recipe_of(backbone=None, initial=str(published), frozen=["stage1"])
    model = build_model(recipe, 5, precision=precision)
    begin_with(model, published)
    earlier = keras.saving.load_model(published)
    assert (model.mean, model.std, model.color_order) == ([100.0, 110.0, 120.0], 128.0, "bgr")
    assert of_same_layers(model).get_config() == model.get_config()
    assert model.backbone.get_config()["width"] == 0.5
    computed = {layer.compute_dtype for layer in model.backbone.layers if layer.weights}
    assert computed == {"bfloat16" if precision == "mixed_bfloat16" else "float32"}
    assert not any(layer.trainable for layer in model.backbone.layers if layer.name.startswith("stage1"))
    for ours, theirs in zip(model.backbone.weights, earlier.backbone.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_a_precision_that_layers_would_not_heed_is_refused(tmp_path):
    inputs = keras.Input(SMALL["input_shape"])
    graph = keras.Model(inputs, keras.layers.Dense(16)(keras.layers.Flatten()(inputs)), name="graph")
    model = FaceModel(graph)
    model.save(tmp_path / "model.keras")
    write_sidecar(tmp_path / "model.keras", embedder_spec(model, name="graph.published"))
    recipe = recipe_of(backbone=None, initial=str(tmp_path / "model.keras"))
    assert build_model(recipe, 5, precision="float32").backbone.output_shape == (None, 16)
    with pytest.raises(KerasfaceError, match="graph is no backbone of kerasface .* leave mixed_float16 out"):
        build_model(recipe, 5, precision="mixed_float16")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": None}, "a recipe needs a backbone, or initial to take it from"),
        ({"backbone": None, "initial": "x.keras", "std": 128.0}, "mean and std come with initial's backbone"),
        ({"prototypes": "class_means"}, "class_means need initial"),
    ],
)
def test_a_recipe_says_what_is_missing(changes, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        Recipe.model_validate(tree_of(**changes))
