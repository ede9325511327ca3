"""The photos of a tree, and where the crops of each will lie."""

import collections
import dataclasses
import os
from pathlib import Path, PurePosixPath

from kerasface.edge.detector import Face
from kerasface.errors import KerasfaceError

__all__ = ["SUFFIXES", "PhotoJob", "list_jobs"]

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jp2", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


@dataclasses.dataclass(frozen=True)
class PhotoJob:
    """One photo to align.

    Args:
        photo: its path below the source folder, with forward slashes.
        stem: of its crops, below the target folder, without `.jpg`.
        faces: found elsewhere; None where the detector is to look.
    """

    photo: str
    stem: str
    faces: tuple[Face, ...] | None = None


def list_jobs(source, faces=None):
    """Lists the photos of a tree, by the endings of their names.

    A crop is called as its photo is, with `.jpg`; where two photos of a folder differ in their ending alone, the
    ending stays in the name (`1.png` and `1.jpg` become `1.png.jpg` and `1.jpg.jpg`).

    Args:
        source: folder; files and folders whose names begin with a dot are left out.
        faces: dict of photo to faces found elsewhere (`read_points`), or None.

    Returns:
        list of `PhotoJob`, sorted by photo.

    Raises:
        KerasfaceError: no such folder, or no photos in it.

    Example:
        >>> list_jobs("photos")[0].stem
        'Ann/1'
    """
    source = Path(source)
    if not source.is_dir():
        raise KerasfaceError(f"no folder {source}: expected one with photos in it or below. Received: {source}")
    photos, others = [], 0
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(folder).relative_to(source)
        for name in files:
            if name.startswith(".") or Path(name).suffix.lower() not in SUFFIXES:
                others += 1
            else:
                photos.append((below / name).as_posix())
    if not photos:
        raise KerasfaceError(
            f"{source} holds no photos: expected {', '.join(SUFFIXES)} files in it or below. Received: {others} others."
        )
    stems = _stems(sorted(photos))
    if faces is None:
        return [PhotoJob(photo, stem) for photo, stem in stems.items()]
    return [PhotoJob(photo, stem, tuple(faces.get(photo, ()))) for photo, stem in stems.items()]


def _stems(photos):
    stems = {photo: str(PurePosixPath(photo).with_suffix("")) for photo in photos}
    while True:
        # Without case: some file systems don't tell it.
        counts = collections.Counter(stem.casefold() for stem in stems.values())
        clashing = [photo for photo, stem in stems.items() if counts[stem.casefold()] > 1 and stem != photo]
        if not clashing:
            return stems
        stems.update((photo, photo) for photo in clashing)
