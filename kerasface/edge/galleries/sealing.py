"""Encryption of a whole file under a passphrase or a key file: without it there is nothing to read, not a name.

`KFSEALED1\\n`, the kind of secret (1 byte), salt (32 bytes), nonce (12 bytes), then ChaCha20-Poly1305's ciphertext with
its tag; all that stands before the ciphertext is authenticated with it.
"""

import dataclasses
import importlib
import os
import unicodedata
from pathlib import Path

from kerasface.edge.galleries.key_file import read_key_file
from kerasface.errors import KerasfaceError

__all__ = ["SEALED_MAGIC", "Secret", "open_sealed", "seal"]

SEALED_MAGIC = b"KFSEALED1\n"
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 32, 12, 32
_KINDS = {b"P": "passphrase", b"K": "key file"}
_OPTIONS = {"passphrase": "--passphrase-file", "key file": "--key-file"}
# 64 MiB and about .4 s a guess: OWASP's Password Storage Cheat Sheet calls it as strong as n=2^17, p=1, and a small
# board has the memory. It stands in the format's version, not in the file: a forged one can't ask for a gigabyte.
_SCRYPT = {"n": 2**16, "r": 8, "p": 2}
_KEY_FILE_PURPOSE = b"kerasface gallery encryption 1"


@dataclasses.dataclass(frozen=True)
class Secret:
    """What a gallery's file is encrypted with; its text never shows the secret itself.

    Args:
        kind: "passphrase" or "key file".
        content: its bytes.

    Example:
        >>> Gallery.load("team.kfg", secret=Secret.key_file("/media/stick/team.key"))

    Raises:
        KerasfaceError: the package cryptography isn't installed.
    """

    kind: str
    content: bytes = dataclasses.field(repr=False)

    def __post_init__(self):
        # A secret that nothing can use is told of before people's photos are embedded, not when their file is written.
        _cryptography("exceptions")

    @classmethod
    def passphrase(cls, text):
        """Takes a passphrase; how it is composed from Unicode's accents doesn't matter.

        Raises:
            ValueError: an empty or a blank one.
        """
        if not text.strip():
            raise ValueError("a passphrase must have at least one character besides spaces. Received: a blank text")
        return cls("passphrase", unicodedata.normalize("NFC", text).encode())

    @classmethod
    def passphrase_file(cls, path):
        """Takes the passphrase from a text file (UTF-8); the end of its one line isn't part of it.

        Raises:
            KerasfaceError: no such file, not one line of text.
        """
        try:
            lines = Path(path).read_bytes().decode().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise KerasfaceError(
                f"can't read the passphrase file {path}: {error}. It is a text file of one line, which you write."
            ) from error
        if len(lines) != 1 or not lines[0].strip():
            received = "a blank one" if len(lines) == 1 else f"{len(lines)} lines"
            raise KerasfaceError(f"expected one line with the passphrase in {path}. Received: {received}")
        return cls.passphrase(lines[0])

    @classmethod
    def key_file(cls, path):
        """Takes a file of random bytes, see `new_key_file`.

        Raises:
            KerasfaceError: no such file, or one of another size.
        """
        return cls("key file", read_key_file(path))


def seal(content, secret):
    """Encrypts bytes; every call draws a salt, and so a key, of its own.

    Args:
        content: bytes.
        secret: `Secret`.

    Returns:
        bytes.

    Raises:
        KerasfaceError: the package cryptography isn't installed.
    """
    kind = next(letter for letter, name in _KINDS.items() if name == secret.kind)
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    head = SEALED_MAGIC + kind + salt + nonce
    return head + _cipher(secret, salt).encrypt(nonce, content, head)


def open_sealed(sealed, secret, path):
    """Decrypts what `seal` made.

    Args:
        sealed: bytes that begin with `SEALED_MAGIC`.
        secret: `Secret`, or None when the user gave none.
        path: of the file, for messages.

    Returns:
        bytes.

    Raises:
        KerasfaceError: no secret or one of the other kind, the wrong one, a single bit that isn't as it was written,
            or the package cryptography isn't installed.
    """
    start = len(SEALED_MAGIC) + 1
    end = start + _SALT_BYTES + _NONCE_BYTES
    head, kind = sealed[:end], _KINDS.get(sealed[start - 1 : start])
    if kind is None or len(head) < end:
        raise KerasfaceError(f"the encrypted gallery {path} is damaged in its first {end} bytes: restore a copy.")
    if secret is None:
        raise KerasfaceError(
            f"{path} is encrypted: give its {kind} ({_OPTIONS[kind]} FILE on the command line, secret=… in Python)."
        )
    if secret.kind != kind:
        raise KerasfaceError(f"{path} was encrypted with a {kind}. Received: a {secret.kind}")
    salt, nonce = head[start:-_NONCE_BYTES], head[-_NONCE_BYTES:]
    try:
        return _cipher(secret, salt).decrypt(nonce, sealed[end:], head)
    except _cryptography("exceptions").InvalidTag as error:
        raise KerasfaceError(
            f"{path} can't be decrypted: it is the wrong {kind}, or the file was damaged or tampered with."
        ) from error


def _cipher(secret, salt):
    primitives = "hazmat.primitives"
    if secret.kind == "passphrase":
        kdf = _cryptography(f"{primitives}.kdf.scrypt").Scrypt(salt=salt, length=_KEY_BYTES, **_SCRYPT)
    else:
        sha256 = _cryptography(f"{primitives}.hashes").SHA256()
        hkdf = _cryptography(f"{primitives}.kdf.hkdf").HKDF
        kdf = hkdf(algorithm=sha256, length=_KEY_BYTES, salt=salt, info=_KEY_FILE_PURPOSE)
    aead = _cryptography(f"{primitives}.ciphers.aead")
    # Not AES-GCM: small boards have no AES instructions, and ChaCha20 needs none to be fast and constant in time.
    return aead.ChaCha20Poly1305(kdf.derive(secret.content))


def _cryptography(module):
    try:
        return importlib.import_module(f"cryptography.{module}")
    except ModuleNotFoundError as error:
        raise KerasfaceError("encrypted galleries need: pip install 'kerasface[encrypted]'") from error
