"""Galleries of more embeddings than memory holds: on disk in 4, 2 or 1 bytes a number, mapped, never loaded."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.representation import unit

__all__ = ["PRECISIONS", "open_gallery", "quantized", "save_gallery"]

PRECISIONS = {"float32": np.float32, "float16": np.float16, "int8": np.int8}
_INT8_LARGEST = 127


def quantized(embeddings, precision: str) -> np.ndarray:
    """Brings embeddings to the precision they are stored in.

    int8 is `round(127 x / max|x|)`, row by row. Its scale need not be kept: a search compares directions and gives
    every row length 1 again.

    Args:
        embeddings: (N, D) float, any norm but zero.
        precision: "float32", "float16" or "int8".

    Returns:
        (N, D) of that type; rows of length 1, for int8 only their direction.

    Raises:
        ValueError: another precision, or see `unit`.

    Example:
        >>> quantized([[0.6, 0.8]], "int8").tolist()
        [[95, 127]]
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}. Received: precision={precision!r}")
    rows = unit(embeddings)
    if precision == "int8":
        rows = np.rint(rows * (_INT8_LARGEST / np.abs(rows).max(axis=1, keepdims=True)))
    return rows.astype(PRECISIONS[precision])


def save_gallery(path: str | Path, blocks: Iterable[np.ndarray], *, rows: int, precision: str = "float32") -> Path:
    """Writes embeddings to a `.npy` file block by block; it takes its name only when it is whole.

    Args:
        path: ending in .npy.
        blocks: arrays (n, D) float, together `rows` rows.
        rows: N.
        precision: see `quantized`.

    Returns:
        The path.

    Raises:
        ValueError: blocks of other numbers of rows or columns than promised, an unknown precision, or see `unit`.
        KerasfaceError: it cannot be written there.

    Example:
        >>> save_gallery("gallery.npy", (represent(embed, part) for part in parts), rows=1_000_000, precision="int8")
    """
    path, target, filled = Path(path), None, 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A folder of its own, so that two who write one gallery don't write into one draft.
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            draft = Path(folder) / path.name
            for block in blocks:
                part = quantized(block, precision)
                if target is None:
                    target = np.lib.format.open_memmap(draft, "w+", part.dtype, (rows, part.shape[1]))
                if filled + len(part) > rows or part.shape[1] != target.shape[1]:
                    raise ValueError(
                        f"{rows} rows of {target.shape[1]} were promised. Received: {part.shape} after {filled}"
                    )
                target[filled : filled + len(part)] = part
                filled += len(part)
            if target is None or filled != rows:
                raise ValueError(f"{rows} rows were promised. Received: {filled}")
            target.flush()
            os.replace(draft, path)
    except OSError as error:
        raise KerasfaceError(f"the gallery cannot be written to {path}: {error}. Choose another place.") from error
    return path


def open_gallery(path: str | Path) -> np.ndarray:
    """Maps a gallery that `save_gallery` wrote, or any `.npy` of embeddings, without reading it.

    Args:
        path: of the file.

    Returns:
        (N, D) read-only array that lies on the disk.

    Raises:
        KerasfaceError: no such file, or not one of (N, D) numbers of a known precision.

    Example:
        >>> search(open_gallery("million.npy"), probes, k=20)
    """
    try:
        # Not np.load, which opens archives too, and raises what zipfile raises.
        gallery = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError) as error:
        raise KerasfaceError(f"{path} is no gallery, a .npy file of embeddings: {error}") from error
    if gallery.ndim != 2 or gallery.dtype not in PRECISIONS.values():
        raise KerasfaceError(
            f"{path}: expected (N, D) float32, float16 or int8. Received: {gallery.shape} {gallery.dtype}"
        )
    return gallery
