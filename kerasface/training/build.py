"""The model that a recipe describes."""

from kerasface import backbones, heads
from kerasface.errors import KerasfaceError
from kerasface.model import FaceModel

__all__ = ["build_model"]


def build_model(recipe, num_classes, *, precision):
    """Builds the model of a recipe, with new weights.

    Args:
        recipe: `Recipe`.
        num_classes: C, people to train on.
        precision: dtype policy of the backbone.

    Returns:
        `FaceModel`, not compiled.

    Raises:
        KerasfaceError: the backbone or the head doesn't exist or can't be built so, or a frozen layer is none.
    """
    try:
        backbone = backbones.get(recipe.backbone.name, dtype=precision, **recipe.backbone.arguments)
        return FaceModel(
            backbone,
            recipe.head and _head(recipe.head, num_classes),
            teacher_weight=recipe.teacher.weight if recipe.teacher else 0.0,
            frozen=recipe.frozen,
            mean=recipe.mean,
            std=recipe.std,
            name=recipe.name.replace(".", "_"),
        )
    except (TypeError, ValueError) as error:
        raise KerasfaceError(f"the recipe's backbone or head can't be built: {error}") from error


def _head(section, num_classes):
    arguments = section.arguments
    if isinstance(arguments.get("annealing"), dict):
        arguments["annealing"] = heads.Annealing(**arguments["annealing"])
    return heads.get(section.name, num_classes=num_classes, **arguments)
