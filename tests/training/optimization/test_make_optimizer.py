"""Clipping, accumulation, precision, XLA and executions of several steps, each through `train`."""

import signal
import types

import keras
import numpy as np
import pytest

from kerasface.errors import KerasfaceError
from kerasface.training import train, trainer
from kerasface.training.build import build_model
from kerasface.training.progress.callbacks import FiniteLoss
from tests.training.small_runs import HELD_OUT, PEOPLE, SMALLEST, assert_same_models, final, recipe_of, silent

RATE = 0.02
# Three steps an epoch, two epochs.
SHORT = {
    "epochs": None,
    "steps": 6,
    "batch_size": 39,
    "head": {"name": "cosface", "scale": 16.0},
    "optimizer": {"name": "sgd", "learning_rate": RATE},
    "schedule": {"name": "constant"},
}


def trained(faces, out, **changes):
    result = train(recipe_of(**{**SHORT, **changes}), faces, out, console=silent())
    return result, final(out)[0]


def weights(model):
    return [variable.numpy() for variable in model.trainable_variables]


@pytest.fixture(scope="module")
def plain(faces, tmp_path_factory):
    """The run without any of it: result and model."""
    return trained(faces, tmp_path_factory.mktemp("plain") / "run")


@pytest.fixture(scope="module")
def start():
    """The weights that every run of these begins with."""
    recipe = recipe_of(**SHORT)
    keras.utils.set_random_seed(recipe.seed)
    return weights(build_model(recipe, PEOPLE - HELD_OUT, precision="float32"))


def test_clipping_shortens_the_gradient_of_all_weights_together(faces, tmp_path, start):
    optimizer = {"name": "sgd", "learning_rate": 0.1, "weight_decay": 0.0}
    moves = []
    for clip in (None, 0.1):
        _, model = trained(faces, tmp_path / str(clip), steps=1, optimizer={**optimizer, "clip_norm": clip})
        moves.append(np.concatenate([(w - w0).ravel() for w, w0 in zip(weights(model), start, strict=True)]) / 0.1)
    gradient, clipped = moves
    norm = np.linalg.norm(gradient)
    assert norm > 0.2
    assert np.linalg.norm(clipped) == pytest.approx(0.1, rel=1e-3)
    assert gradient @ clipped == pytest.approx(0.1 * norm, rel=1e-3)


def test_accumulated_steps_are_one_of_a_larger_batch(faces, tmp_path, plain, start):
    optimizer = {"name": "sgd", "learning_rate": RATE, "accumulation": 3}
    result, model = trained(faces, tmp_path / "run", batch_size=13, steps=18, optimizer=optimizer)
    assert result.steps == 18
    assert int(model.optimizer.iterations) == 6
    for found, expected, begin in zip(weights(model), weights(plain[1]), start, strict=True):
        assert np.abs(expected - begin).max() > 1e-3
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(("precision", "compute"), [("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")])
def test_mixed_precision_is_the_backbones_alone(precision, compute, faces, tmp_path):
    # One step, whose loss is that of the first weights: a loss scale skips the first updates.
    expected, _ = trained(faces, tmp_path / "float32", steps=1)
    result, model = trained(faces, tmp_path / "run", steps=1, precision=precision)
    assert {layer.compute_dtype for layer in model.backbone.layers if layer.weights} == {compute}
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model.head.compute_dtype == "float32"
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (precision == "mixed_float16")
    assert result.history[0]["loss"] == pytest.approx(expected.history[0]["loss"], rel=0.01)
    assert result.history[0]["loss"] != expected.history[0]["loss"]

    best = keras.saving.load_model(tmp_path / "run" / "best.keras")
    assert {layer.compute_dtype for layer in best.backbone.layers} == {"float32"}
    assert not best.compiled


def test_executions_of_several_steps_count_every_step(faces, tmp_path, plain):
    # Two steps and then the one that is left of the epoch.
    result, model = trained(faces, tmp_path / "run", steps_per_execution=2)
    assert [line["step"] for line in result.history] == [3, 6]
    assert int(model.optimizer.iterations) == 6
    for found, expected in zip(result.history, plain[0].history, strict=True):
        assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    for found, expected in zip(weights(model), weights(plain[1]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_signal_waits_for_the_execution(faces, tmp_path, monkeypatch):
    changes = {"steps_per_execution": 2}
    with monkeypatch.context() as patch:
        patch.setattr(FiniteLoss, "on_train_batch_end", lambda *_, **__: signal.raise_signal(signal.SIGINT))
        result, _ = trained(faces, tmp_path / "stopped", **changes)
    assert (result.finished, result.steps) == (False, 2)
    recipe = recipe_of(**{**SHORT, **changes})
    assert train(recipe, faces, tmp_path / "stopped", resume=True, console=silent()).finished
    _, whole = trained(faces, tmp_path / "whole", **changes)
    assert_same_models(final(tmp_path / "stopped")[0], whole)


@pytest.mark.slow
def test_float16_trains(faces, tmp_path):
    result, model = trained(faces, tmp_path / "run", steps=36, precision="mixed_float16", backbone=SMALLEST)
    assert float(model.optimizer.dynamic_scale) < 2.0**15  # it was too large and found its place
    assert 0 < int(model.optimizer.iterations) < 36
    assert result.history[-1]["loss"] < result.history[0]["loss"] - 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps_per_execution": 2}, "steps_per_execution must be 1 over 3 replicas. Received: steps_per_execution=2"),
        ({"optimizer": {"name": "adamw", "accumulation": 4}}, "Received: optimizer.accumulation=4"),
    ],
)
def test_what_replicas_cannot_do_is_refused(changes, message, faces, tmp_path, monkeypatch):
    three = types.SimpleNamespace(num_replicas_in_sync=3)
    monkeypatch.setattr(trainer, "open_strategy", lambda name: three)
    with pytest.raises(KerasfaceError, match=message):
        trained(faces, tmp_path / "run", **changes)


def test_xla_trains_the_same(faces, tmp_path, plain):
    result, _ = trained(faces, tmp_path / "run", steps=3, jit_compile=True)
    assert result.history[0]["loss"] == pytest.approx(plain[0].history[0]["loss"], rel=1e-4)
