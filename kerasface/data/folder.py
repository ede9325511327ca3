"""Class folders: one folder a person, one file an aligned face."""

import contextlib
import os
from pathlib import Path

import numpy as np
from PIL import Image

from kerasface.data.source import FaceSource
from kerasface.edge.photo_files import PHOTO_SUFFIXES, UNREAD_SUFFIXES, files_below
from kerasface.errors import KerasfaceError

__all__ = ["list_photos", "photos_passed_over", "read_folder", "write_class_folder"]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


def read_folder(root):
    """Lists a tree root/NAME/file.jpg, in sorted order so that labels are the same on every machine.

    Args:
        root: folder whose sub-folders are identities; symbolic links to folders count as folders. Files and folders
            whose names begin with a dot and sub-folders without images are left out.

    Returns:
        `FaceSource`: identities sorted by name, photos by name within each.

    Raises:
        KerasfaceError: no such folder, no identities or images in it, or one that may not be read.

    Example:
        >>> faces = read_folder("photos/aligned")
        >>> len(faces.names), len(faces)
        (3059, 13476)
    """
    root = Path(root)
    if not root.is_dir():
        raise KerasfaceError(f"no folder {root}: expected one whose sub-folders are people. Received: {root}")
    with _told(root):
        folders = _by_name(entry for entry in root.iterdir() if entry.is_dir())
        found = {folder.name: _images(folder) for folder in folders}
    found = {name: paths for name, paths in found.items() if paths}
    if not found:
        records = sorted(root.glob("*.rec"))  # insightface's sets come as a folder
        way_out = f"To read {records[0].name} name that file." if records else "Is it the folder above or below?"
        raise KerasfaceError(
            f"{root} holds no faces: expected one sub-folder a person with {', '.join(_SUFFIXES)} files in it. "
            f"Received: {len(folders)} sub-folders, none with images. {way_out}"
        )
    labels = np.repeat(np.arange(len(found), dtype=np.int32), [len(paths) for paths in found.values()])
    return FaceSource.of_files(tuple(found), labels, [path for paths in found.values() for path in paths])


def photos_passed_over(root):
    """Lists the photos of a class folder that `read_folder` leaves out.

    Args:
        root: what `read_folder` takes; of anything else that is faces there are none.

    Returns:
        (unread, misplaced), sorted lists of paths: photos of kinds that training doesn't read, and those of kinds that
        it does which lie beside people's folders or below them.

    Example:
        >>> photos_passed_over("photos/aligned")
        ([PosixPath('photos/aligned/Ann/3.webp')], [PosixPath('photos/aligned/group.jpg')])
    """
    if not Path(root).is_dir():
        return [], []
    others = {suffix for suffix in PHOTO_SUFFIXES + UNREAD_SUFFIXES if suffix not in _SUFFIXES}
    unread, misplaced = [], []
    # Not by `_by_name`: nearly all files are neither, and there may be millions.
    with _told(root):
        for entry in _shown(root):
            if entry.is_dir():
                for inner in _shown(entry):
                    if _suffix(inner.name) in others:
                        unread.append(Path(inner))
                    elif inner.is_dir():
                        misplaced += [path for path in files_below(Path(inner)) if _suffix(path.name) in _SUFFIXES]
            elif _suffix(entry.name) in _SUFFIXES:
                misplaced.append(Path(entry))
    return sorted(unread), sorted(misplaced)


def list_photos(root):
    """Lists every image of a tree, whatever its folders mean.

    Args:
        root: folder; symbolic links to folders are followed, as by `read_folder`, but not back to a folder that they
            lie in. Files and folders whose names begin with a dot are left out.

    Returns:
        sorted list of paths.

    Raises:
        KerasfaceError: no such folder, no images in it, or one in it that may not be read.

    Example:
        >>> len(list_photos("photos"))
    """
    root = Path(root)
    if not root.is_dir():
        raise KerasfaceError(f"no folder {root}: expected one with aligned photos in it. Received: {root}")
    with _told(root):
        found = [path for path in files_below(root) if path.suffix.lower() in _SUFFIXES]
    if not found:
        raise KerasfaceError(f"{root} holds no photos: expected {', '.join(_SUFFIXES)} files in it or below.")
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def write_class_folder(images, labels, root):
    """Writes images as root/person_LABEL/INDEX.png, the tree that `read_folder` lists.

    Args:
        images: (N, H, W, 3) uint8 RGB.
        labels: (N,) int.
        root: folder to create.

    Example:
        >>> write_class_folder(*render_identities(10, 4, seed=0), "faces")
    """
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = Path(root) / f"person_{label:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index:05d}.png")


@contextlib.contextmanager
def _told(root):
    """Names the folder that may not be read: `lost+found` where `root` is a whole disk."""
    try:
        yield
    except PermissionError as error:
        raise KerasfaceError(
            f"can't look into {error.filename}: {error.strerror}. Let yourself read it, or keep the photos of {root} "
            "in a folder of their own."
        ) from error


def _suffix(name):
    return os.path.splitext(name)[1].lower()


def _shown(folder):
    return (entry for entry in os.scandir(folder) if not entry.name.startswith("."))


def _images(folder):
    return _by_name(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def _by_name(paths):
    # By name, not by path: Windows compares paths without case, and labels must be the same there.
    return sorted((path for path in paths if not path.name.startswith(".")), key=lambda path: path.name)
