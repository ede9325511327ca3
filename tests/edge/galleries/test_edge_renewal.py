import hashlib

import numpy as np
import pytest
from scipy import stats

from kerasface.edge import Gallery, RenewalKey
from kerasface.errors import KerasfaceError


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture
def key():
    return RenewalKey(bytes(range(32)))


@pytest.fixture
def other_key():
    return RenewalKey(bytes(range(1, 33)))


def reference_rotation(key, size):
    """The transform once more, number by number, from the docstring."""

    def joined(*parts):
        return b"".join(len(part).to_bytes(8, "little") + part for part in parts)

    count = (size * size + 1) // 2
    text = joined(b"kerasface renewable templates 1", b"rotation %d" % size, key)
    stream = hashlib.shake_256(text).digest(16 * count)
    numbers = [int.from_bytes(stream[i : i + 8], "little") for i in range(0, len(stream), 8)]
    uniform = [((n >> 11) + 0.5) / 2**53 for n in numbers]
    pairs = [(np.sqrt(-2 * np.log(u)), 2 * np.pi * v) for u, v in zip(uniform[::2], uniform[1::2], strict=True)]
    gaussian = [r * np.cos(a) for r, a in pairs] + [r * np.sin(a) for r, a in pairs]
    matrix = np.array(gaussian[: size * size]).reshape(size, size)
    basis = []  # Gram–Schmidt twice: the Q whose R has a positive diagonal
    for column in matrix.T:
        rest = column - sum((b @ column) * b for b in basis)
        rest = rest - sum((b @ rest) * b for b in basis)
        basis.append(rest / np.linalg.norm(rest))
    return np.array(basis).T


@pytest.mark.parametrize("size", [1, 5, 16])
def test_the_transform_is_what_its_description_says(key, size):
    np.testing.assert_allclose(key.hide(np.eye(size)), reference_rotation(bytes(range(32)), size), atol=1e-12)


@pytest.mark.parametrize("size", [128, 512])
def test_cosines_stay_and_reveal_undoes(key, rng, size):
    x = unit(rng.normal(size=(50, size)))
    stored = key.hide(x).astype(np.float32)
    np.testing.assert_allclose(stored.astype(np.float64) @ stored.T, x @ x.T, atol=1e-6)
    np.testing.assert_allclose(key.reveal(stored), x, atol=1e-6)
    assert np.abs(stored - x).max() > 0.01


def test_the_transform_is_spread_evenly(key):
    """Where a fixed face goes under 400 keys: a uniform point of the sphere, whose coordinates follow a beta law."""
    size = 8
    places = np.array([RenewalKey(n.to_bytes(32, "big")).hide(np.eye(size)[0]) for n in range(400)])
    for coordinate in places.T:
        assert stats.kstest((1 + coordinate) / 2, stats.beta((size - 1) / 2, (size - 1) / 2).cdf).pvalue > 1e-4
    # With R's signs left as LAPACK gives them, determinants and first columns would lean to one side.
    signs = [np.linalg.det(RenewalKey(n.to_bytes(32, "big")).hide(np.eye(size))) for n in range(400)]
    assert 150 < np.sum(np.array(signs) > 0) < 250


def test_one_persons_templates_under_two_keys_are_as_far_apart_as_strangers(key, other_key, rng):
    x = unit(rng.normal(size=(2000, 128)))
    mated = np.sum(key.hide(x) * other_key.hide(x), axis=1)
    strangers = np.sum(key.hide(x) * other_key.hide(np.roll(x, 1, axis=0)), axis=1)
    assert stats.ks_2samp(mated, strangers).pvalue > 1e-3
    assert np.abs(mated).max() < 0.45  # five standard deviations of 1/√128
    # What stays linkable, and is said in the docstring: how alike the people of one gallery are.
    np.testing.assert_allclose(key.hide(x[:9]) @ key.hide(x[:9]).T, other_key.hide(x[:9]) @ other_key.hide(x[:9]).T)


def test_ids_tell_keys_apart_and_are_not_the_key(key, other_key):
    assert key.id == RenewalKey(bytes(range(32))).id != other_key.id
    assert len(key.id) == 16
    assert key.id not in bytes(range(32)).hex()
    assert RenewalKey.random().id != RenewalKey.random().id


def test_wrong_keys_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 32 random bytes. Received: 31 bytes"):
        RenewalKey(bytes(31))
    with pytest.raises(ValueError, match="Received: str"):
        RenewalKey("k" * 40)
    (tmp_path / "short").write_bytes(bytes(5))
    with pytest.raises(KerasfaceError, match="32 to 4096"):
        RenewalKey.load(tmp_path / "short")


@pytest.mark.parametrize("policy", ["mean", "max"])
def test_a_renewable_gallery_answers_as_a_plain_one(spec, rng, key, tmp_path, policy):
    plain, renewable = Gallery(spec, policy=policy), Gallery(spec, policy=policy, renewal=key)
    photos = {name: unit(rng.normal(size=(3, 16)) + 3 * rng.normal(size=16)) for name in "ABC"}
    for name, x in photos.items():
        plain.enroll(name, x)
        renewable.enroll(name, x[:2])
        renewable.enroll(name, x[2:])
    renewable.save(tmp_path / "team.kfg")
    loaded = Gallery.load(tmp_path / "team.kfg", renewal=key)
    probes = unit(rng.normal(size=(20, 16)))
    for a, b, c in zip(*(g.identify(probes, ranks=3) for g in (plain, renewable, loaded)), strict=True):
        assert a.name == b.name == c.name
        assert [n for n, _ in a.ranking] == [n for n, _ in b.ranking] == [n for n, _ in c.ranking]
        np.testing.assert_allclose([s for _, s in b.ranking], [s for _, s in a.ranking], atol=1e-6)
        np.testing.assert_allclose([s for _, s in c.ranking], [s for _, s in a.ranking], atol=1e-6)


def test_a_new_key_revokes_what_the_old_one_stored(spec, rng, key, other_key, tmp_path):
    x = unit(rng.normal(size=16))
    gallery = Gallery(spec, renewal=key)
    gallery.enroll("Ada", x)
    gallery.save(tmp_path / "leaked")
    gallery.renew(other_key)
    gallery.save(tmp_path / "renewed")
    assert gallery.identify(x).score == pytest.approx(1)
    with pytest.raises(KerasfaceError, match=f"stored under renewal key {other_key.id}.*Received: key {key.id}"):
        Gallery.load(tmp_path / "renewed", renewal=key)
    with pytest.raises(KerasfaceError, match=r"--renewal-key FILE.*Received: none"):
        Gallery.load(tmp_path / "renewed")
    assert Gallery.load(tmp_path / "renewed", renewal=other_key).identify(x).score == pytest.approx(1, abs=1e-6)
    rows = [np.frombuffer((tmp_path / n).read_bytes()[-64:], "<f4") for n in ("leaked", "renewed")]
    assert abs(float(rows[0] @ rows[1])) < 0.9
    gallery.renew(None)
    gallery.save(tmp_path / "plain")
    np.testing.assert_allclose(np.frombuffer((tmp_path / "plain").read_bytes()[-64:], "<f4"), x, atol=1e-6)
    with pytest.raises(KerasfaceError, match="isn't renewable, though a renewal key is given"):
        Gallery.load(tmp_path / "plain", renewal=key)


def test_the_files_hold_only_transformed_templates(spec, rng, key, tmp_path):
    x = unit(rng.normal(size=16))
    gallery = Gallery(spec, renewal=key)
    gallery.enroll("Ada", x)
    gallery.save(tmp_path / "team.kfg")
    stored = np.frombuffer((tmp_path / "team.kfg").read_bytes()[-64:], "<f4")
    np.testing.assert_allclose(stored, x @ reference_rotation(bytes(range(32)), 16), atol=1e-6)
    assert bytes(range(32)) not in (tmp_path / "team.kfg").read_bytes()


def test_galleries_under_two_keys_merge(spec, rng, key, other_key):
    x = unit(rng.normal(size=(2, 16)))
    first, second = Gallery(spec, renewal=key), Gallery(spec, renewal=other_key)
    first.enroll("Ada", x[0])
    second.enroll("Bob", x[1])
    first.merge(second)
    assert [match.score for match in first.identify(x)] == pytest.approx([1, 1])
    assert [match.name for match in first.identify(x)] == ["Ada", "Bob"]


def test_who_knows_as_many_faces_as_an_embedding_has_numbers_knows_the_transform(key, rng):
    """A limit that the guide tells of: the transform is no encryption."""
    x = unit(rng.normal(size=(16, 16)))
    solved = np.linalg.solve(x, key.hide(x))
    probe = unit(rng.normal(size=16))
    np.testing.assert_allclose(probe @ solved, key.hide(probe), atol=1e-9)
