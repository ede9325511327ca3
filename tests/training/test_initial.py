"""Beginning with an earlier model's weights, and layers that keep theirs."""

import keras
import numpy as np
import pytest

from kerasface import FaceModel, backbones, heads
from kerasface.errors import KerasfaceError
from kerasface.training import train
from tests.training.small_runs import SMALL, assert_same_models, final, recipe_of, silent, train_until_validation

BACKBONE = {"name": "spherefacenet", "depth": 4, **SMALL}
# Three steps an epoch.
SHORT = {"epochs": None, "steps": 6, "batch_size": 39, "checkpoint_minutes": 1e-6, "backbone": BACKBONE}
FROZEN = ("stage1", "stage2")


@pytest.fixture(scope="module")
def earlier(faces, tmp_path_factory):
    """`best.keras` of a run of three steps."""
    out = tmp_path_factory.mktemp("earlier") / "run"
    train(recipe_of(**{**SHORT, "steps": 3}), faces, out, console=silent())
    return out / "best.keras"


def is_frozen(layer):
    return layer.name.startswith(FROZEN)


def test_frozen_layers_keep_what_they_began_with(earlier, faces, tmp_path):
    recipe = recipe_of(**SHORT, initial=str(earlier), frozen=FROZEN, head={"name": "cosface"})
    train(recipe, faces, tmp_path / "whole", console=silent())
    before = keras.saving.load_model(earlier).backbone
    model = final(tmp_path / "whole")[0]
    assert model.frozen == FROZEN
    for old, new in zip(before.layers, model.backbone.layers, strict=True):
        same = [np.array_equal(a, b) for a, b in zip(old.get_weights(), new.get_weights(), strict=True)]
        assert all(same) if is_frozen(new) else not any(same)
        assert new.trainable != is_frozen(new)

    # Resumed in the middle, they are still frozen.
    train_until_validation(recipe, faces, tmp_path / "out")
    train(recipe, faces, tmp_path / "out", resume=True, console=silent())
    assert_same_models(final(tmp_path / "out")[0], model)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial": "nowhere.keras"}, "no model nowhere.keras"),
        (
            {"backbone": {**BACKBONE, "embedding_dim": 8}},
            "initial must hold the recipe's own backbone, .*Received: ",
        ),
        ({"std": 128.0}, "trained with mean 127.5, std 127.5 and RGB. Received: mean 127.5, std 128.0 and RGB"),
        (
            {"frozen": ["stage9"]},
            r"^the model can't be built: frozen must .*Received: 'stage9'; .* begin with stage1, stage2, [a-z0-9, ]+$",
        ),
    ],
)
def test_what_does_not_fit_is_refused(changes, message, earlier, faces, tmp_path):
    with pytest.raises(KerasfaceError, match=message):
        train(recipe_of(**{**SHORT, "initial": str(earlier), **changes}), faces, tmp_path / "run", console=silent())
    assert not (tmp_path / "run").exists()


def test_a_saved_model_stays_frozen(tmp_path, rng):
    backbone = backbones.get("mobilefacenet", width=0.125, input_shape=(32, 32, 3), embedding_dim=16)
    model = FaceModel(backbone, heads.get("cosface", num_classes=3), frozen=FROZEN)
    count = len(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert {layer.name for layer in again.backbone.layers if not layer.trainable} == {
        layer.name for layer in backbone.layers if is_frozen(layer)
    }
    assert len(again.trainable_variables) == count

    # Statistics of batch norms too.
    again(rng.integers(0, 256, (4, 32, 32, 3)), training=True)
    for old, new in zip(backbone.layers, again.backbone.layers, strict=True):
        if isinstance(new, keras.layers.BatchNormalization):
            same = np.array_equal(old.moving_mean.numpy(), new.moving_mean.numpy())
            assert same == is_frozen(new), new.name
