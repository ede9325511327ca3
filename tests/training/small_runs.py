"""Runs of training so small that tests can make many: their sizes, recipes and comparisons."""

import numpy as np
import pytest
from rich.console import Console

from kerasface.training import Recipe, train
from kerasface.training.run.checkpoints import Checkpoints
from kerasface.training.trainer import HeldOutVerification
from tests.pattern_faces import IMAGES, PEOPLE, SIZE

BATCH = 8
HELD_OUT = 7
STEPS = (PEOPLE - HELD_OUT) * IMAGES // BATCH  # 14, and five images that the next epoch's batches begin with
SMALL = {"input_shape": [SIZE, SIZE, 3], "embedding_dim": 16}
# For float16, which CPUs count in software.
SMALLEST = {"name": "spherefacenet", "depth": 4, "width": 0.25, **SMALL}


def tree_of(**changes):
    return {
        "name": "small.a_softmax_nothing",
        "epochs": 2,
        "batch_size": BATCH,
        "seed": 4,
        "data": {"held_out": HELD_OUT / PEOPLE, "min_images": 2, "description": "patterns", "licence": "Apache-2.0"},
        "augmentation": {"mirror": 0.5, "shift": 0.05, "brightness": 0.1},
        "backbone": {"name": "spherefacenet", "depth": 4, **SMALL},
        "head": {"name": "a_softmax"},
        "optimizer": {"name": "sgd", "learning_rate": 0.02},
        "schedule": {"name": "cosine", "warmup_epochs": 0.5},
        "validation": {"pairs": 60, "folds": 3},
        **changes,
    }


def recipe_of(**changes):
    return Recipe.model_validate(tree_of(**changes))


def silent():
    return Console(quiet=True)


def final(out):
    """Model (weights, head, optimizer) and state of a run's last checkpoint."""
    return Checkpoints(out / "checkpoints").newest(warn=print)


def train_until_validation(recipe, faces, out):
    """Trains and dies before the first epoch is validated: what there is are the checkpoints of its steps."""

    def die(self, model, targets):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HeldOutVerification, "__call__", die)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, faces, out, console=silent())


def assert_same_models(first, second):
    ours, theirs = (
        model.variables + (model.optimizer.variables if model.compiled else []) for model in (first, second)
    )
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=one.path)


def assert_same_histories(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        # A resumed epoch's mean loss is put together from two means.
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
        assert all(one[key] == other[key] for key in one if key not in ("loss", "images_per_second"))
