"""Puts a finished import in place in one step, or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from kerasface.errors import KerasfaceError
from kerasface.zoo.bases import zoo_dir
from kerasface.zoo.manifest import is_name

__all__ = ["check_target", "hand_over"]


def check_target(name, out=None):
    """Refuses, before the work, what could not be written after it.

    Args:
        name: of the new model.
        out: folder to make; None is `name` in the user's zoo.

    Returns:
        Path of the folder.

    Raises:
        KerasfaceError: a name that the zoo could not hold, or a folder that exists.
    """
    if not is_name(name):
        raise KerasfaceError(
            "a model's name is architecture.head_data in small letters, digits and underscores, as "
            f"mobilefacenet.imported. Received: {name!r}"
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
