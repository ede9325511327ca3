"""One writer at a time: load, change and save a gallery while others wait."""

import contextlib
import glob
import importlib
import time
from pathlib import Path

from kerasface.edge.galleries.gallery import Gallery
from kerasface.errors import KerasfaceError

__all__ = ["changing"]

_PATIENCE_SECONDS = 60
# What is younger may be the draft of somebody who saves without the lock.
_STALE_SECONDS = 60


@contextlib.contextmanager
def changing(path, spec=None, *, secret=None, renewal=None, new=None):
    """Opens a gallery to change it, and saves it when the block ends without an error.

    From loading to saving no other process changes the file; one that wants to waits, up to a minute. Readers never
    wait: `Gallery.load` finds the state before or after. A writer that was killed leaves the state before, and what it
    had begun to write is removed by a later one.

    Args:
        path: of the file. Beside it lies `.NAME.lock` meanwhile.
        spec, secret, renewal: as in `Gallery.load`.
        new: `Gallery` to begin with where there is no file; None: there must be one.

    Yields:
        the `Gallery`.

    Raises:
        KerasfaceError: what `Gallery.load` and `save` raise, or another process holds the file for too long.

    Example:
        >>> with changing("team.kfg") as gallery:
        ...     gallery.remove("Grace")
    """
    path = Path(path)
    with _only_writer(path):
        _remove_stale_drafts(path)
        fresh = new is not None and not path.exists()
        gallery = new if fresh else Gallery.load(path, spec, secret=secret, renewal=renewal)
        yield gallery
        gallery.save(path)


@contextlib.contextmanager
def _only_writer(path):
    # Looked up at run time: readers on a device need no filelock.
    filelock = importlib.import_module("filelock")
    lock = filelock.FileLock(path.parent / f".{path.name}.lock", timeout=_PATIENCE_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise KerasfaceError(
            f"another process has been changing the gallery {path} for {_PATIENCE_SECONDS} s. Wait until it is done."
        ) from error
    except OSError as error:
        raise KerasfaceError(f"can't write beside the gallery {path}: {error}. Choose another folder.") from error
    try:
        yield
    finally:
        lock.release()


def _remove_stale_drafts(path):
    for draft in path.parent.glob(f".{glob.escape(path.name)}.*.draft"):
        # It may take its final name in this moment.
        with contextlib.suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _STALE_SECONDS:
                draft.unlink()
