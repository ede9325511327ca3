"""Names and face templates: enroll people, ask who a face is, get a name or "unknown"."""

import dataclasses
import json

import numpy as np

from kerasface.edge.gallery_file import read_gallery, write_gallery
from kerasface.edge.thresholds import decision_threshold
from kerasface.errors import KerasfaceError
from kerasface.spec import EmbedderSpec

__all__ = ["Gallery", "Match"]

# Embeddings come as float32 of unit length; what is farther off than rounding was never normalized.
_UNIT_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class Match:
    """The answer to "who is this?".

    Args:
        name: the person, or None: unknown.
        score: cosine to the nearest person's template, in [-1, 1]; -1 when the gallery is empty.
        nearest: the nearest person, also below the threshold; None when the gallery is empty.
        threshold: the cosine that decided.
    """

    name: str | None
    score: float
    nearest: str | None
    threshold: float

    def to_json(self):
        """Returns the match as a JSON text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


class Gallery:
    """People known by their templates, bound to the one embedder that made them.

    A person's template is the normalized mean of the embeddings enrolled. Templates and names are biometric data: faces
    can be recognized, and to a degree reconstructed, from them. Store a gallery only with its people's consent, where
    others can't read it; files are written for their owner alone (mode 600), not encrypted.

    Args:
        spec: the embedder's `EmbedderSpec`. Its `embedder_id` binds the gallery; its thresholds decide.

    Attributes:
        spec: the `EmbedderSpec`.

    Example:
        >>> gallery = Gallery(embedder.spec)
        >>> gallery.enroll("Grace", embedder.embed(crops))
        >>> gallery.identify(embedder.embed(crop[None])[0], threshold=0.4).name
        'Grace'
    """

    def __init__(self, spec):
        if not isinstance(spec, EmbedderSpec):
            raise TypeError(f"spec must be the embedder's EmbedderSpec. Received: {type(spec).__name__}")
        self.spec = spec
        self._means = {}
        self._counts = {}
        self._templates = None

    def __len__(self):
        return len(self._means)

    def __contains__(self, name):
        return name in self._means

    @property
    def names(self):
        """The people, sorted."""
        return sorted(self._means)

    def count(self, name):
        """Returns how many embeddings `name` was enrolled with.

        Raises:
            KerasfaceError: no such person.
        """
        self._check_known(name)
        return self._counts[name]

    def check(self, embedder_id):
        """Refuses what another model made.

        Args:
            embedder_id: of the model whose embeddings shall be enrolled or identified.

        Raises:
            KerasfaceError: it isn't the gallery's.
        """
        if embedder_id != self.spec.embedder_id:
            raise KerasfaceError(
                f"the gallery belongs to embedder {self.spec.embedder_id} ({self.spec.name}): embeddings of different "
                f"models can't be compared. Received: embedder {embedder_id}. Use that gallery's model, or enroll anew."
            )

    def enroll(self, name, embeddings, *, embedder_id=None):
        """Adds photos of a person; a known name's template becomes the mean of the old and the new ones.

        Args:
            name: of the person, not blank.
            embeddings: (N, D) or (D,) float, of unit length.
            embedder_id: of the model that made them; given, another model's are refused.

        Raises:
            ValueError: a blank name, or embeddings of another shape, length or kind.
            KerasfaceError: another model's embeddings, or such that cancel each other out.
        """
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"name must be a text that isn't blank. Received: name={name!r}")
        embeddings = self._checked(embeddings, embedder_id)
        if embeddings.ndim == 1:
            embeddings = embeddings[None]
        if not len(embeddings):
            raise ValueError(f"embeddings must hold at least one. Received: embeddings.shape={embeddings.shape}")
        before = self._counts.get(name, 0)
        count = before + len(embeddings)
        mean = (self._means.get(name, 0.0) * before + embeddings.sum(0)) / count
        if np.linalg.norm(mean) < _UNIT_TOLERANCE:
            raise KerasfaceError(f"the photos of {name} have nothing in common: are they of one person?")
        self._means[name], self._counts[name] = mean, count
        self._templates = None

    def remove(self, name):
        """Forgets a person.

        Raises:
            KerasfaceError: no such person.
        """
        self._check_known(name)
        del self._means[name], self._counts[name]
        self._templates = None

    def identify(self, embeddings, threshold=None, *, embedder_id=None):
        """Says who each face is, or that it is nobody known.

        The person with the greatest cosine is named when that is at least the threshold.

        Args:
            embeddings: (D,) float of unit length, one face; or (N, D), N faces.
            threshold: cosine in [-1, 1]; None takes the spec's calibrated one.
            embedder_id: of the model that made them; given, another model's are refused.

        Returns:
            a `Match`, or a list of N.

        Raises:
            ValueError: embeddings of another shape, length or kind; a threshold that is no cosine.
            KerasfaceError: another model's embeddings, or no threshold given and none calibrated.
        """
        threshold = decision_threshold(self.spec, threshold)
        embeddings = self._checked(embeddings, embedder_id)
        if embeddings.ndim == 1:
            return self._identify(embeddings[None], threshold)[0]
        return self._identify(embeddings, threshold)

    def save(self, path):
        """Writes the gallery to one file in one step: after a crash there is the old state or the new.

        Raises:
            KerasfaceError: the file can't be written; what was there is untouched.
        """
        names = self.names
        header = {"spec": self.spec.to_json(), "names": names, "counts": [self._counts[name] for name in names]}
        means = np.stack([self._means[name] for name in names]) if names else np.zeros((0, 0))
        write_gallery(path, header, means)

    @classmethod
    def load(cls, path, spec=None):
        """Reads what `save` wrote.

        Args:
            path: of the file.
            spec: of the embedder that will be used with it: another model's gallery is refused, and this file's own
                thresholds decide. None keeps the spec that the gallery was saved with.

        Raises:
            KerasfaceError: no such file, not a gallery, a damaged one, or another model's.
        """
        header, means = read_gallery(path)
        try:
            gallery = cls(EmbedderSpec.from_json(header["spec"]))
        except ValueError as error:
            raise KerasfaceError(f"the spec in the gallery {path} can't be read: {error}") from error
        if spec is not None:
            gallery.check(spec.embedder_id)
            gallery.spec = spec
        gallery._means = dict(zip(header["names"], means.astype(np.float64), strict=True))
        gallery._counts = dict(zip(header["names"], header["counts"], strict=True))
        return gallery

    def _identify(self, embeddings, threshold):
        if not self._means:
            return [Match(None, -1.0, None, threshold)] * len(embeddings)
        if self._templates is None:
            means = np.stack([self._means[name] for name in self.names])
            self._templates = means / np.linalg.norm(means, axis=1, keepdims=True)
        scores = np.clip(embeddings @ self._templates.T, -1, 1)
        names, matches = self.names, []
        for index, score in zip(scores.argmax(1), scores.max(1).tolist(), strict=True):
            nearest = names[index]
            matches.append(Match(nearest if score >= threshold else None, score, nearest, threshold))
        return matches

    def _checked(self, embeddings, embedder_id):
        if embedder_id is not None:
            self.check(embedder_id)
        embeddings = np.asarray(embeddings)
        size = len(next(iter(self._means.values()))) if self._means else None
        sizes = (size,) if size else (self.spec.embedding_size, 2 * self.spec.embedding_size)
        if embeddings.dtype.kind != "f" or embeddings.ndim not in (1, 2) or embeddings.shape[-1] not in sizes:
            raise ValueError(
                f"embeddings must be floats of shape (D,) or (N, D) with D in {sizes} (twice the embedder's size is "
                f"flip 'concatenate'). Received: shape={embeddings.shape}, dtype={embeddings.dtype}"
            )
        norms = np.linalg.norm(embeddings, axis=-1)
        if not np.all(np.abs(norms - 1) <= _UNIT_TOLERANCE):
            received = norms.ravel()[:5].tolist()
            raise ValueError(f"embeddings must have unit length, as Embedder.embed gives them. Received: {received}")
        return embeddings.astype(np.float64)

    def _check_known(self, name):
        if name not in self._means:
            raise KerasfaceError(f"nobody named {name!r} in the gallery; it knows: {', '.join(self.names) or 'nobody'}")
