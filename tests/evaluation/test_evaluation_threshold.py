import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from kerasface.errors import KerasfaceError
from kerasface.evaluation import all_pairs, calibrate, calibrate_tail, impostor_tail, top, unit
from kerasface.evaluation.threshold import _least_rate, impostors_needed
from kerasface.spec import Threshold

_NAMES = {"calibrated_on": "a set", "precision": "fp16"}


def _with_impostors(impostors):
    scores = np.append(impostors, [0.9, 0.1])
    return scores, np.arange(scores.size) >= scores.size - 2


@given(
    impostors=st.lists(st.integers(-90, 90), min_size=100, max_size=150),
    far=st.sampled_from([0.1, 0.15, 0.5]),
)
def test_the_threshold_is_the_lowest_impostor_score_that_keeps_to_the_far(impostors, far):
    impostors = np.array(impostors) / 100
    threshold = calibrate(*_with_impostors(impostors), far=far, **_NAMES).cosine
    allowed = far * impostors.size + 1e-9
    assert (impostors >= threshold).sum() <= allowed
    fitting = [s for s in impostors if (impostors >= s).sum() <= allowed]
    if fitting:
        assert threshold == min(fitting)
    else:
        assert impostors.max() < threshold < impostors.max() + 1e-6


@given(total=st.integers(4, 10**9))
@example(total=12_160)
@example(total=3_000)
def test_the_rate_that_a_refusal_offers_is_supported_and_hardly_higher_than_need_be(total):
    offered = float(f"{_least_rate(total):g}")  # as the message has it
    assert impostors_needed(offered) <= total
    assert 3 / total <= offered * (1 + 1e-9) <= 3.3 / total * (1 + 2e-9)


def test_it_says_where_it_comes_from(rng):
    scores, same = _with_impostors(rng.uniform(-1, 1, 1000))
    threshold = calibrate(scores, same, far=0.01, **_NAMES)
    bound = stats.beta.ppf(0.95, 10, 991)
    assert threshold == Threshold(np.sort(scores[~same])[-10], 0.01, "a set", "fp16", 1000, pytest.approx(bound))


def test_the_rate_holds_on_strangers_not_yet_seen(rng):
    # The mean over many calibrations is k / (n + 1) = 10/101; one rank lower it would be 11/101.
    rates = []
    for _ in range(4000):
        impostors = rng.uniform(-1, 1, 100)
        threshold = calibrate(*_with_impostors(impostors), far=0.1, **_NAMES).cosine
        rates.append((1 - threshold) / 2)
    assert np.mean(rates) == pytest.approx(10 / 101, abs=0.002)


def test_genuine_scores_do_not_move_it(rng):
    impostors = rng.uniform(-1, 0.5, 200)
    scores, same = _with_impostors(impostors)
    other = np.where(same, -0.8, scores)
    assert calibrate(scores, same, far=0.1, **_NAMES) == calibrate(other, same, far=0.1, **_NAMES)


def test_tied_impostors_are_refused_even_by_a_device_that_compares_in_float32():
    tie = np.float32(0.3)
    scores, same = _with_impostors(np.full(100, tie, np.float64))
    threshold = calibrate(scores, same, far=0.1, **_NAMES).cosine
    assert not tie >= np.float32(threshold)
    assert threshold == pytest.approx(0.3, abs=1e-6)


def test_too_few_impostors_are_refused_with_the_number_needed(rng):
    scores, same = _with_impostors(rng.uniform(-1, 1, 299))
    with pytest.raises(KerasfaceError, match=r"a set cannot support .* 0.01: that takes 300 .* 299\. .* 0\.011\.$"):
        calibrate(scores, same, far=0.01, **_NAMES)


def test_strangers_at_cosine_one_are_refused(rng):
    scores, same = _with_impostors(np.append(rng.uniform(-1, 0.5, 80), np.full(20, 1.0)))
    with pytest.raises(KerasfaceError, match=r"20 of 100 impostor pairs have cosine 1\. Is one picture"):
        calibrate(scores, same, far=0.1, **_NAMES)


def test_what_is_no_cosine_or_no_rate_is_refused(rng):
    scores, same = _with_impostors(rng.uniform(-1, 1, 100))
    with pytest.raises(ValueError, match=r"cosines in \[-1, 1\]"):
        calibrate(np.where(same, 1.7, scores), same, far=0.1, **_NAMES)
    with pytest.raises(ValueError, match=r"lies in \(0, 1\)"):
        calibrate(scores, same, far=1.0, **_NAMES)


def test_the_bound_holds_in_19_of_20_calibrations(rng):
    above = 0
    for _ in range(2000):
        impostors = rng.uniform(-1, 1, 100)
        threshold = calibrate(*_with_impostors(impostors), far=0.05, **_NAMES)
        above += (1 - threshold.cosine) / 2 > threshold.far_upper
    assert 0.03 < above / 2000 < 0.07


def test_nobody_accepted_is_the_rule_of_three():
    scores, same = _with_impostors(np.full(300, 0.3))
    threshold = calibrate(scores, same, far=0.01, **_NAMES)
    assert threshold.far_upper == pytest.approx(1 - 0.05 ** (1 / 300))
    assert threshold.far_upper == pytest.approx(0.01, rel=0.01)


def test_people_who_bring_many_pairs_raise_the_bound(rng):
    # Two of twenty people are each other's doubles: every false accept is theirs.
    people = np.array([[a, b] for a in range(20) for b in range(a) for _ in range(20)])
    impostors = np.where((people == [1, 0]).all(axis=1), 0.9, 0) + rng.uniform(0, 0.1, len(people))
    scores, same = _with_impostors(impostors)
    one_of_own = np.concatenate([people, [[0, 0]], [[1, 1]]])
    same = np.arange(scores.size) >= len(people)
    known = calibrate(scores, same, far=0.005, people=one_of_own, **_NAMES)
    unknown = calibrate(scores, same, far=0.005, **_NAMES)
    assert known.cosine == unknown.cosine
    assert known.far_upper > 2 * unknown.far_upper


@pytest.fixture
def labelled(rng):
    labels = rng.permutation(np.repeat(np.arange(30), rng.integers(1, 9, 30)))
    return rng.normal(size=(30, 12))[labels] + rng.normal(size=(labels.size, 12)), labels


@pytest.mark.parametrize("block", [7, 2048])
def test_all_pairs_give_what_listing_them_gives(labelled, monkeypatch, block):
    embeddings, labels = labelled
    first, second = np.triu_indices(labels.size, k=1)
    cosines = (unit(embeddings) @ unit(embeddings).T)[first, second]
    same = labels[first] == labels[second]
    monkeypatch.setattr(all_pairs, "_BLOCK", block)
    monkeypatch.setattr(top, "_SLACK", block)
    seen = []
    tail = impostor_tail(embeddings, labels, rate=0.02, progress=lambda *done: seen.append(done))
    assert seen[-1][0] == seen[-1][1] == len(seen)
    assert tail.impostor_pairs == (~same).sum()
    expected = np.sort(cosines[~same])[::-1][: tail.scores.size]
    np.testing.assert_allclose(tail.scores, expected, atol=1e-6)
    assert tail.scores.size == int(0.02 * tail.impostor_pairs) + 1
    one, other = unit(embeddings)[tail.first], unit(embeddings)[tail.second]
    np.testing.assert_allclose((one * other).sum(axis=1), expected, atol=1e-6)
    assert (labels[tail.first] != labels[tail.second]).all()
    for far in (0.005, 0.02):
        people = np.stack([labels[first], labels[second]], axis=1)
        listed = calibrate(cosines.astype(float), same, far=far, people=people, **_NAMES)
        streamed = calibrate_tail(tail, far=far, **_NAMES)
        assert streamed.cosine == pytest.approx(listed.cosine, abs=1e-6)
        assert streamed.impostor_pairs == listed.impostor_pairs
        assert streamed.far_upper == pytest.approx(listed.far_upper)


def test_a_tail_that_is_too_short_is_refused(labelled):
    tail = impostor_tail(*labelled, rate=0.01)
    with pytest.raises(ValueError, match="kept for rates up to"):
        calibrate_tail(tail, far=0.1, **_NAMES)
    with pytest.raises(KerasfaceError, match="impostor pairs"):
        calibrate_tail(tail, far=1e-6, **_NAMES)
    with pytest.raises(ValueError, match=r"labels must be"):
        impostor_tail(labelled[0], labelled[1][1:], rate=0.1)
    with pytest.raises(ValueError, match=r"\(0, 1\)"):
        impostor_tail(*labelled, rate=0)


def test_one_person_alone_supports_nothing(rng):
    tail = impostor_tail(rng.normal(size=(5, 4)), np.zeros(5, int), rate=0.1)
    with pytest.raises(KerasfaceError, match="Received: 0"):
        calibrate_tail(tail, far=0.1, **_NAMES)
