"""The end of a run: what explains a missing threshold is written whole or not at all."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasface import FaceModel
from kerasface.data import read_folder, write_class_folder
from kerasface.training import Recipe
from kerasface.training.run.outcome import write_outcome

RECIPE = Recipe.model_validate(
    {
        "name": "a.b",
        "epochs": 1,
        "data": {"description": "noise", "licence": "Apache-2.0"},
        "backbone": {"name": "spherefacenet"},
        "head": {"name": "cosface"},
    }
)


@pytest.fixture
def model_path(tmp_path):
    picture = keras.Input((8, 8, 3))
    embedding = keras.layers.Dense(4)(keras.layers.Flatten()(picture))
    FaceModel(keras.Model(picture, embedding)).save(tmp_path / "best.keras")
    return tmp_path / "best.keras"


def test_an_explanation_that_cannot_be_replaced_stays(model_path, rng, tmp_path, monkeypatch):
    write_class_folder(rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8), [0, 0, 1, 1, 2, 2], tmp_path / "faces")
    (tmp_path / "thresholds.json").write_text("old")
    replace = os.replace

    def killed(source, target):
        if Path(target).name == "thresholds.json":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_outcome(RECIPE, read_folder(tmp_path / "faces"), model_path, tmp_path)
    assert (tmp_path / "thresholds.json").read_text() == "old"
