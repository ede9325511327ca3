"""A balanced sample of pairs from any labelled set."""

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.pairs import Pairs

__all__ = ["sample_pairs"]


def sample_pairs(labels, *, num_pairs: int, seed: int, folds: int = 10) -> Pairs:
    """Draws as many genuine as impostor pairs from a labelled set, the same ones for the same seed.

    Both kinds are of the same people, each as often as any other. Otherwise whatever goes with the number of a person's
    photos, such as the source and the sharpness of well-known people's, would tell genuine pairs from impostor pairs
    without a look at the face. So people whose photos don't give their share of genuine pairs are left out of both
    kinds: the more pairs, the fewer people.

    People are dealt to the folds like cards, the most photographed first, and both kinds of pairs are drawn within a
    fold: no person appears in two folds, so a threshold is never judged on people it was chosen on. Within a fold every
    pair is distinct, and impostor pairs are spread over pairs of people.

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
            + (f"Use folds={len(people) // 2} or fewer." if len(people) > 3 else "Add people.")
        )
    quota = num_pairs // (2 * folds)
    rng = np.random.default_rng(seed)
    hands = _deal(_with_their_share(people, quota, folds), folds, rng)
    drawn = np.concatenate(
        [half for hand in hands for half in (_genuine(hand, quota, rng), _impostor(hand, quota, rng))]
    )
    return Pairs(
        first=drawn[:, 0],
        second=drawn[:, 1],
        same=np.tile(np.repeat([True, False], quota), folds),
        folds=np.repeat(np.arange(folds), 2 * quota),
        people=labels[drawn],
    )


def _images_by_person(labels):
    order = np.argsort(labels, kind="stable")
    changes = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(order, changes) if labels.size else []


def _with_their_share(people, quota, folds):
    """As many people as can each give an equal share of every fold's `quota` genuine pairs."""
    capacities = np.array([_couples(len(images)) for images in people])
    most = 0
    for capacity in np.unique(capacities):
        # A fold's people, two or more so that they can be compared.
        hand = (capacities >= capacity).sum() // folds
        if hand < 2:
            break
        if capacity * hand >= quota:
            return [images for images, able in zip(people, capacities >= capacity, strict=True) if able]
        most = max(most, capacity * hand)
    raise KerasfaceError(
        f"these images give at most {2 * folds * most} balanced, distinct pairs in {folds} folds. Received: "
        f"num_pairs={2 * folds * quota}. Ask for fewer pairs or fewer folds, or add images of people who have few."
    )


def _deal(people, folds, rng):
    """Each fold's people: by falling number of images, equals by lot, forth and back so that no fold gains by it."""
    sizes = np.array([len(images) for images in people])
    shuffled = rng.permutation(len(people))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    turn = np.arange(len(people))
    fold = np.where((turn // folds) % 2 == 0, turn % folds, folds - 1 - turn % folds)
    return [[people[person] for person in order[fold == number]] for number in range(folds)]


def _couples(count):
    return count * (count - 1) // 2


def _genuine(hand, quota, rng):
    """(quota, 2) distinct pairs of images of one person."""
    capacities = np.array([_couples(len(images)) for images in hand])
    drawn = []
    for images, capacity, count in zip(hand, capacities, _spread(capacities, quota, rng), strict=True):
        low, high = _pair_of(rng.choice(capacity, count, replace=False))
        drawn.append(np.stack([images[low], images[high]], axis=1))
    return np.concatenate(drawn)


def _impostor(hand, quota, rng):
    """(quota, 2) distinct pairs of images of two people."""
    couples = _couples(len(hand))
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
