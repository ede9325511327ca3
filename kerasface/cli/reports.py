"""Writing what a command was asked to keep."""

import tempfile

from kerasface.cli.console import console
from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError

__all__ = ["check_figure", "check_writable", "write_report"]


def check_writable(path):
    """Refuses before minutes of work what would be refused after them.

    Args:
        path: of a file to write, or None.

    Raises:
        KerasfaceError: it can't be written there.
    """
    if path is None:
        return
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        # Folders that are missing are made when it is written: none is left behind by a command that fails before.
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise KerasfaceError(f"{path} cannot be written: {error}. Choose another place.") from error


def check_figure(option, path):
    """Likewise of a figure, which is written as PNG or SVG.

    Args:
        option: that names it.
        path: of the file, or None.

    Raises:
        KerasfaceError: another ending, or it can't be written there.
    """
    if path is not None and path.suffix.lower() not in (".png", ".svg"):
        raise KerasfaceError(f"{option} must end in .png or .svg. Received: {path}")
    check_writable(path)


def write_report(path, content, *, private=False):
    """Writes what `content()` returns, where a path was asked for, and says where.

    Args:
        path: of the file, or None.
        content: function that returns the text.
        private: for the user's eyes alone.

    Raises:
        KerasfaceError: it can't be written.
    """
    if path is None:
        return
    try:
        write_atomically(path, content().encode(), mode=0o600 if private else 0o644)
    except OSError as error:
        raise KerasfaceError(f"{path} cannot be written: {error}. Choose another place.") from error
    console.print(str(path), soft_wrap=True, highlight=False)
