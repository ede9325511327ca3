import pytest

from kerasface.edge.thresholds import decision_threshold
from kerasface.errors import KerasfaceError
from kerasface.spec import Threshold


def test_the_strictest_calibrated_threshold_decides(spec):
    assert decision_threshold(spec) == 0.5
    int8 = Threshold(0.53, 1e-3, "test", "int8", 1000)
    assert decision_threshold(spec.replace(thresholds=(*spec.thresholds, int8))) == 0.53


def test_the_users_own_goes_first(spec):
    assert decision_threshold(spec, 0.0) == 0.0
    with pytest.raises(ValueError, match=r"cosine in \[-1, 1\]. Received: threshold=1.2"):
        decision_threshold(spec, 1.2)
    with pytest.raises(ValueError, match="cosine"):
        decision_threshold(spec, float("nan"))


def test_without_any_the_message_asks_for_one(spec):
    with pytest.raises(KerasfaceError, match=r"blocks\.test has no calibrated threshold.*--threshold"):
        decision_threshold(spec.replace(thresholds=()))
