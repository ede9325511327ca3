"""Key files: random bytes on a disk of their own."""

import os
import secrets
from pathlib import Path

from kerasface.errors import KerasfaceError

__all__ = ["new_key_file", "read_key_file"]

_LEAST_BYTES = 32
# A key that large is a photo or a gallery named by mistake.
_MOST_BYTES = 4096


def new_key_file(path):
    """Writes 32 random bytes to a new file for its owner alone (mode 600).

    Args:
        path: of the file. One that is there stays: what it protects could be read by nobody any more.

    Raises:
        KerasfaceError: there is such a file, or it can't be written.

    Example:
        >>> new_key_file("/media/stick/team.key")
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_LEAST_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            # Nothing can be protected by it yet, and its name would be taken for good.
            os.unlink(path)
            raise
    except FileExistsError as error:
        raise KerasfaceError(
            f"there is a file {path} already, and a key is never overwritten: nobody could open any more what it "
            "protects. Choose another name, or delete it yourself."
        ) from error
    except OSError as error:
        raise KerasfaceError(f"can't write the key file {path}: {error.strerror}. Choose another folder.") from error


def read_key_file(path):
    """Returns the bytes of a key file.

    Args:
        path: a file of 32 to 4,096 random bytes, such as `new_key_file` writes.

    Raises:
        KerasfaceError: no such file, or one of another size.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise KerasfaceError(
            f"can't read the key file {path}: {error.strerror}. `kerasface gallery key {path}` makes a new one."
        ) from error
    if not _LEAST_BYTES <= len(content) <= _MOST_BYTES:
        raise KerasfaceError(
            f"a key file holds {_LEAST_BYTES} to {_MOST_BYTES} random bytes. Received: {path} with {len(content)} "
            f"bytes. `kerasface gallery key FILE` makes one; a passphrase goes into --passphrase-file."
        )
    return content
