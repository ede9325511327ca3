import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine

from kerasface.evaluation import Pairs, pair_scores, verify
from kerasface.evaluation import scores as scores_module


def _random_pairs(rng, images, count):
    first = rng.integers(0, images, count)
    second = (first + rng.integers(1, images, count)) % images
    return Pairs(first, second, np.arange(count) % 2 == 0, np.arange(count) // 2 % 5)


@pytest.fixture(params=[0, 16], ids=["rows", "tables"])
def way(request, monkeypatch):
    """Either way of computing pairs: row by row, or picked out of tables."""
    monkeypatch.setattr(scores_module, "_TABLE_ADVANTAGE", request.param)


@pytest.mark.usefixtures("way")
def test_scores_are_the_cosines(rng):
    embeddings = rng.normal(size=(30, 16)) * rng.uniform(0.1, 50, size=(30, 1))
    pairs = _random_pairs(rng, 30, 100)
    expected = [1 - cosine(embeddings[a], embeddings[b]) for a, b in zip(pairs.first, pairs.second, strict=True)]
    scores = pair_scores(embeddings, pairs)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-6)


@pytest.mark.usefixtures("way")
def test_blocks_do_not_show(rng, monkeypatch):
    embeddings, pairs = rng.normal(size=(30, 16)), _random_pairs(rng, 30, 100)
    whole = pair_scores(embeddings, pairs)
    monkeypatch.setattr(scores_module, "_BLOCK", 7)
    monkeypatch.setattr(scores_module, "_TABLE_SCORES", 70)
    monkeypatch.setattr(scores_module, "_PICKED", 9)
    np.testing.assert_allclose(pair_scores(embeddings, pairs), whole, atol=1e-7)


def test_equal_embeddings_score_no_more_than_one(rng):
    embeddings = np.tile(rng.normal(size=(50, 1, 33)), (1, 2, 1)).reshape(100, 33)
    pairs = Pairs(np.arange(0, 100, 2), np.arange(1, 100, 2), np.ones(50, bool), np.zeros(50, int))
    scores = pair_scores(embeddings, pairs)
    assert scores.max() <= 1
    np.testing.assert_allclose(scores, 1, atol=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_an_orthogonal_rotation_of_all_embeddings_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    embeddings, pairs = rng.normal(size=(40, 12)), _random_pairs(rng, 40, 60)
    rotation, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    before, after = pair_scores(embeddings, pairs), pair_scores(embeddings @ rotation, pairs)
    np.testing.assert_allclose(after, before, atol=2e-6)
    # Rounded, for two scores that differ by rounding only may change places.
    results = [verify(np.round(scores.astype(float), 4), pairs.same, pairs.folds) for scores in (before, after)]
    assert results[1].auc == pytest.approx(results[0].auc, abs=0.01)
    assert results[1].eer == pytest.approx(results[0].eer, abs=0.05)


def test_pairs_past_the_last_embedding_are_refused(rng):
    pairs = Pairs([0], [9], [True], [0])
    with pytest.raises(ValueError, match=r"10 images\. Received: 9 embeddings"):
        pair_scores(rng.normal(size=(9, 4)), pairs)
