"""The photos of a tree, and where the crops of each will lie."""

import collections
import dataclasses
from pathlib import Path, PurePosixPath

from kerasface.edge.detection.detector import Face
from kerasface.edge.photo_files import PHOTO_SUFFIXES, UNREAD_SUFFIXES, files_below, unread_text
from kerasface.errors import KerasfaceError

__all__ = ["PhotoJob", "list_jobs", "photos_unread"]


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
        source: folder; linked folders are followed, files and folders whose names begin with a dot left out.
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
    files = list(files_below(source))
    photos = [path.relative_to(source).as_posix() for path in files if path.suffix.lower() in PHOTO_SUFFIXES]
    if not photos:
        raise KerasfaceError(
            f"{source} holds no photos: expected {', '.join(PHOTO_SUFFIXES)} files in it or below. "
            f"Received: {len(files)} others.{unread_text(files)}"
        )
    stems = _stems(sorted(photos))
    if faces is None:
        return [PhotoJob(photo, stem) for photo, stem in stems.items()]
    return [PhotoJob(photo, stem, tuple(faces.get(photo, ()))) for photo, stem in stems.items()]


def photos_unread(source):
    """Lists the photos of a tree that `list_jobs` leaves out, because Pillow doesn't read their kind everywhere.

    Args:
        source: folder.

    Returns:
        sorted list of paths below it, with forward slashes.

    Example:
        >>> photos_unread("photos")
        ['Ann/IMG_0001.HEIC']
    """
    source = Path(source)
    found = (path for path in files_below(source) if path.suffix.lower() in UNREAD_SUFFIXES)
    return sorted(path.relative_to(source).as_posix() for path in found)


def _stems(photos):
    stems = {photo: str(PurePosixPath(photo).with_suffix("")) for photo in photos}
    while True:
        # Without case: some file systems don't tell it.
        counts = collections.Counter(stem.casefold() for stem in stems.values())
        clashing = [photo for photo, stem in stems.items() if counts[stem.casefold()] > 1 and stem != photo]
        if not clashing:
            return stems
        stems.update((photo, photo) for photo in clashing)
