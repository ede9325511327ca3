"""Pairs of images to compare: LFW's published list, or a balanced sample from any labelled set."""

import dataclasses
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["Pairs", "read_lfw_pairs", "sample_pairs"]


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Which images are compared, whether they show one person, and in which fold.

    Args:
        first, second: (P,) int, indices into a list of images (or the rows of their embeddings).
        same: (P,) bool, True for a genuine pair, False for an impostor pair.
        folds: (P,) int, the fold of cross-validation a pair belongs to.

    Raises:
        ValueError: the four are not one-dimensional, equally long, not empty and of these types.
    """

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    folds: np.ndarray

    def __post_init__(self):
        kinds = {"first": np.integer, "second": np.integer, "same": np.bool_, "folds": np.integer}
        for field, kind in kinds.items():
            values = np.asarray(getattr(self, field))
            if values.ndim != 1 or not values.size or not np.issubdtype(values.dtype, kind):
                received = f"{values.shape} {values.dtype}"
                raise ValueError(f"{field} must be (P,) {kind.__name__}, P > 0. Received: {received}")
            object.__setattr__(self, field, values)
        lengths = [len(getattr(self, field)) for field in kinds]
        if len(set(lengths)) != 1:
            raise ValueError(f"first, second, same and folds must be equally long. Received: {lengths}")
        if min(self.first.min(), self.second.min()) < 0:
            raise ValueError(f"indices start at 0. Received: {min(self.first.min(), self.second.min())}")

    def __len__(self):
        return len(self.first)


def read_lfw_pairs(path: str | Path) -> tuple[list[str], Pairs]:
    """Reads LFW's `pairs.txt` (view 2: ten folds of 300 genuine and 300 impostor pairs).

    The first line holds the number of folds and of pairs of each kind a fold; then, fold by fold, `NAME n m` lines for
    two images of one person and `NAME n OTHER m` lines for two people.

    Args:
        path: of the text file.

    Returns:
        images, the distinct images as `NAME/NAME_0001.jpg` in order of appearance (7,701 for view 2), and the `Pairs`
        whose indices point into them, in the file's order, folds from 0.

    Raises:
        KerasfaceError: no such file, or a line that does not fit, with its number.

    Example:
        >>> images, pairs = read_lfw_pairs("lfw/pairs.txt")
        >>> len(images), len(pairs)
        (7701, 6000)

    Reference:
        Huang et al., Labeled Faces in the Wild, UMass Amherst TR 07-49 (2007); the README of view 2.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    except FileNotFoundError as error:
        raise KerasfaceError(f"no pair list at {path}: expected LFW's pairs.txt of view 2.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise KerasfaceError(f"{path} cannot be read as a text file: {error}") from error

    folds, per_kind = _header(path, lines)
    if len(lines) != 1 + 2 * folds * per_kind:
        expected = (
            f"its first line promises {folds} folds of {per_kind} + {per_kind} pairs, {2 * folds * per_kind} lines"
        )
        raise KerasfaceError(f"{path}: {expected} below it. Received: {len(lines) - 1}. Is the file cut short?")
    positions: dict[str, int] = {}
    first: list[int] = []
    second: list[int] = []
    same = np.tile(np.repeat([True, False], per_kind), folds)
    for number, (line, genuine) in enumerate(zip(lines[1:], same, strict=True), start=2):
        for image, column in zip(_images(path, number, line, genuine), (first, second), strict=True):
            column.append(positions.setdefault(image, len(positions)))
    pairs = Pairs(np.array(first), np.array(second), same, np.repeat(np.arange(folds), 2 * per_kind))
    return list(positions), pairs


def sample_pairs(labels, *, num_pairs: int, seed: int, folds: int = 10) -> Pairs:
    """Draws as many genuine as impostor pairs from a labelled set, the same ones for the same seed.

    People are dealt to the folds like cards, the most photographed first, and both kinds of pairs are drawn within a
    fold: no person appears in two folds, so a threshold is never judged on people it was chosen on. Within a fold every
    pair is distinct; genuine pairs are spread over people, and impostor pairs over pairs of people, as evenly as their
    images allow, so that a person with 500 images does not outweigh one with two.

    Args:
        labels: (N,) int, the person on each image.
        num_pairs: in all, a multiple of `2 * folds`; each fold gets `num_pairs / (2 * folds)` of each kind.
        seed: int; fixes the people of each fold and the pairs.
        folds: K >= 1.

    Returns:
        `Pairs` into the rows of `labels`, ordered by fold, genuine before impostor as in LFW's list.

    Raises:
        KerasfaceError: too few people for the folds, or too few images for so many distinct pairs; the message names
            the largest number that fits.
        ValueError: labels that are not (N,) int, or a `num_pairs` that does not divide.

    Example:
        >>> pairs = sample_pairs(labels, num_pairs=2000, seed=0)
        >>> result = verify(pair_scores(embeddings, pairs), pairs.same, pairs.folds)

    Reference:
        The balance and the disjoint folds are those of LFW's view 2, UMass Amherst TR 07-49 (2007).
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be (N,) int. Received: {labels.shape} {labels.dtype}")
    if folds < 1 or num_pairs < 1 or num_pairs % (2 * folds):
        raise ValueError(f"num_pairs must be a positive multiple of 2 * folds. Received: {num_pairs=}, {folds=}")
    people = _images_by_person(labels)
    if len(people) < 2 * folds:
        raise KerasfaceError(
            f"{folds} folds need at least {2 * folds} people, two in each to compare. Received: {len(people)} people. "
            + (f"Use folds={len(people) // 2} or fewer." if len(people) > 1 else "Add people.")
        )
    rng = np.random.default_rng(seed)
    hands = _deal(people, folds, rng)
    quota = num_pairs // (2 * folds)
    most = min(min(_genuine_capacity(hand), _impostor_capacity(hand)) for hand in hands)
    if most < quota:
        raise KerasfaceError(
            f"these images give at most {2 * folds * most} balanced, distinct pairs in {folds} folds. Received: "
            f"num_pairs={num_pairs}. Ask for fewer pairs or fewer folds, or add images of people who have only one."
        )
    drawn = np.concatenate(
        [half for hand in hands for half in (_genuine(hand, quota, rng), _impostor(hand, quota, rng))]
    )
    return Pairs(
        first=drawn[:, 0],
        second=drawn[:, 1],
        same=np.tile(np.repeat([True, False], quota), folds),
        folds=np.repeat(np.arange(folds), 2 * quota),
    )


def _header(path, lines):
    fields = lines[0].split() if lines else []
    if len(fields) == 2 and all(field.isdecimal() and int(field) > 0 for field in fields):
        return int(fields[0]), int(fields[1])
    received = lines[0][:80] if lines else "an empty file"
    raise KerasfaceError(
        f"{path}, line 1: expected the number of folds and of pairs of each kind a fold, as in view 2's `10 300` "
        f"(pairsDevTrain.txt and pairsDevTest.txt are view 1, without folds). Received: {received!r}"
    )


def _images(path, number, line, genuine):
    """The two images that line `number` names."""
    fields = line.split()
    if len(fields) != (3 if genuine else 4):
        form = "`NAME n m`, two images of one person" if genuine else "`NAME n OTHER m`, images of two people"
        raise KerasfaceError(f"{path}, line {number}: expected {form}. Received: {line[:80]!r}")
    name, index, other, other_index = (fields[0], fields[1], fields[0], fields[2]) if genuine else fields
    if not (index.isdecimal() and other_index.isdecimal()):
        raise KerasfaceError(f"{path}, line {number}: expected image numbers from 1. Received: {line[:80]!r}")
    if (name == other) != genuine or (name, int(index)) == (other, int(other_index)):
        wrong = "an image paired with itself" if genuine else "an impostor pair of one person"
        raise KerasfaceError(f"{path}, line {number}: {wrong}. Received: {line[:80]!r}")
    return f"{name}/{name}_{int(index):04d}.jpg", f"{other}/{other}_{int(other_index):04d}.jpg"


def _images_by_person(labels):
    order = np.argsort(labels, kind="stable")
    changes = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(order, changes) if labels.size else []


def _deal(people, folds, rng):
    """Each fold's people: by falling number of images, equals by lot, forth and back so that no fold gains by it."""
    sizes = np.array([len(images) for images in people])
    shuffled = rng.permutation(len(people))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    turn = np.arange(len(people))
    fold = np.where((turn // folds) % 2 == 0, turn % folds, folds - 1 - turn % folds)
    return [[people[person] for person in order[fold == number]] for number in range(folds)]


def _genuine_capacity(hand):
    return sum(len(images) * (len(images) - 1) // 2 for images in hand)


def _impostor_capacity(hand):
    sizes = [len(images) for images in hand]
    return (sum(sizes) ** 2 - sum(size**2 for size in sizes)) // 2


def _genuine(hand, quota, rng):
    """(quota, 2) distinct pairs of images of one person."""
    capacities = np.array([len(images) * (len(images) - 1) // 2 for images in hand])
    drawn = []
    for images, capacity, count in zip(hand, capacities, _spread(capacities, quota, rng), strict=True):
        low, high = _pair_of(rng.choice(capacity, count, replace=False))
        drawn.append(np.stack([images[low], images[high]], axis=1))
    return np.concatenate(drawn)


def _impostor(hand, quota, rng):
    """(quota, 2) distinct pairs of images of two people."""
    couples = len(hand) * (len(hand) - 1) // 2
    # With more couples than quota, one pair of some of them is enough, and the couples (36 million for 8,500 people)
    # need never be listed; with fewer, all are used.
    one, other = _pair_of(rng.choice(couples, min(couples, quota), replace=False))
    sizes = np.array([len(images) for images in hand])
    capacities = sizes[one] * sizes[other]
    drawn = []
    for a, b, capacity, count in zip(one, other, capacities, _spread(capacities, quota, rng), strict=True):
        row, column = np.divmod(rng.choice(capacity, count, replace=False), sizes[b])
        drawn.append(np.stack([hand[a][row], hand[b][column]], axis=1))
    return np.concatenate(drawn)


def _spread(capacities, quota, rng):
    """How many to take from each group, as evenly as the capacities allow; what does not divide falls by lot."""
    taken = np.zeros(len(capacities), np.int64)
    while left := quota - taken.sum():
        unfilled = np.flatnonzero(taken < capacities)
        if left < len(unfilled):
            unfilled = rng.choice(unfilled, left, replace=False)
        share = max(left // len(unfilled), 1)
        taken[unfilled] = np.minimum(taken[unfilled] + share, capacities[unfilled])
    return taken


def _pair_of(index):
    """The `index`-th pair (low, high), low < high, in the order (0, 1), (0, 2), (1, 2), (0, 3), …"""
    # The largest high with high (high - 1) / 2 <= index. Exact up to an index of 10^15, the pairs of 47 million images.
    high = ((1 + np.sqrt(1 + 8 * index)) / 2).astype(np.int64)
    return index - high * (high - 1) // 2, high
