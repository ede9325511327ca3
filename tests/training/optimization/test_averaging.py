"""Averages of the weights: what NumPy makes of the weights, seen by validation, never by training."""

import keras
import numpy as np
import pytest

from kerasface import FaceModel
from kerasface.data import Augmentation, batches, read_folder, split_identities
from kerasface.training import train
from kerasface.training.optimization.averaging import AveragedAdamW, AveragedSGD
from kerasface.training.optimization.batch_norm import estimate_statistics
from kerasface.training.run.checkpoints import Checkpoints
from tests.training.small_runs import SMALLEST, assert_same_models, final, recipe_of, silent, train_until_validation

MOMENTUM = 0.8
# Three steps an epoch, two epochs: two calls of `fit`.
SHORT = {"epochs": None, "steps": 6, "batch_size": 39, "checkpoint_minutes": 1e-6, "head": {"name": "cosface"}}
SGD = {"name": "sgd", "learning_rate": 0.02}


@pytest.fixture(scope="module")
def averaged(faces, tmp_path_factory):
    """A run with averages: its folder, and weights and averages after every step."""
    out = tmp_path_factory.mktemp("averaged") / "run"
    steps, write = {}, Checkpoints.write

    def spy(self, model, state):
        optimizer = model.optimizer
        pairs = [model.trainable_variables, optimizer._model_variables_moving_average]
        steps[state["step"]] = [[variable.numpy().copy() for variable in variables] for variables in pairs]
        write(self, model, state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoints, "write", spy)
        train(recipe_of(**SHORT, optimizer={**SGD, "ema": MOMENTUM}), faces, out, console=silent())
    return out, steps


def test_they_are_numpys(averaged):
    _, steps = averaged
    assert sorted(steps) == [1, 2, 3, 4, 5, 6]
    expected = steps[1][0]
    for step in range(1, 7):
        weights, averages = steps[step]
        expected = [MOMENTUM * a + (1 - MOMENTUM) * w for a, w in zip(expected, weights, strict=True)]
        for found, mean in zip(averages, expected, strict=True):
            np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-7)


def test_training_goes_on_from_the_weights(averaged, faces, tmp_path):
    train(recipe_of(**SHORT, optimizer=SGD), faces, tmp_path / "plain", console=silent())
    plain = final(tmp_path / "plain")[0]
    for found, expected in zip(averaged[1][6][0], plain.trainable_variables, strict=True):
        np.testing.assert_array_equal(found, expected.numpy())


def test_the_best_model_is_the_averages(averaged):
    out, steps = averaged
    best_step = 3 * final(out)[1]["best_epoch"]
    model = keras.saving.load_model(out / "best.keras")
    for found, expected in zip(model.trainable_variables, steps[best_step][1], strict=True):
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"optimizer": {**SGD, "ema": MOMENTUM}}, id="sgd"),
        pytest.param(
            {
                "optimizer": {"name": "adamw", "ema": MOMENTUM, "accumulation": 2},
                "precision": "mixed_float16",
                "backbone": SMALLEST,
            },
            id="adamw in float16, two steps an update",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_resumed_run_has_the_same_averages(changes, averaged, faces, tmp_path):
    recipe = recipe_of(**SHORT, **changes)
    if recipe.precision == "float32":
        whole = averaged[0]
    else:
        whole = tmp_path / "whole"
        train(recipe, faces, whole, console=silent())

    train_until_validation(recipe, faces, tmp_path / "out")
    assert final(tmp_path / "out")[1]["step"] == 2
    train(recipe, faces, tmp_path / "out", resume=True, console=silent())
    assert_same_models(final(tmp_path / "out")[0], final(whole)[0])
    assert_same_models(*(keras.saving.load_model(folder / "best.keras") for folder in (tmp_path / "out", whole)))


def test_statistics_are_those_of_the_batches(rng):
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="one")(x)
    x = keras.layers.BatchNormalization(name="frozen")(x)
    backbone = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    model = FaceModel(backbone, frozen=["frozen"])
    images = rng.integers(0, 256, (3, 16, 8, 8, 3), dtype=np.uint8)
    before = [value.copy() for value in backbone.get_layer("frozen").get_weights()]
    estimate_statistics(model, [(batch, None) for batch in images])
    normalised = (images.reshape(48, 8, 8, 3) - np.float32(127.5)) / np.float32(127.5)
    convolved = keras.ops.convert_to_numpy(backbone.get_layer("conv")(normalised)).reshape(3, -1, 4)
    layer = backbone.get_layer("one")
    np.testing.assert_allclose(layer.moving_mean.numpy(), convolved.mean(axis=1).mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), convolved.var(axis=1).mean(axis=0), rtol=1e-4)
    assert layer.momentum == 0.99
    for found, expected in zip(backbone.get_layer("frozen").get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_validation_sees_averages_with_statistics_of_their_own(small_normalised, faces, tmp_path):
    recipe = recipe_of(**{**SHORT, "steps": 3}, backbone=small_normalised, optimizer={**SGD, "ema": 0.9})
    train(recipe, faces, tmp_path / "run", console=silent())
    best, trained = keras.saving.load_model(tmp_path / "run" / "best.keras"), final(tmp_path / "run")[0]
    photos = read_folder(faces)
    stream = batches(
        photos.select(split_identities(photos.labels, fraction=recipe.data.held_out, seed=recipe.seed)[0]),
        batch_size=39, seed=recipe.seed, size=(32, 32), augmentation=Augmentation(**recipe.augmentation.model_dump()),
        last_step=3,
    )  # fmt: skip
    kept = [weight.numpy() for weight in best.backbone.non_trainable_weights]
    assert not any(np.allclose(a, b) for a, b in zip(kept, trained.backbone.non_trainable_weights, strict=True))
    estimate_statistics(best, stream)
    for found, expected in zip(kept, best.backbone.non_trainable_weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [AveragedSGD, AveragedAdamW])
def test_config_brings_it_back(kind):
    optimizer = kind(0.1, use_ema=True, ema_momentum=0.5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is kind
    assert again.get_config() == optimizer.get_config()
