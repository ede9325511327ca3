import numpy as np
import pytest
from keras import ops

from kerasface.heads import Annealing, ArcFace, ASoftmax, get, names
from kerasface.heads.geometry import psi, unit_rows
from tests.heads.reference import psi_from_angle


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_psi_by_signs_equals_psi_by_angle(m, float64):
    theta = np.union1d(np.linspace(0, np.pi, 200_001), np.arange(m + 1) * np.pi / m)
    value = np.asarray(psi(ops.convert_to_tensor(np.cos(theta)), m))
    np.testing.assert_allclose(value, psi_from_angle(theta, m), atol=1e-9)
    assert (np.diff(value) <= 1e-12).all()
    assert value[0] == pytest.approx(1.0)
    assert value[-1] == pytest.approx(1.0 - 2 * m)


def test_psi_knows_no_other_margin():
    with pytest.raises(ValueError, match="m must be 1, 2, 3 or 4"):
        psi(ops.ones(3), 5)


def test_arcface_target_falls_with_the_angle(float64):
    theta = np.linspace(0, np.pi, 100_001)
    head = ArcFace(2, dtype="float64")
    target = np.asarray(head.adjust_target(ops.convert_to_tensor(np.cos(theta)), None))
    assert (np.diff(target) <= 1e-12).all()


def test_unit_rows_of_long_short_and_zero_rows(rng):
    x = rng.normal(size=(4, 8)).astype(np.float32) * np.array([[1], [1e4], [1e-4], [0]], np.float32)
    unit, lengths = (np.asarray(part) for part in unit_rows(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), [1, 1, 1, 0], rtol=1e-5)
    np.testing.assert_allclose(lengths, np.linalg.norm(x, axis=1), rtol=1e-5)


def test_annealing_follows_the_authors_solver():
    schedule = Annealing()
    assert schedule(1) == pytest.approx(892.86, abs=0.005)
    assert schedule(1658) > 5.0
    assert schedule(1659) == 5.0
    assert float(schedule(ops.convert_to_tensor(1.0))) == pytest.approx(892.857, abs=0.01)


def test_annealing_advances_in_training_only(rng):
    head = ASoftmax(3)
    x, labels = rng.normal(size=(2, 4)).astype(np.float32), np.array([0, 1])
    head.loss(x, labels)
    assert int(head.iteration) == 0
    for _ in range(3):
        head.loss(x, labels, training=True)
    assert int(head.iteration) == 3
    assert float(head.annealing_lambda) == pytest.approx(Annealing()(3))


def test_registry_builds_by_name():
    assert type(get("arcface", num_classes=5, margin=0.3)).__name__ == "ArcFace"
    assert names() == sorted(names())
    with pytest.raises(ValueError, match="unknown head; expected one of a_softmax, .*arcface"):
        get("arcfase", num_classes=5)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: ArcFace(1), "num_classes"),
        (lambda: ArcFace(5, margin=2.0), "margin"),
        (lambda: ArcFace(5, scale=-1.0), "scale"),
        (lambda: ASoftmax(5, margin=5), "margin must be 1, 2, 3 or 4"),
        (lambda: Annealing(base=-1.0), "base must not be negative"),
    ],
)
def test_bad_arguments_are_errors(build, words):
    with pytest.raises(ValueError, match=words):
        build()
