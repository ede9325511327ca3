"""Templates that can be revoked: a secret rotation between what an embedder gives and what a gallery stores."""

import hashlib
import secrets

import numpy as np

from kerasface.edge.galleries.key_file import read_key_file

__all__ = ["RenewalKey"]

_LEAST_BYTES = 32
_PURPOSE = b"kerasface renewable templates 1"
_ID_LETTERS = 16


class RenewalKey:
    """A keyed random orthogonal transform of templates.

    In the terms of ISO/IEC 24745 the rotated template is the pseudonymous identifier, this key the auxiliary data that
    is kept apart from it, and both together the renewable biometric reference. A stored row is `x Q`, and since `Q` is
    orthogonal all cosines stay as they are. `Q` is the Q of the QR decomposition of a square Gaussian matrix with the
    signs of R's diagonal taken into it, so that it is spread evenly over all rotations and reflections (Haar) and
    determined by the key alone; the Gaussians come by Box and Muller's formula from SHAKE-256 of the key.

    One template says as little about another of the same person under another key as a random direction would. The
    transform does not hide which templates of one gallery are alike, it can be computed by whoever knows the key, or
    about as many enrolled faces with their stored rows as an embedding has numbers, and it is no encryption: use
    that as well.

    Args:
        key: at least 32 random bytes.

    Attributes:
        id: 16 hexadecimal digits that tell keys apart and say nothing about them.

    Raises:
        ValueError: a shorter key.

    Example:
        >>> gallery = Gallery(embedder.spec, renewal=RenewalKey.load("/media/stick/renewal.key"))
        >>> gallery.renew(RenewalKey.load("/media/stick/next.key"))

    Reference:
        Mezzadri, How to generate random matrices from the classical compact groups, Notices of the AMS 54, 2007.
    """

    def __init__(self, key):
        if not isinstance(key, bytes) or len(key) < _LEAST_BYTES:
            received = f"{len(key)} bytes" if isinstance(key, bytes) else type(key).__name__
            raise ValueError(f"key must be at least {_LEAST_BYTES} random bytes. Received: {received}")
        self._key = key
        self.id = self._stream(b"id", _ID_LETTERS // 2).hex()
        self._rotations = {}

    @classmethod
    def load(cls, path):
        """Reads a key file, see `new_key_file`.

        Raises:
            KerasfaceError: no such file, or one of another size.
        """
        return cls(read_key_file(path))

    @classmethod
    def random(cls):
        """Draws a key that nobody has."""
        return cls(secrets.token_bytes(_LEAST_BYTES))

    def hide(self, embeddings):
        """Returns embeddings, (…, D) float, as they are stored: float64, `x Q`."""
        return np.asarray(embeddings, np.float64) @ self._rotation(embeddings.shape[-1])

    def reveal(self, stored):
        """Returns stored rows, (…, D) float, as the embedder gave them: float64, `x Qᵀ`."""
        return np.asarray(stored, np.float64) @ self._rotation(stored.shape[-1]).T

    def _rotation(self, size):
        if size not in self._rotations:
            bits = np.frombuffer(self._stream(b"rotation %d" % size, 8 * 2 * _half(size * size)), "<u8")
            # The upper 53 bits, shifted by half a step: in (0, 1), so that the logarithm is finite.
            uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
            radius, angle = np.sqrt(-2 * np.log(uniform[::2])), 2 * np.pi * uniform[1::2]
            gaussian = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[: size * size]
            q, r = np.linalg.qr(gaussian.reshape(size, size))
            self._rotations[size] = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return self._rotations[size]

    def _stream(self, use, length):
        # SHAKE-256 with the key first is a keyed function: a sponge knows no length extension. Lengths keep apart what
        # is joined.
        parts = [_PURPOSE, use, self._key]
        return hashlib.shake_256(b"".join(len(p).to_bytes(8, "little") + p for p in parts)).digest(length)


def _half(number):
    return (number + 1) // 2
