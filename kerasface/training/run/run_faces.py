"""RunFaces: what a run trains on, and the people it is validated with."""

import dataclasses

from kerasface.data import FaceSource, list_photos, open_faces, split_identities
from kerasface.errors import KerasfaceError

__all__ = ["RunFaces", "open_run_faces"]


@dataclasses.dataclass(frozen=True, eq=False)
class RunFaces:
    """The two sides of a split by identity.

    Args:
        training: what is trained on, photos without a name behind those of people.
        held_out: people that training never sees.
        images: how many of the training photos have a name.
        fingerprint: of both sides, as `FaceSource.fingerprint`.
    """

    training: FaceSource
    held_out: FaceSource
    images: int
    fingerprint: dict

    @property
    def people(self):
        """How many are trained on."""
        return len(self.training.names)


def open_run_faces(recipe, data, photos):
    """Opens and splits the faces of a run; the same recipe and data always give the same split.

    Args:
        recipe: `Recipe`.
        data: anything that `open_faces` opens.
        photos: folders of photos without names, which only a teacher knows something about.

    Returns:
        `RunFaces`.

    Raises:
        KerasfaceError: unusable data, too few people, or photos without a teacher.
    """
    faces = open_faces(data, min_images=recipe.data.min_images)
    training, held_out = split_identities(faces.labels, fraction=recipe.data.held_out, seed=recipe.seed)
    if photos and recipe.teacher is None:
        raise KerasfaceError("photos without identities train nothing without a teacher: add one to the recipe.")
    people = faces.select(training)
    more = [path for folder in photos for path in list_photos(folder)]
    return RunFaces(
        training=people.with_photos(more),
        held_out=faces.select(held_out),
        images=len(people),
        fingerprint=faces.with_photos(more).fingerprint(),
    )
