"""Prototypes that begin where a pretrained backbone sees their people."""

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation import pool, represent

__all__ = ["imprint"]


def imprint(model, faces):
    """Sets the head's prototypes to the unit mean embedding of each person's photos.

    w_j = Σ x̂_i / ‖Σ x̂_i‖ over the photos i of person j, x̂ = x / ‖x‖.

    Args:
        model: `FaceModel` whose backbone embeds faces already.
        faces: `FaceSource` of the people, as many as the head has classes; photos without a name are left out.

    Raises:
        KerasfaceError: a head without exactly one prototype a person.

    Reference:
        Qi, Brown and Lowe, Low-Shot Learning with Imprinted Weights, CVPR 2018, section 3.2.
    """
    named = np.flatnonzero(faces.labels >= 0)
    photos = faces.photos
    rows = represent(model.predict_on_batch, [photos[row] for row in named], batch_size=64)
    means = pool(rows, faces.labels[named])
    prototypes = getattr(model.head, "prototypes", None)
    if prototypes is None or tuple(prototypes.shape) != means.shape:
        shape = None if prototypes is None else tuple(prototypes.shape)
        raise KerasfaceError(
            f"prototypes: class_means needs a head with one prototype for each of {len(means)} people, "
            f"{means.shape}. Received: {model.head.name} with {shape}. Choose another head, or prototypes: random."
        )
    prototypes.assign(means)
