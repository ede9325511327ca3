"""The pictures that a proof is made on: the user's, or crops of the one photograph that comes with our dependencies."""

import numpy as np
from PIL import Image

from kerasface.data import list_photos
from kerasface.edge.images import load_image
from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.proof import MIN_IMAGES

__all__ = ["proof_images"]

_MOST = 256
_PORTRAIT = "grace_hopper.jpg"


def proof_images(size, folder=None):
    """Returns natural pictures of a size.

    Args:
        size: (height, width) in pixels.
        folder: with photos, at least 64 in it and its sub-folders; they need not be aligned, since both networks see
            the same. None takes 64 crops, of all sizes and half of them mirrored, of the portrait of Grace Hopper that
            Matplotlib brings (public domain).

    Returns:
        uint8 (N, height, width, 3) RGB, at most the first 256 of a folder, and what they show.

    Raises:
        KerasfaceError: fewer than 64 photos in the folder, or one that can't be read.
    """
    if folder is None:
        return _crops(size), f"{MIN_IMAGES} crops of Matplotlib's {_PORTRAIT}"
    paths = list_photos(folder)
    if len(paths) < MIN_IMAGES:
        raise KerasfaceError(f"a proof needs at least {MIN_IMAGES} photos. Received: {len(paths)} in {folder}")
    paths = paths[:_MOST]
    return np.stack([_resized(load_image(path), size) for path in paths]), f"{len(paths)} photos of the user's"


def _crops(size):
    from matplotlib.cbook import get_sample_data

    portrait = load_image(get_sample_data(_PORTRAIT, asfileobj=False))
    rng, crops = np.random.default_rng(0), []
    for index in range(MIN_IMAGES):
        side = int(rng.integers(min(size), min(portrait.shape[:2]) + 1))
        top, left = (int(rng.integers(0, length - side + 1)) for length in portrait.shape[:2])
        crop = portrait[top : top + side, left : left + side]
        crops.append(_resized(crop[:, :: 1 if index % 2 else -1], size))
    return np.stack(crops)


def _resized(image, size):
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize(size[::-1], Image.Resampling.BILINEAR))
