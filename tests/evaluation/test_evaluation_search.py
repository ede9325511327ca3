import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from kerasface.errors import KerasfaceError
from kerasface.evaluation import gallery_search as module
from kerasface.evaluation import megaface, open_gallery, quantized, save_gallery, search


@given(st.integers(0, 999), st.sampled_from([1, 3, 20]), st.sampled_from([40, 300, 2**25]), st.sampled_from([2, 4096]))
def test_the_best_rows_equal_scikit_learns_neighbours(seed, k, scores, probes_at_once):
    rng = np.random.default_rng(seed)
    gallery = rng.normal(size=(50, 8)) * rng.uniform(0.1, 9, (50, 1))
    probes = rng.normal(size=(7, 8))
    old = module._BLOCK_SCORES, module._PROBES
    module._BLOCK_SCORES, module._PROBES = scores, probes_at_once
    try:
        found = search(gallery, probes, k)
    finally:
        module._BLOCK_SCORES, module._PROBES = old
    neighbours = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(gallery)
    distances, rows = neighbours.kneighbors(probes)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.scores, 1 - distances, atol=1e-6)


def test_more_than_there_are_gives_all(rng):
    assert search(rng.normal(size=(3, 4)), rng.normal(size=(2, 4)), 9).rows.shape == (2, 3)


@pytest.mark.parametrize(
    ("precision", "itemsize", "loss"), [("float32", 4, 1e-6), ("float16", 2, 1e-3), ("int8", 1, 1e-2)]
)
def test_a_stored_gallery_is_searched_where_it_lies(tmp_path, rng, precision, itemsize, loss):
    embeddings = rng.normal(size=(300, 32)) * 7
    path = save_gallery(
        tmp_path / "sub" / "g.npy", (embeddings[i : i + 100] for i in (0, 100, 200)), rows=300, precision=precision
    )
    gallery = open_gallery(path)
    assert isinstance(gallery, np.memmap)
    assert (gallery.shape, gallery.dtype.itemsize) == ((300, 32), itemsize)
    probes = embeddings[:50] + rng.normal(size=(50, 32))
    seen = []
    found, exact = search(gallery, probes, 1, progress=lambda *d: seen.append(d)), search(embeddings, probes, 1)
    assert seen[-1] == (300, 300)
    assert (found.rows == exact.rows).mean() > 0.95
    np.testing.assert_allclose(found.scores, exact.scores, atol=loss)
    assert list(path.parent.iterdir()) == [path]


def test_two_who_write_one_gallery_leave_it_whole(tmp_path):
    one, other = np.eye(4)[[0] * 6], np.eye(4)[[1] * 6]

    def interrupted():
        yield one[:3]
        save_gallery(tmp_path / "g.npy", [other], rows=6)
        np.testing.assert_array_equal(open_gallery(tmp_path / "g.npy"), other)
        yield one[3:]

    save_gallery(tmp_path / "g.npy", interrupted(), rows=6)
    np.testing.assert_array_equal(open_gallery(tmp_path / "g.npy"), one)
    assert [path.name for path in tmp_path.iterdir()] == ["g.npy"]


def test_int8_keeps_the_direction(rng):
    rows = rng.normal(size=(200, 64))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    stored = quantized(rows, "int8").astype(float)
    assert np.abs(stored).max() == 127
    assert ((stored / np.linalg.norm(stored, axis=1, keepdims=True)) * unit).sum(axis=1).min() > 0.9995


def test_what_is_no_gallery_is_refused(tmp_path, rng):
    with pytest.raises(ValueError, match="promised"):
        save_gallery(tmp_path / "g.npy", [rng.normal(size=(3, 4))], rows=4)
    with pytest.raises(ValueError, match="promised"):
        save_gallery(tmp_path / "g.npy", [rng.normal(size=(3, 4))] * 2, rows=4)
    with pytest.raises(ValueError, match="precision"):
        save_gallery(tmp_path / "g.npy", [rng.normal(size=(3, 4))], rows=3, precision="int4")
    assert not list(tmp_path.iterdir())
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.save(tmp_path / "d.npy", np.zeros((2, 2), np.int64))
    np.savez(tmp_path / "archive.npz", gallery=np.zeros((2, 2), np.float32))
    (tmp_path / "half.npz").write_bytes((tmp_path / "archive.npz").read_bytes()[:50])
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("gone.npy", "o.npy", "d.npy", "archive.npz", "half.npz", "empty.npy"):
        with pytest.raises(KerasfaceError, match=name):
            open_gallery(tmp_path / name)
    (tmp_path / "file").write_text("")
    with pytest.raises(KerasfaceError, match="cannot be written"):
        save_gallery(tmp_path / "file" / "g.npy", [np.eye(2)], rows=2)
    with pytest.raises(ValueError, match="gallery row 1"):
        search(np.array([[1, 0], [0, 0]], np.int8), np.eye(2), 1)
    with pytest.raises(ValueError, match="k >= 1"):
        search(np.eye(2), np.eye(3), 1)


def _brute_force_megaface(probes, labels, distractors, sizes):
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)  # noqa: E731
    probes, distractors = unit(probes), unit(distractors)
    ranks = {size: [] for size in sizes}
    for a in range(len(probes)):
        for b in range(len(probes)):
            if a != b and labels[a] == labels[b]:
                score = probes[a] @ probes[b]
                for size in sizes:
                    ranks[size].append(1 + sum(probes[a] @ d >= score for d in distractors[:size]))
    return {size: np.array(column) for size, column in ranks.items()}


@pytest.mark.parametrize("block", [60, 2**25])
def test_megaface_equals_its_definition(rng, monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK_SCORES", block)
    monkeypatch.setattr("kerasface.evaluation.megaface_challenge._PROBES", 6 if block == 60 else 4096)
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
    probes = rng.normal(size=(4, 5))[labels] + 0.9 * rng.normal(size=(10, 5))
    distractors = rng.normal(size=(150, 5))
    result = megaface(probes, labels, distractors, sizes=(10, 100, 1000))
    expected = _brute_force_megaface(probes, labels, distractors, (10, 100, 150))
    assert result.distractors == (10, 100, 150)
    assert result.rank1 == pytest.approx([(ranks == 1).mean() for ranks in expected.values()])
    assert result.cmc == pytest.approx([(expected[150] <= rank).mean() for rank in range(1, 21)])
    assert (result.probes, result.people, result.genuine_pairs, result.impostor_pairs) == (10, 4, 20, 1500)
    assert set(result.tar_at_far.values()) == {None}, "1,500 pairs support no rate of 1e-4"
    assert type(result).from_json(result.to_json()) == result


@pytest.mark.parametrize("apart", [0.0, 1e-3])  # a cosine of 1 and of a few steps of float32 less
def test_an_embedder_that_ignores_its_input_finds_nobody_among_distractors(apart):
    result = megaface(np.tile([1, 0], (60, 1)), np.arange(60) // 2, np.tile([1, apart], (1000, 1)))
    assert result.rank1 == (0.0,) * 3
    assert result.cmc == (0.0,) * 20
    assert result.tar_at_far[1e-4] == 0.0


def test_megaface_verification_equals_all_pairs_sorted(rng, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_SCORES", 5000)
    labels = np.arange(40) // 4
    probes, distractors = rng.normal(size=(10, 8))[labels] + 0.3 * rng.normal(size=(40, 8)), rng.normal(size=(1000, 8))
    tar = megaface(probes, labels, distractors).tar_at_far[1e-4]
    unit, others = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (probes, distractors))
    strangers = np.sort((unit @ others.T).ravel())[::-1]
    same = (labels[:, None] == labels) & ~np.eye(40, dtype=bool)
    # Four of 40,000 may pass.
    genuine = (unit @ unit.T)[same]
    assert tar == pytest.approx((genuine > strangers[4]).mean())
    assert tar > (genuine > strangers[0]).mean()
    with pytest.raises(ValueError, match="two photos"):
        megaface(probes[::4], labels[::4], distractors)
    with pytest.raises(ValueError, match="distractors"):
        megaface(probes, labels, distractors[:, :4])
