"""Writing what a command was asked to keep."""

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError

__all__ = ["write_report"]


def write_report(path, content, *, private=False):
    """Writes what `content()` returns, where a path was asked for.

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
