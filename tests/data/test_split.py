"""Split by identity: disjoint, repeatable, and only people who make a genuine pair are held out."""

import numpy as np
import pytest

from kerasface.data import split_identities
from kerasface.errors import KerasfaceError

# 60 people: every third has one image, the others two to five.
COUNTS = np.array([1, 2, 5] * 20)
LABELS = np.repeat(np.arange(60), COUNTS)


@pytest.mark.parametrize("seed", range(5))
def test_parts_are_disjoint_and_complete(seed, rng):
    training, held_out = split_identities(rng.permutation(LABELS), fraction=0.25, seed=seed)
    assert len(held_out) == 15
    np.testing.assert_array_equal(np.sort([*training, *held_out]), np.arange(60))
    assert (COUNTS[held_out] >= 2).all()
    assert (np.diff(held_out) > 0).all()
    assert (np.diff(training) > 0).all()


def test_the_seed_decides():
    first, again, other = (split_identities(LABELS, fraction=0.25, seed=seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


def test_a_negative_seed_is_refused():
    with pytest.raises(KerasfaceError, match="from 0 on. Received: seed=-1"):
        split_identities(LABELS, fraction=0.25, seed=-1)


def test_the_order_of_images_does_not_matter(rng):
    expected = split_identities(LABELS, fraction=0.25, seed=3)[1]
    np.testing.assert_array_equal(split_identities(rng.permutation(LABELS), fraction=0.25, seed=3)[1], expected)


def test_every_pairable_person_can_be_drawn():
    drawn = {person for seed in range(40) for person in split_identities(LABELS, fraction=0.25, seed=seed)[1]}
    assert drawn == set(np.flatnonzero(COUNTS >= 2))


def test_labels_need_not_be_consecutive():
    training, held_out = split_identities(np.repeat([3, 50, 700, 9000], 2), fraction=0.5, seed=0)
    assert {*training, *held_out} == {3, 50, 700, 9000}


@pytest.mark.parametrize(
    ("labels", "fraction"),
    [
        (LABELS, 0.01),  # fewer than two held out
        (LABELS, 0.8),  # more than have two images
        (np.repeat([0, 1, 2], 2), 0.67),  # one left to train on
        (np.arange(10), 0.5),  # nobody has two images
    ],
)
def test_a_split_that_cannot_be_says_what_to_change(labels, fraction):
    with pytest.raises(KerasfaceError, match=f"Received: fraction={fraction}.*data.held_out"):
        split_identities(labels, fraction=fraction, seed=0)
