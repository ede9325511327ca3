import json
import os
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.edge.gallery import Gallery, Match
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
    np.savez(tmp_path / "a.npz", a=np.ones(3))
    with pytest.raises(KerasfaceError, match=r"a\.npz is not a kerasface gallery"):
        Gallery.load(tmp_path / "a.npz")
    (tmp_path / "later").write_bytes(b"KFGALLERY2\n" + bytes(50))
    with pytest.raises(KerasfaceError, match="newer kerasface; upgrade"):
        Gallery.load(tmp_path / "later")


def test_saving_where_nothing_can_be_written_is_an_error(tmp_path, gallery):
    (tmp_path / "file").touch()
    with pytest.raises(KerasfaceError, match="can't write the gallery"):
        gallery.save(tmp_path / "file" / "people.gallery")
