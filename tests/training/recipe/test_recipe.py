"""Recipes: what is wrong is named by its field, and the project's own are right."""

import dataclasses
from pathlib import Path

import keras
import pytest
import yaml

from kerasface import backbones
from kerasface.backbones._registry import backbones as registry
from kerasface.data import Augmentation
from kerasface.errors import KerasfaceError
from kerasface.training import Recipe
from kerasface.training.build import build_model, of_same_layers
from kerasface.training.optimization.make_optimizer import make_optimizer
from kerasface.training.recipe.recipe import AugmentationSection

RECIPES = Path(__file__).resolve().parents[3] / "zoo" / "recipes"
ZOO = sorted(path for path in RECIPES.glob("*.yaml") if not path.name.startswith("compare_"))
SMALLEST = {
    "name": "small.arcface_nothing",
    "epochs": 2,
    "backbone": {"name": "mobilefacenet"},
    "head": {"name": "arcface"},
}


@pytest.fixture
def written(tmp_path):
    """Writes a recipe's tree, or a text, and gives its path."""

    def write(content):
        path = tmp_path / "recipe.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


def complaint(path, changes=()):
    with pytest.raises(KerasfaceError) as error:
        Recipe.read(path, changes)
    return str(error.value)


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_the_zoos_recipes_are_valid_and_buildable(path):
    recipe = Recipe.read(path)
    assert path.stem.startswith(recipe.name.replace(".", "_"))
    assert recipe.data.licence != "unknown"
    assert recipe.data.description != "unknown"
    small = Recipe.read(path, ["backbone.input_shape=[32, 32, 3]"])
    model = build_model(small, 10, precision=small.precision)
    assert model.backbone.output_shape == (None, recipe.backbone.arguments["embedding_dim"])
    assert (model.head is None) == (recipe.head is None)
    make_optimizer(recipe, steps_per_epoch=1000, last_step=recipe.steps or 1000 * recipe.epochs)


def test_the_zoo_has_recipes():
    assert ZOO


def test_the_augmentation_section_is_the_augmentation():
    assert list(AugmentationSection.model_fields) == [field.name for field in dataclasses.fields(Augmentation)]
    assert Augmentation(**AugmentationSection().model_dump()) == Augmentation(mirror=0.5)


def test_reads_what_the_file_says(written):
    tree = {
        **SMALLEST,
        "head": {"name": "cosface", "scale": 30.0, "margin": 0.2},
        "optimizer": {"name": "adamw", "learning_rate": 0.002},
        "augmentation": {"rotation": 12},
    }
    recipe = Recipe.read(written(tree))
    assert (recipe.head.name, recipe.head.arguments) == ("cosface", {"scale": 30.0, "margin": 0.2})
    assert (recipe.optimizer.name, recipe.optimizer.learning_rate) == ("adamw", 0.002)
    assert (recipe.augmentation.rotation, recipe.batch_size) == (12.0, 64)


def test_json_brings_a_recipe_back(written):
    recipe = Recipe.read(written({**SMALLEST, "backbone": {"name": "mobilefacenet", "input_shape": [32, 32, 3]}}))
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_changes_replace_what_the_file_says(written):
    path = written({**SMALLEST, "batch_size": 8})
    changes = [
        "epochs=7",
        "head.margin=0.25",
        "data.held_out=0.3",
        "backbone.input_shape=[32, 32, 3]",
        "name=other.name",
    ]
    recipe = Recipe.read(path, changes)
    assert (recipe.name, recipe.epochs, recipe.batch_size, recipe.data.held_out) == ("other.name", 7, 8, 0.3)
    assert recipe.head.arguments == {"margin": 0.25}
    assert recipe.backbone.arguments == {"input_shape": [32, 32, 3]}
    assert Recipe.read(path).epochs == 2


def test_changes_are_checked_like_the_file(written):
    assert "epochs: " in complaint(written(SMALLEST), ["epochs=0"])
    assert "Received: 'head.margin'" in complaint(written(SMALLEST), ["head.margin"])
    assert "epochs is not a section" in complaint(written(SMALLEST), ["epochs.first=1"])
    for change in ("=3", "head.=3", ".margin=3"):
        message = complaint(written(SMALLEST), [change])
        assert message == f"a change to a recipe names a field, such as head.margin. Received: {change!r}"
    assert "not a YAML value: '[1, 2'" in complaint(written(SMALLEST), ["backbone.input_shape=[1, 2"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"epochs": "many"}, "epochs"),
        ({"name": "no dots"}, "name"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"learning_rate": 0.1}, "learning_rate"),
        ({"std": 0}, "std"),
        ({"mean": float("nan")}, "mean"),
        ({"head": {"margin": 0.5}}, "head.name"),
        ({"head": "arcface"}, "head"),
        ({"data": {"held_out": 1.0}}, "data.held_out"),
        ({"augmentation": {"miror": 0.5}}, "augmentation.miror"),
        ({"augmentation": {"rotation": 190}}, "augmentation.rotation"),
        ({"optimizer": {"name": "adam"}}, "optimizer.name"),
        ({"optimizer": {"learning_rate": 0.1}}, "optimizer"),
        ({"optimizer": {"name": "sgd", "learning_rate": -1}}, "optimizer.learning_rate"),
        ({"optimizer": {"name": "sgd", "learning_rate": float("inf")}}, "optimizer.learning_rate"),
        ({"optimizer": {"name": "adamw", "momentum": 0.9}}, "optimizer.momentum"),
        ({"schedule": {"name": "constant", "warmup_epochs": 1}}, "schedule.warmup_epochs"),
        ({"schedule": {"name": "step", "steps": [0]}}, "schedule.steps.0"),
        ({"schedule": {"name": "step"}}, "schedule"),
        ({"validation": {"pairs": 110, "folds": 10}}, "validation"),
        ({"head": {"name": "arcface", "margn": 0.5}}, "head.margn"),
        ({"head": {"name": "arcface", "num_classes": 5}}, "head.num_classes"),
        ({"head": {"name": "arcface", "margin": "wide"}}, "head.margin"),
        ({"backbone": {"name": "mobilefacenet", "embedding_dim": 64.5}}, "backbone.embedding_dim"),
        ({"backbone": {"name": "mobilefacenet", "padding": 3}}, "backbone.padding"),
        ({"losses": [{"name": "triplet", "margin": [1]}]}, "losses.0.margin"),
        ({"losses": [{"name": "triplet", "weight": 0}]}, "losses.0.weight"),
    ],
)
def test_what_is_wrong_is_named(change, field, written):
    lines = complaint(written({**SMALLEST, **change})).splitlines()
    assert "recipe.yaml is not a valid recipe:" in lines[0]
    assert len(lines) == 2
    assert lines[1].startswith(f"  {field}: ")
    assert "Received: " in lines[1]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("frozen=stem", "frozen: must be a list, such as [one, another]. Received: 'stem'"),
        ("augmentation=0.5", "augmentation: must be a section of fields, such as {field: value}. Received: 0.5"),
        ("teacher=best.onnx", "teacher: must be a section of fields, such as {field: value}. Received: 'best.onnx'"),
        ("optimizer.name=adamww", "optimizer.name: must be one of 'sgd', 'adamw'. Received: 'adamww'"),
        ("optimizer.momentum=0.5", "optimizer: must have a name. Received: the fields momentum"),
        ("hed.name=x", "hed: no such field (did you mean head?). Received: the fields name"),
        ("augmentation.miror=1", "augmentation.miror: no such field (did you mean mirror?). Received: 1"),
        ("strategy.nodes=2", "strategy.nodes: no such field (there are name, sync_batch_norm). Received: 2"),
        (
            "head.name=arcfase",
            "head.name: no such head (did you mean arcface?; one of your own is known when a program of yours imports "
            "its module and calls kerasface.cli.main()). Received: 'arcfase'",
        ),
        ("head.nam=cosface", "head.nam: no such field (did you mean name?). Received: 'cosface'"),
        ("backbone.widht=0.5", "backbone.widht: no such field (did you mean width?). Received: 0.5"),
        ("losses=[{name: triplet, weigth: 2}]", "losses.0.weigth: no such field (did you mean weight?). Received: 2"),
        ("epochs=0", "epochs: must be greater than or equal to 1. Received: 0"),
        (
            "validation={pairs: 100, folds: 3}",
            "validation: pairs must be a multiple of 2 * folds, such as 96 or 102; 100 is not. "
            "Received: the fields pairs, folds",
        ),
        (
            "validation={pairs: 20, folds: 15}",
            "validation: pairs must be a multiple of 2 * folds, such as 30; 20 is not. "
            "Received: the fields pairs, folds",
        ),
    ],
)
def test_what_is_wrong_is_told_in_a_recipes_words(change, line, written):
    assert complaint(written(SMALLEST), [change]).splitlines()[1:] == [f"  {line}"]


def test_faults_of_all_sections_are_told_at_once(written):
    changes = ["data.foo=3", "data.min_images=0", "head.margn=1", "head.scale=wide", "optimizer.name=adam", "hed=1"]
    lines = complaint(written(SMALLEST), changes).splitlines()[1:]
    fields = {"data.foo", "data.min_images", "head.margn", "head.scale", "optimizer.name", "hed"}
    assert {line.split(":")[0].strip() for line in lines} == fields


def test_text_that_is_a_number_is_one(written):
    # YAML 1.1 wants a point and a signed exponent.
    head = ["head.name=a_softmax", "head.margin=2e0", "head.scale=3e1", "head.annealing={base: 1e3, power: 2e0}"]
    recipe = Recipe.read(written(SMALLEST), [*head, "backbone.width=5e-1", "backbone.embedding_dim=64.0"])
    assert recipe.head.arguments == {"margin": 2, "scale": 30.0, "annealing": {"base": 1000.0, "power": 2.0}}
    assert recipe.backbone.arguments == {"width": 0.5, "embedding_dim": 64}
    assert isinstance(recipe.backbone.arguments["embedding_dim"], int)
    losses = Recipe.read(written(SMALLEST), ["losses=[{name: contrastive, margin: 1e-1, weight: 1e-2}]"]).losses
    assert (losses[0].arguments, losses[0].weight) == ({"margin": 0.1}, 0.01)
    # What has text for its default keeps it, and null stays.
    kept = Recipe.read(written(SMALLEST), ["head.scale=null", "head.dtype='64'"])
    assert kept.head.arguments == {"scale": None, "dtype": "64"}


def test_a_backbone_of_ones_own_may_be_a_function(written, monkeypatch):
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))

    @backbones.register("my_net")
    def my_net(input_shape=(16, 16, 3), embedding_dim=4, dtype=None):
        images = keras.Input(input_shape)
        return keras.Model(images, keras.layers.Dense(embedding_dim, dtype=dtype)(keras.layers.Flatten()(images)))

    path = written({**SMALLEST, "backbone": {"name": "my_net"}})
    model = build_model(Recipe.read(path, ["backbone.embedding_dim=8"]), 10, precision="float32")
    assert model.backbone.output_shape == (None, 8)
    message = complaint(path, ["backbone.width=2"])
    assert "backbone.width: no such field (there are embedding_dim, input_shape, name)" in message


def test_a_missing_field_is_named(written):
    message = complaint(written({key: value for key, value in SMALLEST.items() if key != "name"}))
    assert "\n  name: Field required. Received: the fields " in message


def test_every_fault_is_listed(written):
    message = complaint(written({**SMALLEST, "epochs": 0, "seed": "x", "data": {"min_images": 0}}))
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == ["epochs", "seed", "data.min_images"]


def test_warmup_must_end_before_training_does(written):
    message = complaint(written({**SMALLEST, "schedule": {"name": "cosine", "warmup_epochs": 2}}))
    assert "schedule.warmup_epochs is 2 of 2 epochs" in message
    message = complaint(
        written({**SMALLEST, "epochs": None, "steps": 9, "schedule": {"name": "polynomial", "warmup_steps": 9}})
    )
    assert "schedule.warmup_steps is 9 of 9 steps" in message


def test_losses_stand_beside_a_head_or_alone(written):
    losses = [{"name": "triplet", "margin": 0.3, "weight": 0.5}, {"name": "center"}]
    small = {"name": "mobilefacenet", "width": 0.125, "input_shape": [32, 32, 3], "embedding_dim": 16}
    recipe = Recipe.read(written({**SMALLEST, "backbone": small, "losses": losses}))
    model = build_model(recipe, 10, precision="float32")
    assert [type(loss).__name__ for loss in model.auxiliary_losses] == ["Triplet", "CenterLoss"]
    assert (model.auxiliary_losses[0].margin, model.auxiliary_weights) == (0.3, [0.5, 1.0])
    assert model.auxiliary_losses[1].num_classes == model.head.num_classes == 10
    assert of_same_layers(model).auxiliary_losses == model.auxiliary_losses
    alone = Recipe.read(written({**SMALLEST, "backbone": small, "head": None, "losses": losses[:1]}))
    assert build_model(alone, 10, precision="float32").head is None


@pytest.mark.parametrize("budget", [{"epochs": None}, {"epochs": 2, "steps": 100}])
def test_the_budget_is_epochs_or_steps(budget, written):
    assert "a recipe's budget is epochs or steps: give one of them" in complaint(written({**SMALLEST, **budget}))


def test_the_way_out_of_two_budgets_leads_out(written):
    recipe = Recipe.read(written({**SMALLEST, "epochs": 3}), ["epochs=null", "steps=2"])
    assert (recipe.epochs, recipe.steps) == (None, 2)


def test_a_missing_file_names_the_zoo(tmp_path):
    assert "zoo/recipes" in complaint(tmp_path / "nothing.yaml")
    assert "Is a directory" in complaint(tmp_path)


@pytest.mark.parametrize("text", ["epochs: [1, 2", "\tname: x", "name: 'open"])
def test_bad_yaml_says_where(text, written):
    message = complaint(written(text))
    assert "recipe.yaml is not YAML" in message
    assert "line 1" in message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n"])
def test_yaml_that_is_no_recipe_says_what_is_expected(text, written):
    assert "expected fields such as name, epochs, backbone and head" in complaint(written(text))


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    assert "is not YAML" in complaint(path)


def test_a_comparison_is_sent_to_its_command(written):
    assert "give it to `kerasface compare`" in complaint(written({"name": "heads", "recipe": SMALLEST, "variants": {}}))
