"""Finding what spoils a training set, without touching a photo: a report, and the list of what to keep."""

import collections
import dataclasses
import hashlib
import json
from collections.abc import Callable

import numpy as np

from kerasface.data.text_names import check_text_names
from kerasface.edge.images import load_image
from kerasface.errors import KerasfaceError

__all__ = ["CleaningReport", "clean"]

_BLOCK = 2048
_BATCH = 64


@dataclasses.dataclass(frozen=True)
class CleaningReport:
    """What `clean` found; photos are named by where they lie.

    Args:
        images, people: of the set.
        kept_images, kept_people: what is left.
        unreadable: `(photo, reason)`; left out.
        odd_sizes: `(photo, "HxW")` of another size than more than half of the photos have; left out, as a network takes
            one size. Where no size has more than half, all are kept: they want aligning first.
        duplicates: photos of one person with the same bytes; all but the first are left out.
        shared: the same bytes under several people, `(photos, names)`; all are left out, as none of the names is known
            to be right.
        near_duplicates: `(photo, its near-duplicate, cosine)` of one person; the second is left out.
        suspects: `(photo, name, photo, name, cosine)` of two people; kept: are they one person under two names, or
            mislabelled? That is for a person to judge.
        small: people left with too few images, `(name, images)`; left out.
        min_images: least number of images of a person.
        cosine: from which photos count as near-duplicates; None where no embedder was given.
    """

    images: int
    people: int
    kept_images: int
    kept_people: int
    unreadable: tuple[tuple[str, str], ...]
    odd_sizes: tuple[tuple[str, str], ...]
    duplicates: tuple[tuple[str, ...], ...]
    shared: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    near_duplicates: tuple[tuple[str, str, float], ...]
    suspects: tuple[tuple[str, str, str, str, float], ...]
    small: tuple[tuple[str, int], ...]
    min_images: int
    cosine: float | None

    def to_json(self):
        """Returns the report as a JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)


def clean(
    faces,
    *,
    min_images: int = 1,
    embed: Callable[[np.ndarray], np.ndarray] | None = None,
    cosine: float | None = None,
    progress: Callable[[int, int], None] | None = None,
):
    """Looks for unreadable photos, duplicates, near-duplicates, doubtful labels and people with too few photos.

    Near-duplicates are pairs of unit embeddings with `cos ≥ cosine`, found by matrix products of blocks of 2,048
    photos: n²·D operations for n photos, and memory for one product.

    Args:
        faces: `FaceSource` of known people, of aligned photos of one size.
        min_images: least number of images that a person must be left with.
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float, or None to look at bytes only.
        cosine: from which two photos count as near-duplicates; needed with `embed`. It depends on the embedder: same
            person is no near-duplicate, so it lies well above a verification threshold.
        progress: function of (done, total), in photos, or None.

    Returns:
        `(kept, report)`: the rows to keep, int array, for `faces.take` or `write_list`; and a `CleaningReport`.

    Raises:
        ValueError: an embedder without a cosine or the other way round, or a cosine outside of (0, 1].
        KerasfaceError: photos without a label, a name that is not UTF-8, which neither list nor report can hold, or an
            embedding that has no direction.

    Example:
        >>> kept, report = clean(open_faces("photos/aligned"), min_images=2)
        >>> write_list(faces.take(kept), "keep.csv")
    """
    if (embed is None) != (cosine is None) or (cosine is not None and not 0 < cosine <= 1):
        raise ValueError(f"embed and cosine, in (0, 1], go together. Received: embed={embed}, cosine={cosine}")
    if not len(faces) or faces.labels.min() < 0:
        raise KerasfaceError("only photos of known people are cleaned. Received: none, or photos labelled −1.")
    check_text_names((*faces.names, *faces.files))
    kept = np.ones(len(faces), bool)
    names = [str(photo) for photo in faces.photos]
    unreadable, sizes, by_content, embeddings = _read(faces, embed, progress)
    kept[list(unreadable)] = False
    odd_sizes = _odd(sizes)
    kept[list(odd_sizes)] = False
    duplicates, shared = [], []
    for copies in by_content.values():
        rows = [row for row in copies if row not in odd_sizes]
        people = np.unique(faces.labels[rows])
        if len(rows) < 2:
            continue
        if len(people) == 1:
            duplicates.append(tuple(names[row] for row in rows))
            kept[rows[1:]] = False
        else:
            shared.append((tuple(names[row] for row in rows), tuple(faces.names[label] for label in people)))
            kept[rows] = False
    near_duplicates, alike = [], []
    if embeddings is not None:  # neither without an embedder nor where no photo could be read
        left = np.flatnonzero(kept)
        for first, second, score in _near_pairs(embeddings[left], cosine):
            one, other = left[first], left[second]
            if faces.labels[one] != faces.labels[other]:
                alike.append((one, other, score))
            elif kept[one] and kept[other]:
                near_duplicates.append((names[one], names[other], score))
                kept[other] = False
    counts = np.bincount(faces.labels[kept], minlength=len(faces.names))
    small = np.flatnonzero(counts < min_images)
    kept &= ~np.isin(faces.labels, small)
    suspects = [
        (names[one], faces.names[faces.labels[one]], names[other], faces.names[faces.labels[other]], score)
        for one, other, score in alike
        if kept[one] and kept[other]  # only now: what was kept when the pair was met may have gone since
    ]
    report = CleaningReport(
        images=len(faces),
        people=len(faces.names),
        kept_images=int(kept.sum()),
        kept_people=len(np.unique(faces.labels[kept])),
        unreadable=tuple((names[row], reason) for row, reason in unreadable.items()),
        odd_sizes=tuple((names[row], size) for row, size in odd_sizes.items()),
        duplicates=tuple(duplicates),
        shared=tuple(shared),
        near_duplicates=tuple(near_duplicates),
        suspects=tuple(sorted(suspects, key=lambda suspect: -suspect[-1])),
        small=tuple((faces.names[label], int(counts[label])) for label in small),
        min_images=min_images,
        cosine=cosine,
    )
    return np.flatnonzero(kept), report


def _read(faces, embed, progress):
    """By row why it can't be read, or its size; rows by the hash of their bytes; embeddings (N, D) when asked for."""
    unreadable, sizes, by_content, embeddings = {}, {}, {}, None
    for start in range(0, len(faces), _BATCH):
        rows, images = [], []
        for row, photo in enumerate(faces.photos[start : start + _BATCH], start=start):
            try:
                content = photo.read_bytes()
                images.append(load_image(photo))
            except KerasfaceError as error:
                unreadable[row] = str(error)
                continue
            rows.append(row)
            sizes[row] = "{}x{}".format(*images[-1].shape)
            by_content.setdefault(hashlib.sha256(content).digest(), []).append(row)
        if embed is not None and rows:
            found = _embedded(embed, images, [str(faces.photos[row]) for row in rows])
            if embeddings is None:
                embeddings = np.zeros((len(faces), found.shape[1]), np.float32)
            embeddings[rows] = found
        if progress:
            progress(min(start + _BATCH, len(faces)), len(faces))
    return unreadable, sizes, by_content, embeddings


def _odd(sizes):
    """Those of another size than more than half of all have."""
    usual, count = collections.Counter(sizes.values()).most_common(1)[0] if sizes else (None, 0)
    return {row: size for row, size in sizes.items() if size != usual} if 2 * count > len(sizes) else {}


def _embedded(embed, images, names):
    from kerasface.evaluation import unit

    sizes = {image.shape for image in images}
    if len(sizes) > 1:
        odd = next(name for name, image in zip(names, images, strict=True) if image.shape != images[0].shape)
        raise KerasfaceError(
            f"{odd}: another size than {names[0]}. Embeddings need aligned photos of one size; cleaning without an "
            "embedder leaves out those of another size than most."
        )
    try:
        return unit(embed(np.stack(images)))
    except ValueError as error:
        raise KerasfaceError(f"photos {names[0]} to {names[-1]} can't be embedded: {error}") from error


def _near_pairs(embeddings, cosine):
    """Yields (row, later row, cosine) of all pairs at least that near, rows rising."""
    for start in range(0, len(embeddings), _BLOCK):
        block = embeddings[start : start + _BLOCK]
        pairs = []
        for other in range(start, len(embeddings), _BLOCK):
            scores = block @ embeddings[other : other + _BLOCK].T
            first, second = np.nonzero(scores >= cosine)
            pairs += zip(
                (start + first).tolist(), (other + second).tolist(), scores[first, second].tolist(), strict=True
            )
        yield from sorted(pair for pair in pairs if pair[0] < pair[1])
