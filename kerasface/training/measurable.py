"""Whether what a recipe trains can be measured afterwards, told before the hours that the training takes."""

import keras

from kerasface.edge.images import load_image
from kerasface.errors import KerasfaceError
from kerasface.training.build import build_model

__all__ = ["check_measurable"]

# How many there are isn't known before the photos are read; whether a model can be built doesn't hang on it.
_SOME_PEOPLE = 100


def check_measurable(recipe, pair_sets):
    """Builds a recipe's model once, and holds its input against the faces that it will be measured on.

    Args:
        recipe: `Recipe`.
        pair_sets: `PairSet`s of photos.

    Raises:
        KerasfaceError: the model can't be built, or takes faces of another size.

    Example:
        >>> check_measurable(Recipe.read("recipe.yaml"), [read_lfw("data/lfw")])
    """
    wanted = build_model(recipe, _SOME_PEOPLE, precision=recipe.precision).backbone.input_shape[1:]
    keras.backend.clear_session()  # what was built would stay, and number the layers of the model that is trained
    for pair_set in pair_sets:
        there = load_image(pair_set.images[0]).shape
        if wanted != there:
            sizes = ["×".join(map(str, shape[:2])) for shape in (wanted, there)]
            raise KerasfaceError(
                f"it takes faces of {sizes[0]} pixels (height × width), and {pair_set.name}'s are of {sizes[1]}, so "
                f"that it couldn't be measured. Give its backbone input_shape: {list(there)}, or align those photos to "
                "its size."
            )
