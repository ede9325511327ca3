"""Writing a file so that a crash leaves either the old state or the new one, never half of it."""

import os
import tempfile
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path, content, *, mode=0o600):
    """Replaces the file at `path` by `content` in one step.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and take the name by `os.replace`.

    Args:
        path: of the file; its folder is made when missing.
        content: bytes.
        mode: the file's permissions.

    Raises:
        OSError: the folder can't be written; what was at `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".draft", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder):
    # The new name itself reaches the disk only with the folder; Windows can't open folders and needs none of this.
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
