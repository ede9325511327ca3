"""A page of crops for the eye."""

from pathlib import Path

import numpy as np

from kerasface.alignment.log import read_log
from kerasface.edge.images import EncodedImage, load_image
from kerasface.errors import KerasfaceError

__all__ = ["contact_sheet"]

_FACES, _COLUMNS = 80, 10


def contact_sheet(folder):
    """Draws up to eighty crops of an aligned set, evenly spread over it, with what was measured of each.

    Crops of photos with several faces are framed in another color: is the right person on them?

    Args:
        folder: that `align_tree` or `align_packed` wrote.

    Returns:
        a Matplotlib `Figure`, for `kerasface.plot.save`. It shows people: don't publish it.

    Raises:
        KerasfaceError: no log there, not one crop, or a crop that is gone or damaged.

    Example:
        >>> save(contact_sheet("aligned"), "aligned.png")
    """
    from kerasface.plot import ACCEPTED, REJECTED, face_grid

    kept = [
        (record, face)
        for record in sorted(read_log(folder).values(), key=lambda record: record.photo)
        for face in record.faces
        if face.file is not None
    ]
    if not kept:
        raise KerasfaceError(f"{folder} holds no crops to draw.")
    rows = np.unique(np.linspace(0, len(kept) - 1, _FACES).round().astype(int))
    read = _reader(Path(folder), [face.file for _, face in kept])
    images = [load_image(EncodedImage(read(row), str(kept[row][1].file))) for row in rows]
    captions, colors = [], []
    for record, face in (kept[row] for row in rows):
        quality, several = face.quality, record.status == "several"
        measured = f"{quality.size_px:.0f} px, {quality.yaw_deg:+.0f}°"
        captions.append(f"{Path(face.file).stem}\n{measured}" + (f"\n1 of {record.found} faces" if several else ""))
        colors.append(REJECTED if several else ACCEPTED)
    return face_grid(images, captions, colors, columns=_COLUMNS)


def _reader(folder, files):
    from kerasface.data.packed import MANIFEST, read_packed

    if (folder / MANIFEST).is_file():
        photos = read_packed(folder).photos
        return lambda row: photos[row].read_bytes()
    return lambda row: _bytes(folder / files[row])


def _bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise KerasfaceError(f"can't read the crop {path}: {error.strerror}. Align once more.") from error
