"""The full-size recipes start, on small sets of the format that theirs come in."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from kerasface.backbones import parameters
from kerasface.data import open_faces, write_class_folder, write_record_file
from kerasface.export import load_trained
from kerasface.training import Recipe, train

RECIPES = Path(__file__).resolve().parents[2] / "zoo" / "recipes"
PEOPLE, IMAGES, HELD_OUT = 10, 3, 4
# Whole, in trained parameters: those of IResNets and mbf as their papers and arcface_torch count them, of SphereFace as
# Caffe's definitions do.
FULL = {
    "arcface_r50_ms1mv3": 43_590_976,
    "cosface_r100_glint360k": 24_025_000,  # with fewer layers, see below
    "mobilefacenet_arcface_ms1m": 2_059_520,
    "cosface_casia": 48_190_000,
    "sphereface20_casia": 22_670_000,
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """insightface's .rec with .idx of ten people's noise, by the size of the pictures."""
    folder, rng, made = tmp_path_factory.mktemp("shards"), np.random.default_rng(3), {}
    for height, width in ((112, 112), (112, 96)):
        images = rng.integers(0, 256, (PEOPLE * IMAGES, height, width, 3), dtype=np.uint8)
        tree = folder / f"{height}x{width}"
        write_class_folder(images, np.repeat(np.arange(PEOPLE), IMAGES), tree)
        made[height, width] = folder / f"train_{width}.rec"
        write_record_file(open_faces(tree), made[height, width])
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", FULL)
def test_a_full_size_recipe_takes_its_first_steps(name, shards, tmp_path):
    changes = ["epochs=null", "steps=2", "batch_size=2", f"data.held_out={HELD_OUT / PEOPLE}"]
    if Recipe.read(RECIPES / f"{name}.yaml").schedule.name == "step":
        changes.append("schedule.steps=[1]")
    if name.startswith(("arcface_r50", "cosface_r100")):
        changes.append("precision=float32")  # a CPU takes minutes for so much in float16; mbf does in what it says
    if name.startswith("cosface_r100"):  # and to trace a hundred layers; that they train, arcface_r50's fifty show
        changes.append("backbone.name=iresnet18")
    recipe = Recipe.read(RECIPES / f"{name}.yaml", [*changes, "validation={pairs: 20, folds: 2}"])
    size = tuple(recipe.backbone.arguments["input_shape"][:2])
    result = train(recipe, shards[size], tmp_path, console=Console(quiet=True))
    assert (result.finished, result.steps, result.identities) == (True, 2, PEOPLE - HELD_OUT)
    assert np.isfinite(result.history[-1]["loss"])
    model, spec = load_trained(result.model_path)
    assert parameters(model.backbone) == pytest.approx(FULL[name], rel=1e-3)
    assert (spec.embedding_size, spec.input_shape[:2]) == (512, size)
