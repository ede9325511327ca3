"""Writing what a command was asked to keep."""

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
    new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab"):
            pass
        if new:
            path.unlink()
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
    console.print(str(path), soft_wrap=True, markup=False, highlight=False)
