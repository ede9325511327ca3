"""The line before a run begins."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasface import FaceModel, backbones, heads
from kerasface.data import FaceSource
from kerasface.training import Recipe
from kerasface.training.progress.greeting import greeting
from kerasface.training.run.run_faces import RunFaces

TREE = {"name": "a.b", "epochs": 1, "backbone": {"name": "mobilefacenet"}, "head": {"name": "cosface"}}


@pytest.fixture
def said():
    """Makes the greeting of a model, by what is frozen in it, and gives its backbone as well."""

    def greet(frozen):
        backbone = backbones.get("mobilefacenet", width=0.125, input_shape=(32, 32, 3), embedding_dim=16)
        model = FaceModel(backbone, heads.get("cosface", num_classes=3), frozen=frozen)
        people = FaceSource.of_files(tuple("abcde"), np.repeat(np.arange(5), 4), [f"{row}.png" for row in range(20)])
        faces = RunFaces(people.select([0, 1, 2]), people.select([3, 4]), images=12, fingerprint={})
        budget = SimpleNamespace(last_step=4, steps_per_epoch=4)
        return greeting(Recipe.model_validate(TREE), model, faces, budget), backbone

    return greet


def test_all_parameters_are_counted_and_the_frozen_ones_named(said):
    text, backbone = said(())
    whole = backbones.parameters(backbone)
    assert f" with {whole:,} parameters, cosface over 3 people (12 images); 2 people (8 images) held out" in text
    text, backbone = said(("stem",))
    frozen = whole - backbones.parameters(backbone)
    # 8 channels: 3×3×3 and 3×3 kernels, with a scale, a shift and a PReLU's slope each.
    assert frozen == 8 * (27 + 3) + 8 * (9 + 3)
    assert f" with {whole:,} parameters ({frozen} of them frozen), cosface over" in text
