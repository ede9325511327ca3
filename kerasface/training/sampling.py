"""The recipe's sampler, checked against the faces before a step is done."""

import tensorflow as tf

from kerasface.data import ClassBalanced, PeopleByImages, Uniform
from kerasface.errors import KerasfaceError

__all__ = ["sampler_of"]


def sampler_of(recipe, faces):
    """Makes the sampler that the recipe's `data` section names.

    Args:
        recipe: `Recipe`.
        faces: `FaceSource` to train on.

    Raises:
        KerasfaceError: photos without a label with a sampler over people, or a batch that its people can't fill.
    """
    section, key = recipe.data, tf.constant(recipe.seed, tf.int64)
    try:
        if section.sampler == "people_by_images":
            sampler = PeopleByImages(section.images_per_person)
            sampler.bind(faces.labels, key, batch_size=recipe.batch_size)
            return sampler
        sampler = ClassBalanced() if section.sampler == "class_balanced" else Uniform()
        sampler.bind(faces.labels, key)
        return sampler
    except ValueError as error:
        raise KerasfaceError(
            f"data.sampler {section.sampler} can't be used: {error}. Change data.sampler, data.images_per_person or "
            "batch_size in the recipe."
        ) from error
