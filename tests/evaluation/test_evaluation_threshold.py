import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.errors import KerasfaceError
from kerasface.evaluation import calibrate
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


def test_it_says_where_it_comes_from(rng):
    scores, same = _with_impostors(rng.uniform(-1, 1, 1000))
    threshold = calibrate(scores, same, far=0.01, **_NAMES)
    assert threshold == Threshold(np.sort(scores[~same])[-10], 0.01, "a set", "fp16", 1000)


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
    with pytest.raises(KerasfaceError, match=r"a set cannot support .* 0.01: that takes 300 .* Received: 299\."):
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
