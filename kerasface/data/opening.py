"""One door to faces in every format."""

from pathlib import Path

import numpy as np

from kerasface.data.face_list import read_list
from kerasface.data.folder import read_folder
from kerasface.data.packed import MANIFEST, read_packed
from kerasface.data.record_file import read_record_file
from kerasface.errors import KerasfaceError

__all__ = ["open_faces"]

_READERS = {".rec": read_record_file, ".csv": read_list, ".parquet": read_list}


def open_faces(path, *, min_images=1):
    """Opens labelled faces, whatever they are kept in.

    Args:
        path: a class folder, a folder that `kerasface pack` wrote, an insightface `.rec` with its `.idx` beside it, or
            a `.csv` or `.parquet` list.
        min_images: least number of images an identity must have.

    Returns:
        `FaceSource`.

    Raises:
        KerasfaceError: no such folder or file, or one that is none of these; identities with too few images.

    Example:
        >>> faces = open_faces("ms1m/train.rec", min_images=2)
    """
    path = Path(path)
    read = _READERS.get(path.suffix.lower())
    if path.is_dir():
        read = read_packed if (path / MANIFEST).is_file() else read_folder
    elif read is None:
        raise KerasfaceError(
            f"no folder {path}: expected one whose sub-folders are people, one that `kerasface pack` wrote, or a "
            f"{', '.join(_READERS)} file. Received: {'a file of another kind' if path.exists() else path}"
        )
    faces = read(path)
    _check_counts(faces, path, min_images)
    return faces


def _check_counts(faces, path, min_images):
    counts = np.bincount(faces.labels, minlength=len(faces.names))
    small = np.flatnonzero(counts < min_images)
    if small.size:
        shown = ", ".join(faces.names[label] for label in small[:5]) + (", …" if small.size > 5 else "")
        raise KerasfaceError(
            f"{small.size} of {len(faces.names)} people in {path} have fewer than {min_images} images: {shown}. "
            f"Add images, take those people out (`kerasface clean --min-images {min_images}` lists the rest, and "
            "--data takes its list), or set min_images lower (data.min_images in a recipe)."
        )
