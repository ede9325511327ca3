import importlib

import faiss
import numpy as np
import pytest

from kerasface.edge import Gallery
from kerasface.edge.galleries import row_search
from kerasface.edge.galleries.row_search import MANY_ROWS, FaissSearch, ProductSearch


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def rows():
    """100,000 rows of 32 numbers, 50 of them twice as near to each other as chance has it."""
    rng = np.random.default_rng(11)
    rows = rng.standard_normal((MANY_ROWS, 32), dtype=np.float32)
    rows[:50] += 4 * rows[50]
    return unit(rows)


@pytest.fixture(scope="module")
def faces(rows):
    """Faces of known people, strangers, and one that is near to fifty."""
    rng = np.random.default_rng(12)
    near = rows[rng.choice(len(rows), 15)] + 0.1 * rng.standard_normal((15, 32), dtype=np.float32)
    return unit(np.concatenate([near, rng.standard_normal((15, 32), dtype=np.float32), rows[50:51]]))


@pytest.mark.parametrize("photos", [1, 4])
@pytest.mark.parametrize("count", [1, 5])
def test_faiss_and_numpy_find_what_sorting_everything_finds(rows, faces, photos, count):
    starts = np.arange(0, len(rows), photos)
    products = faces.astype(np.float64) @ rows.T.astype(np.float64)
    best = products.reshape(len(faces), -1, photos).max(2)
    expected = [set(row) for row in np.argsort(-best, axis=1)[:, :count].tolist()]
    for search in (ProductSearch(rows, starts), FaissSearch(rows, starts, faiss)):
        assert [set(people.tolist()) for people in search.nearest(faces, count)] == expected


def test_people_of_different_lengths_and_all_of_them(rows, faces):
    starts = np.array([0, 1, 4, 5, 17])
    for search in (ProductSearch(rows[:20], starts), FaissSearch(rows[:20], starts, faiss)):
        assert all(sorted(people.tolist()) == [0, 1, 2, 3, 4] for people in search.nearest(faces, 5))


def test_faiss_serves_from_a_hundred_thousand_on_where_it_is_installed(rows, monkeypatch):
    few, starts = rows[:-1], np.arange(len(rows))
    assert isinstance(row_search.row_search(few, starts[:-1]), ProductSearch)
    assert isinstance(row_search.row_search(rows, starts), FaissSearch)

    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert isinstance(row_search.row_search(rows, starts), ProductSearch)


@pytest.mark.parametrize("policy", ["mean", "max"])
def test_a_large_gallery_answers_the_same_with_faiss_and_without(spec, faces, rows, policy, monkeypatch):
    """The interface stays: 100 people here count as very many."""
    matches = {}
    for name, many in (("faiss", 100), ("numpy", 10**9)):
        monkeypatch.setattr(row_search, "MANY_ROWS", many)
        gallery = Gallery(spec.replace(embedding_size=32), policy=policy)
        for i, row in enumerate(rows[:150]):
            gallery.enroll(f"{i % 120}", row)
        matches[name] = gallery.identify(faces, 0.6, ranks=3)
        assert type(gallery._index._search).__name__ == {"faiss": "FaissSearch", "numpy": "ProductSearch"}[name]
    assert matches["faiss"] == matches["numpy"]
    assert {match.name is None for match in matches["faiss"]} == {True, False}
