"""Averages of the weights: what NumPy makes of the weights, seen by validation, never by training."""

import keras
import numpy as np
import pytest

from kerasface.training import train
from kerasface.training.averaging import AveragedAdamW, AveragedSGD
from kerasface.training.checkpoints import Checkpoints
from kerasface.training.trainer import HeldOutVerification
from tests.training.test_trainer import assert_same_models, faces, final, recipe_of, silent  # noqa: F401 (a fixture)

MOMENTUM = 0.8
# Three steps an epoch, two epochs: two calls of `fit`.
SHORT = {"epochs": None, "steps": 6, "batch_size": 39, "checkpoint_minutes": 1e-6, "head": {"name": "cosface"}}
SGD = {"name": "sgd", "learning_rate": 0.02}


@pytest.fixture(scope="module")
def averaged(faces, tmp_path_factory):  # noqa: F811 (a fixture)
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


def test_training_goes_on_from_the_weights(averaged, faces, tmp_path):  # noqa: F811
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
        {"optimizer": {**SGD, "ema": MOMENTUM}},
        {"optimizer": {"name": "adamw", "ema": MOMENTUM, "accumulation": 2}, "precision": "mixed_float16"},
    ],
    ids=["sgd", "adamw in float16, two steps an update"],
)
def test_a_resumed_run_has_the_same_averages(changes, averaged, faces, tmp_path, monkeypatch):  # noqa: F811
    recipe = recipe_of(**SHORT, **changes)
    if recipe.precision == "float32":
        whole = averaged[0]
    else:
        whole = tmp_path / "whole"
        train(recipe, faces, whole, console=silent())

    def die(self, model):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(HeldOutVerification, "__call__", die)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, faces, tmp_path / "out", console=silent())
    assert final(tmp_path / "out")[1]["step"] == 2
    train(recipe, faces, tmp_path / "out", resume=True, console=silent())
    assert_same_models(final(tmp_path / "out")[0], final(whole)[0])
    assert_same_models(*(keras.saving.load_model(folder / "best.keras") for folder in (tmp_path / "out", whole)))


@pytest.mark.parametrize("kind", [AveragedSGD, AveragedAdamW])
def test_config_brings_it_back(kind):
    optimizer = kind(0.1, use_ema=True, ema_momentum=0.5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is kind
    assert again.get_config() == optimizer.get_config()
