import numpy as np
import pytest

from kerasface.evaluation import PairAngles, pair_angles


def test_angles_of_known_cosines():
    scores = np.array([1.0000001, np.sqrt(3) / 2 - 1e-9, 0.0, -0.5 - 1e-9, -1.0])
    angles = pair_angles(scores, np.array([True, True, False, False, False]))
    assert np.flatnonzero(angles.genuine_counts).tolist() == [0, 30]
    assert np.flatnonzero(angles.impostor_counts).tolist() == [90, 120, 179]
    assert angles.genuine_mean_degrees == pytest.approx(15)
    assert angles.genuine_std_degrees == pytest.approx(15)
    assert angles.impostor_mean_degrees == pytest.approx(130)
    assert angles.impostor_std_degrees == pytest.approx(np.sqrt((40**2 + 10**2 + 50**2) / 3))


def test_random_directions_are_at_right_angles_on_average(rng):
    directions = rng.normal(size=(4000, 2, 64))
    first, second = np.moveaxis(directions / np.linalg.norm(directions, axis=2, keepdims=True), 1, 0)
    angles = pair_angles((first * second).sum(axis=1), np.arange(4000) < 10)
    assert angles.impostor_mean_degrees == pytest.approx(90, abs=0.5)
    # The cosine of random directions has variance 1/D.
    assert angles.impostor_std_degrees == pytest.approx(np.degrees(1 / 8), rel=0.05)


def test_json_round_trip():
    angles = pair_angles([0.5, 0.1, 0.2], np.array([True, False, False]))
    read = PairAngles.from_json(angles.to_json())
    np.testing.assert_array_equal(read.impostor_counts, angles.impostor_counts)
    assert read.genuine_mean_degrees == angles.genuine_mean_degrees
