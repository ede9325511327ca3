"""Aligned crops of the user's, to prove an artefact on or to take the ranges of its activations from."""

from pathlib import Path

import numpy as np

from kerasface.data import list_photos, open_faces
from kerasface.data.packed import MANIFEST
from kerasface.edge.images import load_image
from kerasface.errors import KerasfaceError

__all__ = ["read_crops"]


def read_crops(path, spec, *, count, least):
    """Reads crops, spread evenly over all there are, so that they show many people.

    Args:
        path: anything that `kerasface train` takes as data, or a folder of crops.
        spec: `EmbedderSpec` of the model that they are for.
        count: how many at most.
        least: how many at least.

    Returns:
        uint8 (N, H, W, 3) RGB, `least ≤ N ≤ count`.

    Raises:
        KerasfaceError: nothing there, too few, or a crop of another size than the model's input.

    Example:
        >>> images = read_crops("faces/aligned_112", spec, count=256, least=64)
    """
    path = Path(path)
    is_tree = path.is_dir() and not (path / MANIFEST).is_file()
    photos = list_photos(path) if is_tree else open_faces(path).photos
    if len(photos) < least:
        raise KerasfaceError(
            f"at least {least} crops are needed. Received: {len(photos)} in {path}. Name more of them."
        )
    rows = np.unique(np.linspace(0, len(photos) - 1, count).round().astype(int))
    return np.stack([_crop(photos[row], spec) for row in rows])


def _crop(photo, spec):
    image = load_image(photo)
    if image.shape != spec.input_shape:
        height, width = spec.input_shape[:2]
        raise KerasfaceError(
            f"{photo} is no crop for {spec.name}, which takes {width}×{height} pixels. Received: "
            f"{image.shape[1]}×{image.shape[0]}. Align the photos first: kerasface align PHOTOS ALIGNED"
        )
    return image
