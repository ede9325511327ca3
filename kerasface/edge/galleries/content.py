"""What a gallery holds, apart from how it is asked or stored."""

import dataclasses

import numpy as np

from kerasface.spec import EmbedderSpec

__all__ = ["POLICIES", "GalleryContent"]

POLICIES = ("mean", "max")
# Stored as float32 of unit length; a mean of unit vectors is no longer than they are.
_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True, eq=False)
class GalleryContent:
    """A gallery's people and templates, checked: what every file format carries.

    Args:
        spec: the embedder's `EmbedderSpec`.
        policy: "mean" (a row a person: the mean of all embeddings, not normalized) or "max" (a row an embedding).
        names: of the people.
        photos: how many embeddings each was enrolled with.
        rows: (R, D) float32, person after person in the order of `names`; "mean" has one row each, "max" as many as
            photos.
        renewal_id: of the `RenewalKey` that they were transformed with, or None.

    Raises:
        ValueError: they don't fit together.
    """

    spec: EmbedderSpec
    policy: str
    names: list[str]
    photos: list[int]
    rows: np.ndarray
    renewal_id: str | None = None

    def __post_init__(self):
        _check(isinstance(self.spec, EmbedderSpec), "an EmbedderSpec", self.spec)
        _check(self.policy in POLICIES, f"policy {' or '.join(POLICIES)}", self.policy)
        _check(_texts(self.names), "different names, none blank", self.names)
        _check(_counts(self.photos), "counts of photos, each at least 1", self.photos)
        _check(len(self.photos) == len(self.names), f"{len(self.names)} counts", len(self.photos))
        _check(self.renewal_id is None or isinstance(self.renewal_id, str), "a renewal key's id", self.renewal_id)
        size = self.spec.embedding_size
        shapes = [(sum(self.lengths), size), (sum(self.lengths), 2 * size)]
        _check(self.rows.shape in shapes or not self.names, f"templates of shape {shapes}", self.rows.shape)
        norms = np.linalg.norm(self.rows, axis=-1) if self.names else np.ones(0)
        low = _TOLERANCE / 2 if self.policy == "mean" else 1 - _TOLERANCE
        # `not all` catches NaN too.
        good = bool(np.all((norms >= low) & (norms <= 1 + _TOLERANCE)))
        _check(good, f"templates of lengths in [{low}, {1 + _TOLERANCE}]", norms[:5])

    @property
    def lengths(self):
        """How many rows each person has."""
        return [1] * len(self.names) if self.policy == "mean" else self.photos

    def people(self):
        """Yields (name, photos, rows) of one person after another."""
        ends = np.cumsum(self.lengths, dtype=int)
        for name, photos, length, end in zip(self.names, self.photos, self.lengths, ends, strict=True):
            yield name, photos, self.rows[end - length : end]


def _texts(names):
    texts = isinstance(names, list) and all(isinstance(name, str) and name.strip() for name in names)
    return texts and len(set(names)) == len(names)


def _counts(photos):
    return isinstance(photos, list) and all(type(count) is int and count >= 1 for count in photos)


def _check(holds, expected, received):
    if not holds:
        raise ValueError(f"expected {expected}. Received: {str(received)[:100]}")
