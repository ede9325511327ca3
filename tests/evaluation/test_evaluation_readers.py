"""CFP, YTF, CSV lists and packed pairs: small folders in the published layouts."""

import numpy as np
import pytest
from PIL import Image

from kerasface.data import read_verification_bin, write_verification_bin
from kerasface.errors import KerasfaceError
from kerasface.evaluation import (
    evaluate_pairs,
    linked_people,
    packed_pairs,
    read_cfp,
    read_pair_list,
    read_ytf,
)

_COLORS = {"001": (200, 20, 20), "002": (20, 200, 20), "003": (20, 20, 200), "004": (160, 160, 20)}


def _crop(path, color, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(np.array(color) + rng.integers(-9, 9, (8, 8, 3)), 0, 255).astype(np.uint8)).save(path)


def _embed(batch):
    return batch.mean(axis=(1, 2)) - 100


def _named(pair_set, root):
    names = [str(path.relative_to(root / "aligned_112")) for path in pair_set.images]
    pairs = pair_set.pairs
    return [(names[a], names[b]) for a, b in zip(pairs.first, pairs.second, strict=True)]


@pytest.fixture
def cfp(tmp_path, rng):
    """Two folds of two people; two frontal photos and one profile of each."""
    frontal, profile = [], []
    for person, color in _COLORS.items():
        for kind, numbers, listed in (("frontal", ("01", "02"), frontal), ("profile", ("01",), profile)):
            for number in numbers:
                _crop(tmp_path / "aligned_112" / person / kind / f"{number}.jpg", color, rng)
                listed.append(f"{len(listed) + 1} ../Data/Images/{person}/{kind}/{number}.jpg")
    protocol = tmp_path / "Protocol"
    pairs = {
        ("FF", "01"): ("1,2\n3,4\n", "1,3\n2,4\n"),
        ("FF", "02"): ("5,6\n7,8\n", "5,7\n6,8\n"),
        ("FP", "01"): ("1,1\n4,2\n", "1,2\n3,1\n"),
        ("FP", "02"): ("5,3\n8,4\n", "6,4\n7,3\n"),
    }
    for (kind, fold), (same, diff) in pairs.items():
        folder = protocol / "Split" / kind / fold
        folder.mkdir(parents=True)
        (folder / "same.txt").write_text(same)
        (folder / "diff.txt").write_text(diff)
    (protocol / "Pair_list_F.txt").write_text("\n".join(frontal) + "\n")
    (protocol / "Pair_list_P.txt").write_text("\r\n".join(profile) + "\r\n")
    return tmp_path


def test_cfp_frontal_against_profile(cfp):
    pair_set = read_cfp(cfp, "FP")
    assert _named(pair_set, cfp)[:4] == [
        ("001/frontal/01.jpg", "001/profile/01.jpg"),
        ("002/frontal/02.jpg", "002/profile/01.jpg"),
        ("001/frontal/01.jpg", "002/profile/01.jpg"),
        ("002/frontal/01.jpg", "001/profile/01.jpg"),
    ]
    assert pair_set.pairs.same.tolist() == [True, True, False, False] * 2
    assert pair_set.pairs.folds.tolist() == [0] * 4 + [1] * 4
    report = evaluate_pairs(_embed, pair_set)
    assert (report.benchmark, report.result.accuracy_mean) == ("CFP-FP", 1.0)
    assert report.result.intervals.people == 4


def test_cfp_frontal_against_frontal_counts_in_one_list(cfp):
    assert _named(read_cfp(cfp, "FF"), cfp)[6] == ("003/frontal/01.jpg", "004/frontal/01.jpg")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("Split/FP/01/same.txt", "1;1", r"same.txt, line 1: expected `i,j`"),
        ("Split/FP/01/same.txt", "1,1\n4,9", r"same.txt, line 2: .*'4,9'"),
        ("Split/FP/02/diff.txt", "5,3", "pair 6 is listed as impostor, .* one person"),
        ("Pair_list_P.txt", "one ../Data", "Pair_list_P.txt, line 1"),
    ],
)
def test_cfp_lines_that_do_not_fit_are_named(cfp, file, text, message):
    (cfp / "Protocol" / file).write_text(text)
    with pytest.raises(KerasfaceError, match=message):
        read_cfp(cfp, "FP")


def test_cfp_missing_parts_are_named(cfp, tmp_path):
    (cfp / "aligned_112/004/profile/01.jpg").unlink()
    with pytest.raises(KerasfaceError, match=r"1 of the 11 images .* first is .*004/profile/01.jpg"):
        read_cfp(cfp, "FP")
    for file in (cfp / "Protocol/Split/FP").rglob("*.txt"):
        file.write_text("")
    with pytest.raises(KerasfaceError, match="hold no pairs"):
        read_cfp(cfp, "FP")
    (cfp / "Protocol/Split/FF/02/same.txt").unlink()
    with pytest.raises(KerasfaceError, match="no pair list at"):
        read_cfp(cfp, "FF")
    with pytest.raises(KerasfaceError, match="no such folder"):
        read_cfp(tmp_path / "gone", "FF")
    with pytest.raises(ValueError, match="FF"):
        read_cfp(cfp, "PP")


_SPLITS = """split number, pair number, first name, second name, is same
1, 1, Ann/0, Ann/1, 1
1, 2, Ann/1, Bob/0, 0
2, 1, Cy/0, Cy/2, 1
2, 2, Bob/0, Cy/0, 0
"""


@pytest.fixture
def ytf(tmp_path, rng):
    colors = dict(zip(("Ann", "Bob", "Cy"), _COLORS.values(), strict=False))
    for video, frames in {"Ann/0": 12, "Ann/1": 1, "Bob/0": 3, "Cy/0": 2, "Cy/2": 2}.items():
        for frame in range(frames):
            _crop(tmp_path / "aligned_112" / video / f"x.{frame}.jpg", colors[video.split("/")[0]], rng)
    (tmp_path / "splits.txt").write_text(_SPLITS)
    return tmp_path


def test_ytf_videos_are_templates(ytf):
    pair_set = read_ytf(ytf)
    assert np.bincount(pair_set.templates).tolist() == [12, 1, 3, 2, 2]
    assert [path.name for path in pair_set.images[:12]] == [f"x.{frame}.jpg" for frame in range(12)]
    assert pair_set.pairs.folds.tolist() == [1, 1, 2, 2]
    assert evaluate_pairs(_embed, pair_set).result.accuracy_mean == 1.0
    spread = read_ytf(ytf, max_frames=3)
    assert [path.name for path in spread.images[:3]] == ["x.0.jpg", "x.6.jpg", "x.11.jpg"]


def test_ytf_corrected_answers_count(ytf):
    lines = _SPLITS.splitlines()
    lines[1:] = [f"{line}, {line[-1]}" for line in lines[1:]]
    lines[3] = "2, 1, Cy/0, Cy/2, 1, 0"
    (ytf / "splits_corrected.txt").write_text("\n".join(lines))
    with pytest.raises(KerasfaceError, match="taking one away"):
        read_ytf(ytf)
    (ytf / "splits.txt").unlink()
    pair_set = read_ytf(ytf)
    assert pair_set.name == "YTF corrected"
    assert pair_set.pairs.same.tolist() == [True, False, False, False]
    assert ((pair_set.pairs.people[:, 0] == pair_set.pairs.people[:, 1]) == pair_set.pairs.same).all()


def test_ytf_what_is_missing_or_malformed_is_named(ytf):
    (ytf / "splits.txt").write_text(_SPLITS + "3, 1, Ann/0, Ann/1, yes\n")
    with pytest.raises(KerasfaceError, match="splits.txt, line 6"):
        read_ytf(ytf)
    (ytf / "splits.txt").write_text(_SPLITS + "3, 1, Ann/0, Di/1, 0\n")
    with pytest.raises(KerasfaceError, match="names the video Di/1"):
        read_ytf(ytf)
    (ytf / "splits.txt").write_text("headings\n")
    with pytest.raises(KerasfaceError, match="no pairs"):
        read_ytf(ytf)
    with pytest.raises(ValueError, match="max_frames"):
        read_ytf(ytf, max_frames=0)


@pytest.fixture
def listed(tmp_path, rng):
    for name, color in _COLORS.items():
        for number in (1, 2):
            _crop(tmp_path / f"{name}_{number}.png", color, rng)
    lines = ["first,second,same,fold,age"]
    for fold, (one, other) in enumerate((("001", "002"), ("003", "004"))):
        lines += [f"{one}_1.png,{one}_2.png,1,{fold},young", f"{other}_1.png,{other}_2.png,1,{fold},"]
        lines += [f"{one}_1.png,{other}_1.png,0,{fold},old", f"{one}_2.png,{other}_2.png,0,{fold},old"]
    (tmp_path / "our.csv").write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "our.csv"


def test_a_list_of_ones_own_with_groups(listed):
    pair_set = read_pair_list(listed)
    assert pair_set.pairs.folds.tolist() == [0] * 4 + [1] * 4
    assert pair_set.pairs.people.max() == 3
    report = evaluate_pairs(_embed, pair_set)
    assert (report.benchmark, report.result.accuracy_mean) == ("our", 1.0)
    assert [(g.group, g.genuine_pairs, g.impostor_pairs) for g in report.groups] == [("old", 0, 4), ("young", 2, 0)]


def test_a_list_without_folds_is_cut_into_ten_of_each_kind(listed):
    lines = [line.rsplit(",", 2)[0] for line in listed.read_text(encoding="utf-8-sig").splitlines()]
    listed.write_text("\n".join([lines[0], *lines[1:] * 5]))
    pairs = read_pair_list(listed).pairs
    assert [np.bincount(pairs.folds[pairs.same == kind]).tolist() for kind in (True, False)] == [[2] * 10] * 2


def test_named_people_are_taken_at_their_word(listed):
    lines = ["first,second,same,first_person,second_person", "001_1.png,001_2.png,1,Ann,Ann"]
    listed.write_text("\n".join([*lines, "001_1.png,002_1.png,0,Ann,Bob"]))
    assert read_pair_list(listed).pairs.people.tolist() == [[0, 0], [0, 1]]
    listed.write_text("\n".join([*lines, "", "001_1.png,002_1.png,0,Ann,Ann"]))
    with pytest.raises(KerasfaceError, match=r"line 4: .*\['Ann', 'Ann'\] and same 0"):
        read_pair_list(listed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        ("first,second\na,b\n", "first, second$"),
        ("first,second,same\n001_1.png,001_2.png,yes\n", "line 2"),
        ("first,second,same\n001_1.png,,1\n", "line 2"),
        ("first,second,same,fold\n001_1.png,001_2.png,1,one\n", "line 2: expected a fold number"),
        ("first,second,same\n\n\n001_1.png,,1\n", "line 4: expected two paths"),
        ("first,second,same,fold\n\n001_1.png,001_2.png,1,one\n", "line 3: expected a fold number"),
        ("first,second,same,age,age\n001_1.png,001_2.png,1,young,old\n", "'age' more than once"),
        ("first,second,same\n001_1.png,gone.png,1\n001_1.png,001_2.png,0\n", "gone.png"),
        ("first,second,same\n001_1.png,001_2.png,1\n", "both kinds of pairs are needed.* 1 of one person in 1"),
    ],
)
def test_a_malformed_list_is_named(listed, text, message):
    listed.write_text(text)
    with pytest.raises(KerasfaceError, match=message):
        read_pair_list(listed)
    listed.unlink()
    with pytest.raises(KerasfaceError, match="no pair list"):
        read_pair_list(listed)


def test_packed_pairs_know_equal_images_again(rng):
    images = rng.integers(0, 256, (8, 4, 4, 3), dtype=np.uint8)
    rows = np.array([[0, 1], [1, 2], [3, 4], [0, 3], *[[5, 6], [6, 7]] * 3])
    same = np.array([True, True, True, False, *[True, False] * 3])
    pair_set = packed_pairs(images[rows.ravel()], same, name="AgeDB-30")
    assert len(pair_set.images) == 8
    for side, indices in enumerate((pair_set.pairs.first, pair_set.pairs.second)):
        assert (np.asarray(pair_set.images)[indices] == images[rows[:, side]]).all()
    people = pair_set.pairs.people
    assert people[0, 0] == people[0, 1] == people[1, 1] == people[3, 0]
    assert people[2, 0] == people[3, 1] != people[0, 0]
    assert pair_set.pairs.folds.tolist() == list(range(10))
    with pytest.raises(ValueError, match="both genuine and impostor pairs are needed"):
        packed_pairs(images[rows.ravel()], np.ones(10, bool), name="x")
    with pytest.raises(ValueError, match="P >= 10"):
        packed_pairs(images, same[:4], name="x")


def test_a_bin_file_is_measured_without_unpickling(tmp_path, rng):
    files = []
    for person, color in enumerate(_COLORS.values()):
        _crop(tmp_path / f"{person}.png", color, rng)
        _crop(tmp_path / f"{person}b.png", color, rng)
        files.append([(tmp_path / f"{person}{letter}.png").read_bytes() for letter in ("", "b")])
    rows = [(files[i % 4][0], files[i % 4][1] if i % 2 else files[(i + 1) % 4][0]) for i in range(20)]
    same = [bool(i % 2) for i in range(20)]
    write_verification_bin([image for pair in rows for image in pair], same, tmp_path / "agedb_30.bin")
    pair_set = packed_pairs(*read_verification_bin(tmp_path / "agedb_30.bin"), name="AgeDB-30")
    assert len(pair_set.images) == 6
    report = evaluate_pairs(_embed, pair_set)
    assert (report.benchmark, report.result.accuracy_mean, report.result.genuine_pairs) == ("AgeDB-30", 1.0, 10)


def test_people_are_linked_through_chains_of_genuine_pairs():
    people = linked_people([0, 1, 3, 0], [1, 2, 4, 3], np.array([True, True, True, False]))
    assert len(np.unique(people)) == 2
    assert (people[:2] == people[0, 0]).all()
    assert people[3].tolist() == [people[0, 0], people[2, 0]]
