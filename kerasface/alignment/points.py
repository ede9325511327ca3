"""Faces that another detector found: tables of five points a face."""

import re
from pathlib import Path

import numpy as np

from kerasface.edge.align import TEMPLATES, similarity_transform
from kerasface.edge.detection.detector import Face
from kerasface.edge.geometry import invert, transform_points
from kerasface.errors import KerasfaceError

__all__ = ["ORDERS", "read_points"]

# How the ten numbers of a face stand in a row. The points themselves are in one order everywhere: image-left eye,
# image-right eye, nose, image-left and image-right mouth corner (YuNet calls the first the right eye: the subject's).
ORDERS = {"mtcnn": "x1 … x5 y1 … y5", "retinaface": "x1 y1 … x5 y5", "scrfd": "x1 y1 … x5 y5"}
_SEPARATOR = re.compile(r"[,;\t]\s*|\s+")
_NUMBERS = 10
_TEMPLATE = TEMPLATES["arcface_112x112"]
# Root mean square distance of the points, fitted to the template, from its own, in its pixels.
_MAX_MISFIT = 15.0


def read_points(path, order):
    """Reads a table of faces: a photo, ten numbers, and maybe the detector's score, in each row.

    Args:
        path: a text file with commas, semicolons, tabs or blanks between the columns; a first row of names is skipped.
            Photos are paths below the source folder. Several rows of one photo are several faces.
        order: a name in `ORDERS`: the original MTCNN gives five x, then five y; RetinaFace and SCRFD give pairs.

    Returns:
        dict of photo to list of `Face`; their boxes are what the template's crop shows, their scores 1 where none is
        given.

    Raises:
        ValueError: an unknown order.
        KerasfaceError: no such file, a row of another kind, or rows most of which no face fits: another order?

    Example:
        >>> align_tree("photos", "aligned", faces=read_points("landmarks.csv", "retinaface"))
    """
    if order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}. Received: order={order!r}")
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError as error:
        raise KerasfaceError(f"can't read the points {path}: {error.strerror}.") from error
    photos, rows = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        photo, numbers = _row(line, number, path)
        if numbers is not None:
            photos.append(photo)
            rows.append(numbers)
    if not rows:
        raise KerasfaceError(f"{path} holds no points: expected a photo and ten numbers in each row.")
    table = np.array(rows)
    points = table[:, :_NUMBERS]
    points = points.reshape(-1, 2, 5).swapaxes(1, 2) if order == "mtcnn" else points.reshape(-1, 5, 2)
    _check_faces(points, path, order)
    faces: dict[str, list[Face]] = {}
    for photo, five, score in zip(photos, points, table[:, _NUMBERS], strict=True):
        faces.setdefault(photo, []).append(Face(_box(five), float(score), five))
    return faces


def _row(line, number, path):
    """Returns a row's photo and its eleven numbers; None instead of them for a row of names."""
    # From the right: a file's name may hold blanks and commas, numbers don't.
    fields = [field for field in _SEPARATOR.split(line.strip()) if field]
    count = 0
    while count < len(fields) and _is_number(fields[-1 - count]):
        count += 1
    if number == 1 and not count:
        return None, None
    # One field is the photo, though it be called by a number alone.
    count = min(count, _NUMBERS + 1, len(fields) - 1)
    numbers = [float(field) for field in fields[len(fields) - count :]]
    if count < _NUMBERS or not np.isfinite(numbers).all():
        raise KerasfaceError(
            f"{path}, line {number}: expected a photo, ten numbers and maybe a score. Received: {line[:100]!r}"
        )
    photo = line.strip()
    for field in reversed(fields[len(fields) - count :]):
        photo = photo[: photo.rindex(field)].rstrip(" ,;\t")
    photo = photo.strip('"').replace("\\", "/").removeprefix("./")
    return photo, [*numbers, *([1.0] if count == _NUMBERS else [])]


def _is_number(field):
    try:
        float(field)
    except ValueError:
        return False
    return True


def _check_faces(points, path, order):
    apart = np.abs(points - points.mean(1, keepdims=True)).max((1, 2)) > 0
    fitted = points[apart]
    matrices = similarity_transform(fitted, _TEMPLATE.points)
    placed = np.einsum("nij,npj->npi", matrices[:, :, :2], fitted) + matrices[:, None, :, 2]
    misfits = np.sqrt(np.square(placed - _TEMPLATE.points).sum(-1).mean(-1))
    bad = 1 - (misfits <= _MAX_MISFIT).sum() / len(points)
    if bad > 0.5:
        others = [f"{name} ({columns})" for name, columns in ORDERS.items() if columns != ORDERS[order]]
        raise KerasfaceError(
            f"{path}: {bad:.0%} of the rows hold no face when read as {order}, {ORDERS[order]}. Received, first: "
            f"{points[0].tolist()}. Try {' or '.join(others)}."
        )


def _box(points):
    try:
        back = invert(similarity_transform(points, _TEMPLATE.points))
    except (ValueError, np.linalg.LinAlgError):
        return np.array([*points.min(0), *points.max(0)])
    corners = [(0, 0), (_TEMPLATE.width - 1, 0), (0, _TEMPLATE.height - 1), (_TEMPLATE.width - 1, _TEMPLATE.height - 1)]
    placed = transform_points(back, corners)
    return np.concatenate([placed.min(0), placed.max(0)])
