"""Samplers: what each promises, counted over whole epochs, and that any place can be the first."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from kerasface.data import ClassBalanced, PeopleByImages, Uniform, batches, read_folder
from tests.data.conftest import HEIGHT, WIDTH

COUNTS = [2, 3, 4, 5, 11]
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(5), COUNTS)).astype(np.int32)
P, K = 2, 3


def rows(sampler, first, last, *, seed=5, **options):
    bound = sampler.bind(LABELS, tf.constant(seed, tf.int64), **options)
    return bound(tf.range(first, last, dtype=tf.int64)).numpy()


ALL = [(Uniform(), {}), (ClassBalanced(), {}), (PeopleByImages(K), {"batch_size": P * K})]


@pytest.mark.parametrize(("sampler", "options"), ALL)
def test_a_place_alone_decides(sampler, options):
    whole = rows(sampler, 0, 200, **options)
    np.testing.assert_array_equal(rows(sampler, 117, 200, **options), whole[117:])
    np.testing.assert_array_equal(rows(sampler, 150, 151, **options), whole[150:151])
    assert (rows(sampler, 0, 200, seed=6, **options) != whole).mean() > 0.5


def test_uniform_is_tensorflows_shuffle():
    expected = [
        int(tf.random.experimental.index_shuffle(place % 25, tf.constant([5, place // 25], tf.int64), np.int64(24)))
        for place in range(60)
    ]
    np.testing.assert_array_equal(rows(Uniform(), 0, 60), expected)


def test_class_balanced_takes_everyone_once_a_round():
    found = rows(ClassBalanced(), 0, 5 * 22)
    people = LABELS[found].reshape(22, 5)
    np.testing.assert_array_equal(np.sort(people, axis=1), np.tile(np.arange(5), (22, 1)))
    assert len(np.unique(people, axis=0)) > 10
    for label, count in enumerate(COUNTS):
        photos = found[LABELS[found] == label]
        # One round through a person's photos after another, each in an order of its own.
        whole = photos[: len(photos) // count * count].reshape(-1, count)
        np.testing.assert_array_equal(np.sort(whole, axis=1), np.tile(np.flatnonzero(label == LABELS), (len(whole), 1)))
        if count > 2:
            assert len(np.unique(whole, axis=0)) > 1


def test_people_by_images_gives_p_people_with_k_photos_each():
    found = rows(PeopleByImages(K), 0, 60 * P * K, batch_size=P * K).reshape(60, P, K)
    people = LABELS[found]
    assert (people == people[..., :1]).all()
    assert all(len({*batch[:, 0]}) == P for batch in people)
    for label, count in enumerate(COUNTS):
        runs = found[people[..., 0] == label]
        most = [max(collections.Counter(run).values()) for run in runs.tolist()]
        assert set(most) == {1 if count >= K else 2}
        assert set(runs.ravel()) == set(np.flatnonzero(label == LABELS))
    # Two batches an epoch hold four of the five people; the fifth changes.
    epochs = np.sort(people[..., 0].reshape(30, 4), axis=1)
    assert all(len(set(epoch)) == 4 for epoch in epochs.tolist())
    assert len({10 - sum(epoch) for epoch in epochs.tolist()}) == 5
    # In an order of its own: going round would give five.
    assert len({tuple(epoch) for epoch in people[..., 0].reshape(30, 4).tolist()}) > 15


@pytest.mark.parametrize("batch_size", [7, 3, 18])
def test_a_batch_of_another_size_is_refused(batch_size):
    with pytest.raises(ValueError, match=rf"images \(3\) times 2 to 5 people\. Received: batch_size={batch_size}"):
        PeopleByImages(3).bind(LABELS, tf.constant(0, tf.int64), batch_size=batch_size)


def test_what_cannot_be_balanced_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        PeopleByImages(1)
    for sampler, options in ALL[1:]:
        with pytest.raises(ValueError, match="labels of −1"):
            sampler.bind(np.array([0, 1, -1], np.int32), tf.constant(0, tf.int64), **options)


def test_batches_are_the_samplers(faces_root):
    faces = read_folder(faces_root)
    options = {"batch_size": 6, "seed": 3, "size": (HEIGHT, WIDTH), "sampler": PeopleByImages(2)}
    labels = np.stack([labels for _, labels in batches(faces, first_step=1, last_step=5, **options)])
    expected = PeopleByImages(2).bind(faces.labels, tf.constant(3, tf.int64), batch_size=6)
    np.testing.assert_array_equal(labels.ravel(), faces.labels[expected(tf.range(6, 30, dtype=tf.int64))])
    assert (labels.reshape(4, 3, 2)[..., 0] == labels.reshape(4, 3, 2)[..., 1]).all()
