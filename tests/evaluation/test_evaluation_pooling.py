import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.evaluation import pool, pooling


def _by_hand(embeddings, templates, media, weights):
    rows = []
    for template in sorted(set(templates)):
        total = 0
        for medium in {m for m, t in zip(media, templates, strict=True) if t == template}:
            frames = [
                w * e
                for e, t, m, w in zip(embeddings, templates, media, weights, strict=True)
                if (t, m) == (template, medium)
            ]
            total = total + sum(frames) / len(frames)
        rows.append(total / np.linalg.norm(total))
    return np.array(rows)


@given(st.integers(0, 999), st.sampled_from([1, 3, 7, 1000]))
def test_templates_equal_plain_loops(seed, block):
    rng = np.random.default_rng(seed)
    templates = rng.permutation(np.append(np.arange(6), rng.integers(0, 6, 24)))
    media, weights = rng.integers(0, 4, 30), rng.uniform(0.1, 1, 30)
    embeddings = rng.normal(size=(30, 5)) + 2
    old, pooling._BLOCK = pooling._BLOCK, block
    try:
        pooled = pool(embeddings, templates, media=media, weights=weights)
    finally:
        pooling._BLOCK = old
    np.testing.assert_allclose(pooled, _by_hand(embeddings, templates, media, weights), atol=1e-5)


def test_frames_without_media_are_not_copied(rng):
    embeddings, templates = rng.normal(size=(40_000, 64)).astype(np.float32), np.arange(40_000) % 50
    tracemalloc.start()
    try:
        pooled = pool(embeddings, templates)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Some blocks of 16,384 rows in float64, whatever the number of rows: YTF's frames are 621,126.
    assert peak < 3 * 16_384 * 64 * 8
    expected = np.stack([embeddings[templates == number].sum(axis=0) for number in range(50)])
    np.testing.assert_allclose(pooled, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_a_long_video_counts_as_much_as_one_photo():
    embeddings = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1]])
    np.testing.assert_allclose(pool(embeddings, [0] * 4, media=[1, 2, 2, 2]), [[np.sqrt(0.5)] * 2], rtol=1e-6)
    np.testing.assert_allclose(pool(embeddings, [0] * 4), [[1 / np.sqrt(10), 3 / np.sqrt(10)]], rtol=1e-6)
    np.testing.assert_allclose(pool(embeddings, [0] * 4, weights=[1, 0, 0, 0]), [[1, 0]], atol=1e-7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"templates": [0, 2]}, "without a gap"),
        ({"templates": [0]}, r"\(2, 2\), \(1,\)"),
        ({"weights": [1.0, -1]}, "at least 0"),
        ({"weights": [1.0, 0]}, "template 1"),
        ({"embeddings": np.array([[1.0, 0], [-1, 0]]), "templates": [0, 0]}, "template 0"),
    ],
)
def test_what_cannot_be_pooled_is_refused(change, message):
    arguments = {"embeddings": np.eye(2), "templates": [0, 1], **change}
    with pytest.raises(ValueError, match=message):
        pool(arguments.pop("embeddings"), arguments.pop("templates"), **arguments)
