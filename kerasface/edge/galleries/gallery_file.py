"""The gallery's file: a magic line, a JSON header, the numbers. No pickle, no archive; every byte is checked.

`KFGALLERY2\\n`, sha256 of all that follows (32 bytes), length of the header (8 bytes, little-endian), the header (JSON,
UTF-8), the rows (float32, little-endian, row after row). Encrypted, all of that stands inside the envelope of
`kerasface.edge.galleries.sealing`. Format 1, whose people had a mean each and no other choice, is still read.
"""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np

from kerasface.edge.atomic import write_atomically
from kerasface.edge.galleries.content import GalleryContent
from kerasface.edge.galleries.sealing import SEALED_MAGIC, open_sealed, seal
from kerasface.errors import KerasfaceError
from kerasface.spec import EmbedderSpec

__all__ = ["read_gallery", "write_gallery"]

_MAGIC_START = b"KFGALLERY"
_SEALED_START = b"KFSEALED"
_MAGICS = (b"KFGALLERY1\n", b"KFGALLERY2\n")
_MAGIC = _MAGICS[-1]
_LENGTH = struct.Struct("<Q")


def write_gallery(path, content, secret=None):
    """Writes a gallery's file in one step, readable by its owner alone.

    Args:
        path: of the file.
        content: `GalleryContent`.
        secret: `Secret` to encrypt it with, or None.

    Raises:
        KerasfaceError: the file can't be written; what was there is untouched.
    """
    header = {
        "spec": content.spec.to_json(),
        "policy": content.policy,
        "names": content.names,
        "photos": content.photos,
        "renewal_id": content.renewal_id,
        "shape": content.rows.shape,
    }
    text = json.dumps(header, sort_keys=True).encode()
    body = _LENGTH.pack(len(text)) + text + np.ascontiguousarray(content.rows, "<f4").tobytes()
    packed = _MAGIC + hashlib.sha256(body).digest() + body
    if secret is not None:
        packed = seal(packed, secret)
    try:
        write_atomically(path, packed)
    except OSError as error:
        raise KerasfaceError(f"can't write the gallery {path}: {error}. Choose a folder you can write to.") from error


def read_gallery(path, secret=None):
    """Reads what `write_gallery` wrote.

    Args:
        path: of the file.
        secret: `Secret` that it was encrypted with; None: it is not encrypted.

    Returns:
        `GalleryContent`.

    Raises:
        KerasfaceError: no such file, a folder, another user's, no gallery, of a newer format, damaged; encrypted and no
            secret or a wrong one given; not encrypted and a secret given, since whoever changed the file could have put
            it there.
    """
    path = Path(path)
    if path.is_dir():
        raise KerasfaceError(f"the gallery {path} is a folder. Name a file, {path / 'team.kfg'} for instance.")
    if not path.is_file():
        raise KerasfaceError(f"no gallery file {path}. `kerasface enroll` makes one.")
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise KerasfaceError(
            f"can't read the gallery {path}: {error.strerror}. It is readable by its owner alone: whose is it?"
        ) from error
    if packed.startswith(SEALED_MAGIC):
        packed = open_sealed(packed, secret, path)
    elif secret is not None and packed.startswith(_MAGIC_START):
        raise KerasfaceError(
            f"{path} is not encrypted, though a {secret.kind} is given for it. If that is right, encrypt it with "
            f"`kerasface gallery encrypt {path}`; if it was encrypted before, somebody has replaced it."
        )
    return _unpacked(packed, path)


def _unpacked(packed, path):
    magic = packed[: len(_MAGIC)]
    if magic not in _MAGICS:
        if packed.startswith((_MAGIC_START, _SEALED_START)):
            raise KerasfaceError(f"{path} was written by a newer kerasface; upgrade. Received: {packed[:12]!r}")
        raise KerasfaceError(
            f"{path} is not a kerasface gallery, as `kerasface enroll` writes it. Received: first bytes {packed[:12]!r}"
        )
    digest, body = packed[len(magic) : len(magic) + 32], packed[len(magic) + 32 :]
    if hashlib.sha256(body).digest() != digest:
        raise KerasfaceError(f"the gallery {path} is truncated or damaged ({len(packed)} bytes): restore a copy.")
    # The digest speaks against damage, not against a forger.
    try:
        (length,) = _LENGTH.unpack_from(body)
        header = json.loads(body[_LENGTH.size : _LENGTH.size + length])
        rows = np.frombuffer(body, "<f4", offset=_LENGTH.size + length).reshape(header["shape"])
        if magic == _MAGICS[0]:
            header = {**header, "policy": "mean", "photos": header["counts"], "renewal_id": None}
        return GalleryContent(
            spec=EmbedderSpec.from_json(header["spec"]),
            policy=header["policy"],
            names=header["names"],
            photos=header["photos"],
            rows=rows.astype(np.float32),
            renewal_id=header["renewal_id"],
        )
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise KerasfaceError(f"the gallery {path} can't be read: {error}. Restore a copy.") from error
