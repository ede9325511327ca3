"""Two replicas in one process train as one device does: losses, weights, state of heads and optimizer."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from kerasface.training import Recipe, train
from tests.training.small_runs import assert_same_models, final, silent, tree_of
from tests.training.trains_on_replicas import CASES, HEADS, main

PROGRAM = Path(__file__).with_name("trains_on_replicas.py")
ROOT = Path(__file__).parents[2]


def on_one_device(out, cases):
    main("none", out, *cases)
    return dict(np.load(out))


def on_two_replicas(out, cases):
    # Virtual devices must be there before TensorFlow has begun: a process of its own.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, PROGRAM, "mirrored", out, *cases], check=True, env=environment)
    return dict(np.load(out))


def assert_same(found, expected):
    # float32, sums in another order; momentum and 4 steps carry it on.
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-4, atol=1e-5, err_msg=key)


def test_two_replicas_give_the_single_devices_losses_and_weights(tmp_path):
    cases = [case for case in CASES if case not in HEADS]
    assert_same(on_two_replicas(tmp_path / "two.npz", cases), on_one_device(tmp_path / "one.npz", cases))


@pytest.mark.slow
def test_so_they_do_with_every_head(tmp_path):
    assert_same(on_two_replicas(tmp_path / "two.npz", HEADS), on_one_device(tmp_path / "one.npz", HEADS))


@pytest.mark.slow
def test_a_recipe_trains_on_two_replicas_as_on_one_and_resumes_to_the_same_bits(faces, tmp_path):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tree_of(head={"name": "adaface"})))
    program = PROGRAM.with_name("trains_mirrored.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, program, tmp_path / "recipe.yaml", faces, tmp_path], check=True, env=environment)
    train(Recipe.read(tmp_path / "recipe.yaml"), faces, tmp_path / "one", console=silent())
    whole, again, one = (final(tmp_path / name)[0] for name in ("whole", "again", "one"))
    assert_same_models(again, whole)
    for ours, theirs in zip(whole.weights, one.weights, strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-3, atol=1e-5, err_msg=ours.path)
