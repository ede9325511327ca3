"""Members and strangers: hand-made answers, a slow recomputation, and what must not change the result."""

import numpy as np
import pytest

from kerasface.errors import KerasfaceError
from kerasface.evaluation import MembersAndStrangers, members_and_strangers, tightest_fpir
from kerasface.evaluation.strangers import _halves


def a_set(rng, people=20, most=8, spread=0.6, dim=16):
    counts = rng.integers(2, most, people) + 2
    labels = np.repeat(np.arange(people), counts)
    centres = rng.normal(size=(people, dim))
    return (centres[labels] + spread * rng.normal(size=(len(labels), dim))).astype(np.float32), labels


def by_loops(embeddings, labels, fpir, seed):
    """The same measurement, one photo after the other."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    rows = {name: np.flatnonzero(labels == name) for name in np.unique(labels)}
    templates = {}
    for name, mine in rows.items():
        mean = unit[mine[: (len(mine) + 1) // 2]].mean(axis=0)
        templates[name] = mean / np.linalg.norm(mean)
    half = dict(zip(rows, _halves(len(rows), seed), strict=True))
    strangers = {
        name: [max(float(unit[row] @ templates[other]) for other in rows if other != name) for row in mine]
        for name, mine in rows.items()
    }

    def threshold(side):
        scores = sorted((score for name in rows if half[name] != side for score in strangers[name]), reverse=True)
        return scores[int(fpir * len(scores))]

    recognised, accepted, own = [], [], []
    for name, mine in rows.items():
        least = threshold(half[name])
        accepted += [score > least for score in strangers[name]]
        for place in range((len(mine) + 1) // 2, len(mine)):
            score = float(unit[mine[place]] @ templates[name])
            own.append(score)
            recognised.append(score > strangers[name][place] and score > least)
    return np.mean(recognised), np.mean(accepted), own


def test_it_equals_a_slow_recomputation(rng):
    embeddings, labels = a_set(rng)
    result = members_and_strangers(embeddings, labels, fpir=0.1, seed=3)
    recognised, accepted, own = by_loops(embeddings, labels, 0.1, 3)
    assert 0.05 < result.recognised < 0.95
    assert result.recognised == pytest.approx(recognised)
    assert result.accepted == pytest.approx(accepted)
    np.testing.assert_allclose(result.own, own, atol=1e-6)
    assert result.people == 20
    assert len(result.nearest) == len(labels)


def test_people_who_lie_apart_are_all_recognised_and_strangers_stay_out():
    # Sixteen orthogonal people of four equal photos: as a stranger each is at right angles to everybody.
    labels = np.repeat(np.arange(16), 4)
    result = members_and_strangers(np.eye(16, dtype=np.float32)[labels], labels, fpir=0.1, seed=0)
    assert (result.recognised, result.accepted) == (1.0, 0.0)
    assert result.own.tolist() == [1.0] * 32
    assert result.nearest.tolist() == [0.0] * 64


def test_twins_are_not_told_apart():
    # Two people of each direction: a member's twin ties, and as a stranger one is let in by the other.
    labels = np.repeat(np.arange(16), 4)
    result = members_and_strangers(np.eye(8, dtype=np.float32)[labels // 2], labels, fpir=0.1, seed=0)
    assert (result.recognised, result.nearest.min()) == (0.0, 1.0)


@pytest.mark.parametrize("apart", [0.0, 4e-4])  # a cosine of 1 and of one step of float32 less
def test_a_tie_is_no_recognition(apart):
    # One pair of twins, each in another half, among people at right angles: few enough to leave the thresholds low.
    half = _halves(24, 0)
    one, other = np.flatnonzero(half == 0)[0], np.flatnonzero(half == 1)[0]
    labels = np.repeat(np.arange(24), 4)
    embeddings = np.eye(24, dtype=np.float32)[np.where(labels == other, one, labels)]
    embeddings[labels == other, other] = apart
    result = members_and_strangers(embeddings, labels, fpir=0.1, seed=0)
    assert max(result.thresholds) < 0.1
    assert result.recognised == pytest.approx(22 / 24)


def test_each_half_is_judged_with_the_other_halfs_threshold(rng):
    labels = np.repeat(np.arange(16), 4)
    half = _halves(16, 0)
    # One half's people lie apart; the other half's share a direction, more or less.
    embeddings = np.eye(16)[labels]
    close = half[labels] == 0
    embeddings[close] += 2.0 * np.ones(16) + 0.1 * rng.normal(size=(close.sum(), 16))
    result = members_and_strangers(embeddings, labels, fpir=0.1, seed=0)
    # Half 0 meets a threshold from people apart and accepts all of its strangers; half 1 accepts none of its own.
    assert result.thresholds[0] < result.thresholds[1]
    assert result.accepted == pytest.approx(close.mean())


def test_order_rotation_and_length_change_nothing(rng):
    embeddings, labels = a_set(rng)
    result = members_and_strangers(embeddings, labels, fpir=0.1, seed=1)
    rotation = np.linalg.qr(rng.normal(size=(16, 16)))[0]
    people = rng.permutation(20)
    # People in another order; a person's photos keep theirs, which says who is enrolled.
    order = np.concatenate([np.flatnonzero(labels == person) for person in people])
    scaled = (embeddings @ rotation)[order] * rng.uniform(0.5, 2, (len(order), 1))
    again = members_and_strangers(scaled, labels[order], fpir=0.1, seed=1)
    assert (again.recognised, again.accepted) == (result.recognised, result.accepted)
    np.testing.assert_allclose(again.thresholds, result.thresholds, atol=1e-6)


def test_its_json_brings_it_back(rng):
    result = members_and_strangers(*a_set(rng), fpir=0.1, seed=1)
    again = MembersAndStrangers.from_json(result.to_json())
    assert again == result
    np.testing.assert_allclose(again.own, result.own)


def test_the_tightest_rate_is_that_of_the_smaller_half():
    assert tightest_fpir(np.repeat(np.arange(4), 15), seed=0) == 0.1
    assert tightest_fpir(np.repeat(np.arange(4), 14), seed=0) is None
    assert tightest_fpir(np.repeat(np.arange(4), 150), seed=0) == 0.01
    assert tightest_fpir(np.repeat(np.arange(5), 14), seed=0) is None  # 42 photos and 28


def test_too_little_is_refused(rng):
    embeddings = rng.normal(size=(8, 4))
    with pytest.raises(KerasfaceError, match="takes 30 photos in each half of the people. Received: 4"):
        members_and_strangers(embeddings, np.repeat(np.arange(4), 2), fpir=0.1, seed=0)
    for labels in (np.repeat(np.arange(2), 4), np.arange(8), np.array([0, 0, 0, 0, 1, 1, 2, 3])):
        with pytest.raises(ValueError, match="four people with two images each"):
            members_and_strangers(embeddings, labels, fpir=0.1, seed=0)
    with pytest.raises(ValueError, match="labels must be"):
        members_and_strangers(embeddings, np.zeros(3, int), fpir=0.1, seed=0)
