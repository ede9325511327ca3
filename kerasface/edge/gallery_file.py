"""The gallery's file: a magic line, a JSON header, the numbers. No pickle, no archive; every byte is checked.

`KFGALLERY1\\n`, sha256 of all that follows (32 bytes), length of the header (8 bytes, little-endian), the header (JSON,
UTF-8), the means (float32, little-endian, row after row).
"""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError

__all__ = ["read_gallery", "write_gallery"]

_MAGIC_START = b"KFGALLERY"
_MAGIC = _MAGIC_START + b"1\n"
_LENGTH = struct.Struct("<Q")


def write_gallery(path, header, means):
    """Writes a gallery's file in one step, readable by its owner alone.

    Args:
        path: of the file.
        header: JSON-able dict.
        means: (P, D) float.

    Raises:
        KerasfaceError: the file can't be written; what was there is untouched.
    """
    text = json.dumps({**header, "shape": means.shape}, sort_keys=True).encode()
    body = _LENGTH.pack(len(text)) + text + np.ascontiguousarray(means, "<f4").tobytes()
    try:
        write_atomically(path, _MAGIC + hashlib.sha256(body).digest() + body)
    except OSError as error:
        raise KerasfaceError(f"can't write the gallery {path}: {error}. Choose a folder you can write to.") from error


def read_gallery(path):
    """Reads what `write_gallery` wrote.

    Returns:
        header (dict) and means (P, D) float32.

    Raises:
        KerasfaceError: no such file, no gallery, of a newer format, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise KerasfaceError(f"no gallery file {path}. `kerasface enroll` makes one.")
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        if content.startswith(_MAGIC_START):
            raise KerasfaceError(f"{path} was written by a newer kerasface; upgrade. Received: {content[:12]!r}")
        raise KerasfaceError(f"{path} is not a kerasface gallery. Received: first bytes {content[:12]!r}")
    digest, body = content[len(_MAGIC) : len(_MAGIC) + 32], content[len(_MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != digest:
        raise KerasfaceError(f"the gallery {path} is truncated or damaged ({len(content)} bytes): restore a copy.")
    (length,) = _LENGTH.unpack_from(body)
    header = json.loads(body[_LENGTH.size : _LENGTH.size + length])
    means = np.frombuffer(body, "<f4", offset=_LENGTH.size + length).reshape(header.pop("shape"))
    return header, means.astype(np.float32)
