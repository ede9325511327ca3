import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from kerasface.evaluation.result import Result


@dataclasses.dataclass(frozen=True)
class _Measured(Result):
    rate: float | None
    rates: tuple[float, ...]
    by_far: dict[float, float | None]
    curve: np.ndarray = dataclasses.field(compare=False)


_RESULT = _Measured(0.1 + 0.2, (0.5, 1.0), {1e-6: None, 0.1: 0.25}, np.array([0.0, 1 / 3]))


def test_json_gives_the_very_same_result_back():
    read = _Measured.from_json(_RESULT.to_json())
    assert read == _RESULT
    assert read.curve.tolist() == _RESULT.curve.tolist()


def test_json_holds_plain_values_under_the_field_names():
    assert json.loads(_RESULT.to_json()) == {
        "rate": 0.1 + 0.2,
        "rates": [0.5, 1.0],
        "by_far": {"1e-06": None, "0.1": 0.25},
        "curve": [0.0, 1 / 3],
    }


@pytest.mark.parametrize(
    "text",
    [
        *("", "[1]", '{"rate": 1}', "nonsense"),
        '{"rate": 1, "rates": 5, "by_far": {}, "curve": []}',
        '{"rate": 1, "rates": [], "by_far": [1], "curve": []}',
    ],
)
def test_what_is_no_such_result_is_refused(text):
    with pytest.raises(ValueError, match="Received"):
        _Measured.from_json(text)


def test_a_nan_is_never_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        dataclasses.replace(_RESULT, rate=float("nan")).to_json()


def test_the_room_needs_neither_tensorflow_nor_keras_nor_scikit_learn():
    program = "import sys, kerasface.evaluation; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"tensorflow", "keras", "sklearn", "matplotlib"}.isdisjoint(loaded)
