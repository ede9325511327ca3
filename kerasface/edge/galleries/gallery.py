"""Names and face templates: enroll people, ask who a face is, get a name or "unknown"."""

import dataclasses
import json
import unicodedata

import numpy as np

from kerasface.edge.galleries.content import POLICIES, GalleryContent
from kerasface.edge.galleries.exchange import read_exchange, write_exchange
from kerasface.edge.galleries.gallery_file import read_gallery, write_gallery
from kerasface.edge.galleries.index import GalleryIndex
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
        ranking: the nearest people with their cosines, `((name, cosine), …)`, nearest first; as many as asked for.
    """

    name: str | None
    score: float
    nearest: str | None
    threshold: float
    ranking: tuple[tuple[str, float], ...] = ()

    def to_json(self):
        """Returns the match as a JSON text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


class Gallery:
    """People known by their templates, bound to the one embedder that made them.

    Under the policy "mean" a person has one template, the normalized mean of the embeddings enrolled; under "max" every
    embedding is kept and the best one's cosine counts. "mean" is smaller and steadier; "max" serves people whose photos
    differ much from one another (with and without a beard), and what it wins in accepted faces it also loses in false
    ones, since a stranger has as many chances as there are photos.

    Templates and names are biometric data: faces can be recognized, and to a degree reconstructed, from them. Store a
    gallery only with its people's consent. Its file is readable by its owner alone (mode 600) and encrypted when there
    is a `secret`; with a `renewal` key it can be revoked.

    Names are kept in Unicode's composed form (NFC): folders from a Mac spell "ü" as two characters, keyboards as one,
    and who is called either must be the same person, above all when he is to be removed.

    Args:
        spec: the embedder's `EmbedderSpec`. Its `embedder_id` binds the gallery; its thresholds decide.
        policy: "mean" or "max".
        renewal: `RenewalKey` under which templates are stored, or None. Keep it apart from the gallery's file.
        secret: `Secret` that `save` encrypts the file with, or None: in clear.

    Attributes:
        spec, policy, renewal: as given.
        secret: as given, or what the file was opened with; set it to encrypt the file anew when it is saved next.

    Raises:
        TypeError: spec is no EmbedderSpec.
        ValueError: an unknown policy.

    Example:
        >>> gallery = Gallery(embedder.spec)
        >>> gallery.enroll("Grace", embedder.embed(crops))
        >>> gallery.identify(embedder.embed(crop[None])[0], threshold=0.4).name
        'Grace'
    """

    def __init__(self, spec, *, policy="mean", renewal=None, secret=None):
        if not isinstance(spec, EmbedderSpec):
            raise TypeError(f"spec must be the embedder's EmbedderSpec. Received: {type(spec).__name__}")
        if policy not in POLICIES:
            raise ValueError(f"policy must be one of {', '.join(POLICIES)}. Received: policy={policy!r}")
        self.spec = spec
        self.policy = policy
        self.renewal = renewal
        self.secret = secret
        # As they are stored: under the renewal key where there is one.
        self._rows = {}
        self._counts = {}
        self._index = None

    def __len__(self):
        return len(self._rows)

    def __contains__(self, name):
        return _composed(name) in self._rows

    @property
    def names(self):
        """The people, sorted."""
        return sorted(self._rows)

    def count(self, name):
        """Returns how many embeddings `name` was enrolled with.

        Raises:
            KerasfaceError: no such person.
        """
        return self._counts[self._known(name)]

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
        """Adds photos of a person; a known name has the old and the new ones then.

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
        embeddings = np.atleast_2d(self._checked(embeddings, embedder_id))
        if not len(embeddings):
            raise ValueError(f"embeddings must hold at least one. Received: embeddings.shape={embeddings.shape}")
        rows = embeddings.mean(0, keepdims=True) if self.policy == "mean" else embeddings
        self._add(_composed(name), self._hidden(rows), len(embeddings))

    def merge(self, other):
        """Adds everybody of another gallery; who is in both is taken for one person.

        Args:
            other: `Gallery` of the same embedder and policy; its renewal key may be another. It stays as it is.

        Raises:
            KerasfaceError: another embedder's, another policy, embeddings of other lengths, or one name's photos that
                cancel each other out; nobody is added then.
        """
        self.check(other.spec.embedder_id)
        if other.policy != self.policy:
            raise KerasfaceError(
                f"galleries of policy {self.policy!r} and {other.policy!r} can't be merged: means don't tell what they "
                "are the means of. Enroll the photos anew."
            )
        if len(self) and len(other) and self._size != other._size:
            raise KerasfaceError(f"the galleries' embeddings have {self._size} and {other._size} numbers: other flips")
        kept = dict(self._rows), dict(self._counts)
        try:
            for name in other.names:
                self._add(name, self._hidden(other._shown(other._rows[name])), other._counts[name])
        except KerasfaceError:
            self._rows, self._counts = kept
            self._index = None
            raise

    def remove(self, name):
        """Forgets a person.

        Raises:
            KerasfaceError: no such person.
        """
        name = self._known(name)
        del self._rows[name], self._counts[name]
        self._index = None

    def renew(self, renewal):
        """Stores the templates under another renewal key from now on: what was stored under the old one is revoked.

        Save the gallery, then destroy the old key and the files that were written under it.

        Args:
            renewal: the new `RenewalKey`; None stores templates as the embedder gave them.
        """
        shown = {name: self._shown(rows) for name, rows in self._rows.items()}
        self.renewal = renewal
        self._rows = {name: self._hidden(rows) for name, rows in shown.items()}
        self._index = None

    def identify(self, embeddings, threshold=None, *, ranks=1, embedder_id=None):
        """Says who each face is, or that it is nobody known.

        The person with the greatest cosine is named when that is at least the threshold.

        Args:
            embeddings: (D,) float of unit length, one face; or (N, D), N faces.
            threshold: cosine in [-1, 1]; None takes the spec's calibrated one.
            ranks: how many of the nearest people `Match.ranking` lists.
            embedder_id: of the model that made them; given, another model's are refused.

        Returns:
            a `Match`, or a list of N.

        Raises:
            ValueError: embeddings of another shape, length or kind; a threshold that is no cosine; ranks < 1.
            KerasfaceError: another model's embeddings, or no threshold given and none calibrated.
        """
        threshold = decision_threshold(self.spec, threshold)
        if ranks < 1:
            raise ValueError(f"ranks must be at least 1. Received: ranks={ranks}")
        embeddings = self._checked(embeddings, embedder_id)
        matches = self._identify(np.atleast_2d(embeddings), threshold, ranks)
        return matches[0] if embeddings.ndim == 1 else matches

    def save(self, path):
        """Writes the gallery to one file in one step: after a crash there is the old state or the new.

        Two processes that load, change and save one file overwrite each other's changes; `changing` lets one wait for
        the other.

        Raises:
            KerasfaceError: the file can't be written; what was there is untouched.
        """
        write_gallery(path, self._content(self._rows, self.renewal and self.renewal.id), self.secret)

    @classmethod
    def load(cls, path, spec=None, *, secret=None, renewal=None):
        """Reads what `save` wrote.

        Args:
            path: of the file.
            spec: of the embedder that will be used with it: another model's gallery is refused, and this file's own
                thresholds decide. None keeps the spec that the gallery was saved with.
            secret: `Secret` that the file is encrypted with; None: it isn't.
            renewal: `RenewalKey` that its templates are stored under; None: under none.

        Raises:
            KerasfaceError: no such file, not a gallery, a damaged one, another model's, or other keys than its own.
        """
        content = read_gallery(path, secret)
        _check_renewal(path, content.renewal_id, renewal)
        gallery = cls._of(content, renewal, secret)
        if spec is not None:
            gallery.check(spec.embedder_id)
            gallery.spec = spec
        return gallery

    def export_json(self, path):
        """Writes names and templates as JSON, for other programs: in clear, without encryption and renewal key.

        Raises:
            KerasfaceError: the file can't be written.
        """
        write_exchange(path, self._content({name: self._shown(rows) for name, rows in self._rows.items()}, None))

    @classmethod
    def import_json(cls, path):
        """Reads what `export_json` wrote.

        Raises:
            KerasfaceError: no such file, not that format, or templates that can't be an embedder's.
        """
        return cls._of(read_exchange(path), None, None)

    @classmethod
    def _of(cls, content, renewal, secret):
        gallery = cls(content.spec, policy=content.policy, renewal=renewal, secret=secret)
        for written, photos, rows in content.people():
            name = _composed(written)
            if name in gallery._rows:
                gallery._add(name, rows, photos)
            else:
                gallery._rows[name], gallery._counts[name] = rows, photos
        return gallery

    def _content(self, rows, renewal_id):
        names = self.names
        return GalleryContent(
            spec=self.spec,
            policy=self.policy,
            names=names,
            photos=[self._counts[name] for name in names],
            rows=np.concatenate([rows[name] for name in names], dtype=np.float32, casting="same_kind")
            if names
            else np.zeros((0, 0), np.float32),
            renewal_id=renewal_id,
        )

    def _add(self, name, rows, photos):
        before = self._counts.get(name, 0)
        if before and self.policy == "max":
            rows = np.concatenate([self._rows[name], rows])
        elif before:
            rows = (np.float64(before) * self._rows[name] + photos * rows) / (before + photos)
        if self.policy == "mean" and np.linalg.norm(rows) < _UNIT_TOLERANCE:
            raise KerasfaceError(f"the photos of {name} have nothing in common: are they of one person?")
        self._rows[name], self._counts[name] = rows, before + photos
        self._index = None

    def _identify(self, embeddings, threshold, ranks):
        if not self._rows:
            return [Match(None, -1.0, None, threshold)] * len(embeddings)
        if self._index is None:
            self._index = GalleryIndex(self._rows)
        matches = []
        for ranking in self._index.nearest(self._hidden(embeddings), ranks):
            nearest, score = ranking[0]
            matches.append(Match(nearest if score >= threshold else None, score, nearest, threshold, tuple(ranking)))
        return matches

    def _hidden(self, embeddings):
        return self.renewal.hide(embeddings) if self.renewal else embeddings

    def _shown(self, rows):
        return self.renewal.reveal(rows) if self.renewal else rows

    @property
    def _size(self):
        return next(iter(self._rows.values())).shape[1]

    def _checked(self, embeddings, embedder_id):
        if embedder_id is not None:
            self.check(embedder_id)
        embeddings = np.asarray(embeddings)
        sizes = (self._size,) if self._rows else (self.spec.embedding_size, 2 * self.spec.embedding_size)
        if embeddings.dtype.kind != "f" or embeddings.ndim not in (1, 2) or embeddings.shape[-1] not in sizes:
            raise ValueError(
                f"embeddings must be floats of shape (D,) or (N, D) with D in {sizes} (twice the embedder's size is "
                f"flip 'concatenate'). Received: shape={embeddings.shape}, dtype={embeddings.dtype}"
            )
        norms = np.linalg.norm(embeddings.astype(np.float64), axis=-1, keepdims=True)
        if not np.all(np.abs(norms - 1) <= _UNIT_TOLERANCE):
            received = norms.ravel()[:5].tolist()
            raise ValueError(f"embeddings must have unit length, as Embedder.embed gives them. Received: {received}")
        return embeddings / norms

    def _known(self, name):
        if name not in self:
            raise KerasfaceError(f"nobody named {name!r} in the gallery; it knows: {', '.join(self.names) or 'nobody'}")
        return _composed(name)


def _composed(name):
    return unicodedata.normalize("NFC", name)


def _check_renewal(path, stored, given):
    if stored == (given and given.id):
        return
    if stored is None:
        raise KerasfaceError(
            f"{path} isn't renewable, though a renewal key is given. `kerasface gallery renew` makes it so."
        )
    received = f"key {given.id}" if given else "none"
    raise KerasfaceError(
        f"the templates in {path} are stored under renewal key {stored}: give it (--renewal-key FILE on the command "
        f"line, renewal=… in Python). Received: {received}"
    )
