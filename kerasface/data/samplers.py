"""Which photo stands at which place of the stream: functions of the place and the seed alone, so that any can be next.

Shuffling is `tf.random.experimental.index_shuffle`: a permutation that gives one place's image without listing it.
"""

import numpy as np
import tensorflow as tf

__all__ = ["ClassBalanced", "PeopleByImages", "Uniform"]


class Uniform:
    """Every photo once an epoch.

    Place p holds photo π_e(p mod N) with e = p ÷ N and π_e a permutation drawn from the seed and e.

    Example:
        >>> batches(faces, sampler=Uniform(), batch_size=64, seed=0, size=(112, 112), last_step=210)
    """

    def bind(self, labels, key):
        """Makes the function from places to rows.

        Args:
            labels: (N,) int32 of the photos.
            key: int64 tensor, the seed.

        Returns:
            function of (B,) int64 places that returns (B,) int64 rows, inside a graph.
        """
        count = len(labels)

        def rows(places):
            return _shuffled(places % count, tf.constant(count, tf.int64), key, places // count)

        return rows


class ClassBalanced:
    """Every person once in C places, however many photos there are of them, and of each person every photo in turn.

    Place p holds person π_e(p mod C), e = p ÷ C, and of their n photos number ρ(e mod n), ρ a permutation drawn from
    the seed, the person and e ÷ n.

    Example:
        >>> batches(faces, sampler=ClassBalanced(), batch_size=64, seed=0, size=(112, 112), last_step=210)
    """

    def bind(self, labels, key):
        """See `Uniform.bind`.

        Raises:
            ValueError: photos labelled −1.
        """
        people = _People(labels)

        def rows(places):
            visit = places // people.count
            person = _shuffled(places % people.count, people.count, key, visit)
            return people.photo(person, visit, key)

        return rows


class PeopleByImages:
    """P people with K photos each a batch, for pair and triplet losses.

    A batch of P·K places holds P different people in runs of K. Each epoch of C ÷ P batches goes through the people in
    a new order, C mod P of them left for another time. Of a person with n ≥ K photos a run never holds one twice; with
    fewer it repeats them as evenly as it can.

    Args:
        images: K ≥ 2. P follows from the batch size, which must be a multiple of K.

    Example:
        >>> batches(faces, sampler=PeopleByImages(4), batch_size=64, seed=0, size=(112, 112), last_step=210)

    Reference:
        Hermans et al., In Defense of the Triplet Loss for Person Re-Identification, 2017, section 2.
    """

    def __init__(self, images):
        if images < 2:
            raise ValueError(f"images must be at least 2: one image makes no pair. Received: images={images}")
        self.images = images

    def bind(self, labels, key, *, batch_size):
        """See `Uniform.bind`.

        Args:
            labels, key: see `Uniform.bind`.
            batch_size: P·K.

        Raises:
            ValueError: a batch size that is no multiple of K or asks for more people than there are; photos labelled
                −1.
        """
        people = _People(labels)
        wanted, rest = divmod(batch_size, self.images)
        if rest or not 1 < wanted <= len(people.counts):
            raise ValueError(
                f"batch_size must be images ({self.images}) times 2 to {len(people.counts)} people. Received: "
                f"batch_size={batch_size}"
            )
        runs = len(people.counts) // wanted * wanted

        def rows(places):
            run, place = places // self.images, places % self.images
            epoch = run // runs
            person = _shuffled(run % runs, people.count, key, epoch)
            return people.photo(person, epoch, key, place=place, images=self.images)

        return rows


class _People:
    """The photos of each person, to be gone through in rounds of different orders."""

    def __init__(self, labels):
        if len(labels) == 0 or labels.min() < 0:
            raise ValueError("only photos with a label can be balanced over people. Received: none, or labels of −1")
        self.counts = np.bincount(labels)
        self.counts = self.counts[self.counts > 0]
        self.count = tf.constant(len(self.counts), tf.int64)
        self._sizes = tf.constant(self.counts, tf.int64)
        self._starts = tf.constant(np.concatenate([[0], np.cumsum(self.counts)[:-1]]), tf.int64)
        self._rows = tf.constant(np.argsort(labels, kind="stable"), tf.int64)

    def photo(self, person, visit, key, *, place=0, images=1):
        """Row of the photo at `place` of a person's `visit`-th run of `images`."""
        size = tf.gather(self._sizes, person)
        # Whole runs only, so that none ends one round and begins the next, where a photo could come again.
        per_round = tf.where(size < images, size, size // images * images)
        number = visit * images + place
        turn = _shuffled(number % per_round, size, key, number // per_round, person)
        return tf.gather(self._rows, tf.gather(self._starts, person) + turn)


def _shuffled(place, count, key, epoch, person=None):
    """The image of each place under the permutation of [0, count) that key, epoch and person name."""
    # `tf.random.experimental.index_shuffle` itself, which pads seeds with this number but can't pad a matrix of them.
    first = tf.fill(tf.shape(place), tf.constant(498247692, tf.int64)) if person is None else person
    seed = tf.stack([first, tf.fill(tf.shape(place), key), epoch], axis=1)
    top = tf.broadcast_to(count - 1, tf.shape(place))
    return tf.raw_ops.RandomIndexShuffle(index=place, seed=seed, max_index=top)
