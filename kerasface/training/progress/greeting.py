"""What a run says before it begins."""

import math

from kerasface.backbones import parameters

__all__ = ["greeting"]


def greeting(recipe, model, faces, budget):
    """Tells in one line what is trained, by whom, on what, and for how long.

    Args:
        recipe: `Recipe`.
        model: `FaceModel`.
        faces: `RunFaces`.
        budget: `Budget`.

    Returns:
        Text.
    """
    # As cards count: without batch norm's statistics.
    learnt = [weight for weight in model.backbone.weights if not weight.name.startswith("moving_")]
    count = sum(math.prod(weight.shape) for weight in learnt)
    frozen = count - parameters(model.backbone)
    heads, losses = [part.name for part in [recipe.head] if part], [f"{loss.name} loss" for loss in recipe.losses]
    teachers = [*heads, *losses, *(["a teacher"] if recipe.teacher else [])]
    nameless = len(faces.training) - faces.images
    return (
        f"{recipe.name}: {model.backbone.name} with {count:,} parameters"
        f"{f' ({frozen:,} of them frozen)' if frozen else ''}, {' and '.join(teachers)} "
        f"over {faces.people:,} people ({faces.images:,} images)"
        f"{f' and {nameless:,} photos without a name' if nameless else ''}; {len(faces.held_out.names)} people "
        f"({len(faces.held_out)} images) held out; {budget.last_step} steps, "
        f"{budget.steps_per_epoch} an epoch"
    )
