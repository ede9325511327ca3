"""Dropout's random numbers are part of a run: one that was stopped draws on."""

import keras
import numpy as np

from kerasface import FaceModel, backbones
from kerasface.training import train
from kerasface.training.run.random_state import random_state, set_random_state
from tests.training.small_runs import SMALL, final, recipe_of, silent, train_until_validation


def forgetful(name, **arguments):
    """A backbone whose embedding is dropped in part, twice."""
    backbone = backbones.SphereFaceNet(depth=4, **SMALL)
    outputs = keras.layers.Dropout(0.3)(keras.layers.Dropout(0.3)(backbone.output))
    return keras.Model(backbone.input, outputs)


def test_a_model_draws_on_where_another_stopped():
    first, second = (FaceModel(forgetful("forgetful")) for _ in range(2))
    images = np.zeros((2, *SMALL["input_shape"]), np.uint8) + np.arange(2)[:, None, None, None] * 100
    second.set_weights(first.get_weights())
    begun = random_state(first)
    drawn = np.asarray(first(images, training=True))
    assert random_state(first) != begun
    for state, same in ((random_state(first), False), (begun, True)):
        set_random_state(second, state)
        assert np.array_equal(np.asarray(second(images, training=True)), drawn) == same


def test_a_resumed_run_drops_what_the_whole_one_drops(faces, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasface.training.build.backbones.get", forgetful)
    train(recipe_of(epochs=2), faces, tmp_path / "whole", console=silent())

    recipe = recipe_of(epochs=2, checkpoint_minutes=1e-6)
    train_until_validation(recipe, faces, tmp_path / "cut")
    assert final(tmp_path / "cut")[1]["step"] > 0
    train(recipe, faces, tmp_path / "cut", resume=True, console=silent())
    (model, state), (expected, expected_state) = (final(tmp_path / run) for run in ("cut", "whole"))
    assert state["random"] == expected_state["random"]
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
