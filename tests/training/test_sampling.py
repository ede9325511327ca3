"""The recipe's sampler: the one that is named, refused where the faces can't serve it."""

import numpy as np
import pytest

from kerasface.data import ClassBalanced, FaceSource, PeopleByImages, Uniform
from kerasface.errors import KerasfaceError
from kerasface.training.sampling import sampler_of
from tests.training.small_runs import recipe_of

FACES = FaceSource.of_files("abcd", np.repeat([0, 1, 2, 3], 3), ["x"] * 12)


def recipe_with(batch_size=8, **data):
    return recipe_of(batch_size=batch_size, data={"held_out": 0.5, **data})


def test_the_named_one_is_made():
    assert isinstance(sampler_of(recipe_of(), FACES), Uniform)
    assert isinstance(sampler_of(recipe_with(sampler="class_balanced"), FACES), ClassBalanced)
    sampler = sampler_of(recipe_with(sampler="people_by_images", images_per_person=2), FACES)
    assert isinstance(sampler, PeopleByImages)
    assert sampler.images == 2


@pytest.mark.parametrize(
    ("recipe", "faces", "message"),
    [
        (recipe_with(sampler="people_by_images", images_per_person=3), FACES, "must be images .*batch_size=8"),
        (recipe_with(20, sampler="people_by_images"), FACES, "2 to 4 people"),
        (recipe_with(sampler="class_balanced"), FACES.with_photos(["y"]), "labels of −1"),
    ],
)  # fmt: skip
def test_what_the_faces_cannot_serve_is_refused(recipe, faces, message):
    with pytest.raises(KerasfaceError, match=message):
        sampler_of(recipe, faces)
