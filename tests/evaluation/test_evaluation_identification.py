import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasface.evaluation import OpenSetResult, SearchResult, open_set
from kerasface.evaluation import gallery_search as search_module
from kerasface.evaluation.identification import ranks_of


def _people(rng, people, each, noise, dimension=16):
    labels = np.repeat(np.arange(people), each)
    centres = rng.normal(size=(people, dimension))
    return centres[labels] + noise * rng.normal(size=(labels.size, dimension)), labels


def _brute_force(gallery, gallery_labels, probes, probe_labels, fpirs, threshold):
    """Every rate from its definition, one probe and one threshold at a time."""
    templates = {}
    for label in set(gallery_labels.tolist()):
        mean = sum(v / np.linalg.norm(v) for v in gallery[gallery_labels == label])
        templates[label] = mean / np.linalg.norm(mean)
    known, unknown = [], []
    for probe, label in zip(probes, probe_labels.tolist(), strict=True):
        scores = {name: float(probe @ mean / np.linalg.norm(probe)) for name, mean in templates.items()}
        highest = max(scores.values())
        # A tie, which is a difference that float32 rounds away, is a miss.
        right = [name for name, score in scores.items() if score > highest - 1e-6] == [label]
        (known if label in templates else unknown).append((right, highest))

    def rate(cases):
        return sum(cases) / len(cases)

    candidates = sorted({score for _, score in known + unknown} | {2.0})
    dirs = {}
    for fpir in fpirs:
        kept = [t for t in candidates if rate([score >= t for _, score in unknown]) <= fpir]
        dirs[fpir] = max(rate([right and score >= t for right, score in known]) for t in kept)
    fpir = rate([score >= threshold for _, score in unknown])
    fnir = 1 - rate([right and score >= threshold for right, score in known])
    return rate([right for right, _ in known]), dirs, fpir, fnir


@settings(max_examples=15)
@given(seed=st.integers(0, 999), noise=st.sampled_from([0.5, 1.5, 4.0]))
def test_all_rates_equal_a_brute_force_recomputation(seed, noise):
    rng = np.random.default_rng(seed)
    embeddings, labels = _people(rng, 40, 8, noise)
    gallery = (np.arange(labels.size) % 8 < 3) & (labels < 15)
    probe = ~gallery & ((labels < 15) | (np.arange(labels.size) % 8 < 5))
    labels = rng.permutation(40)[labels] * 3  # unknown labels lie below, between and above the gallery's
    fpirs = (0.1, 0.25, 0.9)
    case = embeddings[gallery], labels[gallery], embeddings[probe], labels[probe]
    result = open_set(*case, fpirs=fpirs, threshold=0.4)
    rank1, dirs, fpir, fnir = _brute_force(*case, fpirs, 0.4)
    assert (result.gallery_people, result.known_probes, result.unknown_probes) == (15, 75, 125)
    assert result.rank1 == pytest.approx(rank1)
    assert result.dir_at_fpir == pytest.approx(dirs)
    assert (result.fpir, result.fnir) == pytest.approx((fpir, fnir))


@settings(max_examples=15)
@given(seed=st.integers(0, 999), noise=st.sampled_from([1.5, 4.0]))
def test_cmc_and_curve_equal_a_brute_force_recomputation(seed, noise):
    rng = np.random.default_rng(seed)
    embeddings, labels = _people(rng, 40, 4, noise)
    gallery = (np.arange(labels.size) % 4 == 0) & (labels < 25)
    result = open_set(embeddings[gallery], labels[gallery], embeddings[~gallery], labels[~gallery])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    scores, probe_labels = unit[~gallery] @ unit[gallery].T, labels[~gallery]
    known = probe_labels < 25
    # A tie, which is a difference that float32 rounds away, counts against the probe; the own row is one with itself.
    ranks = [sum(row > row[label] - 1e-6) for row, label in zip(scores[known], probe_labels[known], strict=True)]
    assert result.cmc == pytest.approx([np.mean(np.array(ranks) <= rank) for rank in range(1, 21)])
    assert list(result.cmc) == sorted(result.cmc)
    best = np.where(np.array(ranks) == 1, scores[known].max(axis=1), -2)
    strangers = scores[~known].max(axis=1)
    assert (result.curve.far[0], result.curve.tar[0]) == (0, 0)
    points = list(zip(result.curve.far, result.curve.tar, result.curve.thresholds, strict=True))
    for far, tar, threshold in points[1:]:
        # Half a rounding below the threshold: the scores here are not float32.
        assert far == pytest.approx((strangers >= threshold - 3e-7).mean())
        assert tar == pytest.approx((best >= threshold - 3e-7).mean())
    assert result.curve.tar[-1] == pytest.approx(result.rank1)
    for fpir in (0.1,):
        assert result.dir_at_fpir[fpir] == pytest.approx(result.curve.tar[result.curve.far <= fpir + 1e-9].max())


def test_known_answers_on_the_axes():
    gallery = np.eye(4)[:3]
    # Two known probes, one of them nearer to another person; strangers at cosine 0.6 to person 2.
    probes = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 0.6, 0.8]])
    result = open_set(gallery, np.array([5, 7, 9]), probes, np.array([5, 5, 11]), threshold=0.6)
    assert result.rank1 == 0.5
    assert (result.fpir, result.fnir) == (1.0, 0.5)
    assert open_set(gallery, np.array([5, 7, 9]), probes, np.array([5, 5, 11]), threshold=0.61).fpir == 0.0
    assert result.dir_at_fpir == {0.1: None, 0.01: None, 0.001: None}


def test_scores_that_equal_the_threshold():
    # The known probe and the strangers all score 0.6: at a threshold of 0.6 everyone is accepted, and above it nobody.
    known, strangers = np.array([[0.6, 0, 0.8]]), np.tile([0, 0.6, 0.8], (100, 1))
    result = open_set(np.eye(3)[:2], [0, 1], np.vstack([known, strangers]), np.array([0] + [2] * 100), threshold=0.6)
    assert (result.fnir, result.fpir) == (0.0, 1.0)
    assert result.dir_at_fpir[0.1] == 0.0


def test_an_embedder_that_ignores_its_input_recognises_nobody():
    result = open_set(np.ones((5, 4)), np.arange(5), np.ones((9, 4)), np.arange(9), threshold=0.5)
    assert (result.rank1, result.fnir, result.fpir) == (0.0, 1.0, 1.0)


def test_scores_that_rounding_alone_tells_apart_are_a_tie():
    step = np.float32(1) + np.float32(2**-23)  # what one direction's product with itself comes out as, here and there
    found = SearchResult(np.array([[step, 1.0], [0.5001, 0.5]], np.float32), np.array([[0, 1], [0, 1]]))
    assert ranks_of(found, [0, 0]).tolist() == [2, 1]


def test_rotation_order_and_blocks_do_not_matter(rng, monkeypatch):
    embeddings, labels = _people(rng, 60, 6, 1.5)
    gallery = (np.arange(labels.size) % 6 < 2) & (labels < 30)
    rotation, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    one, other = rng.permutation(np.flatnonzero(gallery)), rng.permutation(np.flatnonzero(~gallery))
    expected = open_set(embeddings[gallery], labels[gallery], embeddings[~gallery], labels[~gallery], threshold=0.37)
    monkeypatch.setattr(search_module, "_BLOCK_SCORES", 100)
    monkeypatch.setattr(search_module, "_PROBES", 70)
    turned = embeddings @ rotation
    assert open_set(turned[one], labels[one], turned[other], labels[other], threshold=0.37) == expected


def test_images_of_a_person_count_as_one_template(rng):
    centre = np.array([1.0, 0, 0])
    spread = np.array([[1.0, 1, 0], [1, -1, 0], [10, 0, 10], [1, 0, -1]])  # unit vectors that average to the centre
    stranger = np.array([[0.0, 0, 1]])
    result = open_set(
        np.vstack([spread, stranger]), np.array([1, 1, 1, 1, 2]), centre[None], np.array([1]), threshold=0.999
    )
    assert (result.gallery_people, result.rank1, result.fnir) == (2, 1.0, 0.0)


def test_rates_without_probes_are_none(rng):
    embeddings, labels = _people(rng, 4, 3, 0.1)
    only_known = open_set(embeddings, labels, embeddings, labels, threshold=0.5)
    assert (only_known.rank1, only_known.fpir, only_known.dir_at_fpir[0.1]) == (1.0, None, None)
    only_unknown = open_set(embeddings, labels, np.tile(embeddings, (9, 1)), np.tile(labels, 9) + 4, threshold=0.5)
    assert (only_unknown.rank1, only_unknown.fnir, only_unknown.dir_at_fpir[0.1]) == (None, None, None)
    assert open_set(embeddings, labels, embeddings, labels).fnir is None


def test_json_round_trip(rng):
    embeddings, labels = _people(rng, 30, 8, 1.0)
    gallery = (np.arange(labels.size) % 8 == 0) & (labels < 10)
    result = open_set(embeddings[gallery], labels[gallery], embeddings[~gallery], labels[~gallery], threshold=0.2)
    assert result.dir_at_fpir[0.1] is not None
    assert OpenSetResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gallery_embeddings": np.ones((2, 3))}, "3 and 4"),
        ({"gallery_labels": np.arange(3)}, r"\(2, 4\) and \(3,\)"),
        ({"probe_embeddings": np.ones((0, 4)), "probe_labels": np.ones(0, int)}, "probe_embeddings"),
        ({"probe_embeddings": np.zeros((1, 4))}, "row 0 of length 0"),
        ({"gallery_embeddings": np.array([[1.0, 0, 0, 0], [-1, 0, 0, 0]]), "gallery_labels": [6, 6]}, "label 6"),
        ({"fpirs": (0.0,)}, r"\(0, 1\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {
        "gallery_embeddings": np.eye(4)[:2],
        "gallery_labels": np.array([0, 1]),
        "probe_embeddings": np.eye(4)[:1],
        "probe_labels": np.array([0]),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        open_set(**arguments)
