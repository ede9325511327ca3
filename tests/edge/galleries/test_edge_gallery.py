import hashlib
import json
import os
import stat
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.edge.galleries import row_search
from kerasface.edge.galleries.gallery import Gallery, Match
from kerasface.errors import KerasfaceError
from kerasface.spec import EmbedderSpec, Threshold


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def people(rng):
    """Five photos each of four people: a direction of their own and some noise."""
    centers = rng.normal(size=(4, 1, 16))
    return dict(zip(["Ada", "Grace", "Ève", "王"], unit(centers + 0.2 * rng.normal(size=(4, 5, 16))), strict=True))


@pytest.fixture
def gallery(spec, people):
    gallery = Gallery(spec)
    for name, photos in people.items():
        gallery.enroll(name, photos[:3])
    return gallery


def test_known_faces_get_their_name_and_the_cosine_to_the_mean(gallery, people):
    for name, photos in people.items():
        for probe, match in zip(photos[3:], gallery.identify(photos[3:]), strict=True):
            template = unit(photos[:3].astype(np.float64).mean(0))
            assert match.name == match.nearest == name
            assert match.score == pytest.approx(float(probe @ template), abs=1e-6)
            assert match.threshold == 0.5


def test_unknown_is_an_answer(gallery, people, rng):
    stranger = rng.normal(size=16)
    known = np.concatenate(list(people.values()))
    stranger -= np.linalg.lstsq(known[::5].T, stranger, rcond=None)[0] @ known[::5]
    match = gallery.identify(unit(stranger))
    assert match.name is None
    assert match.nearest in people
    assert match.score < 0.5


def test_the_threshold_itself_accepts(gallery, people):
    score = gallery.identify(people["Ada"][4]).score
    assert gallery.identify(people["Ada"][4], threshold=score).name == "Ada"
    assert gallery.identify(people["Ada"][4], threshold=np.nextafter(score, 2)).name is None


def test_a_name_is_the_same_however_its_letters_are_composed(spec, people):
    composed, from_a_mac = "J\u00fcrgen", "Ju\u0308rgen"
    gallery, at_once = Gallery(spec), Gallery(spec)
    gallery.enroll(composed, people["Ada"][:3])
    gallery.enroll(from_a_mac, people["Ada"][3:])
    at_once.enroll(composed, people["Ada"])
    assert gallery.names == [composed]
    assert gallery.count(from_a_mac) == 5
    assert from_a_mac in gallery
    probe = people["Grace"][0]
    assert gallery.identify(probe).score == pytest.approx(at_once.identify(probe).score, abs=1e-6)
    gallery.remove(from_a_mac)
    assert len(gallery) == 0


@pytest.mark.parametrize("policy", ["mean", "max"])
def test_a_file_with_one_name_in_two_compositions_reads_as_one_person(spec, people, tmp_path, policy):
    """Other programs may write such files."""
    both = Gallery(spec, policy=policy)
    both.enroll("J\u00fcrgen", people["Ada"][:3])
    both.enroll("Jurgen", people["Ada"][3:])
    both.export_json(tmp_path / "both.json")
    text = (tmp_path / "both.json").read_text(encoding="utf-8")
    (tmp_path / "both.json").write_text(text.replace('"Jurgen"', '"Ju\u0308rgen"'), encoding="utf-8")
    read, at_once = Gallery.import_json(tmp_path / "both.json"), Gallery(spec, policy=policy)
    at_once.enroll("J\u00fcrgen", people["Ada"])
    assert (read.names, read.count("J\u00fcrgen")) == (["J\u00fcrgen"], 5)
    probe = people["Grace"][0]
    assert read.identify(probe).score == pytest.approx(at_once.identify(probe).score, abs=1e-6)


def test_an_empty_gallery_knows_nobody(spec, people):
    assert Gallery(spec).identify(people["Ada"][0]) == Match(None, -1.0, None, 0.5)
    assert json.loads(Match(None, -1.0, None, 0.5).to_json())["name"] is None


def test_without_a_calibrated_threshold_one_must_be_given(spec, people):
    gallery = Gallery(spec.replace(thresholds=()))
    gallery.enroll("Ada", people["Ada"])
    with pytest.raises(KerasfaceError, match=r"no calibrated threshold.*pass threshold="):
        gallery.identify(people["Ada"][0])
    assert gallery.identify(people["Ada"][0], threshold=0.4).name == "Ada"


@given(parts=st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_enrolling_in_parts_equals_enrolling_at_once(parts):
    spec = EmbedderSpec("n", "i", 8)
    photos = unit(np.random.default_rng(sum(parts)).normal(size=(sum(parts), 8)) + 2)
    at_once, in_parts = Gallery(spec), Gallery(spec)
    at_once.enroll("Ada", photos)
    for chunk in np.split(photos, np.cumsum(parts)[:-1]):
        in_parts.enroll("Ada", chunk)
    assert in_parts.count("Ada") == at_once.count("Ada") == len(photos)
    scores = [g.identify(photos[0], threshold=0).score for g in (at_once, in_parts)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-12)


def test_under_max_the_best_of_a_persons_photos_counts(spec, people):
    gallery = Gallery(spec, policy="max")
    for name, photos in people.items():
        gallery.enroll(name, photos[0])
        gallery.enroll(name, photos[1:3])
    assert gallery.count("Ada") == 3
    probes = np.concatenate([photos[3:] for photos in people.values()]).astype(np.float64)
    for probe, match in zip(probes, gallery.identify(probes, ranks=4), strict=True):
        best = {name: max(probe @ photo for photo in photos[:3]) for name, photos in people.items()}
        expected = sorted(best.items(), key=lambda pair: -pair[1])
        assert [name for name, _ in match.ranking] == [name for name, _ in expected]
        assert [score for _, score in match.ranking] == pytest.approx([score for _, score in expected], abs=1e-6)


def test_the_two_policies_differ_where_photos_do(spec):
    bearded, shaven = np.eye(16)[:2]
    scores = {}
    for policy in ("mean", "max"):
        gallery = Gallery(spec, policy=policy)
        gallery.enroll("Ada", np.stack([bearded, shaven]))
        scores[policy] = gallery.identify(bearded).score
    assert scores == pytest.approx({"mean": 0.5**0.5, "max": 1.0})
    for name, cosine, count in (("Bob", 0.9, 1), ("Eve", 0.6, 4)):  # Eve's four have the greater sum, and a mean of .6
        gallery.enroll(name, np.tile([0, 0, cosine, (1 - cosine**2) ** 0.5, *[0] * 12], (count, 1)))
    assert gallery.identify(np.eye(16)[2]).name == "Bob"
    with pytest.raises(ValueError, match="one of mean, max. Received: policy='median'"):
        Gallery(spec, policy="median")


def test_the_ranking_lists_the_nearest_people_first(gallery, people):
    probe = people["Grace"][4].astype(np.float64)
    probe /= np.linalg.norm(probe)
    means = {name: photos[:3].astype(np.float64).mean(0) for name, photos in people.items()}
    cosines = {name: float(probe @ mean / np.linalg.norm(mean)) for name, mean in means.items()}
    expected = sorted(cosines, key=cosines.get, reverse=True)
    for ranks in (1, 2, 3, 4, 9):
        match = gallery.identify(probe, ranks=ranks)
        assert [name for name, _ in match.ranking] == expected[:ranks]
        assert [score for _, score in match.ranking] == pytest.approx([cosines[n] for n in expected[:ranks]], abs=1e-7)
        assert (match.nearest, match.score) == match.ranking[0]
    with pytest.raises(ValueError, match="ranks must be at least 1. Received: ranks=0"):
        gallery.identify(probe, ranks=0)


def test_of_equal_people_the_first_in_the_alphabet_is_named(spec):
    gallery = Gallery(spec)
    for name in ("Zoë", "Ada", "Max"):
        gallery.enroll(name, np.eye(16)[0])
    assert gallery.identify(np.eye(16)[0]).name == "Ada"
    assert [name for name, _ in gallery.identify(np.eye(16)[0], ranks=3).ranking] == ["Ada", "Max", "Zoë"]


@pytest.mark.parametrize("policy", ["mean", "max"])
def test_many_faces_are_searched_in_blocks_and_answered_as_one_by_one(spec, rng, policy, monkeypatch):
    monkeypatch.setattr(row_search, "_MOST_SCORES", 100)
    gallery = Gallery(spec, policy=policy)
    known = unit(rng.normal(size=(30, 16)))
    for i, embedding in enumerate(known):
        gallery.enroll(f"{i % 23}", embedding)
    probes = unit(rng.normal(size=(50, 16)))
    assert gallery.identify(probes, ranks=2) == [gallery.identify(probe, ranks=2) for probe in probes]


@pytest.mark.parametrize("policy", ["mean", "max"])
def test_merging_equals_enrolling_everything_in_one(spec, people, policy):
    first, second, whole = (Gallery(spec, policy=policy) for _ in range(3))
    for name, photos in people.items():
        whole.enroll(name, photos[:4])
    first.enroll("Ada", people["Ada"][:3])
    first.enroll("王", people["王"][:4])
    second.enroll("Ada", people["Ada"][3])
    second.enroll("Grace", people["Grace"][:4])
    second.enroll("Ève", people["Ève"][:4])
    first.identify(people["Ada"])
    first.merge(second)
    assert first.names == whole.names
    assert [first.count(name) for name in whole.names] == [4] * 4
    assert second.names == ["Ada", "Grace", "Ève"]
    for a, b in zip(*(g.identify(people["Ada"], ranks=4) for g in (first, whole)), strict=True):
        assert [name for name, _ in a.ranking] == [name for name, _ in b.ranking]
        assert [score for _, score in a.ranking] == pytest.approx([score for _, score in b.ranking], abs=1e-12)


def test_galleries_that_cannot_be_merged_stay_as_they_are(spec, gallery, people, rng):
    with pytest.raises(KerasfaceError, match="Received: embedder ffff"):
        gallery.merge(Gallery(spec.replace(embedder_id="ffff")))
    with pytest.raises(KerasfaceError, match="'mean' and 'max' can't be merged"):
        gallery.merge(Gallery(spec, policy="max"))
    concatenated = Gallery(spec)
    concatenated.enroll("Zoë", unit(rng.normal(size=32)))
    with pytest.raises(KerasfaceError, match="have 16 and 32 numbers"):
        gallery.merge(concatenated)
    single = Gallery(spec)
    single.enroll("Abe", people["Ada"][1])
    single.enroll("Grace", people["Grace"][0])
    opposed = Gallery(spec)
    opposed.enroll("Abe", people["Ada"][0])
    opposed.enroll("Grace", -people["Grace"][0])
    with pytest.raises(KerasfaceError, match="Grace have nothing in common"):
        single.merge(opposed)
    assert single.count("Abe") == 1
    assert single.identify(people["Ada"][1]).score == pytest.approx(1, abs=1e-6)


def test_who_is_enrolled_later_is_known_at_once(gallery, people, rng):
    newcomer = unit(rng.normal(size=16))
    assert gallery.identify(newcomer).name is None
    gallery.enroll("Zoë", newcomer)
    assert gallery.identify(newcomer).name == "Zoë"
    assert gallery.identify(people["Ada"][4]).name == "Ada"


def test_remove_forgets(gallery, people):
    gallery.identify(people["Ada"][0])
    gallery.remove("Ada")
    assert "Ada" not in gallery
    assert len(gallery) == 3
    assert gallery.identify(people["Ada"][4], threshold=-1).score < 0.9
    assert gallery.identify(people["王"][4]).name == "王"
    with pytest.raises(KerasfaceError, match=r"nobody named 'Ada'.*Grace, Ève, 王"):
        gallery.remove("Ada")
    with pytest.raises(KerasfaceError, match="nobody named"):
        gallery.count("Ada")


def test_another_models_embeddings_are_refused(gallery, people):
    for call in (lambda: gallery.enroll("Ada", people["Ada"], embedder_id="ffff"),
                 lambda: gallery.identify(people["Ada"], embedder_id="ffff")):  # fmt: skip
        with pytest.raises(KerasfaceError, match=r"belongs to embedder a1b2 \(blocks\.test\).*Received: embedder ffff"):
            call()
    gallery.enroll("Ada", people["Ada"], embedder_id="a1b2")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones((2, 8), np.float32), r"D in \(16,\)"),
        (np.ones((1, 1, 16), np.float32), "Received: shape="),
        (np.ones((2, 16), np.int64), "dtype=int64"),
        (np.ones((2, 16), np.float32), "unit length.*4.0"),
        (np.full((1, 16), np.nan, np.float32), "unit length"),
    ],
)
def test_wrong_embeddings_are_refused(gallery, wrong, message):
    with pytest.raises(ValueError, match=message):
        gallery.enroll("Ada", wrong)
    with pytest.raises(ValueError, match=message):
        gallery.identify(wrong)


def test_wrong_people_are_refused(spec, people):
    gallery = Gallery(spec)
    for name in ("", "  ", None, 3):
        with pytest.raises(ValueError, match="name must be a text"):
            gallery.enroll(name, people["Ada"])
    with pytest.raises(ValueError, match="at least one"):
        gallery.enroll("Ada", people["Ada"][:0])
    with pytest.raises(KerasfaceError, match="Ada have nothing in common"):
        gallery.enroll("Ada", np.stack([people["Ada"][0], -people["Ada"][0]]))
    assert len(gallery) == 0
    with pytest.raises(TypeError, match=r"EmbedderSpec. Received: str"):
        Gallery("a1b2")


def test_concatenated_flips_have_a_gallery_of_their_own(spec, rng):
    gallery = Gallery(spec)
    photos = unit(rng.normal(size=(3, 32)))
    gallery.enroll("Ada", photos)
    with pytest.raises(ValueError, match=r"D in \(32,\)"):
        gallery.enroll("Grace", photos[:, :16])


def test_save_and_load_give_the_same_gallery(tmp_path, gallery, people, spec):
    path = tmp_path / "people.gallery"
    gallery.save(path)
    loaded = Gallery.load(path)
    assert loaded.spec == spec
    assert loaded.names == gallery.names == sorted(people)
    assert loaded.count("王") == 3
    for photos in people.values():
        for before, after in zip(gallery.identify(photos), loaded.identify(photos), strict=True):
            assert after.name == before.name
            assert after.score == pytest.approx(before.score, abs=1e-6)
    loaded.enroll("Ada", people["Ada"][3:])
    assert loaded.count("Ada") == 5
    loaded.save(path)
    assert Gallery.load(path).count("Ada") == 5
    assert os.listdir(tmp_path) == ["people.gallery"]
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_photo_of_a_max_gallery_is_saved(tmp_path, spec, people):
    path = tmp_path / "people.gallery"
    gallery = Gallery(spec, policy="max")
    for name, photos in people.items():
        gallery.enroll(name, photos[: 2 + (name == "Ada")])
    gallery.save(path)
    loaded = Gallery.load(path)
    assert loaded.policy == "max"
    assert [loaded.count(name) for name in loaded.names] == [gallery.count(name) for name in gallery.names]
    loaded.enroll("Grace", people["Grace"][4])
    assert loaded.identify(people["Grace"][4]).score == pytest.approx(1, abs=1e-6)
    for name, photos in people.items():
        assert loaded.identify(photos[1]).score == pytest.approx(1, abs=1e-6), name


def test_a_file_of_format_1_is_still_read(tmp_path, spec, people):
    means = np.stack([photos[:3].mean(0) for photos in people.values()])
    names = sorted(people)
    header = {"spec": spec.to_json(), "names": names, "counts": [3] * 4, "shape": means.shape}
    text = json.dumps(header).encode()
    body = struct.pack("<Q", len(text)) + text + np.stack([people[n][:3].mean(0) for n in names]).tobytes()
    path = tmp_path / "old.gallery"
    path.write_bytes(b"KFGALLERY1\n" + hashlib.sha256(body).digest() + body)
    gallery = Gallery.load(path)
    assert gallery.policy == "mean"
    assert gallery.count("王") == 3
    expected = float(unit(means[0]) @ people["Ada"][4])
    assert gallery.identify(people["Ada"][4]).score == pytest.approx(expected, abs=1e-6)
    gallery.save(path)
    assert path.read_bytes().startswith(b"KFGALLERY2\n")
    assert Gallery.load(path).names == names


def test_a_header_that_lies_is_refused(tmp_path, gallery):
    """What has a right digest and still can't be a gallery: a forger's file, not a damaged one."""
    path = tmp_path / "people.gallery"
    gallery.save(path)
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[43:51])
    header, rows = json.loads(content[51 : 51 + length]), content[51 + length :]
    wrong = [
        {**header, "names": header["names"][:3]},
        {**header, "names": ["Ada"] * 4},
        {**header, "photos": [3, 3, 3, -3]},
        {**header, "photos": [3, 3, 3]},
        {**header, "policy": "max"},
        {**header, "policy": "median"},
        {**header, "shape": [8, 8]},
        {**header, "shape": [4, 99]},
        {**header, "shape": "four"},
        {**header, "spec": "{}"},
        {**header, "renewal_id": 3},
        {key: header[key] for key in header if key != "photos"},
        [header],
    ]
    bodies = [(json.dumps(each).encode(), rows) for each in wrong]
    bodies += [(b"{", rows), (json.dumps(header).encode(), np.full(64, np.nan, "<f4").tobytes())]
    for text, numbers in bodies:
        body = struct.pack("<Q", len(text)) + text + numbers
        path.write_bytes(content[:11] + hashlib.sha256(body).digest() + body)
        with pytest.raises(KerasfaceError, match=r"people\.gallery can't be read|give it"):
            Gallery.load(path)
    path.write_bytes(content[:11] + hashlib.sha256(b"short").digest() + b"short")
    with pytest.raises(KerasfaceError, match="can't be read"):
        Gallery.load(path)


def test_an_empty_gallery_can_be_saved(tmp_path, spec, people):
    Gallery(spec).save(tmp_path / "empty.gallery")
    loaded = Gallery.load(tmp_path / "empty.gallery")
    assert len(loaded) == 0
    loaded.enroll("Ada", people["Ada"])


def test_load_for_an_embedder_takes_its_thresholds_and_refuses_another_model(tmp_path, gallery, people, spec):
    path = tmp_path / "people.gallery"
    gallery.save(path)
    int8 = spec.replace(thresholds=(Threshold(0.99, 1e-3, "test", "int8", 1000),))
    assert Gallery.load(path, int8).identify(people["Ada"][4]).threshold == 0.99
    with pytest.raises(KerasfaceError, match=r"belongs to embedder a1b2.*Received: embedder ffff"):
        Gallery.load(path, spec.replace(embedder_id="ffff"))


def test_every_flipped_byte_and_every_cut_is_noticed(tmp_path, gallery):
    path = tmp_path / "people.gallery"
    gallery.save(path)
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(KerasfaceError, match=r"damaged|not a kerasface gallery|newer kerasface"):
            Gallery.load(path)
    for length in (0, 5, 20, 45, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(KerasfaceError):
            Gallery.load(path)


def test_files_that_are_no_gallery(tmp_path):
    with pytest.raises(KerasfaceError, match=r"no gallery file .*kerasface enroll"):
        Gallery.load(tmp_path / "gone")
    with pytest.raises(KerasfaceError, match="is a folder. Name a file, .*team.kfg for instance"):
        Gallery.load(tmp_path)
    np.savez(tmp_path / "a.npz", a=np.ones(3))
    with pytest.raises(KerasfaceError, match=r"a\.npz is not a kerasface gallery, as `kerasface enroll` writes it"):
        Gallery.load(tmp_path / "a.npz")
    (tmp_path / "later").write_bytes(b"KFGALLERY3\n" + bytes(50))
    with pytest.raises(KerasfaceError, match="newer kerasface; upgrade"):
        Gallery.load(tmp_path / "later")


def test_another_users_gallery_is_refused(tmp_path, gallery, monkeypatch):
    def forbidden(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    gallery.save(tmp_path / "team.kfg")
    monkeypatch.setattr("pathlib.Path.read_bytes", forbidden)
    with pytest.raises(KerasfaceError, match=r"can't read the gallery .*team\.kfg: Permission denied"):
        Gallery.load(tmp_path / "team.kfg")


def test_saving_where_nothing_can_be_written_is_an_error(tmp_path, gallery):
    (tmp_path / "file").touch()
    with pytest.raises(KerasfaceError, match="can't write the gallery"):
        gallery.save(tmp_path / "file" / "people.gallery")
