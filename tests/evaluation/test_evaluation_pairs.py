import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.errors import KerasfaceError
from kerasface.evaluation import Pairs, read_lfw_pairs, sample_pairs

_LIST = """2\t1
Ann\t1\t4
Bob\t2\tCy\t10
Cy\t10\t3
Ann\t1\tDi\t1
"""


def _written(tmp_path, text):
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    return path


def test_lfw_list_is_read_in_order(tmp_path):
    images, pairs = read_lfw_pairs(_written(tmp_path, _LIST))
    named = [(images[a], images[b]) for a, b in zip(pairs.first, pairs.second, strict=True)]
    assert named == [
        ("Ann/Ann_0001.jpg", "Ann/Ann_0004.jpg"),
        ("Bob/Bob_0002.jpg", "Cy/Cy_0010.jpg"),
        ("Cy/Cy_0010.jpg", "Cy/Cy_0003.jpg"),
        ("Ann/Ann_0001.jpg", "Di/Di_0001.jpg"),
    ]
    assert len(images) == len(set(images)) == 6
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.folds.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (1, "", "an empty file"),
        (1, "500", "view 1"),
        (1, "2\t0", "number of folds"),
        (2, "Ann\t1", "two images of one person"),
        (2, "Ann\t1\tBob\t2", "two images of one person"),
        (3, "Bob\t2\t3", "images of two people"),
        (3, "Bob\t2\tCy\tten", "image numbers"),
        (4, "Cy\t10\t010", "paired with itself"),
        (5, "Ann\t1\tAnn\t2", "impostor pair of one person"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, text, message):
    lines = _LIST.splitlines()
    lines[line - 1] = text
    path = _written(tmp_path, "\n".join(lines) if text else "")
    with pytest.raises(KerasfaceError, match=f"pairs.txt, line {line}: .*{message}"):
        read_lfw_pairs(path)


@pytest.mark.parametrize("text", [_LIST + "Ann\t1\t2\n", _LIST.rsplit("\n", 2)[0]])
def test_a_list_of_another_length_is_refused(tmp_path, text):
    with pytest.raises(KerasfaceError, match="promises 2 folds of 1 \\+ 1 pairs, 4 lines"):
        read_lfw_pairs(_written(tmp_path, text))


def test_a_missing_or_binary_list_is_refused(tmp_path):
    with pytest.raises(KerasfaceError, match="no pair list at"):
        read_lfw_pairs(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(KerasfaceError, match="cannot be read as a text file"):
        read_lfw_pairs(tmp_path / "binary.txt")


@pytest.mark.shared_data
def test_the_published_list(shared_data):
    images, pairs = read_lfw_pairs(shared_data / "lfw" / "pairs.txt")
    assert (len(images), len(pairs), pairs.same.sum()) == (7701, 6000, 3000)
    assert np.bincount(pairs.folds, weights=pairs.same).tolist() == [300] * 10


def test_pairs_check_what_they_hold():
    good = {"first": [0], "second": [1], "same": [True], "folds": [0]}
    for field, values in {"first": [0, 1], "second": [-1], "same": [1], "folds": [0.5]}.items():
        with pytest.raises(ValueError, match="Received"):
            Pairs(**{**good, field: values})


_SIZES = st.lists(st.integers(1, 12), min_size=12, max_size=40)


def _labels(sizes, seed):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)) * 7 - 20, sizes))


@given(sizes=_SIZES, seed=st.integers(0, 99), folds=st.integers(1, 5))
def test_sampled_pairs_keep_every_promise(sizes, seed, folds):
    labels = _labels(sizes, seed)
    try:
        pairs = sample_pairs(labels, num_pairs=8 * folds, seed=seed, folds=folds)
    except KerasfaceError:
        # Refused for a reason: whoever is left out, a fold's people can't give four genuine pairs in equal shares.
        for least in range(2, 13):
            hand = sum(size >= least for size in sizes) // folds
            assert hand < 2 or hand * (least * (least - 1) // 2) < 4
        return
    assert len(pairs) == 8 * folds
    assert (pairs.same == (labels[pairs.first] == labels[pairs.second])).all()
    distinct = {frozenset(pair) for pair in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}
    assert len(distinct) == len(pairs)
    assert all(len(pair) == 2 for pair in distinct)
    people = [
        set(labels[np.concatenate([pairs.first[pairs.folds == fold], pairs.second[pairs.folds == fold]])])
        for fold in range(folds)
    ]
    assert sum(map(len, people)) == len(set.union(*people)), "a person appears in two folds"
    assert all(pairs.same[pairs.folds == fold].sum() == 4 for fold in range(folds))
    for fold in range(folds):
        shares = Counter(labels[pairs.first[pairs.same & (pairs.folds == fold)]].tolist())
        assert max(shares.values()) - (min(shares.values()) if len(shares) == len(people[fold]) else 0) <= 1


def test_all_pairs_there_are_can_be_drawn():
    pairs = sample_pairs(np.repeat([8, 9], 30), num_pairs=1740, seed=0, folds=1)
    genuine = {frozenset(p) for p in zip(pairs.first[:870].tolist(), pairs.second[:870].tolist(), strict=True)}
    assert genuine == {frozenset(p) for half in (range(30), range(30, 60)) for p in itertools.combinations(half, 2)}


def test_a_seed_fixes_the_pairs():
    labels = _labels([5] * 40, 0)
    one, again, other = (sample_pairs(labels, num_pairs=400, seed=seed) for seed in (3, 3, 4))
    assert one.first.tolist() == again.first.tolist()
    assert one.second.tolist() == again.second.tolist()
    assert one.first.tolist() != other.first.tolist()


def test_a_person_with_many_images_does_not_outweigh_the_others():
    labels = np.repeat(np.arange(20), [200] + [3] * 19)
    pairs = sample_pairs(labels, num_pairs=80, seed=0, folds=1)
    assert set(Counter(labels[pairs.first[pairs.same]].tolist()).values()) == {2}
    strangers = np.stack([labels[pairs.first[~pairs.same]], labels[pairs.second[~pairs.same]]])
    assert (strangers == 0).any(axis=0).sum() <= 10  # 4 expected; drawn by image it would be about 30


def test_what_goes_with_the_number_of_photos_does_not_tell_the_two_kinds_apart():
    # Twenty well-known people, whose photos are sharp, and 280 with two blurry ones each: as in sets that are put
    # together from two sources. Genuine pairs spread by images would nearly all be sharp, and impostor pairs blurry.
    labels = np.repeat(np.arange(300), [20] * 20 + [2] * 280)
    sharp = labels < 20
    pairs = sample_pairs(labels, num_pairs=600, seed=0, folds=10)
    genuine, impostor = (sharp[pairs.first[kind]] | sharp[pairs.second[kind]] for kind in (pairs.same, ~pairs.same))
    assert genuine.mean() == pytest.approx(20 / 300)
    assert impostor.mean() == pytest.approx(2 * 20 / 300, abs=0.05)
    with_many = sample_pairs(labels, num_pairs=1200, seed=0, folds=10)
    assert set(labels[with_many.first]) | set(labels[with_many.second]) == set(range(20)), "these have 60 pairs each"


def test_the_largest_number_named_is_attained_and_exact():
    labels = np.repeat(np.arange(6), [4, 3, 3, 3, 2, 1])
    # Two folds of two people with three images each, three genuine pairs a person: 2 · 2 · 3, and as many impostors.
    with pytest.raises(KerasfaceError, match="at most 24 balanced") as refused:
        sample_pairs(labels, num_pairs=40, seed=1, folds=2)
    assert "num_pairs=40" in str(refused.value)
    assert len(sample_pairs(labels, num_pairs=24, seed=1, folds=2)) == 24
    with pytest.raises(KerasfaceError, match="at most 24 balanced"):
        sample_pairs(labels, num_pairs=28, seed=1, folds=2)
    # Sixteen people with three images more: ten a fold with three genuine pairs each are more than two with ten.
    with pytest.raises(KerasfaceError, match="at most 120 balanced"):
        sample_pairs(np.repeat(np.arange(20), [5] * 4 + [3] * 16), num_pairs=400, seed=1, folds=2)


@pytest.mark.parametrize(
    ("labels", "options", "error", "message"),
    [
        (np.repeat(np.arange(6), 5), {"num_pairs": 20}, KerasfaceError, "Use folds=3 or fewer"),
        (np.zeros(9, int), {"num_pairs": 20}, KerasfaceError, "Add people"),
        (np.arange(40), {"num_pairs": 20}, KerasfaceError, "at most 0 balanced"),
        (np.repeat(np.arange(40), 5), {"num_pairs": 30}, ValueError, "num_pairs=30, folds=10"),
        (np.linspace(0, 1, 9), {"num_pairs": 20}, ValueError, "float64"),
    ],
)
def test_too_little_to_sample_from_is_refused(labels, options, error, message):
    with pytest.raises(error, match=message):
        sample_pairs(labels, **options, seed=0)
