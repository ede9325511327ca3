"""Schedules against their closed forms."""

import math

import keras
import numpy as np
import pydantic
import pytest

from kerasface.errors import KerasfaceError
from kerasface.training.optimization.schedules import WarmUp, learning_rate
from kerasface.training.recipe.solver import Schedule

RATE, PER_EPOCH, LAST = 0.1, 10, 100


def section(**fields):
    return pydantic.TypeAdapter(Schedule).validate_python(fields)


def rates(*, accumulation=1, **fields):
    """The rate at each of the run's updates."""
    schedule = learning_rate(
        section(**fields), RATE, steps_per_epoch=PER_EPOCH, last_step=LAST, accumulation=accumulation
    )
    return np.array([float(schedule(keras.ops.convert_to_tensor(n))) for n in range(LAST // accumulation)])


def assert_rates(found, expected):
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-5, atol=1e-9)


n = np.arange(LAST)


def test_constant_is_the_number():
    assert learning_rate(section(name="constant"), RATE, steps_per_epoch=PER_EPOCH, last_step=LAST) == RATE


def test_steps_change_the_rate_at_their_boundary():
    # As Caffe's multistep does: step 16000 already has the lower rate.
    expected = np.where(n < 30, RATE, np.where(n < 60, RATE * 0.2, RATE * 0.04))
    assert_rates(rates(name="step", steps=[30, 60], factor=0.2), expected)
    assert_rates(rates(name="step", epochs=[3, 6], factor=0.2), expected)


def test_boundaries_count_the_warm_up():
    expected = np.where(n < 20, RATE * n / 20, np.where(n < 50, RATE, RATE / 10))
    assert_rates(rates(name="step", steps=[50], warmup_epochs=2), expected)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_polynomial(power):
    assert_rates(rates(name="polynomial", power=power), RATE * (1 - n / LAST) ** power)
    t = np.maximum(n - 20, 0) / (LAST - 20)
    expected = RATE * np.where(n < 20, n / 20, 0.1 + 0.9 * (1 - t) ** power)
    assert_rates(rates(name="polynomial", power=power, final_fraction=0.1, warmup_steps=20), expected)


def test_cosine():
    t = np.maximum(n - 20, 0) / (LAST - 20)
    expected = RATE * np.where(n < 20, n / 20, 0.1 + 0.9 * (1 + np.cos(np.pi * t)) / 2)
    assert_rates(rates(name="cosine", final_fraction=0.1, warmup_epochs=2), expected)


def test_restarts_fill_the_run():
    # After 16 steps of warm-up cycles of 12, 24 and 48 steps, the highest rate half of the one before.
    found = rates(name="cosine", restarts=2, restart_growth=2, restart_factor=0.5, warmup_steps=16)
    cycles = [RATE * 0.5**c * (1 + math.cos(math.pi * k / 12 / 2**c)) / 2 for c in range(3) for k in range(12 * 2**c)]
    assert_rates(found, np.concatenate([RATE * n[:16] / 16, cycles]))


def test_accumulated_steps_are_one_update():
    # Every fourth of the schedule's values; boundaries wait for the update that begins at or after them.
    updates = n[::4]
    assert_rates(rates(name="polynomial", power=2, accumulation=4), RATE * (1 - updates / LAST) ** 2)
    assert_rates(rates(name="step", steps=[30], accumulation=4), np.where(updates < 30, RATE, RATE / 10))


def test_what_does_not_fit_the_run_is_refused():
    with pytest.raises(KerasfaceError, match="fills the run of 100 steps. Received: 100 steps of warm-up"):
        rates(name="cosine", warmup_epochs=10)
    with pytest.raises(KerasfaceError, match=r"last step, 100. Received: boundaries at steps \[50, 100\]"):
        rates(name="step", steps=[50, 100])
    with pytest.raises(KerasfaceError, match=r"Received: boundaries at steps \[20\]"):
        rates(name="step", epochs=[2], warmup_steps=20)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "step"}, "as steps or as epochs"),
        ({"name": "step", "steps": [5], "epochs": [1]}, "as steps or as epochs"),
        ({"name": "step", "steps": [50, 50]}, r"boundaries must rise; \[50, 50\]"),
        ({"name": "cosine", "warmup_epochs": 1, "warmup_steps": 10}, "not both"),
    ],
)
def test_sections_that_contradict_themselves(fields, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        section(**fields)


def test_config_brings_the_warm_up_back():
    schedule = WarmUp(keras.optimizers.schedules.PolynomialDecay(0.1, 90, 0.0, power=2.0), 10)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(again) is WarmUp
    assert [float(again(step)) for step in (0, 5, 10, 55)] == [float(schedule(step)) for step in (0, 5, 10, 55)]
    with pytest.raises(ValueError, match="at least one step. Received: steps=0"):
        WarmUp(schedule, 0)
