"""Puts a finished import in place in one step, or not at all."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from kerasface.edge.assets import cache_dir
from kerasface.errors import KerasfaceError

__all__ = ["check_target", "hand_over", "zoo_dir"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def zoo_dir():
    """Returns the folder of the user's own zoo, one sub-folder a model."""
    return cache_dir() / "zoo"


def check_target(name, out=None):
    """Refuses, before the work, what could not be written after it.

    Args:
        name: of the new model.
        out: folder to make; None is `name` in the user's zoo.

    Returns:
        Path of the folder.

    Raises:
        KerasfaceError: a name that is no folder's, or a folder that exists.
    """
    if not _NAME.fullmatch(name):
        raise KerasfaceError(
            f"a model's name is made of letters, digits, dots, dashes and underscores, as mobilefacenet.imported. "
            f"Received: {name!r}"
        )
    out = zoo_dir() / name if out is None else Path(out)
    if out.exists():
        raise KerasfaceError(f"{out} exists already: choose another name, or remove it first.")
    return out


def hand_over(staged, out):
    """Copies a finished folder to where it belongs, under a hidden name until it is whole.

    Args:
        staged: folder with the files.
        out: folder that does not exist yet; its parents are made.

    Raises:
        KerasfaceError: it can't be written; nothing of it is left then.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            os.rename(shutil.copytree(staged, Path(folder) / out.name), out)
    except OSError as error:
        raise KerasfaceError(f"can't write {out}: {error.strerror}. Name another folder with --out.") from error
