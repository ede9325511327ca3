"""Writing what a command was asked to keep."""

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError

__all__ = ["write_report"]


def write_report(path, content):
    """Writes what `content()` returns, where a path was asked for.

    Raises:
        KerasfaceError: it can't be written.
    """
    if path is None:
        return
    try:
        write_atomically(path, content().encode(), mode=0o644)
    except OSError as error:
        raise KerasfaceError(f"{path} cannot be written: {error}. Choose another place.") from error
