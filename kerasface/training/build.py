"""The model that a recipe describes, new, compiled, or once more of the same layers."""

import keras

from kerasface import backbones, heads, losses
from kerasface.errors import KerasfaceError
from kerasface.export import load_trained
from kerasface.model import FaceModel
from kerasface.training.optimization.batch_norm import is_synchronised, synchronise_batch_norm
from kerasface.training.optimization.make_optimizer import make_optimizer

__all__ = ["build_model", "compiled_model", "of_same_layers"]


def build_model(recipe, num_classes, *, precision):
    """Builds the model of a recipe, with new weights.

    Args:
        recipe: `Recipe`.
        num_classes: C, people to train on.
        precision: dtype policy of the backbone.

    Returns:
        `FaceModel`, not compiled.

    Raises:
        KerasfaceError: the backbone, the head or a loss doesn't exist or can't be built so, or a frozen layer is none.
    """
    try:
        backbone, preprocessing = _backbone(recipe, precision)
        return FaceModel(
            backbone,
            recipe.head and _head(recipe.head, num_classes),
            auxiliary=[(_loss(loss, num_classes), loss.weight) for loss in recipe.losses],
            teacher_weight=recipe.teacher.weight if recipe.teacher else 0.0,
            frozen=recipe.frozen,
            **preprocessing,
            name=recipe.name.replace(".", "_"),
        )
    except (TypeError, ValueError) as error:
        raise KerasfaceError(f"the model can't be built: {error}") from error


def compiled_model(recipe, num_classes, strategy, budget):
    """Builds the model of a recipe under a strategy, seeded and ready for `fit`.

    Args:
        recipe: `Recipe`.
        num_classes: C, people to train on.
        strategy: of `open_strategy`.
        budget: `Budget` of the run.

    Returns:
        `FaceModel`, compiled, its optimizer built.

    Raises:
        KerasfaceError: see `build_model` and `make_optimizer`.
    """
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope():
        model = build_model(recipe, num_classes, precision=recipe.precision)
        model.compile(
            optimizer=make_optimizer(recipe, steps_per_epoch=budget.steps_per_epoch, last_step=budget.last_step),
            jit_compile="auto" if recipe.jit_compile is None else recipe.jit_compile,
            steps_per_execution=recipe.steps_per_execution,
        )
        model.optimizer.build(model.trainable_variables)
    replicas = strategy.num_replicas_in_sync
    if is_synchronised(recipe.strategy.sync_batch_norm, batch_size=recipe.batch_size, replicas=replicas):
        synchronise_batch_norm(model)
    return model


def of_same_layers(model):
    """Another `FaceModel` of a model's own layers and weights: outside a strategy, what one process does alone."""
    return FaceModel(
        model.backbone,
        model.head,
        auxiliary=list(zip(model.auxiliary_losses, model.auxiliary_weights, strict=True)),
        teacher_weight=model.teacher_weight,
        frozen=model.frozen,
        mean=model.mean,
        std=model.std,
        color_order=model.color_order,
        name=model.name,
        dtype=model.dtype_policy,
    )


def _backbone(recipe, precision):
    """The recipe's backbone with new weights, and the preprocessing that belongs to it."""
    if recipe.backbone is None:
        earlier, _ = load_trained(recipe.initial)
        arguments = {**earlier.backbone.get_config(), "dtype": precision}
        preprocessing = {"mean": earlier.mean, "std": earlier.std, "color_order": earlier.color_order}
        backbone = type(earlier.backbone).from_config(arguments)
        _check_precision(backbone, precision)
        return backbone, preprocessing
    backbone = backbones.get(recipe.backbone.name, dtype=precision, **recipe.backbone.arguments)
    return backbone, {"mean": recipe.mean, "std": recipe.std}


def _check_precision(backbone, precision):
    """Refuses layers that keep a precision of their own, as those of a plain Keras graph do."""
    wanted = keras.DTypePolicy(precision).compute_dtype
    if wanted != "float32" and not any(layer.compute_dtype == wanted for layer in backbone.layers if layer.weights):
        raise ValueError(
            f"{backbone.name} is no backbone of kerasface and stays in its own precision: leave {precision} out"
        )


def _head(section, num_classes):
    arguments = section.arguments
    if isinstance(arguments.get("annealing"), dict):
        arguments["annealing"] = heads.Annealing(**arguments["annealing"])
    return heads.get(section.name, num_classes=num_classes, **arguments)


def _loss(section, num_classes):
    # The one loss that keeps something of every person.
    counted = {"num_classes": num_classes} if section.name == "center" else {}
    return losses.get(section.name, **counted, **section.arguments)
