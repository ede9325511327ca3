"""Class folders: one folder a person, one file an aligned face."""

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from kerasface.errors import KerasfaceError

__all__ = ["ClassFolder", "list_photos", "write_class_folder"]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclasses.dataclass(frozen=True, eq=False)
class ClassFolder:
    """A tree root/NAME/file.jpg, listed in sorted order so that labels are the same on every machine.

    Args:
        names: identity of each label, sorted.
        paths: of the images, sorted within each identity.
        labels: (N,) int32, index into `names` of each path; −1 for a photo of nobody known (`with_photos`).

    Example:
        >>> faces = ClassFolder.read("photos/aligned")
        >>> len(faces.names), len(faces.paths)
        (3059, 13476)
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    labels: np.ndarray

    @classmethod
    def read(cls, root, *, min_images=1):
        """Lists the folder.

        Args:
            root: folder whose sub-folders are identities.
            min_images: least number of images an identity must have.

        Returns:
            `ClassFolder`. Files and folders whose names begin with a dot and sub-folders without images are left out.

        Raises:
            KerasfaceError: no such folder, no identities or images in it, or identities with too few images.
        """
        root = Path(root)
        if not root.is_dir():
            raise KerasfaceError(f"no folder {root}: expected one whose sub-folders are people. Received: {root}")
        folders = _by_name(entry for entry in root.iterdir() if entry.is_dir())
        found = {folder.name: _images(folder) for folder in folders}
        found = {name: paths for name, paths in found.items() if paths}
        if not found:
            raise KerasfaceError(
                f"{root} holds no faces: expected one sub-folder a person with {', '.join(_SUFFIXES)} files in it. "
                f"Received: {len(folders)} sub-folders, none with images. Is it the folder above or below?"
            )
        small = [name for name, paths in found.items() if len(paths) < min_images]
        if small:
            shown = ", ".join(small[:5]) + (", …" if len(small) > 5 else "")
            raise KerasfaceError(
                f"{len(small)} of {len(found)} people in {root} have fewer than {min_images} images: {shown}. "
                "Add images, take those folders out, or set min_images lower (data.min_images in a recipe)."
            )
        labels = np.repeat(np.arange(len(found), dtype=np.int32), [len(paths) for paths in found.values()])
        return cls(tuple(found), tuple(str(path) for paths in found.values() for path in paths), labels)

    def select(self, identities):
        """Returns the part with only these identities, renumbered from 0 in the order of their old labels.

        Args:
            identities: labels to keep, in any order.

        Raises:
            ValueError: a label that is not in the folder.
        """
        kept = np.unique(np.asarray(identities))
        if kept.size and not 0 <= kept[0] <= kept[-1] < len(self.names):
            raise ValueError(f"labels lie in [0, {len(self.names)}). Received: {kept[0]} to {kept[-1]}")
        rows = np.flatnonzero(np.isin(self.labels, kept))
        return ClassFolder(
            tuple(self.names[label] for label in kept),
            tuple(self.paths[row] for row in rows),
            np.searchsorted(kept, self.labels[rows]).astype(np.int32),
        )

    def with_photos(self, paths):
        """Returns the same people plus photos of nobody known, labelled −1, which only a teacher can use."""
        unknown = np.full(len(paths), -1, np.int32)
        return ClassFolder(self.names, (*self.paths, *map(str, paths)), np.concatenate([self.labels, unknown]))


def list_photos(root):
    """Lists every image of a tree, whatever its folders mean.

    Args:
        root: folder; files and folders whose names begin with a dot are left out.

    Returns:
        sorted list of paths.

    Raises:
        KerasfaceError: no such folder, or no images in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise KerasfaceError(f"no folder {root}: expected one with aligned photos in it. Received: {root}")
    found = [path for path in root.rglob("*") if path.suffix.lower() in _SUFFIXES]
    visible = [path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts)]
    if not visible:
        raise KerasfaceError(f"{root} holds no photos: expected {', '.join(_SUFFIXES)} files in it or below.")
    return sorted(visible, key=lambda path: path.relative_to(root).as_posix())


def write_class_folder(images, labels, root):
    """Writes images as root/person_LABEL/INDEX.png, the tree that `ClassFolder.read` lists.

    Args:
        images: (N, H, W, 3) uint8 RGB.
        labels: (N,) int.
        root: folder to create.
    """
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = Path(root) / f"person_{label:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index:05d}.png")


def _images(folder):
    return _by_name(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def _by_name(paths):
    # By name, not by path: Windows compares paths without case, and labels must be the same there.
    return sorted((path for path in paths if not path.name.startswith(".")), key=lambda path: path.name)
