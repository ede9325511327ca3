"""The comparison's file: what it says becomes a recipe a run, and what is wrong is named."""

from pathlib import Path

import pytest
import yaml

from kerasface.errors import KerasfaceError
from kerasface.training import Recipe
from kerasface.training.build import build_model
from kerasface.training.comparison import Comparison

ZOO = Path(__file__).resolve().parents[3] / "zoo" / "recipes"
COMMON = {
    "epochs": 2,
    "backbone": {"name": "spherefacenet", "depth": 4, "input_shape": [32, 32, 3]},
    "head": {"name": "softmax"},
}
VARIANTS = {
    "softmax": {"title": "softmax", "changes": {"head": {"name": "softmax"}}, "seeds": [3]},
    "cosface": {"title": "CosFace, m = 0.2", "changes": {"head": {"name": "cosface", "margin": 0.2}}},
    "deep": {"title": "deep", "changes": {"backbone.depth": 10, "data.sampler": "class_balanced"}, "seeds": [1, 2, 5]},
}
TREE = {"name": "small", "seeds": [1, 2], "recipe": COMMON, "variants": VARIANTS}


@pytest.fixture
def written(tmp_path):
    def write(tree):
        path = tmp_path / "comparison.yaml"
        path.write_text(yaml.safe_dump(tree, sort_keys=False))
        return path

    return write


def test_every_run_is_the_common_recipe_with_its_changes(written):
    runs = Comparison.read(written(TREE)).runs()
    # Every variant once before any a second time.
    assert [run.place for run in runs] == [
        "softmax/seed_3", "cosface/seed_1", "deep/seed_1", "cosface/seed_2", "deep/seed_2", "deep/seed_5",
    ]  # fmt: skip
    softmax, cosface, deep, *_ = runs
    assert (cosface.title, cosface.recipe.name, cosface.recipe.seed) == ("CosFace, m = 0.2", "cosface.small", 1)
    assert (cosface.recipe.head.name, cosface.recipe.head.arguments) == ("cosface", {"margin": 0.2})
    assert deep.recipe.backbone.arguments == {"depth": 10, "input_shape": [32, 32, 3]}
    assert (deep.recipe.head.name, deep.recipe.data.sampler) == ("softmax", "class_balanced")
    # What one variant changes, another doesn't see.
    assert softmax.recipe.backbone.arguments["depth"] == cosface.recipe.backbone.arguments["depth"] == 4
    assert {run.recipe.epochs for run in runs} == {2}


def test_changes_of_the_command_come_before_those_of_variants(written):
    runs = Comparison.read(written(TREE), ["epochs=7", "backbone.depth=20", "head.name=arcface"]).runs()
    assert {run.recipe.epochs for run in runs} == {7}
    assert [run.recipe.backbone.arguments["depth"] for run in runs[:3]] == [20, 20, 10]
    assert [run.recipe.head.name for run in runs[:3]] == ["softmax", "cosface", "arcface"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sedes": [1]}, "sedes: "),
        ({"name": "No Word"}, "name: "),
        ({"variants": {}}, "variants: "),
        ({"variants": {"a": {"changes": {"epochs": 3}}}}, "variants.a.title: Field required"),
        ({"variants": {"a": {"title": "a", "changes": {}}}}, "variants.a.changes: "),
        ({"seeds": [1, 1]}, "a seed twice would be the same run twice"),
        ({"variants": {"a": {"title": "a", "changes": {"epochs": 0}}}}, "comparison.yaml: a is not a valid recipe"),
        ({"variants": {"a": {"title": "a", "changes": {"epochs.first": 1}}}}, "epochs is not a section"),
        (
            {"recipe": {"epochs": 1, "head": {"name": "softmax"}}},
            "a recipe needs a backbone, or initial",
        ),
    ],
)
def test_what_is_wrong_is_named(changes, words, written):
    with pytest.raises(KerasfaceError) as error:
        Comparison.read(written({**TREE, **changes}))
    assert words in str(error.value)


@pytest.mark.parametrize("key", ["head", "head.margin", "head.annealing.base"])
def test_a_change_that_every_variant_replaces_is_refused(key, written):
    variants = {word: VARIANTS[word] for word in ("softmax", "cosface")}
    with pytest.raises(KerasfaceError, match=rf"every variant of .*comparison.yaml replaces {key}, .*in the file's"):
        Comparison.read(written({**TREE, "variants": variants}), ["epochs=7", f"{key}=0.3"])
    # One variant has the common head: not without effect. Nor is what a variant changes only a part of.
    assert (
        Comparison.read(written(TREE), ["head.scale=30", "backbone.width=0.5"]).runs()[2].recipe.head.name == "softmax"
    )
    deep = {"deep": VARIANTS["deep"]}
    read = Comparison.read(written({**TREE, "variants": deep}), ["backbone={name: spherefacenet, width: 0.5}"])
    assert read.runs()[0].recipe.backbone.arguments == {"width": 0.5, "depth": 10}


@pytest.mark.parametrize("settled", [{"name": "a.b"}, {"seed": 3}])
def test_name_and_seed_are_refused_wherever_they_stand(settled, written):
    (key, value), *_ = settled.items()
    words = rf"are without name and seed: seeds come from `seeds`, .* Received: {key}$"
    with pytest.raises(KerasfaceError, match=words):
        Comparison.read(written({**TREE, "recipe": {**COMMON, **settled}}))
    with pytest.raises(KerasfaceError, match=words):
        Comparison.read(written(TREE), [f"{key}={value}"])
    changes = {**VARIANTS["cosface"]["changes"], **settled}
    with pytest.raises(KerasfaceError, match=words):
        Comparison.read(written({**TREE, "variants": {"a": {"title": "a", "changes": changes}}}))


def test_one_recipe_is_sent_to_its_command(written):
    recipe = {"name": "a.b", "epochs": 1, "backbone": {"name": "spherefacenet"}, "head": {"name": "softmax"}}
    with pytest.raises(KerasfaceError, match="give it to `kerasface train`"):
        Comparison.read(written(recipe))


@pytest.mark.parametrize("path", sorted(ZOO.glob("compare_*.yaml")), ids=lambda path: path.stem)
def test_the_zoos_comparisons_can_be_built(path):
    comparison = Comparison.read(path)
    runs = comparison.runs()
    assert len({run.place for run in runs}) == len(runs) > len(comparison.variants)
    for run in runs[: len(comparison.variants)]:
        # Small pictures: the full size takes seconds more, and says no more.
        backbone = {**run.recipe.backbone.model_dump(), "input_shape": [32, 32, 3]}
        small = Recipe.of_tree({**run.recipe.model_dump(exclude_unset=True), "backbone": backbone}, path)
        model = build_model(small, 10, precision="float32")
        assert (model.head is None) != (not model.auxiliary_losses), run.place
    # One budget, one kind of data.
    for field in ("epochs", "steps", "batch_size", "optimizer", "schedule", "augmentation", "validation"):
        assert len({getattr(run.recipe, field) for run in runs}) == 1
